"""What a package says that it needs, in the words of its metadata."""

from __future__ import annotations

import dataclasses
import operator
import platform
import re
import sys

COMPARE = {">=": operator.ge, "<=": operator.le, "==": operator.eq, "!=": operator.ne, ">": operator.gt,
           "<": operator.lt}
MACHINE = {"sys_platform": sys.platform, "platform_machine": platform.machine(), "platform_system": platform.system()}
TEXT = re.compile(r"([\w.-]+)(?:\[[\w,. -]*\])?\s*\(?([^;()]*)\)?\s*(?:;(.*))?")


@dataclasses.dataclass(frozen=True)
class Requirement:
    """A package by its name, bounds of its version such as >=1.26, and the extra that needs it ("" for all of them)."""

    name: str
    bounds: str
    extra: str

    def admits(self, version: str) -> bool:
        """Whether a version fits. Letters behind the numbers, as those of release candidates, do not count."""
        return all(COMPARE[sign](_numbers(version, bound), _numbers(bound, version))
                   for sign, bound in re.findall(r"([<>]=?|[=!]=)\s*([\w.]+)", self.bounds))


def read_requirement(text: str) -> Requirement | None:
    """A line of the metadata; None if it is about another kind of machine.

    >>> read_requirement('matplotlib<4,>=3.8; extra == "view"')
    Requirement(name='matplotlib', bounds='<4,>=3.8', extra='view')
    """
    name, bounds, marker = TEXT.fullmatch(text.strip()).groups()
    asked = dict(re.findall(r"""(\w+)\s*==\s*["']([^"']*)["']""", marker or ""))
    if any(asked.get(word, here) != here for word, here in MACHINE.items()):
        return None
    return Requirement(name, bounds.strip(), asked.get("extra", ""))


def _numbers(version: str, other: str) -> tuple[int, ...]:
    """The numbers that `version` begins with, and zeros up to the length of `other`: 2.1 is 2.1.0."""
    mine, others = (re.findall(r"\d+", re.match(r"[\d.]*", text)[0]) for text in (version, other))
    return tuple(map(int, mine + ["0"] * (len(others) - len(mine))))
