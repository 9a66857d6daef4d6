"""Recipes of variants: how the right layer is made to slip."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from blobnet.check.grading.passes import Pass
from blobnet.check.grading.slips import Slip


class Recipe(NamedTuple):
    """A slip, what it would mean (it ends a sentence, "as if …"), what to ask the student, and the run with it.

    likely: whether a student may think of it; recipes that are not are looked at last.
    """

    slip: Slip
    as_if: str
    question: str
    play: Callable[[], Pass]
    likely: bool = True
