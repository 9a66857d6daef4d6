"""The recipes of CONTRIBUTING.md, done to a copy of the house: it passes their proofs, but not without their tests."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent
TEXT = ROOT.joinpath("CONTRIBUTING.md").read_text("utf-8")
COPIED = ("blobnet", "tests", "pyproject.toml", "README.md", "SECURITY.md")
LINKED = ("prototxt", "examples")  # which no recipe changes
MAIN = {"pytest": ["-m", "pytest", "-q", "-p", "no:cacheprovider"], "ruff": ["-m", "ruff"],
        "blobnet": ["-m", "blobnet"], "python": []}  # how Python runs a program
NOT_DEMANDED = "tests/layers/test_layer_errors.py", "after `('type: \"SDG\"',`"  # rows that a reader asks for
MARKS = re.compile(r"(<!-- \w+: printed by [^\n]*-->\n).*?(\n<!-- end of )", re.DOTALL)


class Step(NamedTuple):
    """A fenced block under the path of a file: a new file, or what becomes of one that is there."""

    path: str
    place: str   # "new", "at the end", "between its marks", or "after `a piece of a line`"
    block: str


class Recipe(NamedTuple):
    steps: list[Step]
    proofs: list[list[str]]  # commands


def read_recipes():
    """The recipes by name."""
    recipes = {}
    for section in re.split(r"^### ", TEXT, flags=re.MULTILINE)[1:]:
        blocks = re.findall(r"^`([^`\n]+)`, ([^\n]+):\n\n```\w+\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
        proofs = re.search(r"^Proofs:\n\n```sh\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)[1].replace("\\\n", "")
        assert section.count("\n```\n") == len(blocks) + 1, f"a block without a path in: {section[:20]}"
        recipes[section.partition("\n")[0]] = Recipe([Step(*block) for block in blocks],
                                                     [shlex.split(line) for line in proofs.splitlines()])
    return recipes


RECIPES = read_recipes()


@pytest.fixture
def house(tmp_path):
    """A copy of the house; the caches of bytecode come along, for copies keep the times of files."""
    for name in COPIED:
        if ROOT.joinpath(name).is_dir():
            shutil.copytree(ROOT / name, tmp_path / name)
        else:
            shutil.copy2(ROOT / name, tmp_path / name)
    for name in LINKED:
        (tmp_path / name).symlink_to(ROOT / name)
    return tmp_path


def run(words, house):
    """The finished process of a command in the house."""
    environment = os.environ | {"PYTHONPATH": str(house), "OPENBLAS_NUM_THREADS": "1", "RUFF_NO_CACHE": "true",
                                "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # none is needed, and they take time
    return subprocess.run([sys.executable, *MAIN[words[0]], *words[1:]], cwd=house, env=environment, text=True,
                          capture_output=True, timeout=300)


def take(step, house):
    """Do to the house what a step shows."""
    path = house / step.path
    assert path.exists() == (step.place != "new"), f"{step.path} is {step.place}"
    text = "" if step.place == "new" else path.read_text("utf-8")
    if step.place.startswith("after "):
        piece = step.place[len("after "):].strip("`")
        line, = (line for line in text.splitlines(keepends=True) if piece in line)
        text = text.replace(line, line + step.block)
    elif step.place == "between its marks":
        printed = run(shlex.split(step.block), house).stdout.rstrip("\n")
        text = MARKS.sub(lambda marks: marks[1] + printed + marks[2], text)
    else:
        assert step.place in ("new", "at the end"), step.place
        text += step.block
    path.write_text(text, "utf-8")


def prove(recipe, house):
    """The first proof that fails, with what it printed; "" if none does."""
    for words in recipe.proofs:
        done = run(words, house)
        if done.returncode:
            return f"{shlex.join(words)}: exit status {done.returncode}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
    return ""


def test_there_is_a_recipe_for_whatever_may_be_added():
    assert list(RECIPES) == ["A layer", "A solver", "A data format", "A command", "A kernel"]


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_passes_its_proofs(name, house):
    for step in RECIPES[name].steps:
        take(step, house)
    assert prove(RECIPES[name], house) == ""


def demands():
    """Every step that adds to the tests: (recipe, number of the step), the first of each recipe without a mark."""
    for name, recipe in RECIPES.items():
        numbers = [i for i, step in enumerate(recipe.steps)
                   if step.path.startswith("tests/") and not {step.path, step.place} & {*NOT_DEMANDED}]
        for i in numbers:
            yield pytest.param(name, i, marks=[pytest.mark.slow] * (i != numbers[0]),
                               id=f"{name}, {recipe.steps[i].path}")


@pytest.mark.parametrize("name, left_out", list(demands()))
def test_the_proofs_demand_its_tests(name, left_out, house):
    for i, step in enumerate(RECIPES[name].steps):
        if i != left_out:
            take(step, house)
    failed = prove(RECIPES[name], house)
    assert re.match(r"(pytest|python) .*: exit status [14]\n", failed)  # a test fails, or its file is not there
