"""Curves: the loss of a training run, precision against recall, and what else compares retrieval."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from blobnet.errors import ShapeError
from blobnet.view.figure import LINES, PALETTE, new_figure, plain_axes, save


def plot_loss(iterations: Sequence[int], losses: Sequence[float], path: str | os.PathLike) -> None:
    """Draw the losses (n,) over their iterations (n,) into the file `path`; ShapeError unless they pair up."""
    _check_pair("plot_loss", ("iterations", iterations), ("losses", losses))
    figure = new_figure(6.4, 4)
    axes = plain_axes(figure, "iteration", "loss")
    axes.plot(iterations, losses, color=PALETTE[0], linewidth=1.2,
              marker="o" if len(losses) <= 30 else None, markersize=3)
    axes.xaxis.get_major_locator().set_params(integer=True)
    save(figure, path)


def plot_rates(rates: np.ndarray, losses: np.ndarray, smoothed: np.ndarray, suggestion: float | None,
               path: str | os.PathLike) -> None:
    """Draw losses and smoothed losses, each (n,), over learning rates (n,), and a line at the suggested rate."""
    _check_pair("plot_rates", ("rates", rates), ("losses", losses))
    _check_pair("plot_rates", ("rates", rates), ("smoothed", smoothed))
    figure = new_figure(6.4, 4)
    axes = plain_axes(figure, "learning rate", "loss")
    axes.set_xscale("log")
    axes.plot(rates, losses, color="0.7", linewidth=1, label="loss")
    axes.plot(rates, smoothed, color=PALETTE[0], linewidth=1.6, label="smoothed loss")
    if suggestion is not None:
        axes.axvline(suggestion, color=PALETTE[1], linestyle="--", linewidth=1.2, label=f"base_lr: {suggestion:.2g}")
    _legend(axes)
    save(figure, path)


def plot_precision_recall(curves: Mapping[str, tuple[np.ndarray, np.ndarray]], path: str | os.PathLike) -> None:
    """Draw named curves (recall, precision), each two arrays (n,) in [0, 1], into the file `path`."""
    figure = new_figure(5.6, 5)
    axes = _unit_axes(figure)
    for i, (name, (recall, precision)) in enumerate(curves.items()):
        _draw_precision_recall(axes, name, recall, precision, _look(i, i))
    if curves:
        _legend(axes)
    save(figure, path)


class Retrieval(NamedTuple):
    """What `plot_retrieval_curves` draws of one set of codes.

    name: of the curves; method: the curves of one method have one colour; recall and precision (n,), a curve;
    precision_at (m,), among the first 1 … m items.
    """

    name: str
    method: str
    bits: float
    mean_average_precision: float
    recall: np.ndarray
    precision: np.ndarray
    precision_at: np.ndarray


def plot_retrieval_curves(results: Sequence[Retrieval], path: str | os.PathLike, ranks: int = 1000) -> None:
    """Draw three panels into the file `path`: precision against recall, precision at ranks, mAP against bits.

    Ranks up to `ranks` are shown. Methods with several results have a line in the third panel. ShapeError for curves
    that are none.
    """
    figure = new_figure(15, 5)
    left, middle, right = figure.subfigures(1, 3)
    by_recall, by_rank = _unit_axes(left), plain_axes(middle, "rank k", "precision among the first k")
    by_bits = plain_axes(right, "bits", "mAP")
    for i, method in enumerate(dict.fromkeys(result.method for result in results)):
        same = [result for result in results if result.method == method]
        for j, result in enumerate(same):
            look = _look(i, i + j)
            _draw_precision_recall(by_recall, result.name, result.recall, result.precision, look)
            shown = result.precision_at[:ranks]
            by_rank.plot(np.arange(1, len(shown) + 1), shown, linewidth=1.6, **look)
        points = sorted((result.bits, result.mean_average_precision) for result in same)
        by_bits.plot(*zip(*points), label=method, linewidth=1.6, marker="o", markersize=5, **_look(i, 0))
    by_rank.set(ylim=(0, 1))
    by_bits.set(ylim=(0, 1), xticks=sorted({result.bits for result in results}))
    for axes in (by_recall, by_bits):
        _legend(axes)
    save(figure, path)


def _unit_axes(figure):
    axes = plain_axes(figure, "recall", "precision")
    axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
    return axes


def _look(colour: int, line: int) -> dict[str, str]:
    return {"color": PALETTE[colour % len(PALETTE)], "linestyle": LINES[line % len(LINES)]}


def _draw_precision_recall(axes, name: str, recall: np.ndarray, precision: np.ndarray, look: dict[str, str]) -> None:
    _check_pair(f"curve {name!r}", ("recall", recall), ("precision", precision))
    axes.plot(recall, precision, label=name, linewidth=1.6, marker="o" if len(recall) <= 65 else None, markersize=3,
              clip_on=False, **look)


def _legend(axes) -> None:
    axes.legend(frameon=False, fontsize=9).set_in_layout(False)  # a long name must not squeeze the axes


def _check_pair(where: str, x: tuple[str, Sequence | np.ndarray], y: tuple[str, Sequence | np.ndarray]) -> None:
    (x_name, x_values), (y_name, y_values) = x, y
    if np.ndim(x_values) != 1 or np.shape(x_values) != np.shape(y_values):
        raise ShapeError(where, expected=f"{x_name} (n,) and {y_name} (n,)",
                         got=f"{np.shape(x_values)} and {np.shape(y_values)}")
