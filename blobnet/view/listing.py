"""A net as Caffe's summarize.py lists it: a line a layer, from the definition alone."""

from __future__ import annotations

import re
from collections.abc import Sequence

from google.protobuf.message import Message

from blobnet.core.registry import declarations
from blobnet.netdef.windows import window
from blobnet.netdef.words import decimal

COLOURS = ("92", "93", "94", "95", "97", "96", "42", "43;30", "100", "44", "103;30", "107;30")  # of blobs, in turn
UNKNOWN, UNREAD = "41", "1;4"  # a bottom that no layer has made yet; a top that no later layer reads
ESCAPE = re.compile(r"\033\[[\d;]+m")


def listing(net: Message, max_width: int = 30, colours: bool = False) -> str:
    """A line for every layer of `net`, of all phases: name, type, rates of the parameters, bottoms -> tops, window.

    Rates that are not 1 are shown as x2.0 (lr_mult) and Dx0.0 (decay_mult); loss weights before their tops. A window is
    kernel/stride+pad outputs/group, without what is the default. `colours` gives every blob a colour of its own on a
    terminal, and marks tops that nobody reads and bottoms that nobody makes. Columns wider than `max_width` overflow.
    """
    unread: set[str] = set()
    for layer in net.layer:
        unread = unread.union(layer.top).difference(layer.bottom)
    palette: dict[str, str] = {}
    rows = []
    for layer in net.layer:
        for blob in layer.top:
            palette.setdefault(blob, COLOURS[len(palette) % len(COLOURS)])
        tops = []
        for i, blob in enumerate(layer.top):
            text = f"\033[{UNREAD}m{blob}" if blob in unread else blob
            weight = f"{decimal(layer.loss_weight[i])} * " if i < len(layer.loss_weight) else ""
            tops.append(f"\033[{palette[blob]}m{weight}{text}\033[0m")
        bottoms = [f"\033[{palette.get(blob, UNKNOWN)}m{blob}\033[0m" for blob in layer.bottom]
        rows.append([layer.name, _type(layer), _rates(layer), ", ".join(bottoms), "->", ", ".join(tops),
                     _window(layer)])
    text = "\n".join(_table(rows, max_width))
    return text if colours else ESCAPE.sub("", text)


def _type(layer: Message) -> str:
    return f"{layer.python_param.module}.{layer.python_param.layer}" if layer.type == "Python" else layer.type


def _rates(layer: Message) -> str:
    """"(w x2.0 Dx0.0, b)" of the names and multipliers of the parameters, "" if there is nothing to say."""
    texts = [" ".join([spec.name] * bool(spec.name) + [f"x{decimal(spec.lr_mult)}"] * (spec.lr_mult != 1)
                      + [f"Dx{decimal(spec.decay_mult)}"] * (spec.decay_mult != 1)) for spec in layer.param]
    return f"({', '.join(texts)})" if any(texts) else ""


def _window(layer: Message) -> str:
    cls = declarations(layer)
    if not cls.window_field:
        return ""
    options = getattr(layer, cls.window_field)
    sizes, outputs = window(options), ""
    if cls.shows_rates:
        outputs = f" {options.num_output}" + f"/{options.group}" * (options.group != 1)
    return (sizes["kernel"] + f"/{sizes['stride']}" * (sizes["stride"] != "1")
            + f"+{sizes['pad']}" * (sizes["pad"] != "0") + outputs)


def _table(rows: Sequence[Sequence[str]], max_width: int) -> list[str]:
    """Lines of the rows in columns of at most `max_width`; a wider cell pushes the next one only as far as it must."""
    widths = [min(max_width, 1 + max(map(_length, column))) for column in zip(*rows)]
    lines = []
    for row in rows:
        line, right = "", 0
        for cell, width in zip(row, widths):
            right += width
            line += cell + " "
            line += " " * (right - _length(line))
        lines.append(line.rstrip())
    return lines


def _length(text: str) -> int:
    """How many letters are seen."""
    return len(ESCAPE.sub("", text))
