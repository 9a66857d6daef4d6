"""Functions of one number as text, for whoever explains a layer: what it is, and its slope."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from blobnet.core.terms import Factor, Place, Terms

WORDS: dict[str, Any] = {
    **{name: getattr(math, name) for name in ("exp", "log", "log1p", "sqrt", "tanh", "pow")},
    "abs": abs, "min": min, "max": max, "sign": np.sign, "where": lambda condition, a, b: a if condition else b,
    "__builtins__": {},
}


def value_of(expression: str, **letters: float) -> float:
    """The value of an expression in the words above and some letters.

    >>> value_of("where(x > 0, x, 0.5 * x)", x=-3.0)
    -1.5
    """
    try:
        return float(eval(expression, WORDS, letters))  # our own text
    except (ArithmeticError, ValueError):
        return math.nan


def filled_in(expression: str, **letters: float) -> str:
    """The expression with values in the place of letters.

    >>> filled_in("exp(-x) * y", x=0.25, y=2.0)
    'exp(-0.25) * 2'
    """
    names = {letter: f"({value:.4g})" if value < 0 else f"{value:.4g}" for letter, value in letters.items()}
    parts, word = [], ""
    for letter in expression + " ":
        if letter.isalnum() or letter == "_":
            word += letter
        else:
            parts += [names.get(word, word), letter]
            word = ""
    return "".join(parts)[:-1]


def scalar_terms(scalar: tuple[str, str], place: Place, bottom, top) -> Terms:
    """The terms of y = f(x), number by number: y itself, or dy times the slope."""
    function, slope = scalar
    index = place.index
    x, y = float(bottom[0].data[index]), float(top[0].data[index])
    if place.kind == "top":
        value = Factor(value_of(function, x=x), None, filled_in(function, x=x))
        return Terms(place, [(value,)], f"y = {function} at x = {x:.6g}")
    factor = Factor(value_of(slope, x=x, y=y), None, filled_in(slope, x=x, y=y))
    dy = Factor(float(top[0].diff[index]), Place("top", 0, "diff", index))
    return Terms(place, [(dy, factor)], f"the slope is {slope} at x = {x:.6g}, y = {y:.6g}")
