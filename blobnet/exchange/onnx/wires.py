"""Wires: the states of the blobs of a net, and which layers are exported."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

from blobnet.core.loss_layer import LossLayer
from blobnet.core.net import Net
from blobnet.core.node import Node
from blobnet.errors import NetError, close_matches
from blobnet.exchange.onnx.registry import why_left_out


@dataclasses.dataclass(eq=False)
class State:
    """What a blob holds after one of the layers that write it: name of the blob, the layer (none for what is given to
    the net), its readers with the positions of the bottoms, and whether it stands for labels."""

    name: str
    maker: Wired | None
    readers: list[tuple[Wired, int]] = dataclasses.field(default_factory=list)
    label: bool = False


@dataclasses.dataclass(eq=False)
class Wired:
    """A layer between states. why: the reason why it is left out, or ""."""

    node: Node
    reads: list[State]
    writes: list[State] = dataclasses.field(default_factory=list)
    why: str = ""


class Wires:
    """inputs: the states that are to be given, by the layers `givers`; layers: those to export, in order; outputs:
    states that none of them reads; left_out: the layers that are not exported, as they are losses, measures, or read
    only what those make.

    blobs: the names of the outputs, if they are others. NetError for a name that is not there, and without any output.
    """

    def __init__(self, net: Net, blobs: Sequence[str] = ()):
        self._now: dict[str, State] = {}
        wired = [found for node in net.nodes if (found := self._wire(node)) is not None]
        self.left_out = [each for each in wired if each.why]
        kept = [each for each in wired if not each.why]
        self._mark_labels(kept)
        if missing := [name for name in blobs if name not in self._now]:
            raise NetError(f"net {net.name!r}", f"no blob {missing[0]!r}", hint=close_matches(missing[0], self._now))
        self.outputs = [self._now[name] for name in dict.fromkeys(blobs)] or [
            state for each in kept for state in each.writes if not each.node.layer.is_input and not state.label
            and all(reader.why for reader, _ in state.readers)]
        if not self.outputs:
            raise NetError(f"net {net.name!r}", "nothing is left to export", expected="a layer that is no loss and "
                           "does not only read labels", got=", ".join(each.node.layer.where for each in self.left_out))
        needed = _behind(self.outputs)
        self.layers = [each for each in kept if each in needed and not each.node.layer.is_input]
        _refuse_views(self.layers, self.outputs)
        self.givers = [each for each in kept if each.node.layer.is_input]
        self.inputs = [state for each in self.givers for state in each.writes
                       if state in self.outputs or any(reader in needed for reader, _ in state.readers)]

    def _wire(self, node: Node) -> Wired | None:
        """The layer, wired up; None for a Split, which only gives names to a state."""
        bottoms, tops = node.bottom_names, list(node.layer.param.top)
        if node.layer.is_split:
            self._now.update(dict.fromkeys(tops, self._now[bottoms[0]]))
            return None
        result = Wired(node, [self._now[name] for name in bottoms])
        result.why = _why(result)
        for i, state in enumerate(result.reads):
            state.readers.append((result, i))
        result.writes = [State(name, result) for name in tops]
        self._now.update(zip(tops, result.writes))
        return result

    def _mark_labels(self, kept: Sequence[Wired]) -> None:
        """Mark what is only compared with what the net says, or handed on to such a place without being changed."""
        for each in reversed(kept):
            passes = each.node.layer.is_input or each.node.layer.passes_labels
            for state in each.writes:
                state.label = passes and bool(state.readers) and all(_for_labels(*reader) for reader in state.readers)
        for each in kept:
            if not all(state.label for state in each.reads):
                for state in each.writes:
                    state.label = False


def _why(wired: Wired) -> str:
    """Why a layer is left out, or ""."""
    layer = wired.node.layer
    weighted = [weight != 0 and blob.count == 1 for weight, blob in zip(layer.loss_weights, wired.node.tops)]
    if isinstance(layer, LossLayer) or weighted and all(weighted):
        return "a loss"
    gone = [state.name for state in wired.reads if state.maker and state.maker.why]
    return why_left_out(layer) or (f"it reads {gone[0]}, which is left out" if gone else "")


def _for_labels(reader: Wired, position: int) -> bool:
    """Whether a bottom of a layer takes labels, or hands them on to such a place, or to nobody."""
    if reader.why:
        return position in reader.node.layer.unforced_bottoms
    return (reader.node.layer.passes_labels or not reader.writes) and all(state.label for state in reader.writes)


def _refuse_views(layers: Sequence[Wired], outputs: Sequence[State]) -> None:
    """NetError for a layer that works in place on numbers of another blob too, such as that which a Reshape had, if
    those are read afterwards: they have changed then, which values in ONNX never do."""
    lies: dict[State, int] = {}
    for number, wired in enumerate(layers):
        for state, blob in zip(wired.writes, wired.node.tops):
            lies[state] = blob.data.ctypes.data
            if not blob.count or state.name not in [before.name for before in wired.reads]:
                continue
            for other, place in lies.items():
                late = other in outputs or any(reader in layers[number + 1:] for reader, _ in other.readers)
                if place == lies[state] and other.name != state.name and late:
                    raise NetError(wired.node.layer.where, f"works in place on {state.name!r}, which shares its "
                                   f"numbers with {other.name!r}, and that is read afterwards",
                                   hint="give its top a name of its own")


def _behind(outputs: Iterable[State]) -> set[Wired]:
    """All layers that the outputs come from."""
    found: set[Wired] = set()
    todo = [state.maker for state in outputs]
    while todo:
        wired = todo.pop()
        if wired is not None and wired not in found:
            found.add(wired)
            todo += [state.maker for state in wired.reads]
    return found
