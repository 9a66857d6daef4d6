"""Matplotlib, loaded when a picture is drawn, and the look that all pictures share."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from blobnet.errors import BlobnetError
from blobnet.optional import require_library
from blobnet.proto.storage import atomic_write

# Okabe and Ito's palette, told apart by colour-blind readers; line styles and markers differ as well.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
LINES = ("-", "--", "-.", ":")
RIGHT, WRONG = "#009E73", "#D55E00"


def new_figure(width: float, height: float, dpi: float = 120, layout: Any = "constrained"):
    """An empty Matplotlib figure, inches; MissingLibrary without Matplotlib. Neither windows nor global state."""
    matplotlib = require_library("matplotlib.figure", "view", "pictures need Matplotlib", "'blobnet[view]'")
    return matplotlib.Figure(figsize=(width, height), dpi=dpi, layout=layout)


def plain_axes(figure, xlabel: str, ylabel: str):
    """The only axes of `figure`: labelled, with a light grid and no box."""
    axes = figure.add_subplot()
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    axes.grid(color="0.9")
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    return axes


def save(figure, path: str | os.PathLike, others: Iterable[str] = ()) -> None:
    """Write the picture in the format that the suffix names (png, pdf, svg …), whole or not at all; PNG without one.

    `others` are suffixes that the caller writes by itself, which the error for an unknown suffix names too.
    """
    kind = Path(path).suffix[1:].lower() or "png"
    known = figure.canvas.get_supported_filetypes()
    if kind not in known:
        raise BlobnetError(os.fspath(path), expected="a suffix among " + ", ".join(sorted({*known, *others})),
                           got=repr(kind))
    with atomic_write(path) as file:
        figure.savefig(file, format=kind)
