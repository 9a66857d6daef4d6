"""Sizes that a model leaves open: those of the batch, and of what a layer finds.

The layers are written twice, for a net as it is and for one whose open sizes are 1 larger. What is the same in both
holds for any size. A shape that a Reshape takes may differ in one number, which becomes -1; a layer with any other
difference needs the size that it was built with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from blobnet.core.net import Net
from blobnet.errors import BlobnetError, NetError
from blobnet.exchange.onnx.part import Body, Operation, Part
from blobnet.exchange.onnx.wires import State, Wires

Sizes = Mapping[State, Sequence[int | str]]


def fixed_sizes(wires: Wires) -> dict[State, tuple[int, ...]]:
    """The shapes of all states as the net was built."""
    found = {state: blob.shape for wired in wires.layers for state, blob in zip(wired.writes, wired.node.tops)}
    return found | {state: blob.shape for wired in wires.givers for state, blob in zip(wired.writes, wired.node.tops)
                    if state in wires.inputs}


def larger_twin(net: Net, wires: Wires, parts: Sequence[Part], batch: bool, blobs: Sequence[str]) -> Wires:
    """The wires of a second net with the same parameters, whose open sizes are 1 larger; `batch`: also axis 0 of the
    inputs. NetError if a layer does not take them."""
    twin = Net(net.definition, net.phase, python_layers=net.context.python_layers, fillers=False)
    twin.share_with(net)
    twin.context.step = net.context.step
    result = Wires(twin, blobs)
    needed = {wired.node: part for wired, part in zip(result.layers, parts)}
    given = {state.name for state in result.inputs}
    for node in twin.nodes:
        if node.layer.is_input and batch:
            for name, blob in zip(node.layer.param.top, node.tops):
                if name in given:
                    blob.reshape((blob.shape[0] + 1, *blob.shape[1:]) if blob.shape else ())
        elif node.layer.is_split or node in needed:
            try:
                node.layer.update_shapes(node.bottoms, node.tops)
            except BlobnetError as error:
                raise NetError(f"net {net.name!r}", "a size that is open, such as that of the batch, cannot be "
                               f"larger: {error}") from error
            for top, axis in needed[node].open if node in needed else ():
                shape = node.tops[top].shape
                node.tops[top].reshape((*shape[:axis], shape[axis] + 1, *shape[axis + 1:]))
    return result


def open_sizes(wires: Wires, larger: Wires, batch: int | str | None) -> dict[State, list[int | str]]:
    """The shapes of all states, with names for the sizes that are open; `batch`: the size that is called so."""
    found = {}
    others = fixed_sizes(larger).values()
    for (state, shape), other in zip(fixed_sizes(wires).items(), others, strict=True):
        found[state] = [size if size == more else "batch" if size == batch else f"{state.name}_{axis}"
                        for axis, (size, more) in enumerate(zip(shape, other, strict=True))]
    return found


def for_any_size(parts: Sequence[Part], others: Sequence[Part]) -> None:
    """Make `parts` hold for all open sizes, given what they are where these are larger. NetError with all the layers
    that cannot."""
    wrong = [part.layer.where for part, other in zip(parts, others, strict=True) if not _open(part, other)]
    if wrong:
        raise NetError("ONNX", "with open sizes", expected="layers that work on a batch of any size, and on any number "
                       "of what others find", got=", ".join(wrong) + ", written for the sizes of this net",
                       hint="export without --dynamic-batch, in sizes that are given by --shape")


def _open(part: Part, other: Part) -> bool:
    """Whether the two can be one, which `part` is then."""
    if not _same(part.operations, other.operations) or part.tops != other.tops:
        return False
    if part.constants.keys() != other.constants.keys() or part.parameters.keys() != other.parameters.keys():
        return False
    if any(not np.array_equal(parameter.values, other.parameters[name].values, equal_nan=True)
           for name, parameter in part.parameters.items()):
        return False
    shapes = {operation.inputs[1] for operation in part.operations if operation.kind == "Reshape"}
    read = {name for operation in part.operations for i, name in enumerate(operation.inputs)
            if operation.kind != "Reshape" or i != 1}
    for name, values in part.constants.items():
        more = other.constants[name]
        if values.shape == more.shape and np.array_equal(values, more, equal_nan=values.dtype.kind == "f"):
            continue
        differs = values != more if values.shape == more.shape else np.ones(2, bool)
        if name not in shapes or name in read or differs.sum() != 1 or -1 in values or 0 in values:
            return False
        part.constants[name] = np.where(differs, -1, values)
    return True


def _same(some: Sequence[Operation], others: Sequence[Operation]) -> bool:
    """Whether operations are the same, but for the values of constants."""
    return len(some) == len(others) and all(
        (a.kind, a.inputs, a.outputs) == (b.kind, b.inputs, b.outputs) and a.attributes.keys() == b.attributes.keys()
        and all(_same(value.operations, b.attributes[key].operations) if isinstance(value, Body)
                else value == b.attributes[key] for key, value in a.attributes.items())
        for a, b in zip(some, others))
