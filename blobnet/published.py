"""The published nets, their recipes, and the lessons: inside an installed package, beside it in the repository."""

from __future__ import annotations

import os
from pathlib import Path

from blobnet.errors import DataError, close_matches

PACKAGE = Path(__file__).parent
ROOT = PACKAGE if (PACKAGE / "prototxt").is_dir() else PACKAGE.parent


def published() -> dict[str, Path]:
    """The folders by their names: those of nets, such as dsh for prototxt/dsh, then examples."""
    nets = sorted(path for path in (ROOT / "prototxt").iterdir() if path.is_dir())
    return {path.name: path for path in [*nets, ROOT / "examples"]}


def published_files(name: str) -> dict[str, Path]:
    """The files of a published folder, by their paths from the root of the repository; DataError for unknown names.

    Layers in Python that nets of the folder need, in the example of its name, are among them.

    >>> list(published_files("lenet"))
    ['prototxt/lenet/README.md', 'prototxt/lenet/solver.prototxt', 'prototxt/lenet/train_test.prototxt']
    """
    folders = published()
    if name not in folders:
        raise DataError(f"published folder {name!r}", "there is none", hint=close_matches(name, folders)
                        or "`blobnet prototxt list` shows them")
    own, example = folders[name], ROOT / "examples" / name
    return {path.relative_to(ROOT).as_posix(): path for folder in (own, example) for path in sorted(folder.rglob("*"))
            if path.is_file() and "__pycache__" not in path.parts}


def example_of(module: str) -> Path | None:
    """The folder of the example that has a Python module, such as rpn.proposal_layer; None if there is none."""
    parts = module.split(".")
    if not all(part.isidentifier() for part in parts):
        return None
    found = (ROOT / "examples").glob("/".join(["*", *parts]) + ".py")
    return next((path.parents[len(parts) - 1] for path in sorted(found)), None)


def published_recipes() -> dict[str, Path]:
    """The recipes by their names: dsh for prototxt/dsh/recipe.yaml, dsh/digits for recipe_digits.yaml beside it."""
    found = {}
    for path in sorted((ROOT / "prototxt").glob("*/recipe*.yaml")):
        kind = path.stem.removeprefix("recipe").lstrip("_")
        found["/".join(filter(None, [path.parent.name, kind]))] = path
    return found


def find_recipe(name: str | os.PathLike) -> Path:
    """The file `name`, or the published recipe of that name; DataError for a name that is neither.

    What ends like a file, in .yaml or another extension, is a file, be it there or not.
    """
    path = Path(name)
    if path.suffix or path.is_file():
        return path
    recipes = published_recipes()
    if path.as_posix() not in recipes:
        raise DataError(f"recipe {os.fspath(name)!r}", "neither a file nor a published recipe",
                        hint=close_matches(path.as_posix().removeprefix("prototxt/"), recipes)
                        or "`blobnet prototxt list` shows them")
    return recipes[path.as_posix()]


def copy_hint(path: str | os.PathLike) -> str:
    """A hint for who looks for a published file where it is not, such as prototxt/dsh/solver_12.prototxt; else "".

    >>> copy_hint("prototxt/lenet/solver.prototxt")
    '`blobnet prototxt copy lenet` writes it'
    """
    path = Path(path)
    for name, folder in published().items():
        if path.parent == folder.relative_to(ROOT) and (folder / path.name).is_file():
            return f"`blobnet prototxt copy {name}` writes it"
    return ""
