"""Links between files of the repository, as they are on the site."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

DOCS = Path(__file__).resolve().parent.parent
ROOT = DOCS.parent.parent
GENERATED = DOCS / "_generated"
LINK = re.compile(r"(?<=\]\()([^)\s#<>]+)(?=(?:#[^)\s]*)?\))")
TEXTS = {"README.md": "readme.md", "DESIGN.md": "design.md", "CONTRIBUTING.md": "contributing.md",
         "SECURITY.md": "security.md", "CHANGELOG.md": "changelog.md", "examples/course/README.md": "course.md"}


def copies() -> dict[Path, Path]:
    """Which files of the repository have a copy on the site, and where it is."""
    papers = {path: GENERATED / f"papers/{path.parent.name}.md" for path in ROOT.glob("prototxt/*/README.md")}
    return {ROOT / name: GENERATED / page for name, page in TEXTS.items()} | papers


def targets(text: str) -> Iterator[str]:
    """The files that links of a Markdown text lead to, as they are written there; no addresses of the web."""
    return (match[1] for match in LINK.finditer(text) if ":" not in match[1])


def relinked(text: str, source: Path, page: Path) -> str:
    """The Markdown text of the file `source` as it has to be in the file `page`: links lead to the same files, or to
    their copies on the site."""
    known = copies()

    def moved(match: re.Match) -> str:
        target = (source.parent / match[1]).resolve()
        return os.path.relpath(known.get(target, target), page.parent) if target.exists() else match[1]

    return LINK.sub(moved, text)
