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
from blobnet.errors import DataError, within


class Subject:
    """`mine` is the student's layer, `scene` has the right one, with the same parameters."""

    def __init__(self, opened: Opened):
        self.opened = opened
        self.phase = opened.param.phase if opened.param.HasField("phase") else TRAIN
        self.case = Case(opened.param, opened.exercise.bottoms, self.phase)
        self.right_case = Case(opened.same_as, opened.exercise.bottoms, self.phase)
        self.values = self.case.values()
        self.scene = Scene(opened.same_as, self.values, phase=self.phase)
        with within(f"{opened.path.name}: EXERCISE"):
            alone = self.scene.build()
            if not all(np.isfinite(top).all() for top in alone.forward()):
                raise DataError("bottoms", expected="values at which same_as is finite", got="nan or inf")
            stir(alone, np.random.default_rng(2))
            self.parameters = alone.parameters
        self.scene.parameters = self.parameters
        self.clues = Clues(self.scene)

    def build(self) -> Standalone:
        """The student's layer, new."""
        return build(self.opened.param, self.values, self.parameters, self.phase)

    @cached_property
    def mine(self) -> Standalone:
        return self.build()

    def breaches(self, rule: str) -> list[str]:
        """What the rule of the contract finds, if it finds nothing with the right layer."""
        return [] if list(RULES[rule](self.right_case)) else list(RULES[rule](self.case))
