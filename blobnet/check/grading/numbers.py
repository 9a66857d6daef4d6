"""Numbers that have a name: sizes, options, and the small ones of formulas."""

from __future__ import annotations

import math
from collections.abc import Iterator

from blobnet.check.grading.scene import Scene
from blobnet.check.grading.vary_options import fields_of, value_of

LETTERS = {1: ("N",), 2: ("N", "C"), 3: ("N", "C", "L"), 4: ("N", "C", "H", "W")}
MOST = 2  # names that are told
NEAR = 1e-9
PLAIN = ("4", "1/4")


def named(scene: Scene, number: float, near: float = NEAR) -> str:
    """What a positive number other than 1 may be: "N or H * W"; "" if nothing that is known."""
    found = list(dict.fromkeys(name for name, value in _names(scene) if value > 0
                               and abs(number - value) <= near * value and abs(value - 1) > near))
    return " or ".join([name for name in found if name not in PLAIN][:MOST] or found[:1])


def _names(scene: Scene) -> Iterator[tuple[str, float]]:
    """(name, value), plain ones first."""
    sizes = dict(_sizes(scene))
    yield from _turned("", 2.0)
    for name, value in sizes.items():
        yield from _turned(name, value)
    yield from ((name, value) for text, value in _options(scene) for name, value in _turned(text, value))
    yield from _turned("the number of pairs", math.comb(max(scene.values[0].shape[:1], default=0), 2))
    yield "4", 4.0
    yield "1/4", 0.25
    for name, value in sizes.items():
        yield from _turned(f"2 * {name}", 2 * value)
        yield from _turned(f"{name} / 2", value / 2)
        yield from _turned(f"{name} squared", value**2)
        yield from _turned(f"the root of {name}", math.sqrt(value))
        if value > 1:
            yield from _turned(f"{name} / ({name} - 1)", value / (value - 1))
            yield from _turned(f"the root of {name} / ({name} - 1)", math.sqrt(value / (value - 1)))
            yield from _turned(f"{name} ({name} - 1)", value * (value - 1))


def _turned(name: str, value: float) -> Iterator[tuple[str, float]]:
    """A number and its inverse."""
    yield name or f"{value:g}", value
    if value:
        yield f"1 / {name}" if name and " " not in name else f"1 / ({name})" if name else f"1/{value:g}", 1 / value


def _sizes(scene: Scene) -> Iterator[tuple[str, float]]:
    """The sizes of the first bottom by their letters, their products, and the outputs of a row."""
    shape = scene.values[0].shape if scene.values else ()
    letters = LETTERS.get(len(shape), ())
    for letter, size in zip(letters, shape):
        yield letter, float(size)
    if len(letters) == 2:
        yield "N * C", float(math.prod(shape))
    if len(letters) == 4:
        for start in (2, 1, 0):
            yield " * ".join(letters[start:]), float(math.prod(shape[start:]))
        yield "N * H * W", float(shape[0] * shape[2] * shape[3])
    for top in scene.alone.top[:1]:
        if len(top.shape) > 1:
            yield "K, the width of a top", float(top.shape[1])


def _options(scene: Scene) -> Iterator[tuple[str, float]]:
    """Options that are numbers, and what is left of 1 if they are parts of it; the elements of a window."""
    for name, field in fields_of(scene.param):
        value = value_of(scene.param, name, field)
        if value is None or isinstance(value, bool) or field.enum_type is not None or value <= 0:
            continue
        yield f"the option {field.name}", value
        if value < 1:
            yield f"1 less the option {field.name}", 1 - value
        if field.name == "kernel_size":
            yield "the elements of a window", float(value**2)
