"""A net as a table: the layers with their shapes, parameters and multiply-adds, and what they add up to."""

from __future__ import annotations

from typing import NamedTuple

from blobnet.core.net import Net
from blobnet.log.table import table

HEADER = ("layer", "type", "top", "parameters", "count", "multiply-adds")
LEFT = range(4)  # its columns that hold words


class Row(NamedTuple):
    """A layer: its name and type; the shapes of its tops by name; the shapes of its parameters, and how many numbers
    they have together; the multiply-adds of a forward pass over the whole batch."""

    layer: str
    type: str
    tops: dict[str, tuple[int, ...]]
    parameters: list[tuple[int, ...]]
    count: int  # type: ignore[assignment]  # not that of tuples
    multiply_adds: int


class Totals(NamedTuple):
    """How many numbers the parameters have, and how many of them learn; multiply-adds of a forward pass; bytes of the
    parameters and of the data of all tops. What several layers share counts once."""

    parameters: int
    learning: int
    multiply_adds: int
    parameter_bytes: int
    activation_bytes: int


def layer_rows(net: Net) -> list[Row]:
    """A row for every layer of `net`, in order."""
    rows = []
    for layer in net.layers:
        bottoms, tops = ([net.blobs[name] for name in names] for names in (layer.param.bottom, layer.param.top))
        rows.append(Row(layer.name, layer.type, {name: net.blobs[name].shape for name in layer.param.top},
                        [blob.shape for blob in layer.blobs], sum(blob.count for blob in layer.blobs),
                        layer.multiply_adds(bottoms, tops)))
    return rows


def totals(net: Net) -> Totals:
    """What the layers of `net` add up to. Gradients and what layers keep for themselves are not counted."""
    rows, size = layer_rows(net), net.dtype.itemsize
    counts = [(parameter.blob.count, parameter.lr_mult != 0) for parameter in net.parameters]
    parameters = sum(count for count, _ in counts)
    memories = {blob.memory: blob.count for blob in net.blobs.values()}  # views have as many numbers as their blob
    return Totals(parameters, sum(count for count, learns in counts if learns),
                  sum(row.multiply_adds for row in rows), parameters * size, sum(memories.values()) * size)


def summary(net: Net, splits: bool = False) -> str:
    """The table of `net` as text. `splits` shows the Split layers too, which the net inserts without being asked."""
    return "\n".join([table(summary_rows(net, splits), LEFT), "", *total_lines(net)])


def summary_rows(net: Net, splits: bool = False) -> list[tuple[str, ...]]:
    """The rows of the table, the heads first; a layer with several tops has a row for each."""
    lines: list[tuple[str, ...]] = [HEADER]
    for layer, row in zip(net.layers, layer_rows(net)):
        if layer.is_split and not splits:
            continue
        tops = [f"{name} {shape_text(shape)}" for name, shape in row.tops.items()] or [""]
        lines.append((row.layer, row.type, tops[0], ", ".join(map(shape_text, row.parameters)),
                      _number(row.count), _number(row.multiply_adds)))
        lines += [("", "", top, "", "", "") for top in tops[1:]]
    return lines


def total_lines(net: Net) -> list[str]:
    """What the layers add up to, in three lines."""
    total = totals(net)
    return [
        f"parameters     {total.parameters:,} ({size_text(total.parameter_bytes)}), {total.learning:,} of them learn",
        f"multiply-adds  {total.multiply_adds:,} in a forward pass",
        f"activations    {size_text(total.activation_bytes)}, and as much for their gradients in training",
    ]


def shape_text(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "scalar"


def _number(value: int) -> str:
    return f"{value:,}" if value else ""


def size_text(count: int) -> str:
    """A number of bytes with a unit, 1 kB = 1000 bytes.

    >>> size_text(999), size_text(12_340_000)
    ('999 B', '12.3 MB')
    """
    for unit, size in (("GB", 10 ** 9), ("MB", 10 ** 6), ("kB", 10 ** 3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} B"
