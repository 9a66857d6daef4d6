"""Running a recipe: every method with every seed, results kept as they come."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from pathlib import Path

from blobnet.errors import DataError, SolverError, close_matches
from blobnet.log.log_file import log_file
from blobnet.proto.storage import atomic_write
from blobnet.recipes.data_sets import require_data, validation_data
from blobnet.recipes.nets import identity
from blobnet.recipes.recipe import Recipe, check_seeds
from blobnet.recipes.results import Results, alike, table
from blobnet.recipes.trial import Trial, trial_folder

VALIDATED = ("To choose settings by, not to report: what is called queries or test images here are others, held out of "
             "the training part.")


def run_recipe(recipe: Recipe, out: str | os.PathLike, data: str | os.PathLike = "data", *, full: bool = False,
               seeds: Sequence[int] = (), only: Sequence[str] = (), device: str = "cpu",
               note: Callable[[str], object] = print, python_layers: bool = False, validate: bool = False) -> str:
    """Run what is not yet in `out` and return the table, which is also written there as results.md.

    `full` takes the published budget; `seeds` replaces the recipe's; `only` names the methods to run, all without it;
    `python_layers` is as for Net. A data set of the recipe that is not in `data` is imported, if its files are there or
    it needs none. With `validate` images that are held out of the training part stand in the place of the queries or
    test images, which are not read: so settings are chosen.
    Every trial has a folder of its own in `out`, with train.log, which parse_log reads; results.json in `out` keeps
    those that are finished. A folder of other options or another net is moved aside. The table has all methods and
    seeds of the recipe that are finished.
    Raises DataError for missing data, unknown methods and wrong seeds, and, before any training, what the task's
    `check` finds. A trial whose solver fails, such as one that diverges, is noted, and the others go on; SolverError at
    the end, once the table is written, names them all.
    """
    out, data, wanted = Path(out), Path(data), list(dict.fromkeys(only or recipe.methods))
    seeds = check_seeds("seeds", seeds) if seeds else recipe.seeds
    for method in wanted:
        if method not in recipe.methods:
            raise DataError(str(recipe.path), f"no method {method!r}", hint=close_matches(method, recipe.methods))
    for name in recipe.data:
        require_data(name, data, note)
    if validate:
        data = validation_data(recipe, data, note)
    if out.exists() and not out.is_dir():
        raise DataError(str(out), expected="a folder for the results", got="a file")
    out.mkdir(parents=True, exist_ok=True)
    results = Results(out / "results.json", recipe.defaults)

    def trial(method: str, seed: int) -> Trial:
        return Trial(method, recipe.options(method, full), seed, recipe.path.parent, data,
                     trial_folder(out, method, seed), device,
                     lambda text: note(f"  {method}, seed {seed}: {text}"), python_layers, validate)

    other = {"validation": recipe.validation} if validate else {}
    identities = {method: identity(trial(method, seeds[0])) | other for method in recipe.methods
                  if method in wanted or results.knows(method)}
    waiting = []
    for method in wanted:
        missing = [trial(method, seed) for seed in seeds if results.find(method, seed, identities[method]) is None]
        if missing:
            recipe.module.check(missing[0])
        waiting += missing
    failed = []
    for new in waiting:
        try:
            _run_trial(recipe, new, identities[new.method], results)
        except SolverError as error:
            new.note(str(error))
            failed.append(f"{new.method}, seed {new.seed}: {error}")
    found = [(trial(method, seed), results.find(method, seed, identities[method]))
             for method in identities for seed in dict.fromkeys([*recipe.seeds, *seeds])]
    text = _report(recipe, [(done, measures) for done, measures in found if measures is not None], out, full,
                   validate)
    with atomic_write(out / "results.md") as file:
        file.write(text.encode())
    if failed:
        raise SolverError(str(recipe.path), f"{len(failed)} of {len(waiting)} trials failed\n  " + "\n  ".join(failed))
    return text


def _run_trial(recipe: Recipe, trial: Trial, itself: dict, results: Results) -> None:
    """Run the trial of the identity `itself`, with its log in train.log, and keep its measures."""
    _prepare(trial, itself, results.defaults)
    start = time.perf_counter()
    with log_file(trial.out / "train.log", append=True):
        measures = recipe.module.run(trial)
    seconds = time.perf_counter() - start
    results.add(trial.method, trial.seed, itself, measures, seconds)
    trial.note(", ".join(f"{name} {value:.4f}" for name, value in measures.items()) + f"  ({seconds:.0f} s)")


def _prepare(trial: Trial, itself: dict, defaults: Mapping) -> None:
    """Make the trial's folder. What a run of another identity left there is moved aside; DataError for other things."""
    path, text = trial.out / "options.json", json.dumps(itself, sort_keys=True, indent=1)
    if trial.out.exists() and not (trial.out.is_dir() and not any(trial.out.iterdir())):
        if not path.is_file():
            raise DataError(str(trial.out), expected="the folder of a trial, with options.json", got="something else",
                            hint="move it away, or choose another --out")
        if not alike(_options(path), itself, defaults):
            free = next(name for name in (trial.out.with_name(f"{trial.out.name}.old-{n}") for n in count(1))
                        if not name.exists())
            trial.out.rename(free)
            trial.note(f"other options, or another net, than before: what was there is now in {free}")
    trial.out.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as file:
        file.write(text.encode())


def _options(path: Path) -> object:
    """What the file of a trial's options holds; None if that is no JSON."""
    try:
        return json.loads(path.read_text("utf-8"))
    except ValueError:
        return None


def _report(recipe: Recipe, finished: Sequence[tuple[Trial, dict[str, float]]], out: Path, full: bool,
            validate: bool) -> str:
    """Draw the task's pictures; the paper, the table, and the sentences under it."""
    if hasattr(recipe.module, "report"):
        recipe.module.report(finished, out)
    measured: dict[str, list[dict[str, float]]] = {}
    for trial, measures in finished:
        measured.setdefault(trial.method, []).append(measures)
    lines = [recipe.paper, f"({'full' if full else 'reduced'} budget)", "",
             table(measured, recipe.columns, {} if validate else recipe.published)]
    if validate:
        lines += ["", VALIDATED]
    elif recipe.published:
        lines += ["", f"published: {recipe.published_as}"]
    if hasattr(recipe.module, "footnote"):
        notes = {recipe.module.footnote(recipe.options(method, full)): None for method in measured}
        lines += ["", *notes]
    return "\n".join(lines) + "\n"
