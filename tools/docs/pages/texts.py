"""The texts at the root of the repository, and the README of the course, as pages of the site."""

from __future__ import annotations

from pages.links import GENERATED, ROOT, TEXTS, relinked


def pages() -> dict[str, str]:
    """A page a text, the same but for its links; only the README, which has the site's title, gets one."""
    found = {page: relinked((ROOT / name).read_text("utf-8"), ROOT / name, GENERATED / page)
             for name, page in TEXTS.items()}
    return found | {"readme.md": found["readme.md"].replace("# blobnet\n", "# Overview\n", 1)}
