"""What DESIGN.md says is so, as far as a test can see it."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "blobnet"
TEXT = ROOT.joinpath("DESIGN.md").read_text("utf-8")


def block(first_line):
    """The indented block that begins with this line."""
    return re.search(rf"^    {first_line}\n(?:    .*\n)*", TEXT, re.MULTILINE)[0]


def constant(name):
    """The value of a constant in tests/test_architecture.py."""
    tree = ast.parse(ROOT.joinpath("tests/test_architecture.py").read_text("utf-8"))
    return next(ast.literal_eval(node.value) for node in tree.body
                if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name)


def test_every_room_is_in_the_plan_and_the_other_way_round():
    folders = {path.parent for path in PACKAGE.rglob("*.py")} - {PACKAGE}
    plan = block("blobnet/").partition("\n")[2]
    assert set(re.findall(r"(\w+)/", plan)) == {folder.name for folder in folders}
    leaves = {path.name for path in PACKAGE.glob("*.py")} - {"__init__.py", "__main__.py"}
    assert set(re.findall(r"^      (\w+\.py)", plan, re.MULTILINE)) == leaves


def test_the_order_of_imports_is_the_one_that_is_tested():
    assert tuple(" ".join(line.split()) for line in block("errors").splitlines()) == constant("ORDER")


def test_the_rooms_that_see_less_are_those_that_are_tested():
    sentence = re.search(r"^Two rooms see less: (.*?)\.", TEXT, re.MULTILINE | re.DOTALL)[1]
    told = {here: {here, *re.findall(r"\w+", there)} - {"and"}
            for here, there in re.findall(r"(\w+) (?:imports )?only\s+from ([\w,\s]+)", sentence)}
    assert told == constant("ONLY")


def test_files_named_are_there():
    links = re.findall(r"\]\(([^)]+)\)", TEXT)
    assert links
    for name in links + re.findall(r"`((?:blobnet|examples|prototxt|tests|tools)(?:/[\w.]+)+)`", TEXT):
        assert ROOT.joinpath(name).exists(), name
