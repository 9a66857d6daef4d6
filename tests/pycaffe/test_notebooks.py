"""The notebooks are those of the lessons, and a kernel runs them from the first cell to the last."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

for library in ("sklearn", "matplotlib", "nbclient", "ipykernel"):
    pytest.importorskip(library)

ROOT = Path(__file__).resolve().parents[2]
SAID = {  # the number that stands there must be at least that
    "04_classify_image": (40, r"central crop +([\d.]+)%", 30),
    "05_learn_lenet": (10, r"LeNet .*accuracy ([\d.]+)", 0.2),
    "06_fine_tune": (30, r"pretrained  accuracy ([\d.]+)", 0.2),
    "07_logistic_regression": (300, r"one layer +accuracy ([\d.]+)", 0.7),
    "08_net_surgery": (30, r"fc1 \((64), 512\) -> fc1-conv", 64),
}


def test_the_notebooks_are_what_the_lessons_say():
    made = subprocess.run([sys.executable, "tools/write_notebooks.py", "--check"], cwd=ROOT, capture_output=True,
                          text=True)
    assert made.returncode == 0, f"{made.stdout}{made.stderr}: run tools/write_notebooks.py"
    assert sorted(SAID) == sorted(path.stem for path in (ROOT / "examples").glob("*.ipynb"))


def test_without_nbformat_the_tool_says_so():
    code = "import runpy, sys; sys.modules['nbformat'] = None; runpy.run_path('tools/write_notebooks.py')"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == "tools/write_notebooks.py needs nbformat: pip install nbformat\n"


@pytest.mark.filterwarnings("default")  # those of the libraries that talk to the kernel
@pytest.mark.parametrize("name", SAID)
def test_a_notebook_runs(name, tmp_path, monkeypatch):
    import nbformat
    from nbclient import NotebookClient

    iterations, pattern, least = SAID[name]
    book = nbformat.read(ROOT / "examples" / f"{name}.ipynb", as_version=4)
    for cell in book.cells:
        cell.source = re.sub(r"iterations=\d+\)", f"iterations={iterations})", cell.source)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    NotebookClient(book, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = [output for cell in book.cells if cell.cell_type == "code" for output in cell.outputs]
    text = "".join(output.text for output in outputs if output.output_type == "stream")
    assert float(re.search(pattern, text).group(1)) >= least
    assert any("image/png" in output.get("data", {}) for output in outputs)
