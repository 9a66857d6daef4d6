"""How much memory a net takes, by what it is for."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from blobnet.backend import Array
from blobnet.core.blob import Blob, Buffer
from blobnet.core.context import Context
from blobnet.core.layer import Layer
from blobnet.core.net import Net
from blobnet.core.node import Node


@dataclasses.dataclass(frozen=True)
class Memory:
    """Bytes of the memory of a net. What several blobs share counts once.

    parameters and parameter_diffs: the values and the gradients of the parameters; data and diffs: those of all other
    blobs; workspace: what the layers use one after the other and keep nothing in; layers: what each layer keeps for
    itself, such as masks and normalised values, by its name, without layers that keep nothing.
    """

    parameters: int
    parameter_diffs: int
    data: int
    diffs: int
    workspace: int
    layers: dict[str, int]

    @property
    def total(self) -> int:
        """All together."""
        return sum((self.parameters, self.parameter_diffs, self.data, self.diffs, self.workspace,
                    *self.layers.values()))


def memory(net: Net) -> Memory:
    """The memory of `net` as it is shaped now.

    Parameters, data and diffs count as much as whole forward and backward passes take, whether or not one ran yet: the
    diffs are those that a backward pass writes or reads, and in a net without a loss there are none. Memory that a blob
    kept of a larger shape counts too. The workspace and what layers keep count as they are now: they have their full
    size after the first backward pass.

    Not counted: batches that are read ahead, the histories of a solver, the program itself.
    """
    blobs, inner = _all_blobs(net.nodes), [parameter.blob for parameter in net.parameters]
    parameters = {blob.memory: blob.count for blob in inner}
    parameter_diffs = {parameter.blob.diff_memory: parameter.blob.count for parameter in net.parameters
                       if parameter.layer.param_propagate_down[parameter.index]}
    data = _largest((blob.memory, blob.count) for blob in blobs)
    diffs = _largest((blob.diff_memory, blob.count) for blob in _with_diffs(net.nodes))
    arrays = [buffer.array for blob in blobs + inner for buffer in (blob.memory, blob.diff_memory)]
    known = {id(array.base if array is not None and array.base is not None else array) for array in arrays}
    layers: Counter[str] = Counter()
    for layer in net.layers:
        layers[layer.name] += sum(array.nbytes for array in _arrays(layer, (np.ndarray, net.xp.ndarray), known))
    return Memory(_bytes(parameters), _bytes(parameter_diffs), _bytes(data), _bytes(diffs),
                  net.context.workspace.nbytes, dict(+layers))


def _all_blobs(nodes: Iterable[Node]) -> list[Blob]:
    return [blob for node in nodes for blob in node.tops]


def _with_diffs(nodes: Iterable[Node]) -> list[Blob]:
    """The blobs whose diffs a backward pass writes or reads."""
    found: list[Blob] = []
    for node in nodes:
        if node.needs_backward:
            found += node.tops
            found += [blob for blob, needed in zip(node.bottoms, node.bottom_needs_backward) if needed]
    return found


def _largest(pairs: Iterable[tuple[Buffer, int]]) -> dict[Buffer, int]:
    """How many numbers each buffer has to hold."""
    found: dict[Buffer, int] = {}
    for buffer, count in pairs:
        found[buffer] = max(count, found.get(buffer, 0))
    return found


def _bytes(counts: Mapping[Buffer, int]) -> int:
    """The bytes of all buffers, which hold so many numbers, or more if they are allocated already."""
    return sum(max(count * buffer.dtype.itemsize, 0 if buffer.array is None else buffer.array.nbytes)
               for buffer, count in counts.items())


def _arrays(layer: Layer, kinds: Any, known: Iterable[int]) -> Iterator[Array]:
    """The arrays that a layer holds, each once, without those that are `known` by their ids."""
    seen = set(known)
    waiting: list[Any] = [layer]
    while waiting:
        value: Any = waiting.pop()
        while isinstance(value, kinds) and value.base is not None:  # a view
            value = value.base
        if id(value) not in seen:
            seen.add(id(value))
            if isinstance(value, kinds):
                yield value
            waiting += _parts(value)


def _parts(value: Any) -> Iterable[object]:
    """What a value of a layer holds: the items of containers, the attributes of our objects and of layers."""
    if isinstance(value, Mapping):
        return value.values()
    if isinstance(value, (list, tuple, set)):
        return value
    if isinstance(value, Blob):
        return value.memory.array, value.diff_memory.array
    ours = isinstance(value, Layer) or str(type(value).__module__).startswith("blobnet.")
    if not ours or isinstance(value, (Context, type)):
        return ()
    return getattr(value, "__dict__", {}).values()
