"""The report of an evaluation: scores, curves, classes, queries and bits, in one page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from blobnet.hashing.engines import exact_index
from blobnet.hashing.metrics import Evaluation
from blobnet.hashing.neighbours import Neighbours
from blobnet.hashing.relevance import relevance_of
from blobnet.log.html import html_table, words
from blobnet.view.figure import PALETTE
from blobnet.view.notebook.curve import Line, chart, look
from blobnet.view.web.album import Album
from blobnet.view.web.bit_charts import bit_cards
from blobnet.view.web.cards import card, folded
from blobnet.view.web.class_tables import class_card
from blobnet.view.web.examples import example_cards, read_examples
from blobnet.view.web.frame import Page, page
from blobnet.view.web.items import Side

RANKS = (1, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
DRAWN = 1000   # ranks of the curves
POINTS = 200   # of a curve
SEEN = 100     # first results whose classes are counted, at most
DASHES = ("", "7 3", "2 3", "9 3 2 3")


class Entry(NamedTuple):
    """A part of the report: queries and base under a protocol, their scores and, if it took any, the lists of
    neighbours. The name says what it is, as the table of the report does."""

    name: str
    queries: Side
    base: Side
    score: Evaluation
    neighbours: Neighbours | None = None


def report(entries: Sequence[Entry], cells: Sequence[Sequence[str]], title: str = "Evaluation") -> Page:
    """The page of the entries, with a part each, and notes: which pictures are not there.

    cells: the table of all scores, its first row the heads, a row an entry.
    """
    album = Album()
    parts = [_part(album, number, entry, len(entries) > 1) for number, entry in enumerate(entries, 1)]
    notes = album.notes()
    links = "".join(f'<a href="#part-{i}">{i}: {words(entry.name)}</a>' for i, entry in enumerate(entries, 1))
    numbered = [("", *cells[0]), *((str(i), *row) for i, row in enumerate(cells[1:], 1))] if len(entries) > 1 else cells
    said = dict.fromkeys(entry.score.protocol.describe() for entry in entries)
    head = (f"<header><h1>{words(title)}</h1>" + html_table(numbered, left=range(len(numbered[0])))
            + "".join(f'<p class="soft">Protocol {words(sentence)}</p>' for sentence in said)
            + "".join(f'<p class="note">{words(note)}</p>' for note in notes) + "</header>")
    together = f'<div class="charts three">{_curves(entries)}</div>' if len(entries) > 1 else ""
    nav = f'<nav aria-label="Parts">{links}</nav>' if len(entries) > 1 else ""
    return Page(page(title, album.definitions(), head, nav, "<main>", together, *parts, "</main>"), notes)


def _part(album: Album, number: int, entry: Entry, numbered: bool) -> str:
    queries, base, score = entry.queries.codes, entry.base.codes, entry.score
    index = exact_index(base, score.protocol.metric)
    found = index.search(queries, top=min(SEEN, score.k, len(base)))
    relevance = relevance_of(queries, base, entry.neighbours)
    read_examples(album, entry.queries, entry.base, score.average_precision, found)
    head = f"{number}: {entry.name}" if numbered else entry.name
    return (f'<section class="part" id="part-{number}" aria-label="{words(head)}"><h2>{words(head)}</h2>'
            f'<div class="charts">{_curves([entry])}{_precision_card(score)}</div>'
            + class_card(queries, base, found, score.average_precision)
            + example_cards(album, entry.queries, entry.base, score, found, relevance.of)
            + bit_cards(queries, base, index, relevance.of) + "</section>")


def _curves(entries: Sequence[Entry]) -> str:
    """Precision against recall, precision and recall among the first k, of one entry or of all in colours."""
    names = [f"{i}: {entry.name}" for i, entry in enumerate(entries, 1)]
    by_recall, by_rank, found = [], [], []
    for name, entry, colour, dash in zip(names, entries, _colours(len(entries)), DASHES * len(entries)):
        recall, precision = entry.score.by_rank
        ranks = np.unique(np.linspace(1, min(len(recall), DRAWN), POINTS).round().astype(int))
        by_rank.append(Line(name, ranks, precision[ranks - 1], False, colour, dash))
        found.append(Line(name, ranks, recall[ranks - 1], False, colour, dash))
        across, along = entry.score.by_radius or entry.score.by_rank
        some = np.unique(np.linspace(0, len(across) - 1, POINTS).round().astype(int))
        by_recall.append(Line(name, across[some], along[some], False, colour, dash))
    key = _key(by_rank) if len(entries) > 1 else ""
    at = " or ".join(sorted({"each rank" if entry.score.by_radius is None else "each radius" for entry in entries}))
    return "".join([_chart_card(f"Precision against recall, at {at}", by_recall, "recall", "precision", key, (0, 1)),
                    _chart_card("Precision among the first k", by_rank, "k", "precision", key),
                    _chart_card("Recall among the first k", found, "k", "recall", key)])


def _chart_card(title: str, lines: Sequence[Line], across: str, along: str, key: str,
                reach: tuple[float, float] | None = None) -> str:
    return card(title, chart(lines, across, along, (0, 1), reach, legend=False), key, _numbers((across, along), lines))


def _colours(count: int) -> list[str]:
    return (["", *PALETTE[1:-1]] * count)[:count]  # the page's own for the first, and no black


def _key(lines: Sequence[Line]) -> str:
    samples = (f'<li><svg viewBox="0 0 26 8" aria-hidden="true"><path d="M0 4H26" {look(line)}/></svg>'
               f"{words(line.name)}</li>" for line in lines)
    return f'<ul class="key">{"".join(samples)}</ul>'


def _numbers(heads: Sequence[str], lines: Sequence[Line]) -> str:
    """Some of the numbers of each curve, to be unfolded."""
    rows = [("", *heads)] if len(lines) > 1 else [tuple(heads)]
    for line in lines:
        some = np.unique(np.linspace(0, len(line.x) - 1, 21).round().astype(int))
        rows += [(*[line.name] * (len(lines) > 1), f"{line.x[i]:.4g}", f"{line.y[i]:.4f}") for i in some]
    return folded("Numbers", html_table(rows))


def _precision_card(score: Evaluation) -> str:
    recall, precision = score.by_rank
    ranks = [k for k in RANKS if k <= len(recall)]
    rows = [("k", "P@k", "recall@k"), *((f"{k:,}", f"{precision[k - 1]:.4f}", f"{recall[k - 1]:.4f}") for k in ranks)]
    return card("Precision and recall among the first k", html_table(rows))
