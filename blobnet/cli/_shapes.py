"""The option --shape, which commands share that run a net without its data."""

from __future__ import annotations

import argparse


def add_shape_option(parser: argparse._ActionsContainer) -> None:
    """Add --shape; `dict(args.shape)` then maps top names to shapes."""
    parser.add_argument("--shape", action="append", type=_shape, default=[], metavar="TOP=N,C,H,W",
                        help="the shape of a top of a data or Input layer; needed where the data is not at hand; may "
                             "be given again")


def _shape(text: str) -> tuple[str, tuple[int, ...]]:
    name, _, numbers = text.partition("=")
    try:
        shape = tuple(int(number) for number in numbers.split(","))
    except ValueError:
        shape = ()
    if not name or not shape or min(shape) < 1:
        raise argparse.ArgumentTypeError(f"expected TOP=N,C,H,W such as data=4,3,32,32, got {text!r}")
    return name, shape
