"""What all lessons of the course have in common: how they are built, their notebooks, and the page that lists them."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COURSE = ROOT / "examples" / "course"
LESSONS = sorted(COURSE.glob("*.py"))
LARGEST = 100_000  # bytes of a notebook


def name(path):
    return path.stem


def printed(path):
    """The constant strings that main() prints, in order."""
    main = next(node for node in ast.parse(path.read_text("utf-8")).body
                if isinstance(node, ast.FunctionDef) and node.name == "main")
    calls = [node for node in ast.walk(main) if isinstance(node, ast.Call) and ast.unparse(node.func) == "print"]
    return [call.args[0].value for call in calls if isinstance(call.args[0], ast.Constant)]


def read_notebook(path):
    nbformat = pytest.importorskip("nbformat")
    return nbformat.read(path.with_suffix(".ipynb"), as_version=4)


def outputs(book):
    return [output for cell in book.cells if cell.cell_type == "code" for output in cell.outputs]


@pytest.mark.parametrize("path", LESSONS, ids=name)
def test_a_lesson_has_numbered_titles_and_ends_with_a_turn_of_the_reader(path):
    lines = printed(path)
    titles = [line for line in lines if re.match(r"\d+\. ", line)]
    assert [int(title.partition(".")[0]) for title in titles] == list(range(1, len(titles) + 1))
    assert titles[-1].endswith(". Your turn")
    turn = "\n".join(lines[lines.index(titles[-1]):])
    assert re.findall(r"^   ([abc])\. ", turn, re.MULTILINE) == ["a", "b", "c"]
    own = {f"exercises/{exercise.name}" for exercise in COURSE.glob(f"exercises/{path.stem[:2]}_*.py")}
    assert set(re.findall(r"exercises/\w+\.py", turn)) == own


@pytest.mark.parametrize("path", LESSONS, ids=name)
def test_a_lesson_says_how_it_is_run_and_imports_what_is_public(path):
    tree = ast.parse(path.read_text("utf-8"))
    assert f"python examples/course/{path.name}" in ast.get_docstring(tree)
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
        module = getattr(node, "module", "") or ""
        assert not any(part.startswith("_") for word in [module, *names] for part in word.split("."))


@pytest.mark.parametrize("path", LESSONS, ids=name)
def test_a_notebook_holds_what_the_lesson_prints(path):
    """That its cells are those of the lesson is known from tools/write_notebooks.py --check."""
    target = path.with_suffix(".ipynb")
    assert target.exists(), "run tools/write_notebooks.py"
    assert target.stat().st_size < LARGEST
    book = read_notebook(path)
    counts = [cell.execution_count for cell in book.cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))
    kinds = {output.output_type if output.output_type != "stream" else output.name for output in outputs(book)}
    assert kinds <= {"stdout", "display_data"}
    text = "".join(output.text for output in outputs(book) if output.output_type == "stream")
    assert all(line in text for line in printed(path))
    draws = "args.out" in path.read_text("utf-8")
    assert draws == any("image/png" in output.get("data", {}) for output in outputs(book))


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # those of the libraries that talk to the kernel
@pytest.mark.parametrize("path", LESSONS, ids=name)
def test_a_notebook_runs(path, tmp_path, monkeypatch):
    for library in ("sklearn", "matplotlib", "nbclient", "ipykernel"):
        pytest.importorskip(library)
    from nbclient import NotebookClient

    book = read_notebook(path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    NotebookClient(book, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    text = "".join(output.text for output in outputs(book) if output.output_type == "stream")
    assert all(line in text for line in printed(path))


def test_the_page_of_the_course_lists_every_lesson_and_exercise():
    text = (COURSE / "README.md").read_text("utf-8")
    files = LESSONS + sorted(COURSE.glob("exercises/*.py"))
    links = re.findall(r"\]\(([\w/.]+)\)", text)
    assert {path.relative_to(COURSE).as_posix() for path in files} <= set(links)
    assert {path.with_suffix(".ipynb").name for path in LESSONS} <= set(links)
