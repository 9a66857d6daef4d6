"""Variants of what backward reads: the diffs of the tops, and one array in the place of another."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from blobnet.check.grading.recipe import Recipe
from blobnet.check.grading.scene import Scene
from blobnet.check.grading.slips import Slip
from blobnet.check.standalone import Standalone

WHICH = "Which of the two does the formula say?"
ROWS = (("the first row", slice(0, 1)), ("the last row", slice(-1, None)), ("the rows after the first", slice(1, None)),
        ("the rows before the last", slice(0, -1)))


def of_top_diffs(scene: Scene) -> Iterator[Recipe]:
    """Not used, used twice, or something else in their place."""
    dy = scene.dy
    slip = Slip.LOSS_WEIGHT if scene.is_loss else Slip.UPSTREAM
    name = "top[0].diff" + ", which holds the loss weight," * scene.is_loss
    yield Recipe(slip, f"{name} were 1", "Where does your backward read it?",
                 lambda: scene.play([np.sign(abs(part)) for part in dy]))
    yield Recipe(slip, f"{name} came in twice", "Where do you multiply with it?",
                 lambda: scene.play([part**2 for part in dy]))
    yield Recipe(Slip.UPSTREAM, "your backward took top[0].data where top[0].diff belongs",
                 "What flows back, and where is it?", lambda: scene.play(scene.answers[0].top))


def of_parts(scene: Scene) -> Iterator[Recipe]:
    """Only some rows, or places, of the top's diff; rows taken for columns."""
    dy = scene.dy
    if scene.is_loss or not dy or not dy[0].ndim or len(dy[0]) < 2:
        return
    for words, rows in ROWS:
        yield Recipe(Slip.ROWS, f"only {words} of top[0].diff counted",
                     "Which axis do you add up, and from where to where?", partial(_only, scene, rows))
    if dy[0].ndim == 2 and len(dy[0]) == len(dy[0].T):
        yield Recipe(Slip.AXIS, "top[0].diff had rows and columns exchanged", "Which axis do you add up?",
                     lambda: scene.play([dy[0].T, *dy[1:]]))
    for place in (0, -1) if dy[0].ndim > 2 else ():
        index = (slice(None), slice(None), *[slice(place, place + 1 or None)] * (dy[0].ndim - 2))
        yield Recipe(Slip.ROWS, "only one place of each plane of top[0].diff counted", "Which axes do you add up?",
                     partial(_only, scene, index))


def _only(scene: Scene, index):
    kept = [np.zeros_like(part) for part in scene.dy]
    for into, part in zip(kept, scene.dy):
        into[index] = part[index]
    return scene.play(kept)


def of_wrong_arrays(scene: Scene) -> Iterator[Recipe]:
    """One array read in the place of another, between forward and backward."""
    blobs = [("bottom", i) for i, wanted in enumerate(scene.wanted) if wanted] + [("top", 0)]
    for into in blobs:
        for out_of in blobs:
            if into != out_of:
                names = [f"{kind}[{number}].data" for kind, number in (out_of, into)]
                yield Recipe(Slip.SWAPPED if into[0] == out_of[0] else Slip.SLOPE,
                             f"your backward took {names[0]} where {names[1]} belongs", WHICH,
                             partial(scene.play, between=partial(_copy, out_of, into)))


def _copy(out_of: tuple[str, int], into: tuple[str, int], alone: Standalone) -> None:
    source, target = (getattr(alone, kind)[number].data for kind, number in (out_of, into))
    target[...] = source
