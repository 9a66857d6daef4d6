"""Variants of layers with windows: the first one begins elsewhere, or what is largest is measured otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from blobnet.check.grading.passes import Pass
from blobnet.check.grading.recipe import Recipe
from blobnet.check.grading.scene import Scene
from blobnet.check.grading.slips import Slip

MOVES = [(rows, columns) for rows in (1, 0, -1) for columns in (1, 0, -1) if rows or columns]


def of_windows(scene: Scene) -> Iterator[Recipe]:
    """Windows one row or one column further on, or back; the largest without its sign."""
    value = scene.values[0] if scene.values else np.empty(0)
    if value.ndim != 4 or not type(scene.alone.layer).window_field:
        return
    yield Recipe(Slip.ABSOLUTE, "what is farthest from 0 were taken and not the largest",
                 "What is it that you look for?", partial(_farthest, scene))
    for rows, columns in MOVES:
        for outside in (value.min(), 0.0):
            yield Recipe(Slip.WINDOW, f"every window began {_where(rows, columns)}",
                         "Where does the first window begin, and where the next?",
                         partial(_moved, scene, rows, columns, outside))


def _where(rows: int, columns: int) -> str:
    words = {1: "later", -1: "earlier"}
    parts = [f"a {what} {words[by]}" for what, by in (("row", rows), ("column", columns)) if by]
    return " and ".join(parts)


def _farthest(scene: Scene) -> Pass:
    largest = scene.play()
    smallest = scene.play(values=[-scene.values[0], *scene.values[1:]])
    tops = [np.where(abs(a) >= abs(b), a, -b) for a, b in zip(largest.top, smallest.top)]
    return Pass(tops, *largest[1:])


def _moved(scene: Scene, rows: int, columns: int, outside: float) -> Pass:
    value = scene.values[0]
    height, width = value.shape[2:]
    padded = np.pad(value, ((0, 0), (0, 0), (1, 1), (1, 1)), constant_values=outside)
    part = padded[:, :, 1 + rows:1 + rows + height, 1 + columns:1 + columns + width]
    return scene.play(values=[part, *scene.values[1:]])
