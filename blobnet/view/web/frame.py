"""The frame of a page that needs nothing else: it opens from disk, asks for nothing, and can be printed."""

from __future__ import annotations

import os
from typing import NamedTuple

from blobnet.log.html import STYLE as TABLES
from blobnet.log.html import words
from blobnet.proto.storage import atomic_write
from blobnet.view.web.style import STYLE


class Page(NamedTuple):
    """The HTML of a page, and what a reader should know of it: what is left out or not there."""

    html: str
    notes: list[str]


def page(title: str, *parts: str, script: str = "") -> str:
    """The HTML of a page of pieces that are well-formed; `title` is text. Without a `script` it allows none."""
    allowed = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    return "\n".join(filter(None, [
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{allowed}{"; script-src " * bool(script)}'
        + "'unsafe-inline'" * bool(script) + '">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f'<title>{words(title)}</title>\n<style>{TABLES}{STYLE}</style>\n</head>\n<body class="blobnet">',
        *parts, f'<script>\n"use strict";\n{script}</script>' if script else "", "</body>\n</html>\n"]))


def write_page(html: str, path: str | os.PathLike) -> str:
    """Write the page into the file `path`, whole or not at all; what there is to say of it."""
    data = html.encode()
    with atomic_write(path) as file:
        file.write(data)
    return f"written: {os.fspath(path)}, {size_words(len(data))}"


def size_words(count: int) -> str:
    """A number of bytes in words.

    >>> size_words(900), size_words(48_300), size_words(3_260_000)
    ('1 kB', '48 kB', '3.3 MB')
    """
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{max(round(count / 1e3), 1)} kB"
