"""What a slip is judged by: the numbers that came out, those that should have, and everything they were made of."""

from __future__ import annotations

import dataclasses
from functools import cached_property
from typing import NamedTuple

import numpy as np

from blobnet.check.grading.letters import letters
from blobnet.check.grading.passes import EXACT, Pass, Spot, same, wrong_elements
from blobnet.check.grading.scene import Scene
from blobnet.check.grading.slips import Slip
from blobnet.check.grading.variants import Variant, variants


class Explanation(NamedTuple):
    """A slip that explains the numbers, and a sentence or two that point at it without mending it."""

    slip: Slip
    words: str


class Clues:
    """What all arrays of one run of a layer have in common: the scene and its variants, which are computed once.

    page: the docstring of the student's class, or of the right one.
    """

    def __init__(self, scene: Scene, page: str):
        self.scene, self.page = scene, page

    def letter(self, spot: Spot) -> str:
        """What the formulas of the page call a spot: dx, or its name in the code if they have no letter for it."""
        found = letters(self.page, {"top": "Tops:", "bottom": "Bottoms:", "param": "Params:", "state": "Params:"}[
            spot.kind])
        d = "d" * (not spot.of_forward)
        return d + found[spot.number] if spot.number < len(found) else str(spot)

    @cached_property
    def variants(self) -> list[Variant]:
        return variants(self.scene)

    @cached_property
    def known(self) -> dict[str, np.ndarray]:
        """The arrays that a student's code has at hand, by what it calls them."""
        scene = self.scene
        found = {f"bottom[{i}].data": value for i, value in enumerate(scene.values)}
        found |= {f"top[{i}].data": top for i, top in enumerate(scene.answers[0].top)}
        return found | {f"top[{i}].diff": dy for i, dy in enumerate(scene.dy)}


@dataclasses.dataclass
class Evidence:
    """One array that is wrong in part or as a whole; rtol: what rounding, or differences, make uncertain."""

    spot: Spot
    got: np.ndarray
    expected: np.ndarray
    clues: Clues
    answer: Pass
    rtol: float = EXACT

    @property
    def scene(self) -> Scene:
        return self.clues.scene

    @cached_property
    def wrong(self) -> np.ndarray:
        """A mask of the wrong elements."""
        return wrong_elements(self.got, self.expected, self.rtol)

    def explained_by(self, got: np.ndarray) -> bool:
        """Whether a slip that gives these numbers gives those that came out."""
        if self.spot.kind == "top" and got.ndim == self.got.ndim == 4 and got.shape[:2] == self.got.shape[:2]:
            got = got[:, :, :self.got.shape[2], :self.got.shape[3]]  # another window may leave more places
        return got.shape == self.got.shape and same(self.got, got, self.rtol) and not same(got, self.expected, 1e-7)

    @property
    def verb(self) -> str:
        return "forward" if self.spot.of_forward else "backward"
