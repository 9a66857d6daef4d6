"""Docstrings of the house, which are plain text, as reStructuredText."""

from __future__ import annotations

import re
from collections.abc import Iterable

CODE = re.compile(r"(`[^`\n]+`)")
SPECIAL = re.compile(r"[\\*|`]|_(?!\w)|(?<=\w):(?=\w)")  # file:line would be an address


def as_rest(lines: Iterable[str]) -> list[str]:
    """The lines of a docstring so that reStructuredText shows what they say.

    A paragraph is sentences, with code between backquotes; or a list, if it begins with "* "; or a session, if it
    begins with >>>; or, if some line of it is set in, a table or a formula, and stays as it is.
    """
    found: list[str] = []
    for paragraph in "\n".join(map(str.rstrip, lines)).strip("\n").split("\n\n"):
        if paragraph.startswith(">>>"):
            found.append(paragraph)
        elif paragraph.startswith("* "):
            found.append("* " + _prose(paragraph[2:]).replace("\n\\* ", "\n* "))
        elif re.search(r"^ ", paragraph, re.MULTILINE):
            found.append("::\n\n" + re.sub(r"^", "    ", paragraph, flags=re.MULTILINE))
        else:
            found.append(_prose(paragraph))
    return [*"\n\n".join(found).split("\n"), ""]


def _prose(text: str) -> str:
    return "".join(f"`{piece}`" if CODE.fullmatch(piece) else SPECIAL.sub(r"\\\g<0>", piece)
                   for piece in CODE.split(text))
