"""The results of a recipe: the file that keeps them, and their table."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from blobnet.errors import DataError
from blobnet.proto.storage import atomic_write


class Results:
    """The finished trials of a recipe, kept in a JSON file that is replaced after each of them.

    A trial is {"method": name, "seed": number, "options": {…}, "measures": {name: number}, "seconds": wall time}; its
    options are all that tells it from others of the method and seed. `old` are trials whose place others took. An
    option that the file does not know has its value in `defaults`.
    """

    def __init__(self, path: Path, defaults: Mapping[str, Any] = MappingProxyType({})):
        """Take up what the file holds, if it is there; DataError if it holds something else."""
        self.path, self.defaults, self.trials, self.old = path, defaults, [], []
        if path.exists():
            try:
                content = json.loads(path.read_text("utf-8"))
                self.trials, self.old = content["trials"], list(content.get("old", []))
                for trial in self.trials:
                    trial["method"], trial["seed"], trial["options"], trial["seconds"], trial["measures"].items()
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise DataError(str(path), expected="the results of a recipe", got=f"{type(error).__name__}: {error}",
                                hint="remove it, or choose another --out") from error

    def find(self, method: str, seed: int, options: Mapping) -> dict[str, float] | None:
        """The measures of a finished trial of these very options (see `alike`)."""
        return next((trial["measures"] for trial in self.trials if trial["method"] == method
                     and trial["seed"] == seed and alike(trial["options"], options, self.defaults)), None)

    def knows(self, method: str) -> bool:
        """Whether a trial of the method is finished, of whatever options."""
        return any(trial["method"] == method for trial in self.trials)

    def add(self, method: str, seed: int, options: Mapping, measures: Mapping[str, float], seconds: float) -> None:
        """Keep a trial, in the place of an earlier one of other options, which becomes an old one; write the file."""
        replaced = [trial for trial in self.trials if (trial["method"], trial["seed"]) == (method, seed)]
        self.trials, self.old = [trial for trial in self.trials if trial not in replaced], self.old + replaced
        self.trials.append({"method": method, "seed": seed, "options": dict(options), "measures": dict(measures),
                            "seconds": round(seconds, 1)})
        with atomic_write(self.path) as file:
            file.write(json.dumps({"trials": self.trials, "old": self.old}, indent=1).encode())


def alike(kept: Any, options: Mapping, defaults: Mapping[str, Any]) -> bool:
    """Whether `kept`, the options in a file, are `options`; one that was not known then has its default.

    >>> alike({"bits": 12}, {"bits": 12, "stage": ""}, {"stage": ""})
    True
    """
    return isinstance(kept, dict) and {**defaults, **kept} == json.loads(json.dumps(options))


def table(measured: Mapping[str, Sequence[Mapping[str, float]]], columns: Sequence[str],
          published: Mapping[str, Mapping[str, float]]) -> str:
    """A Markdown table: a row a method, in a column the mean over the seeds, +- the standard deviation, (published).

    >>> print(table({"A": [{"mAP": 0.5}, {"mAP": 0.7}]}, ["mAP"], {"A": {"mAP": 0.61}}))
    | method | mAP | seeds |
    |--------|-----|-------|
    | A | 0.6000 +- 0.1414 (published 0.61) | 2 |
    """
    rows = [["method", *columns, "seeds"]]
    for method, trials in measured.items():
        cells = []
        for column in columns:
            cell = _mean([trial[column] for trial in trials if column in trial])
            said = published.get(method, {}).get(column)
            cells.append(cell if said is None else f"{cell} (published {said:g})".strip())
        rows.append([method, *cells, str(len(trials))])
    rows.insert(1, ["-" * len(name) for name in rows[0]])
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    lines[1] = lines[1].replace(" ", "-")
    return "\n".join(lines)


def _mean(values: Sequence[float]) -> str:
    """The mean of the values, and their sample standard deviation if there are several."""
    if not values:
        return ""
    mean = sum(values) / len(values)
    if len(values) == 1:
        return f"{mean:.4f}"
    deviation = math.sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1))
    return f"{mean:.4f} +- {deviation:.4f}"
