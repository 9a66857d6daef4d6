"""A page a folder of published nets, from its README, and an index with method, year and task."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import yaml

from blobnet.core.registry import LAYERS
from pages.links import GENERATED, ROOT, relinked
from pages.markdown import block, page, plain, table, toctree

TASKS = {"sbir": "sketches and photos", "faster_rcnn": "detection", "detection": "detection",
         "segmentation": "segmentation", "features": "features"}  # of recipes; all others make hash codes
YEAR, NAMED, TYPE = re.compile(r"\b(?:19|20)\d\d\b"), re.compile(r"\*([^*]+)\*"), re.compile(r'\btype: *"(\w+)"')


def pages() -> dict[str, str]:
    """The pages of all folders, and one that lists them."""
    folders = sorted(path.parent for path in ROOT.glob("prototxt/*/README.md"))
    index = page("Published nets", "A folder of `prototxt/` holds the nets of a paper, their solvers and, where "
                 "something is compared, a recipe. `blobnet prototxt copy NAME` copies it; `blobnet run NAME` runs the "
                 "recipe.", table(["folder", "method", "paper", "year", "task"], map(_row, folders)),
                 toctree((folder.name for folder in folders), ":hidden:"))
    return {f"papers/{folder.name}.md": _paper(folder) for folder in folders} | {"papers/index.md": index}


def _row(folder: Path) -> tuple[str, ...]:
    title, _, text = (folder / "README.md").read_text("utf-8").partition("\n")
    first = text.strip().split("\n\n")[0]
    named, year = NAMED.search(first), YEAR.search(first)
    recipes = sorted(folder.glob("recipe*.yaml"), key=lambda path: len(path.name))
    task = yaml.safe_load(recipes[0].read_text("utf-8"))["task"] if recipes else ""
    return (f"{{paper}}`{folder.name}`", plain(title.lstrip("# ")), plain(named[1]) if named else "",
            year[0] if year else "", TASKS.get(task, "hash codes") if task else "classification")


def _paper(folder: Path) -> str:
    readme = folder / "README.md"
    title, _, text = relinked(readme.read_text("utf-8"), readme, GENERATED / f"papers/{folder.name}.md").partition("\n")
    links = (f"{{layer}}`{kind}`" for kind, folders in used_by().items() if folder.name in folders)
    return page(title.lstrip("# "), block("{paper} " + folder.name, ""), text, "## Layer types",
                f"The nets of `prototxt/{folder.name}` have layers of the types {', '.join(links)}.")


@cache
def used_by() -> dict[str, list[str]]:
    """The folders whose nets write the name of a layer type, by that name; types in alphabetical order."""
    found: dict[str, list[str]] = {}
    for path in sorted(ROOT.glob("prototxt/*/*.prototxt")):
        for kind in set(TYPE.findall(path.read_text("utf-8"))):
            if kind in LAYERS and path.parent.name not in (folders := found.setdefault(kind, [])):
                folders.append(path.parent.name)
    return dict(sorted(found.items()))
