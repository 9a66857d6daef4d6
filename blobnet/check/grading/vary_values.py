"""Variants of what forward reads: parameters, bottoms and labels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from blobnet.check.grading.passes import Pass
from blobnet.check.grading.recipe import Recipe
from blobnet.check.grading.scene import Scene
from blobnet.check.grading.slips import Slip

USED = "Where is it used?"
TURNS = (("rows and columns", (1, 0)), ("rows and columns of its planes", (0, 1, 3, 2)),
         ("its first two axes", (1, 0, 2, 3)))


def of_parameters(scene: Scene) -> Iterator[Recipe]:
    """Each parameter left out, used twice, with the other sign, turned."""
    for i, value in enumerate(scene.parameters):
        play, name = partial(_with_parameter, scene, i), f"self.blobs[{i}].data"
        slip = Slip.BIAS if i > 0 and value.ndim == 1 else Slip.PARAMETER
        yield Recipe(slip, f"{name} were 0", USED, partial(play, 0 * value))
        yield Recipe(slip, f"{name} were used twice", USED, partial(play, 2 * value))
        yield Recipe(Slip.SIGN, f"{name} had the opposite sign", "Is it added or subtracted?", partial(play, -value))
        yield Recipe(slip, f"{name} were the same number in every element", "Which element of it belongs where?",
                     partial(play, np.full_like(value, value.flat[0])))
        yield from _turned(name, value, play)
        if value.ndim == 4:
            yield Recipe(Slip.FLIPPED, f"{name} were upside down",
                         "Which element of the kernel meets the first of a window?",
                         partial(play, value[:, :, ::-1, ::-1]))


def _turned(name: str, value: np.ndarray, play: Callable[[np.ndarray], Pass]) -> Iterator[Recipe]:
    """Two axes of one length exchanged."""
    for words, axes in TURNS:
        if value.ndim == len(axes) and value.transpose(axes).shape == value.shape:
            yield Recipe(Slip.TRANSPOSED, f"{name} had {words} exchanged", "Which of its axes do you sum over?",
                         partial(play, value.transpose(axes)))


def _with_parameter(scene: Scene, i: int, other: np.ndarray) -> Pass:
    return scene.play(parameters=[other if j == i else kept for j, kept in enumerate(scene.parameters)])


def _with_bottom(scene: Scene, i: int, other: np.ndarray) -> Pass:
    return scene.play(values=[other if j == i else kept for j, kept in enumerate(scene.values)])


def of_bottoms(scene: Scene) -> Iterator[Recipe]:
    """Two bottoms exchanged; each with the other sign, without signs, squared, turned."""
    values = scene.values
    for i in range(len(values)):
        for j in range(i):
            if values[i].shape == values[j].shape:
                order = [j if k == i else i if k == j else k for k in range(len(values))]
                yield Recipe(Slip.SWAPPED, f"bottom[{j}] and bottom[{i}] had changed places", "Which is which?",
                             partial(scene.play, values=[values[k] for k in order]))
    for i, value in enumerate(values):
        if not scene.wanted[i]:
            continue
        play, name = partial(_with_bottom, scene, i), f"bottom[{i}].data"
        yield Recipe(Slip.SIGN, f"{name} had the opposite sign",
                     "Where does a minus belong, or which way does a comparison point?", partial(play, -value))
        yield Recipe(Slip.SIGN, f"the smallest of {name} were taken and not the largest",
                     "What is it that you look for?", partial(_mirrored, play, value))
        yield Recipe(Slip.ABSOLUTE, f"{name} had no signs", "Where do you take absolute values?",
                     partial(play, abs(value)))
        yield Recipe(Slip.FUNCTION, f"{name} were squared", "Where do you square?", partial(play, value**2))
        yield from _turned(name, value, play)


def _mirrored(play: Callable[[np.ndarray], Pass], value: np.ndarray) -> Pass:
    numbers = play(-value)
    return Pass([-top for top in numbers.top], *numbers[1:])


def of_labels(scene: Scene) -> Iterator[Recipe]:
    """Whole numbers that get no gradient: 0 for 1, one too many, not used."""
    classes = scene.values[0].shape[1] if scene.values[0].ndim > 1 else np.inf
    for i, value in enumerate(scene.values):
        if scene.wanted[i] or np.any(value != np.round(value)):
            continue
        play, name = partial(_with_bottom, scene, i), f"bottom[{i}].data"
        if set(np.unique(value)) <= {0.0, 1.0}:
            yield Recipe(Slip.SWAPPED, f"0 and 1 of {name} had changed places", "What do 0 and 1 mean there?",
                         partial(play, 1 - value))
        for word, shift in (("higher", 1), ("lower", -1)):
            yield Recipe(Slip.LABEL, f"every number of {name} were {word} by 1", "Do your classes count from 0?",
                         partial(play, (value + shift) % classes))
        yield Recipe(Slip.LABEL, f"all numbers of {name} were 0", USED, partial(play, 0 * value))
