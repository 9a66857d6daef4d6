"""What was found about an installation, as data."""

from __future__ import annotations

import dataclasses
from enum import Enum


class Mark(str, Enum):
    """What a finding means: only BROKEN says that blobnet does not work as it should."""

    OK = "ok"
    NOTE = "note"        # a reader should know it
    MISSING = "missing"  # what only some commands need
    BROKEN = "broken"


@dataclasses.dataclass(frozen=True)
class Finding:
    """A line on one thing of a section, with what to do about it."""

    section: str
    name: str
    value: str
    mark: Mark = Mark.OK
    hint: str = ""
