"""The subject of a grading: a student's layer beside the right one, at the same numbers."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from blobnet.check.case import Case
from blobnet.check.gradient import stir
from blobnet.check.grading.evidence import Clues
from blobnet.check.grading.opened import Opened
from blobnet.check.grading.passes import build
from blobnet.check.grading.scene import Scene
from blobnet.check.rules import RULES
from blobnet.check.standalone import Standalone
from blobnet.core.context import TRAIN
from blobnet.core.registry import class_of
from blobnet.errors import DataError, within


def _values(case: Case, opened: Opened) -> list[np.ndarray]:
    try:
        return case.values()
    except (TypeError, ValueError) as error:
        raise DataError(f"{opened.path.name}: EXERCISE: bottoms", expected="arrays of numbers, or shapes",
                        got=str(error)) from None


class Subject:
    """`mine` is the student's layer, `scene` has the right one, with the same parameters."""

    def __init__(self, opened: Opened):
        self.opened = opened
        self.phase = opened.param.phase if opened.param.HasField("phase") else TRAIN
        self.case = Case(opened.param, opened.exercise.bottoms, self.phase)
        self.right_case = Case(opened.same_as, opened.exercise.bottoms, self.phase)
        self.values = _values(self.case, opened)
        self.scene = Scene(opened.same_as, self.values, phase=self.phase)
        with within(f"{opened.path.name}: EXERCISE"):
            alone = self.scene.build()
            if not all(np.isfinite(top).all() for top in alone.forward()):
                raise DataError("bottoms", expected="values at which same_as is finite", got="nan or inf")
            rng = np.random.default_rng(2)
            stir(alone, rng)
            self.parameters = [value if learns else rng.uniform(0.5, 1.5, value.shape) for value, learns in zip(
                alone.parameters, self.scene.learning, strict=True)]
        self.scene.parameters = self.parameters
        page = class_of(opened.param).__doc__ or class_of(opened.same_as).__doc__ or ""
        self.clues = Clues(self.scene, page)

    def build(self) -> Standalone:
        """The student's layer, new."""
        return build(self.opened.param, self.values, self.parameters, self.phase)

    @cached_property
    def mine(self) -> Standalone:
        return self.build()

    def breaches(self, rule: str) -> list[str]:
        """What a rule of the contract finds, but for what it finds with the right layer too."""
        mine, allowed = list(RULES[rule](self.case)), list(RULES[rule](self.right_case))
        return [breach for breach in mine if breach not in allowed]
