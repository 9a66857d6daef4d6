"""The letters that the docstring of a layer gives its blobs."""

from __future__ import annotations

import re

HEADS = re.compile(r"(Bottoms|Tops|Params|Options|Paper|Quirks):")
LETTER = re.compile(r"([A-Za-z]\w*) \(")


def letters(page: str, section: str) -> list[str]:
    """The letters of a section such as "Bottoms:", in their order: those that stand before shapes in parentheses.

    >>> letters("Bottoms: a (N, C), b (N, C); similarity y (N,), 0 for unlike pairs    Tops: loss ()", "Bottoms:")
    ['a', 'b', 'y']
    """
    _, found, rest = page.partition(section)
    end = HEADS.search(rest)
    return LETTER.findall(rest[:end.start()] if end else rest) if found else []
