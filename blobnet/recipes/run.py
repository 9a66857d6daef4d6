"""Running a recipe: every method with every seed, results kept as they come."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from blobnet.data.sets import import_command, set_paths
from blobnet.errors import DataError, close_matches
from blobnet.proto.storage import atomic_write
from blobnet.recipes.recipe import Recipe
from blobnet.recipes.results import Results, table
from blobnet.recipes.trial import Trial, trial_folder


def run_recipe(recipe: Recipe, out: str | os.PathLike, data: str | os.PathLike = "data", *, full: bool = False,
               seeds: Sequence[int] = (), only: Sequence[str] = (), device: str = "cpu",
               note: Callable[[str], object] = print) -> str:
    """Run what is not yet in `out` and return the table, which is also written there as results.md.

    `full` takes the published budget; `seeds` replaces the recipe's; `only` names the methods to run, all without it.
    Every trial has a folder of its own in `out`; results.json there keeps those that are finished.
    DataError for missing data and unknown methods.
    """
    out, data = Path(out), Path(data)
    for method in only:
        if method not in recipe.methods:
            raise DataError(f"{recipe.path}: method {method!r}", "is not there",
                            hint=close_matches(method, recipe.methods))
    for name in recipe.data:
        _require_data(name, data)
    out.mkdir(parents=True, exist_ok=True)
    results, finished, measured = Results(out / "results.json"), [], {}
    for method in only or recipe.methods:
        options = recipe.options(method, full)
        for seed in seeds or recipe.seeds:
            trial = Trial(method, options, seed, recipe.path.parent, data, trial_folder(out, method, seed), device,
                          partial(_note, note, method, seed))
            measures = results.find(method, seed, options)
            if measures is None:
                _prepare(trial)
                start = time.perf_counter()
                measures = recipe.module.run(trial)
                seconds = time.perf_counter() - start
                results.add(method, seed, options, measures, seconds)
                trial.note(f"{_short(measures)}  ({seconds:.0f} s)")
            finished.append((trial, measures))
            measured.setdefault(method, []).append(measures)
    if hasattr(recipe.module, "report"):
        recipe.module.report(finished, out)
    text = _text(recipe, measured, full)
    with atomic_write(out / "results.md") as file:
        file.write(text.encode())
    return text


def _note(note: Callable[[str], object], method: str, seed: int, text: str) -> None:
    note(f"  {method}, seed {seed}: {text}")


def _require_data(name: str, data: Path) -> None:
    absent = [path for path in set_paths(name, data) if not path.exists()]
    if absent:
        raise DataError(str(absent[0]), f"no data set {name!r}",
                        hint=import_command(name, data))


def _prepare(trial: Trial) -> None:
    """Make the trial's folder, without what an earlier run with other options left there."""
    path, options = trial.out / "options.json", json.dumps(trial.options, sort_keys=True, indent=1)
    if trial.out.exists() and not (path.exists() and path.read_text("utf-8") == options):
        shutil.rmtree(trial.out)
    trial.out.mkdir(parents=True, exist_ok=True)
    path.write_text(options, "utf-8")


def _short(measures: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.4f}" for name, value in measures.items())


def _text(recipe: Recipe, measured: dict[str, list[dict[str, float]]], full: bool) -> str:
    """The paper, the table, and the sentences under it."""
    lines = [recipe.paper, f"({'full' if full else 'reduced'} budget)", "",
             table(measured, recipe.columns, recipe.published)]
    if hasattr(recipe.module, "footnote"):
        notes = {recipe.module.footnote(recipe.options(method, full)): None for method in measured}
        lines += ["", *notes]
    return "\n".join(lines) + "\n"
