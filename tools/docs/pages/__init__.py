"""The pages of the site that code and other files of the repository can write: Markdown for MyST, a function a kind.

A page is a name, its path below the folder, and a text. No page needs Sphinx to be made, so tests can read them all.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from blobnet.proto.storage import atomic_write
from pages import api, commands, errors, layers, papers, schema, solvers, style, texts

KINDS = (layers, solvers, papers, commands, schema, api, errors, texts, style)


@cache
def all_pages() -> dict[str, str]:
    """The text of every page by its path, such as "layers/lrn.md"."""
    return {name: text for kind in KINDS for name, text in kind.pages().items()}


def write_pages(folder: Path) -> None:
    """Write the pages into `folder`, and remove what is there beside them. Files that would not change stay as they
    are, so that Sphinx reads anew only what is new."""
    pages = all_pages()
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        if path.relative_to(folder).as_posix() not in pages:
            path.unlink()
    for name, text in pages.items():
        path = folder / name
        if not path.exists() or path.read_text("utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            with atomic_write(path) as file:
                file.write(text.encode())
