"""Parts of the pages: cards, pictures of arrays, and what is folded."""

from __future__ import annotations

import base64

from blobnet.log.html import words
from blobnet.view.pictures import Picture


def card(title: str, *parts: str, more: str = "") -> str:
    """A card with a title, of pieces of HTML; `more` are further classes of its look."""
    return f'<div class="{" ".join(filter(None, ("card", more)))}"><h3>{words(title)}</h3>{"".join(parts)}</div>'


def folded(summary: str, part: str) -> str:
    """A piece of HTML that readers unfold."""
    return f"<details><summary>{words(summary)}</summary>{part}</details>"


def picture_html(picture: Picture, said: str) -> str:
    """A picture with a line under it, which also says what is left out."""
    address = base64.b64encode(picture.png).decode()
    text = words(said + f"; {picture.left_out}" * bool(picture.left_out))
    return (f'<figure><img class="wide-picture" alt="{text}" width="{picture.width}" height="{picture.height}" '
            f'src="data:image/png;base64,{address}"><figcaption>{text}</figcaption></figure>')
