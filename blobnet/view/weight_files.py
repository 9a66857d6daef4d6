"""What is inside a file of weights: the arrays by layer, with their shapes and the size of their numbers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from blobnet.core.weights import read_weight_message
from blobnet.core.weights_hdf5 import hdf5_arrays
from blobnet.core.weights_named import by_layer
from blobnet.log.table import table
from blobnet.proto.blobs import blob_array, blob_shape, read_blob
from blobnet.proto.hdf5_bytes import is_hdf5
from blobnet.proto.named_arrays import holds_named_arrays, read_named
from blobnet.proto.storage import require_file
from blobnet.solvers.state_files import read_state

HEADER = ("layer", "number", "shape", "count", "mean", "deviation", "zeros")


class Row(NamedTuple):
    """An array: the layer that it belongs to, its number or name there, its shape, and how many numbers it has; their
    mean and standard deviation; the share of them that is 0; and how many are not finite, which mean and deviation
    leave out."""

    layer: str
    number: int | str
    shape: tuple[int, ...]
    size: int
    mean: float
    deviation: float
    zeros: float
    not_finite: int


def weight_rows(path: str | os.PathLike) -> list[Row]:
    """A row for every array in the file `path`, in its order.

    The file is a .caffemodel, a prototxt with numbers, an HDF5 file of weights, one of named arrays (.safetensors,
    .npz, .pt), a .solverstate (its arrays are called "history"), or a .binaryproto, which the ending of its name tells.
    Raises ParseError, DataError or SolverError for a file that is none of these, or damaged.
    """
    return [_row(layer, number, values) for layer, number, values in weight_arrays(path)]


def weight_table(rows: list[Row]) -> str:
    """The rows as lines of text, and what they add up to."""
    lines = [HEADER, *((row.layer, str(row.number), "x".join(map(str, row.shape)) or "()", f"{row.size:,}",
                        f"{row.mean:.4g}", f"{row.deviation:.4g}", f"{row.zeros:.1%}") for row in rows)]
    text = [table(lines, left=(0, 2)), "", f"{len(rows)} arrays, {sum(row.size for row in rows):,} numbers"]
    text += [f"not finite: {row.not_finite:,} of the numbers of layer {row.layer!r}, number {row.number}"
             for row in rows if row.not_finite]
    if not rows:
        text.append("no weights are in this file; if it is a net, `blobnet summary` shows its layers")
    return "\n".join(text)


def weight_arrays(path: str | os.PathLike) -> Iterator[tuple[str, int | str, np.ndarray]]:
    """(layer, number or name, array) of every array in the file `path`, as `weight_rows` lists them."""
    path = os.fspath(require_file(path))
    if path.endswith(".binaryproto"):
        yield "", 0, read_blob(path)
    elif ".solverstate" in os.path.basename(path):
        for i, array in enumerate(read_state(path).history):
            yield "history", i, array
    elif is_hdf5(path):
        yield from hdf5_arrays(path)
    elif holds_named_arrays(path):
        for name, given in by_layer(read_named(path)).items():
            yield from ((name, int(own) if own.isdecimal() else own, array) for own, array in given.items())
    else:
        message, arrays = read_weight_message(path)
        for layer in message.layer:
            for i, blob in enumerate(layer.blobs):
                values, shape = blob_array(blob, arrays), blob_shape(blob)
                yield layer.name, i, values.reshape(shape) if values.size == np.prod(shape) else values


def _row(layer: str, number: int | str, values: np.ndarray) -> Row:
    finite = np.isfinite(values)
    wrong = values.size - int(np.count_nonzero(finite))
    good = values[finite] if wrong else values
    mean, deviation = (good.mean(dtype=np.float64), good.std(dtype=np.float64)) if good.size else (0, 0)
    zeros = 1 - np.count_nonzero(values) / values.size if values.size else 0
    return Row(layer, number, values.shape, values.size, float(mean), float(deviation), float(zeros), wrong)
