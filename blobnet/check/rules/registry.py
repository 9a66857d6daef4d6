"""The rules of the contract by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from blobnet.check.case import Case

Rule = Callable[[Case], Iterator[str]]
RULES: dict[str, Rule] = {}


def rule(body: Rule) -> Rule:
    """Add a rule: it yields a sentence for every breach."""
    RULES[body.__name__] = body
    return body
