"""What a report says of bits and distances."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from blobnet.hashing.codes import Codes
from blobnet.hashing.index import Index
from blobnet.log.html import html_table, words
from blobnet.view.notebook.curve import Line, chart
from blobnet.view.pictures import Extent, array_picture
from blobnet.view.web.class_tables import picture_html
from blobnet.view.web.heat import share_bars
from blobnet.view.web.statistics import ITEMS, Bits, bits_of, pair_distances, spread

BINS = 60     # of a histogram of real numbers
STRONGEST = 8  # pairs of bits
OTHERS = "#d55e00"


def bit_cards(queries: Codes, base: Codes, index: Index, relevant: Callable[[int, int], np.ndarray]) -> str:
    """Cards: the share of ones, the correlation, distances of relevant and of other pairs, the values' histogram."""
    bits = bits_of(base)
    cards = [_card("Share of ones in each bit", _balance(bits)), _card("Correlation of the bits", _correlation(bits)),
             _card("Distances of pairs", _distances(queries, index, relevant))]
    values = _values(base)
    return f'<div class="charts">{"".join(cards)}{_card("Values that the bits are made of", values) if values else ""}</div>'


def _card(title: str, body: str) -> str:
    return f'<div class="card"><h3>{words(title)}</h3>{body}</div>'


def _said(text: str) -> str:
    return f'<p class="soft">{words(text)}</p>'


def _balance(bits: Bits) -> str:
    constant = int(((bits.ones == 0) | (bits.ones == 1)).sum())
    return share_bars(bits.ones, "bit", 0.5) + _said(
        f"{bits.items:,} items of the base have {bits.different:,} different codes. The shares are "
        f"{np.abs(bits.ones - 0.5).mean():.4f} from a half, in the mean; {constant} of {len(bits.ones)} bits never change.")


def _correlation(bits: Bits) -> str:
    size = len(bits.ones)
    if size < 2:
        return _said("A single bit has none.")
    picture = array_picture(bits.correlation, Extent(-1.0, 1.0, 0), signed=True)
    above = np.triu_indices(size, 1)
    found = bits.correlation[above]
    order = [i for i in np.argsort(-np.abs(found), kind="stable") if np.isfinite(found[i])][:STRONGEST]
    mean = np.abs(found[np.isfinite(found)]).mean() if order else 0.0
    rows = [("bits", "correlation"), *((f"{above[0][i]}, {above[1][i]}", f"{found[i]:+.4f}") for i in order)]
    return (picture_html(picture, f"Bit by bit: blue -1, white 0, red +1. Two bits have {mean:.4f} in size, in the mean.")
            + f"<details><summary>Strongest pairs</summary>{html_table(rows)}</details>")


def _distances(queries: Codes, index: Index, relevant: Callable[[int, int], np.ndarray]) -> str:
    distances, hits = pair_distances(index, queries, relevant)
    if index.levels:
        places = np.arange(index.levels)
        counts = [np.bincount(distances[mask], minlength=index.levels) for mask in (hits, ~hits)]
    else:
        edges = np.histogram_bin_edges(distances, BINS)
        places = (edges[1:] + edges[:-1]) / 2
        counts = [np.histogram(distances[mask], edges)[0] for mask in (hits, ~hits)]
    kept = counts[0] + counts[1] > 0
    first, last = np.flatnonzero(kept)[[0, -1]]
    shares = [count / max(count.sum(), 1) for count in counts]
    lines = [Line("relevant", places[first:last + 1], shares[0][first:last + 1]),
             Line("others", places[first:last + 1], shares[1][first:last + 1], False, OTHERS, "6 3")]
    means = [float(distances[mask].mean()) if mask.any() else float("nan") for mask in (hits, ~hits)]
    what = "distance, bits" if index.levels else f"distance, {index.metric}"
    rows = [("distance", "relevant", "others"),
            *((f"{place:.4g}", f"{a:.4f}", f"{b:.4f}") for place, a, b in zip(lines[0].x, lines[0].y, lines[1].y))]
    return (chart(lines, what, "share of pairs", (0, max(map(np.max, shares)))) + _said(
        f"Of {hits.sum():,} relevant and {(~hits).sum():,} other pairs; mean distances {means[0]:.4g} and {means[1]:.4g}.")
        + f"<details><summary>Numbers</summary>{html_table(rows)}</details>")


def _values(codes: Codes) -> str:
    """The histogram of the real values, and the threshold; "" for codes without values."""
    if codes.values is None:
        return ""
    values = codes.values[spread(len(codes), ITEMS)].ravel().astype(np.float64)
    counts, edges = np.histogram(values, BINS)
    shares, places = counts / len(values), (edges[1:] + edges[:-1]) / 2
    lines, said = [Line("values", places, shares)], f"{len(values):,} values from {values.min():.4g} to {values.max():.4g}"
    if codes.threshold is not None:
        distance = np.abs(values - codes.threshold)
        lines.append(Line(f"threshold {codes.threshold:g}", np.full(2, codes.threshold), np.array([0, shares.max()]),
                          True))
        said += (f"; {distance.mean():.4g} from the threshold in the mean, and "
                 f"{(distance < distance.mean() / 10).mean():.2%} nearer than a tenth of that")
    return chart(lines, "value", "share of values", (0, shares.max())) + _said(said + ".")
