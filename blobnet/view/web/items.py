"""Items on a page: a query or a result, with its picture, its name and its classes."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np

from blobnet.hashing.codes import Codes
from blobnet.log.html import words
from blobnet.view.web.album import Album

MARKS = {True: ("hit", "✓"), False: ("miss", "✗"), None: ("", "")}


class Side(NamedTuple):
    """The queries or the base: their codes, and where the pictures are that the ids name, a folder or a database."""

    codes: Codes
    root: str = "."


def name_of(codes: Codes, place: int) -> str:
    """The id of an item, or its place."""
    return str(place if codes.ids is None else codes.ids[place])


def read_pictures(album: Album, side: Side, places: np.ndarray) -> None:
    """Take the pictures of these items into the album, where they have ids."""
    if side.codes.ids is not None:
        album.read(side.root, [name_of(side.codes, place) for place in places])


def picture_of(album: Album, side: Side, place: int) -> str:
    """The picture of an item."""
    return album.show(side.root, name_of(side.codes, place))


def comparable(queries: Codes, base: Codes) -> bool:
    """Whether the classes of both are known, and of one kind."""
    return queries.labels is not None and base.labels is not None and queries.labels.shape[1:] == base.labels.shape[1:]


def shares_label(queries: Codes, query: int, base: Codes, items: np.ndarray) -> list[bool | None]:
    """Whether each item is of the query's class, or has one of its labels; None where either is not known."""
    if not comparable(queries, base):
        return [None] * len(items)
    label, labels = queries.labels[query], base.labels[items]
    return ((labels == label) if label.ndim == 0 else (labels & label).any(axis=1)).tolist()


def asked_html(album: Album, side: Side, place: int, said: str = "") -> str:
    """A query: its picture, name and classes, and what else is `said` of it."""
    return (f'<div class="asked">{picture_of(album, side, place)}<p><strong>{path_html(name_of(side.codes, place))}'
            f'</strong></p>{_classes(side.codes, place)}{said}</div>')


def result_html(album: Album, side: Side, place: int, rank: int, distance: str, hit: bool | None,
                data: str = "") -> str:
    """A result: its picture, rank, distance in words, classes and name, and whether it is a hit."""
    look, mark = MARKS[hit]
    said = f'<span class="mark" title="{RELEVANT[hit]}">{mark}</span>' if mark else ""
    return (f'<li value="{rank}"{data}' + f' class="{look}"' * bool(look) + f">{picture_of(album, side, place)}"
            f'<p class="facts"><b>{rank}</b><span>{distance}</span>{said}</p>{_classes(side.codes, place)}'
            f'<p class="path">{path_html(name_of(side.codes, place))}</p></li>')


RELEVANT = {True: "relevant", False: "not relevant"}


def _classes(codes: Codes, place: int) -> str:
    names = codes.label_names(place)
    return f'<p class="classes">{words(", ".join(names))}</p>' if names else ""


def path_html(path: str) -> str:
    """A path as text that breaks where words do.

    >>> path_html("a_b/c.png")
    'a_<wbr>b/<wbr>c.png'
    """
    return re.sub("([/_-])", r"\1<wbr>", words(path))


def distance_words(distance: np.generic, metric: str) -> str:
    """
    >>> distance_words(np.int64(1), "hamming"), distance_words(np.float32(-0.5), "inner-product")
    ('1 bit', '-0.5')
    """
    return f"{distance} bit{'' if distance == 1 else 's'}" if metric == "hamming" else f"{distance:.4g}"
