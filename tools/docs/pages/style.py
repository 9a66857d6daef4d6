"""The style sheet of formulas, for the site."""

from __future__ import annotations

from blobnet.view import mathematics


def pages() -> dict[str, str]:
    """The file."""
    return {"static/mathematics.css": mathematics.style()}
