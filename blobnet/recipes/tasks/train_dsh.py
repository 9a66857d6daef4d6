"""train_hash, and how near the outputs of DSH are to -1 and +1; pictures of the outputs and of the convergence."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from blobnet.hashing.codes import Codes
from blobnet.recipes.options import Option
from blobnet.recipes.tasks import train_hash
from blobnet.recipes.trial import Trial
from blobnet.view.figure import LINES, PALETTE, new_figure, plain_axes, save

OPTIONS = train_hash.OPTIONS | {
    "picture": Option(str, "", words=("convergence", "outputs")),  # which pictures show this method
}
MEASURES = (*train_hash.MEASURES, "distance to +-1")
RANGE = (-6, 6)  # of the outputs in their picture
check, footnote = train_hash.check, train_hash.footnote


def run(trial: Trial) -> dict[str, float]:
    """As train_hash, with the mean of | |u| - 1 | over the outputs of the queries as the measure "distance to +-1"."""
    measures = train_hash.run(trial)
    values = Codes.load(trial.out / "queries.npz").values
    return measures | {"distance to +-1": float(np.abs(np.abs(values) - 1).mean())}


def report(finished: Sequence[tuple[Trial, Mapping[str, float]]], out: Path) -> None:
    """Draw, of each method's first seed: mAP over the iterations in convergence.png, the outputs in outputs.png."""
    first: dict[str, Trial] = {}
    for trial, _ in finished:
        first.setdefault(trial.method, trial)
    for picture, file, draw in (("convergence", "curve.json", _draw_convergence),
                                ("outputs", "queries.npz", _draw_outputs)):
        shown = []
        for trial in first.values():
            if picture in trial.options["picture"] and (trial.out / file).is_file():
                shown.append(trial)
            elif picture in trial.options["picture"]:
                trial.note(f"not in {picture}.png, as {trial.out / file} is gone")
        if shown:
            draw(shown, out / f"{picture}.png")


def _draw_convergence(trials: Sequence[Trial], path: Path) -> None:
    figure = new_figure(6.4, 4)
    axes = plain_axes(figure, "iteration", "mAP")
    for i, trial in enumerate(trials):
        points = json.loads((trial.out / "curve.json").read_text())["mAP"]
        iterations = sorted(map(int, points))
        axes.plot(iterations, [points[str(n)] for n in iterations], label=trial.method, marker="o", markersize=3,
                  color=PALETTE[i % len(PALETTE)], linestyle=LINES[i % len(LINES)])
    axes.legend(frameon=False, fontsize=9)
    save(figure, path)


def _draw_outputs(trials: Sequence[Trial], path: Path) -> None:
    figure = new_figure(6.4, 4)
    axes = plain_axes(figure, "output u", "share of the outputs a unit")
    for i, trial in enumerate(trials):
        values = Codes.load(trial.out / "queries.npz").values
        axes.hist(values.ravel(), bins=120, range=RANGE, density=True, histtype="step", label=trial.method,
                  color=PALETTE[i % len(PALETTE)], linestyle=LINES[i % len(LINES)])
    axes.legend(frameon=False, fontsize=9)
    save(figure, path)
