"""Colours of a terminal, where there is one and nobody forbids them."""

from __future__ import annotations

import os
from typing import TextIO

STYLES = {"heading": "1", "good": "32", "bad": "1;31", "note": "33"}  # what ANSI terminals call them


def colours_wanted(stream: TextIO | None) -> bool:
    """Whether what goes to `stream` may be coloured: on a terminal that is not dumb. None is no stream.

    The variables NO_COLOR (never) and FORCE_COLOR (always, into files and pipes too) say otherwise, in this order, if
    they hold anything.
    """
    if stream is None or os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or os.environ.get("TERM") != "dumb" and stream.isatty()


def painted(text: str, style: str, stream: TextIO | None) -> str:
    """`text` in one of STYLES for a `stream` that wants colours, as it is for others and if it is empty."""
    return f"\033[{STYLES[style]}m{text}\033[0m" if text and colours_wanted(stream) else text


def headed(text: str, stream: TextIO | None) -> str:
    """`text` with its first line as a heading: of a table its heads."""
    first, end, rest = text.partition("\n")
    return painted(first, "heading", stream) + end + rest
