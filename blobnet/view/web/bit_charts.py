"""What a report says of bits and distances."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from blobnet.hashing.codes import Codes
from blobnet.hashing.index import Index
from blobnet.log.html import html_table, remark
from blobnet.view.notebook.curve import Line, chart
from blobnet.view.pictures import Extent, array_picture
from blobnet.view.web.cards import card, folded, picture_html
from blobnet.view.web.heat import share_bars
from blobnet.view.web.statistics import ITEMS, Bits, bits_of, pair_distances, spread

BINS = 60     # of a histogram of real numbers
STRONGEST = 8  # pairs of bits
OTHERS = "#d55e00"


def bit_cards(queries: Codes, base: Codes, index: Index, relevant: Callable[[int, int], np.ndarray]) -> str:
    """Cards: the share of ones, the correlation, distances of relevant and of other pairs, the values' histogram."""
    bits = bits_of(base)
    values = _values(base)
    cards = [card("Share of ones in each bit", _balance(bits)), card("Correlation of the bits", _correlation(bits)),
             card("Distances of pairs", _distances(queries, index, relevant)),
             card("Values that the bits are made of", values) if values else ""]
    return f'<div class="charts">{"".join(cards)}</div>'


def _balance(bits: Bits) -> str:
    constant = int(((bits.ones == 0) | (bits.ones == 1)).sum())
    return share_bars(bits.ones, "bit", 0.5) + remark(
        f"{bits.items:,} items of the base have {bits.different:,} different codes. In the mean the shares are "
        f"{np.abs(bits.ones - 0.5).mean():.4f} away from a half; {constant} of {len(bits.ones)} bits never change.")


def _correlation(bits: Bits) -> str:
    size = len(bits.ones)
    if size < 2:
        return remark("A single bit has none.")
    picture = array_picture(bits.correlation, Extent(-1.0, 1.0, 0), signed=True)
    above = np.triu_indices(size, 1)
    found = bits.correlation[above]
    order = [i for i in np.argsort(-np.abs(found), kind="stable") if np.isfinite(found[i])][:STRONGEST]
    mean = np.abs(found[np.isfinite(found)]).mean() if order else 0.0
    rows = [("bits", "correlation"), *((f"{above[0][i]}, {above[1][i]}", f"{found[i]:+.4f}") for i in order)]
    said = f"Bit by bit: blue -1, white 0, red +1. The mean of two different bits is {mean:.4f} in size."
    return picture_html(picture, said) + folded("Strongest pairs", html_table(rows))


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
    said = " and ".join(f"{mask.sum():,} {name} pairs, {distances[mask].mean():.4g} apart in the mean"
                        for name, mask in (("relevant", hits), ("other", ~hits)) if mask.any())
    rows = [("distance", "relevant", "others"),
            *((f"{place:.4g}", f"{a:.4f}", f"{b:.4f}") for place, a, b in zip(lines[0].x, lines[0].y, lines[1].y))]
    return (chart(lines, f"distance, {'bits' if index.levels else index.metric}", "share of pairs",
                  (0, max(map(np.max, shares))))
            + remark(f"{said}.")
            + folded("Numbers", html_table(rows)))


def _values(codes: Codes) -> str:
    """The histogram of the real values, and the threshold; "" for codes without values."""
    if codes.values is None:
        return ""
    values = codes.values[spread(len(codes), ITEMS)].ravel().astype(np.float64)
    counts, edges = np.histogram(values, BINS)
    shares, places = counts / len(values), (edges[1:] + edges[:-1]) / 2
    lines = [Line("values", places, shares)]
    said = f"{len(values):,} values from {values.min():.4g} to {values.max():.4g}"
    if codes.threshold is not None:
        distance = np.abs(values - codes.threshold)
        lines.append(Line(f"threshold {codes.threshold:g}", np.full(2, codes.threshold), np.array([0, shares.max()]),
                          True))
        said += (f"; {distance.mean():.4g} from the threshold in the mean, and "
                 f"{(distance < distance.mean() / 10).mean():.2%} nearer than a tenth of that")
    return chart(lines, "value", "share of values", (0, shares.max())) + remark(said + ".")
