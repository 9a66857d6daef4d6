"""A solver in a notebook: how far it is, and its losses so far."""

from __future__ import annotations

import numpy as np

from blobnet.log.html import framed, remark, title
from blobnet.solvers.losses import Losses
from blobnet.solvers.solver import Solver
from blobnet.view.notebook.by_class import html
from blobnet.view.notebook.curve import Line, chart

MOST = 6  # outputs of tests that have a curve
FEWEST = 20  # losses from which on there is a smooth curve, too


@html.register
def solver_html(solver: Solver, said: str = "", rates: Losses | None = None) -> str:
    """The line of the solver, the curves of its losses and of what its tests found, its present numbers.

    said: what else to say, in a line; rates: those of the iterations, for a curve, if they were not all alike.
    """
    iterations, losses = solver.losses.points()
    if not len(losses):
        return framed(title(repr(solver)), remark("no iteration yet"))
    wrong = int((~np.isfinite(losses)).sum())
    numbers = f"loss {solver.loss:.4g}, rate {solver.rate:.4g}"
    if wrong:
        numbers += f"; not finite: {wrong:,} of these losses"
    charts = [loss_chart(iterations, losses)] + output_charts(solver) + rate_chart(rates)
    row = f'<div class="bn-row">{"".join(charts)}</div>' if len(charts) > 1 else charts[0]
    return framed(title(repr(solver)), row, remark(numbers), remark(said) if said else "")


def output_charts(solver: Solver) -> list[str]:
    """A chart of each output of the tests, of the first MOST: their iterations across."""
    reach = (0.0, float(max(solver.iter, 1)))
    charts = (chart([Line("", np.array(iterations), np.array(values))], "iteration", f"test {output}", reach=reach)
              for output, iterations, values in solver.tested.series()[:MOST])
    return list(filter(None, charts))


def rate_chart(rates: Losses | None) -> list[str]:
    """The chart of the rates; none if they were all alike."""
    iterations, values = rates.points() if rates is not None else (np.empty(0), np.empty(0))
    return [chart([Line("", iterations, values)], "iteration", "rate")] if len({*values.tolist()}) > 1 else []


def loss_chart(iterations: np.ndarray, losses: np.ndarray) -> str:
    """The chart of losses (n,) over their iterations (n,), and of their running mean, if there are many."""
    window = max(len(losses) // 25, 5)
    lines = [Line("loss", iterations, losses)]
    if len(losses) >= FEWEST:
        lines = [Line("loss", iterations, losses, faint=True),
                 Line(f"mean of {window} points", iterations, running_mean(losses, window))]
    return chart(lines, "iteration", "loss")


def running_mean(values: np.ndarray, window: int) -> np.ndarray:
    """(n,) The mean of each value and of up to `window` - 1 before it, of those that are finite; NaN if none is.

    >>> running_mean(np.array([1.0, 3.0, np.nan, 4.0]), 2).tolist()
    [1.0, 2.0, 3.0, 4.0]
    """
    finite = np.isfinite(values)
    scale = np.abs(values[finite]).max(initial=0) or 1.0  # sums may be larger than a float can be
    sums = np.cumsum(np.concatenate([[0], np.where(finite, values, 0) / scale]))
    counts = np.cumsum(np.concatenate([[0], finite]))
    first = np.maximum(np.arange(1, len(values) + 1) - window, 0)
    many = counts[1:] - counts[first]
    means = (sums[1:] - sums[first]) / np.maximum(many, 1) * scale
    return np.where(many > 0, means, np.nan)
