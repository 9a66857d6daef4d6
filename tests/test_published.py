"""The published nets by their names: found, listed, copied, and named by what READMEs and errors say."""

import re
import runpy
from pathlib import Path

import pytest

from blobnet.cli import main
from blobnet.errors import DataError, MissingFile
from blobnet.hashing.protocol import list_protocols
from blobnet.plugins import load_plugin
from blobnet.proto.files import read_message
from blobnet.published import example_of, find_recipe, published, published_files, published_recipes
from blobnet.recipes import read_recipe

ROOT = Path(__file__).resolve().parent.parent
READMES = [ROOT / "README.md", *sorted(ROOT.glob("prototxt/*/README.md"))]


@pytest.mark.parametrize("name, file", [
    ("dsh", "prototxt/dsh/recipe.yaml"), ("dsh/digits", "prototxt/dsh/recipe_digits.yaml"),
    ("dsh/better_long", "prototxt/dsh/recipe_better_long.yaml")])
def test_recipes_have_names(name, file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert find_recipe(name) == ROOT / file


def test_a_file_is_no_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert find_recipe("dsh/recipe.yaml") == Path("dsh/recipe.yaml")
    (tmp_path / "dsh").write_text("a recipe of somebody else")
    assert find_recipe("dsh") == Path("dsh")


@pytest.mark.parametrize("name, hint", [("dsh/digit", "did you mean 'dsh/digits'"), ("lenet", "neither a file nor"),
                                        ("q", "; `blobnet prototxt list` shows them")])
def test_names_that_are_none(name, hint, capsys):
    assert main(["run", name]) == 1
    assert hint in capsys.readouterr().err


def test_every_recipe_is_found():
    assert set(published_recipes().values()) == set(ROOT.glob("prototxt/*/recipe*.yaml"))


def test_published_figures_stand_beside_those_of_their_protocol():
    """Where a recipe names the protocol of the paper's figures, the published budget is scored by it."""
    named = set()
    for name, path in published_recipes().items():
        recipe = read_recipe(path)
        for protocol in list_protocols():
            if f"`{protocol}`" in recipe.published_as:
                used = {recipe.options(method, full=True)["protocol"] for method in recipe.published}
                assert used == {protocol}, path
                named.add(name)
    assert "dsh" in named


def test_the_list_shows_every_folder_and_recipe(capsys):
    assert main(["prototxt", "list"]) == 0
    shown = capsys.readouterr().out
    assert set(published()) == {path.name for path in ROOT.glob("prototxt/*/")} | {"examples"} <= set(shown.split())
    assert set(published_recipes()) <= set(shown.split())
    assert main(["prototxt", "list", "dsh"]) == 0
    assert capsys.readouterr().out.split() == [str(path) for path in published_files("dsh").values()]


def test_a_copy_is_that_of_the_repository(tmp_path, capsys):
    to = tmp_path / "new"
    assert main(["prototxt", "copy", "dsh", "examples", "--to", str(to)]) == 0
    assert capsys.readouterr().out.split() == [str(to / name) for name in (
        "prototxt/dsh", "examples", "examples/course", "examples/faster_rcnn")]
    for name in [*published_files("dsh"), *published_files("examples")]:
        assert (to / name).read_bytes() == (ROOT / name).read_bytes()


def test_nets_come_with_their_layers_in_python(tmp_path, capsys):
    assert main(["prototxt", "copy", "faster_rcnn", "--to", str(tmp_path)]) == 0
    folders = [str(tmp_path / name / "faster_rcnn") for name in ("prototxt", "examples")]
    assert capsys.readouterr().out.split() == folders
    for name in ("prototxt/faster_rcnn/zf_test.prototxt", "examples/faster_rcnn/rpn/proposal_layer.py"):
        assert (tmp_path / name).read_bytes() == (ROOT / name).read_bytes()


@pytest.mark.parametrize("module, folder", [
    ("rpn.proposal_layer", "faster_rcnn"), ("roi_data_layer.layer", "faster_rcnn"), ("rpn.proposal", None),
    ("..", None), ("", None), ("*.proposal_layer", None), ("02_plugin_layer", None)])
def test_the_example_of_a_module(module, folder):
    assert example_of(module) == (ROOT / "examples" / folder if folder else None)


def test_a_copy_leaves_what_was_edited(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["prototxt", "copy", "lenet"]) == 0
    Path("prototxt/lenet/README.md").unlink()
    assert main(["prototxt", "copy", "lenet"]) == 0  # files that are equal are no obstacle
    assert Path("prototxt/lenet/README.md").exists()
    Path("prototxt/lenet/solver.prototxt").write_text("max_iter: 1")
    assert main(["prototxt", "copy", "vgg", "lenet"]) == 1
    assert "prototxt/lenet/solver.prototxt: is there already, and differs" in capsys.readouterr().err
    assert Path("prototxt/lenet/solver.prototxt").read_text() == "max_iter: 1"
    assert not Path("prototxt/vgg").exists()


def test_a_copy_of_nothing(capsys):
    assert main(["prototxt", "copy", "dhs"]) == 1
    assert "published folder 'dhs': there is none; did you mean 'dsh'" in capsys.readouterr().err


def test_errors_say_where_published_files_come_from(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MissingFile, match="no folder .*; `blobnet prototxt copy lenet` writes it"):
        read_message("prototxt/lenet/solver.prototxt", "SolverParameter")
    Path("prototxt/lenet").mkdir(parents=True)
    with pytest.raises(MissingFile, match="no such file in .*; `blobnet prototxt copy lenet` writes it"):
        read_message("prototxt/lenet/solver.prototxt", "SolverParameter")
    with pytest.raises(DataError, match="`blobnet prototxt copy examples` writes it"):
        load_plugin("examples/02_plugin_layer.py")
    with pytest.raises(MissingFile) as caught:
        read_message("prototxt/lenet/solver_of_mine.prototxt", "SolverParameter")
    assert "copy" not in str(caught.value)


@pytest.mark.parametrize("path", READMES, ids=lambda path: path.parent.name)
def test_readmes_name_what_there_is(path):
    text = path.read_text("utf-8")
    for name in re.findall(r"\b(?:prototxt|examples)/[\w./]+\.(?:prototxt|yaml|py|md)\b", text):
        assert (ROOT / name).is_file(), name
    for name in re.findall(r"blobnet run ([\w/]+)", text):
        assert name in published_recipes(), name
    for name in re.findall(r"blobnet prototxt copy (\w+)", text):
        assert name in published(), name


def test_tables_of_readmes_are_what_recipes_print():
    """Columns, methods and seeds; `tools/check_tables.py` runs the commands and compares the numbers."""
    tool = runpy.run_path(str(ROOT / "tools/check_tables.py"))
    found = [table for page in READMES[1:] for table in tool["tables"](page)]
    assert len(found) > 40
    for table in found:
        recipe = tool["recipe_of"](table.recipe)
        for method, cells in table.rows.items():
            assert list(cells) == [name for name in recipe.columns if name in cells], (table.recipe, method)
            assert 1 <= table.seeds[method] <= len(recipe.seeds), (table.recipe, method)


@pytest.mark.parametrize("seeds, status, verdict", [(3, 1, "apart  10.00"), (1, 0, "alone")])
def test_a_table_is_judged_by_its_deviations(monkeypatch, capsys, seeds, status, verdict):
    """One seed has none, so its row is printed and not judged."""
    check = runpy.run_path(str(ROOT / "tools/check_tables.py"))["main"]
    row, tool = {"DSH 12 bits": {"mAP": (0.5, 0.01)}}, check.__globals__
    table = tool["Table"]("dsh", False, row, {"DSH 12 bits": seeds})
    monkeypatch.setitem(tool, "tables", lambda page: [table] * (page.parent.name == "dsh"))
    monkeypatch.setitem(tool, "run_again", lambda *_: {"DSH 12 bits": {"mAP": (0.3999, 0.001)}})
    monkeypatch.setattr("sys.argv", ["check_tables.py", "dsh"])
    assert check() == status
    assert verdict in capsys.readouterr().out
