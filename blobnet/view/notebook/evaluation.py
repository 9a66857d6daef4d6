"""The scores of hash codes in a notebook: a table, the protocol, precision among the first k."""

from __future__ import annotations

import numpy as np

from blobnet.hashing.metrics import Evaluation
from blobnet.log.html import framed, html_table, remark, title
from blobnet.view.notebook.by_class import html
from blobnet.view.notebook.curve import Line, chart

RANKS = 1000
POINTS = 200


@html.register
def evaluation_html(scores: Evaluation) -> str:
    """The numbers, the sentence of the protocol, and the curve of the first ranks, 1,000 at most."""
    rows = [("measure", "value"), ("mAP", f"{scores.mean_average_precision:.4f}"),
            (f"P@{scores.k}", f"{scores.precision:.4f}")]
    if scores.precision_within is not None:
        rows.append((f"P(r<={scores.radius})", f"{scores.precision_within:.4f}"))
    counted = int(np.isfinite(scores.average_precision).sum())
    rows.append(("queries that count", f"{counted:,} of {len(scores.average_precision):,}"))
    precision = scores.by_rank[1][:RANKS]
    ranks = np.unique(np.linspace(1, len(precision), POINTS).round().astype(int))
    curve = chart([Line("precision among the first k", ranks, precision[ranks - 1])], "k", "precision", (0, 1))
    return framed(title("Scores of hash codes"), html_table(rows), curve, remark(scores.protocol.describe()))
