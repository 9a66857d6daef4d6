"""Variants: what the right layer gives when it is made to slip. Numbers that are these name the slip."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from blobnet.check.grading.other_options import other_options
from blobnet.check.grading.passes import Pass
from blobnet.check.grading.scene import Scene
from blobnet.check.grading.slips import Slip
from blobnet.errors import BlobnetError


class Variant(NamedTuple):
    """A slip, what it would mean (it ends a sentence, "as if …"), what to ask the student, and the numbers of it."""

    slip: Slip
    as_if: str
    question: str
    numbers: Pass


Recipe = tuple[Slip, str, str, Callable[[], Pass]]


def variants(scene: Scene) -> list[Variant]:
    """All that can be computed, the likeliest first."""
    found = []
    for recipes in (_of_top_diffs, _of_parameters, _of_bottoms, _of_labels, _of_options, _of_wrong_arrays):
        for slip, as_if, question, play in recipes(scene):
            try:
                found.append(Variant(slip, as_if, question, play()))
            except (BlobnetError, ArithmeticError, LookupError, TypeError, ValueError):  # the right layer does not take it
                continue
    return found


def _of_top_diffs(scene: Scene) -> Iterator[Recipe]:
    dy = scene.dy
    slip = Slip.LOSS_WEIGHT if scene.is_loss else Slip.UPSTREAM
    name = "top[0].diff" + ", which holds the loss weight," * scene.is_loss
    yield (slip, f"{name} were 1", "Where does your backward read it?",
           lambda: scene.play([np.sign(abs(part)) for part in dy]))
    yield slip, f"{name} came in twice", "Where do you multiply with it?", lambda: scene.play([part**2 for part in dy])
    if scene.is_loss or not dy or not dy[0].ndim or len(dy[0]) < 2:
        return
    if dy[0].ndim == 2 and len(dy[0]) == len(dy[0].T):
        yield (Slip.AXIS, "top[0].diff had rows and columns exchanged", "Which axis do you add up?",
               lambda: scene.play([dy[0].T, *dy[1:]]))
    for words, rows in (("the first row", slice(0, 1)), ("the last row", slice(-1, None)),
                        ("all rows but the first", slice(1, None)), ("all rows but the last", slice(0, -1))):
        yield (Slip.ROWS, f"only {words} of top[0].diff counted", "Which axis do you add up, and from where to where?",
               lambda rows=rows: scene.play([_only(part, rows) for part in dy]))
    if dy[0].ndim > 2:
        for place in (0, -1):
            index = (slice(None), slice(None), *[slice(place, place + 1 or None)] * (dy[0].ndim - 2))
            yield (Slip.ROWS, "only one place of each plane of top[0].diff counted", "Which axes do you add up?",
                   lambda index=index: scene.play([_only(part, index) for part in dy]))


def _only(array: np.ndarray, index) -> np.ndarray:
    kept = np.zeros_like(array)
    kept[index] = array[index]
    return kept


def _of_parameters(scene: Scene) -> Iterator[Recipe]:
    for i, value in enumerate(scene.parameters):
        def play(other, i=i):
            return scene.play(parameters=[other if j == i else kept for j, kept in enumerate(scene.parameters)])

        bias, name = i > 0 and value.ndim == 1, f"self.blobs[{i}].data"
        slip = Slip.BIAS if bias else Slip.PARAMETER
        yield slip, f"{name} were 0", "Where is it used?", lambda v=value: play(0 * v)
        yield slip, f"{name} were used twice", "Where is it used?", lambda v=value: play(2 * v)
        yield Slip.SIGN, f"{name} had the opposite sign", "Is it added or subtracted?", lambda v=value: play(-v)
        yield (slip, f"{name} were the same number in every element", "Which element of it belongs where?",
               lambda v=value: play(np.full_like(v, v.flat[0])))
        for words, axes in (("rows and columns", (1, 0)), ("rows and columns of its planes", (0, 1, 3, 2)),
                            ("its first two axes", (1, 0, 2, 3))):
            if value.ndim == len(axes) and value.transpose(axes).shape == value.shape:
                yield (Slip.TRANSPOSED, f"{name} had {words} exchanged", "Which of its axes do you sum over?",
                       lambda v=value, axes=axes: play(v.transpose(axes)))
        if value.ndim == 4:
            yield (Slip.FLIPPED, f"{name} were upside down", "Which element of the kernel meets the first of a window?",
                   lambda v=value: play(v[:, :, ::-1, ::-1]))


def _of_bottoms(scene: Scene) -> Iterator[Recipe]:
    count, wanted = len(scene.values), scene.wanted
    for i in range(count):
        for j in range(i):
            if scene.values[i].shape == scene.values[j].shape:
                order = [j if k == i else i if k == j else k for k in range(count)]
                yield (Slip.SWAPPED, f"bottom[{j}] and bottom[{i}] had changed places", "Which is which?",
                       lambda order=order: scene.play(values=[scene.values[k] for k in order]))
    for i, value in enumerate(scene.values):
        if not wanted[i]:
            continue
        name, play = f"bottom[{i}].data", _with_bottom(scene, i)
        yield (Slip.SIGN, f"{name} had the opposite sign",
               "Where does a minus belong, or which way does a comparison point?", lambda v=value, p=play: p(-v))
        yield (Slip.SIGN, f"the smallest of {name} were taken and not the largest", "What is it that you look for?",
               lambda v=value, p=play: _turned(p(-v)))
        yield (Slip.ABSOLUTE, f"{name} had no signs", "Where do you take absolute values?",
               lambda v=value, p=play: p(abs(v)))
        yield (Slip.FUNCTION, f"{name} were squared", "Where do you square?", lambda v=value, p=play: p(v**2))
        if value.ndim == 2 and len(value) == len(value.T):
            yield (Slip.TRANSPOSED, f"{name} had rows and columns exchanged", "Which axis is the batch?",
                   lambda v=value, p=play: p(v.T))
        if value.ndim == 4:
            yield (Slip.TRANSPOSED, f"{name} had rows and columns of its planes exchanged", "Which axis is which?",
                   lambda v=value, p=play: p(v.swapaxes(2, 3)))


def _turned(numbers: Pass) -> Pass:
    return Pass([-top for top in numbers.top], numbers.bottom, numbers.param)


def _with_bottom(scene: Scene, i: int) -> Callable[[np.ndarray], Pass]:
    return lambda other: scene.play(values=[other if j == i else kept for j, kept in enumerate(scene.values)])


def _of_labels(scene: Scene) -> Iterator[Recipe]:
    classes = scene.values[0].shape[1] if scene.values[0].ndim > 1 else np.inf
    for i, value in enumerate(scene.values):
        if scene.wanted[i] or np.any(value != np.round(value)):
            continue
        name, play = f"bottom[{i}].data", _with_bottom(scene, i)
        if set(np.unique(value)) <= {0.0, 1.0}:
            yield (Slip.SWAPPED, f"0 and 1 of {name} had changed places", "What do 0 and 1 mean there?",
                   lambda v=value, p=play: p(1 - v))
        for shift in (1, -1):
            yield (Slip.LABEL, f"every number of {name} were {'higher' if shift > 0 else 'lower'} by 1",
                   "Do your classes count from 0?", lambda v=value, p=play, s=shift: p((v + s) % classes))
        yield (Slip.LABEL, f"all numbers of {name} were 0", "Where is it used?", lambda v=value, p=play: p(0 * v))


def _of_options(scene: Scene) -> Iterator[Recipe]:
    for slip, field, before, after, param in other_options(scene.param):
        yield (slip, f"the option {field} were {after} and not {before}", "Where does your code use it?",
               lambda param=param: scene.play(param=param))
    other = 1 - scene.phase
    yield (Slip.PHASE, f"the phase were {('TRAIN', 'TEST')[other]}", "What does the layer do in which phase?",
           lambda: scene.play(phase=other))


def _of_wrong_arrays(scene: Scene) -> Iterator[Recipe]:
    """One array read in the place of another, between forward and backward."""
    if len(scene.values) != 1 or scene.values[0].shape != scene.alone.top[0].shape:
        return

    def data(into: str, out_of: str):
        def between(alone):
            getattr(alone, into)[0].data[...] = getattr(alone, out_of)[0].data
        return lambda: scene.play(between=between)

    for into, out_of in (("top", "bottom"), ("bottom", "top")):
        yield (Slip.SLOPE, f"your backward took {out_of}[0].data where {into}[0].data belongs",
               "Which of the two does the formula say?", data(into, out_of))
