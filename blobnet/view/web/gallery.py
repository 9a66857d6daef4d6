"""The gallery of a search: each query with its results, as pictures, in one page."""

from __future__ import annotations

import numpy as np

from blobnet.hashing.neighbours import Neighbours
from blobnet.log.html import words
from blobnet.view.web.album import Album
from blobnet.view.web.frame import Page, page
from blobnet.view.web.gallery_script import SCRIPT
from blobnet.view.web.items import (
    Side,
    asked_html,
    comparable,
    distance_words,
    name_of,
    read_pictures,
    result_html,
    shares_label,
)

RESULTS = 4000  # in a page, of all queries together
QUERIES = 500


def gallery(queries: Side, base: Side, found: Neighbours, metric: str = "hamming", title: str = "Search") -> Page:
    """The page of the results `found` of all `queries`, and notes: what is left out, which pictures are not there.

    Every result says its rank, distance, classes and name, and whether it shares a class with the query where both are
    known. A script filters them; without it all are shown. The page has the first queries only where there are more
    than QUERIES, or more results than RESULTS, and of a single query the first results.
    """
    shown = _fitting(found.offsets)
    places = [np.arange(found.offsets[query], min(found.offsets[query + 1], found.offsets[query] + RESULTS))
              for query in range(shown)]
    items, album = np.concatenate([np.empty(0, int), *(found.indices[one] for one in places)]), Album()
    read_pictures(album, queries, np.arange(shown))
    read_pictures(album, base, items)
    names = _class_names(base, items)
    sections = [_section(album, queries, base, found, query, places[query], metric, names) for query in range(shown)]
    notes = _left_out(found.offsets, shown, sum(map(len, places))) + album.notes()
    if queries.codes.ids is None or base.codes.ids is None:
        notes.append("codes without ids have no pictures: 'blobnet encode' keeps the names of images as ids")
    asked = "1 query" if shown == 1 else f"{shown:,} queries"
    head = (f"<header><h1>{words(title)}</h1><p>{len(items):,} results of {asked}, nearest first, "
            f"{len(base.codes):,} items of {base.codes.capacity:g} bits, metric {words(metric)}."
            + " Relevant (✓) are those with a class of the query." * comparable(queries.codes, base.codes) + "</p>"
            + "".join(f'<p class="note">{words(note)}</p>' for note in notes) + "</header>")
    most = max(map(len, places), default=0)
    controls = _controls([name_of(queries.codes, query) for query in range(shown)], most, names, metric)
    return Page(page(title, album.definitions(), head, controls, "<main>", *sections, "</main>", script=SCRIPT), notes)


def _fitting(offsets: np.ndarray) -> int:
    """How many queries fit into a page, one at least."""
    return int(np.clip(np.searchsorted(offsets, RESULTS, side="right") - 1, 1, min(QUERIES, len(offsets) - 1)))


def _left_out(offsets: np.ndarray, shown: int, results: int) -> list[str]:
    if shown == len(offsets) - 1 and results == offsets[-1]:
        return []
    return [f"the page has {results:,} of {offsets[-1]:,} results, of the first {shown:,} of {len(offsets) - 1:,} "
            "queries: ask for fewer results, or for the other queries in a page of their own"]


def _class_names(base: Side, items: np.ndarray) -> dict[str, int]:
    """The classes among the items, numbered in the order of their numbers or columns."""
    if base.codes.labels is None:
        return {}
    first = {tuple(np.atleast_1d(base.codes.labels[item]).tolist()): item for item in items}
    found = {name for item in first.values() for name in base.codes.label_names(item)}
    known = base.codes.classes or sorted(found, key=int)
    return {name: i for i, name in enumerate(name for name in known if name in found)}


def _section(album: Album, queries: Side, base: Side, found: Neighbours, query: int, places: np.ndarray, metric: str,
             names: dict[str, int]) -> str:
    items, distances = found.indices[places], found.distances[places]
    hits = shares_label(queries.codes, query, base.codes, items)
    results = []
    for rank, (item, distance, hit) in enumerate(zip(items, distances, hits), 1):
        classes = " ".join(str(names[name]) for name in base.codes.label_names(item))
        results.append(result_html(album, base, item, rank, distance_words(distance, metric), hit,
                                   f' data-distance="{distance:.6g}"' + f' data-classes="{classes}"' * bool(names)))
    return (f'<section class="card query" id="query-{query + 1}" aria-label="Query {query + 1}">'
            + asked_html(album, queries, query, f'<p class="count">{_count(hits)}</p>')
            + f'<ol class="results">{"".join(results)}</ol></section>')


def _count(hits: list[bool | None]) -> str:
    if None in hits or not hits:
        return f"{len(hits)} results"
    return f"{sum(map(bool, hits))} of {len(hits)} relevant"


def _controls(queries: list[str], most: int, names: dict[str, int], metric: str) -> str:
    """The form, which the script shows."""
    options = "".join(f'<option value="{i}">{i + 1}: {words(name)}</option>' for i, name in enumerate(queries))
    classes = "".join(f'<option value="{i}">{words(name)}</option>' for name, i in names.items())
    unit = "bits" if metric == "hamming" else metric
    step = 1 if metric == "hamming" else "any"
    parts = [
        f'<label>query <select id="query"><option value="">all {len(queries):,}</option>{options}</select></label>',
        '<span class="steps"><button type="button" id="back" aria-label="previous query">‹</button>'
        '<button type="button" id="on" aria-label="next query">›</button></span>',
        f'<label>first <input type="number" id="ranks" min="1" max="{most}" value="{most}"></label>',
        f'<label>class <select id="class"><option value="">any</option>{classes}</select></label>' if names else "",
        f'<label>at most <input type="number" id="distance" step="{step}"> {words(unit)}</label>',
        '<label>path <input type="search" id="path" placeholder="part of a path"></label>',
        '<button type="reset">reset</button>',
        '<output id="shown" class="soft" aria-live="polite"></output>',
        '<span class="soft"><kbd>←</kbd> <kbd>→</kbd> queries, <kbd>a</kbd> all, <kbd>/</kbd> path</span>']
    return f'<form class="tools" aria-label="What is shown" hidden>{"".join(parts)}</form>'
