"""What a grader found, as data."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from enum import Enum
from typing import Any

from blobnet.check.grading.slips import Slip


class State(str, Enum):
    """How a part of an exercise stands; all is right if every part is RIGHT, or only ADVICE is given."""

    RIGHT = "right"
    WRONG = "wrong"
    BLANK = "blank"
    LATER = "later"    # not looked at, because of what stands before
    ADVICE = "advice"


@dataclasses.dataclass(frozen=True)
class Finding:
    """A sentence or two on one part: "file", "setup", "reshape", "forward", "backward" or "contract".

    place: an element as the code writes it, `bottom[0].diff[1, 2]`; got, expected: the numbers there; line: of the
    file. What does not apply is None or "".
    """

    part: str
    state: State
    words: str
    slip: Slip | None = None
    place: str = ""
    got: float | None = None
    expected: float | None = None
    line: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """As JSON can hold it: numbers that are not finite are strings."""
        return {key: str(value) if isinstance(value, float) and not math.isfinite(value) else value
                for key, value in dataclasses.asdict(self).items()}


@dataclasses.dataclass(frozen=True)
class Grade:
    """What was found in the file `path`, whose layer has the type `type` ("" if it is not known)."""

    path: str
    type: str
    same_as: str
    findings: Sequence[Finding]

    @property
    def passed(self) -> bool:
        """Whether all is right."""
        return all(finding.state in (State.RIGHT, State.ADVICE) for finding in self.findings)

    @property
    def slips(self) -> list[Slip]:
        """The slips of what is wrong, in the order of the findings."""
        return [finding.slip for finding in self.findings if finding.state is State.WRONG]

    def as_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {"path": self.path, "type": self.type, "same_as": self.same_as, "passed": self.passed,
                "findings": [finding.as_dict() for finding in self.findings]}


def stops(findings: Sequence[Finding]) -> bool:
    """Whether it makes no sense to look further."""
    return any(finding.state in (State.WRONG, State.BLANK) for finding in findings)
