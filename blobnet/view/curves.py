"""Curves: the loss of a training run, precision against recall."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

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


def plot_precision_recall(curves: Mapping[str, tuple[np.ndarray, np.ndarray]], path: str | os.PathLike) -> None:
    """Draw named curves (recall, precision), each two arrays (n,) in [0, 1], into the file `path`."""
    figure = new_figure(5.6, 5)
    axes = plain_axes(figure, "recall", "precision")
    for i, (name, (recall, precision)) in enumerate(curves.items()):
        _check_pair(f"curve {name!r}", ("recall", recall), ("precision", precision))
        axes.plot(recall, precision, label=name, color=PALETTE[i % len(PALETTE)], linestyle=LINES[i % len(LINES)],
                  linewidth=1.6, marker="o" if len(recall) <= 65 else None, markersize=3, clip_on=False)
    axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
    if curves:
        axes.legend(frameon=False, fontsize=9).set_in_layout(False)  # a long name must not squeeze the axes
    save(figure, path)


def _check_pair(where: str, x: tuple[str, Sequence], y: tuple[str, Sequence]) -> None:
    (x_name, x_values), (y_name, y_values) = x, y
    if np.ndim(x_values) != 1 or np.shape(x_values) != np.shape(y_values):
        raise ShapeError(where, expected=f"{x_name} (n,) and {y_name} (n,)",
                         got=f"{np.shape(x_values)} and {np.shape(y_values)}")
