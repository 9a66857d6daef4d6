"""The page of every solver type: its file, its docstring, its imports."""

import ast
import inspect
import re
from pathlib import Path

import pytest

from blobnet.solvers import SOLVERS, types
from blobnet.solvers.types.adam import Adam

SECTIONS = "History:", "Settings:", "Paper:", "Quirks:"
LONGEST = 120  # lines
OURS = [cls for cls in SOLVERS.values() if cls.__module__.startswith(types.__name__)]


def check_page(cls, text, name):
    """What is wrong with the page of the type `cls`, of this text in a file of this name, a sentence each."""
    doc = inspect.cleandoc(cls.__doc__ or "")
    first, *rest = doc.split("\n")
    wrong = []
    if name.replace("_", "") != f"{cls.__name__.lower()}.py":
        wrong.append(f"without underscores the file should be {cls.__name__.lower()}.py")
    if text.count("\n") > LONGEST:
        wrong.append(f"more than {LONGEST} lines")
    if not first.endswith(".") or rest[:1] != [""]:
        wrong.append("the docstring does not begin with one line of purpose")
    places = [doc.find(section) for section in SECTIONS]
    if -1 in places or places != sorted(places):
        wrong.append(f"the docstring lacks {', '.join(SECTIONS)} in this order")
    if "<-" not in doc[len(first):max(places[0], 0)]:
        wrong.append("no formula between purpose and History:")
    for field in sorted(set(re.findall(r"self\.param\.(\w+)", text))):
        if not re.search(rf"\b{field}\b", doc):
            wrong.append(f"the docstring does not say what {field} does")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.module.startswith(types.__name__):
            wrong.append(f"imports {node.module}, a sibling")
    return wrong


@pytest.mark.parametrize("cls", OURS, ids=lambda cls: cls.__name__)
def test_page(cls):
    path = Path(inspect.getfile(cls))
    assert check_page(cls, path.read_text("utf-8"), path.name) == []


def test_a_page_is_a_type():
    pages = [path for path in Path(types.__file__).parent.glob("*.py") if not path.name.startswith("_")]
    assert len(pages) == len(OURS) >= 8


@pytest.mark.parametrize("change, words", [
    (("Quirks:", "Quirk:"), "lacks History:"), (("<-", "="), "no formula"), (("squares.", "squares"), "purpose"),
    (("momentum2", "beta2"), "does not say what momentum2 does"), (("\n", "\n" * 9), "more than 120 lines"),
    (("from blobnet.solvers.solver", "from blobnet.solvers.types.sgd"), "a sibling"), (("adam.py", "a.py"), "adam.py")])
def test_what_is_noticed(change, words):
    text = inspect.getsource(inspect.getmodule(Adam))
    cls = type("Adam", (), {"__doc__": Adam.__doc__.replace(*change)})
    in_code = change[0] in ("\n", "from blobnet.solvers.solver")
    found = check_page(cls, text.replace(*change) if in_code else text, "adam.py".replace(*change))
    assert any(words in sentence for sentence in found)
