"""Recipe: an experiment of a paper, as its YAML file says."""

from __future__ import annotations

import importlib
import os
import pkgutil
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml

from blobnet.errors import DataError, close_matches
from blobnet.proto.storage import require_file
from blobnet.recipes import tasks
from blobnet.recipes.options import REQUIRED, Option, is_number, shown
from blobnet.recipes.trial import trial_folder

FIELDS = {"paper": str, "task": str, "methods": dict, "columns": list, "data": list, "seeds": list, "settings": dict,
          "reduced": dict, "full": dict, "published": dict, "published_as": str, "validation": int}

VALIDATION = Option(int, 0, least=0)


@dataclass(frozen=True)
class Recipe:
    """The methods that are compared, and what they are compared by.

    path: the file; paper; task: the name of a module of recipes/tasks, whose `run` does a trial; data: the data sets
    that it reads; seeds; columns: the measures of the table, in order; settings: options of all methods, which
    `reduced` and, with the published budget, `full` override; methods: the options of each method by its name, which
    override those, and in the published budget those under its own `full`; published: measures of the paper by method,
    published_as: the protocol that they were taken by, which stands under the table;
    validation: how many images of each training set are held out where settings are chosen, 0 for a tenth.
    """

    path: Path
    paper: str
    task: str
    methods: dict[str, dict]
    columns: list[str]
    data: list[str] = field(default_factory=list)
    seeds: list[int] = field(default_factory=lambda: [1])
    settings: dict = field(default_factory=dict)
    reduced: dict = field(default_factory=dict)
    full: dict = field(default_factory=dict)
    published: dict[str, dict] = field(default_factory=dict)
    published_as: str = ""
    validation: int = 0

    @property
    def module(self) -> ModuleType:
        """The task."""
        return importlib.import_module(f"{tasks.__name__}.{self.task}")

    @property
    def defaults(self) -> dict[str, Any]:
        """The defaults of the task's options."""
        return {name: option.default for name, option in self.module.OPTIONS.items() if option.default is not REQUIRED}

    def options(self, method: str, full: bool = False) -> dict:
        """The complete options of a method, in the reduced or the full budget; DataError for wrong ones."""
        where = f"{self.path}: method {method!r}"
        own = dict(self.methods[method])
        published = own.pop("full", {})
        _require_mapping(published, f"{where}: full", "a mapping of options")
        given = self.settings | (self.full | own | published if full else self.reduced | own)
        known = self.module.OPTIONS
        for name, value in given.items():
            if name not in known:
                raise DataError(where, f"task {self.task!r} has no option {name!r}",
                                hint=close_matches(str(name), known))
            known[name].check(where, name, value)
        missing = [name for name, option in known.items() if option.default is REQUIRED and name not in given]
        if missing:
            raise DataError(where, f"no option {missing[0]!r}", hint=f"task {self.task!r} needs it")
        return self.defaults | given


def read_recipe(path: str | os.PathLike) -> Recipe:
    """The recipe in a YAML file; DataError, naming the file and what is wrong, for anything else."""
    where = os.fspath(path)
    try:
        content = yaml.safe_load(Path(require_file(path)).read_text("utf-8"))
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:  # dates and numbers that are none
        raise DataError(where, f"not YAML ({error})") from error
    _require_mapping(content, where, "a mapping such as paper: …, task: …, methods: …")
    _check_fields(content, where)
    if "seeds" in content:
        content["seeds"] = check_seeds(where, content["seeds"])
    recipe = Recipe(Path(path), **content)
    _check_methods(recipe, where)
    _check_measures(recipe, where)
    return recipe


def _check_fields(content: Mapping, where: str) -> None:
    """DataError for fields that are missing, unknown or of another type, unknown tasks and nameless data sets."""
    for name, value in content.items():
        if name not in FIELDS:
            raise DataError(where, f"unknown field {name!r}", hint=close_matches(str(name), FIELDS))
        if not isinstance(value, FIELDS[name]):
            raise DataError(where, f"field {name!r}", expected=f"a {FIELDS[name].__name__}", got=shown(value))
    if "validation" in content:
        VALIDATION.check(where, "validation", content["validation"])
    for name in ("paper", "task", "methods", "columns"):
        if not content.get(name):
            raise DataError(where, f"no {name!r}", hint=f"add {name}: …")
    known_tasks = [module.name for module in pkgutil.iter_modules(tasks.__path__)]
    if content["task"] not in known_tasks:
        raise DataError(where, f"unknown task {content['task']!r}", hint=close_matches(content["task"], known_tasks))
    for name in content.get("data", []):
        if not isinstance(name, str):
            raise DataError(where, "field 'data'", expected="names of data sets", got=shown(name))


def _check_methods(recipe: Recipe, where: str) -> None:
    """DataError for names that are none or share a folder, and for options that are wrong in either budget."""
    folders: dict[Path, str] = {}
    for method, options in recipe.methods.items():
        if not isinstance(method, str):
            raise DataError(where, expected="a method's name", got=shown(method), hint="put it in quotes")
        _require_mapping(options, f"{where}: method {method!r}", "a mapping of options")
        recipe.options(method)
        recipe.options(method, full=True)
        other = folders.setdefault(trial_folder(Path(), method, 0), method)
        if other != method:
            raise DataError(where, f"methods {other!r} and {method!r} would share a folder", hint="name them apart")


def _check_measures(recipe: Recipe, where: str) -> None:
    """DataError for published figures that are none, of no method or no protocol, and for measures of another task."""
    if recipe.published and not recipe.published_as:
        raise DataError(where, "published figures without the protocol that they were taken by",
                        hint="add published_as: …, in words")
    for method, measures in recipe.published.items():
        if method not in recipe.methods:
            raise DataError(where, f"published figures of an unknown method {method!r}",
                            hint=close_matches(str(method), recipe.methods))
        _require_mapping(measures, f"{where}: published figures of {method!r}", "a mapping of measures")
        for name, value in measures.items():
            if not is_number(value):
                raise DataError(where, f"published {name!r} of {method!r}", expected="a number", got=shown(value))
    for name in [*recipe.columns, *(name for measures in recipe.published.values() for name in measures)]:
        if name not in recipe.module.MEASURES and re.sub(r"\d+", "N", str(name)) not in recipe.module.MEASURES:
            raise DataError(where, f"task {recipe.task!r} has no measure {name!r}",
                            hint=close_matches(str(name), recipe.module.MEASURES))


def check_seeds(where: str, seeds: Sequence[int]) -> list[int]:
    """The seeds, each once; DataError unless they are whole numbers from 0 to 2^63 - 1, and there is one."""
    if not seeds or not all(type(seed) is int and 0 <= seed < 1 << 63 for seed in seeds):
        raise DataError(where, expected="seeds of 0 or more, below 2^63, such as [1, 2, 3]", got=shown(seeds))
    return list(dict.fromkeys(seeds))


def _require_mapping(value: object, where: str, expected: str) -> None:
    if not isinstance(value, Mapping):
        raise DataError(where, expected=expected, got=shown(value))
