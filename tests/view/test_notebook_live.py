"""The curve that grows in a notebook while a solver trains."""

import sys
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest

from blobnet.proto.text import parse
from blobnet.solvers import get_solver
from blobnet.view.notebook import live
from blobnet.view.notebook.live_curve import LiveCurve, notebook_display
from blobnet.view.notebook.solver import solver_html

ROOT = Path(__file__).resolve().parents[2]
SOLVER = """
base_lr: 0.05 lr_policy: "fixed" random_seed: 1 max_iter: 400
net_param {
  name: "live"
  layer { name: "data" type: "DummyData" top: "x" top: "t" dummy_data_param {
    shape { dim: 8 dim: 3 dim: 6 dim: 6 } shape { dim: 8 dim: 2 } data_filler { type: "gaussian" } } }
  layer { name: "conv" type: "Convolution" bottom: "x" top: "conv" convolution_param {
    num_output: 4 kernel_size: 3 weight_filler { type: "xavier" } } }
  layer { name: "ip" type: "InnerProduct" bottom: "conv" top: "ip" inner_product_param {
    num_output: 2 weight_filler { type: "xavier" } } }
  layer { name: "loss" type: "EuclideanLoss" bottom: "ip" bottom: "t" top: "loss" }
}
"""


@pytest.fixture
def solver():
    return get_solver(parse(SOLVER, "SolverParameter"))


def test_twice_a_second(solver):
    """A clock that goes on by 0.2 s each time it is asked: once a look, once more where something is drawn."""
    seconds, shown = iter(range(10 ** 6)), []
    curve = LiveCurve(solver, lambda page, text: shown.append((page, text)), lambda: next(seconds) * 0.2)
    with solver.watched_by(curve):
        solver.step(30)
    assert 5 <= len(shown) <= 10
    for page, text in shown:
        ElementTree.fromstring(page)
        assert "of 30, " in page and " iterations/s, " in text and " left" in text
    first, last = (int(text.split("iteration ")[2].split()[0]) for _, text in (shown[0], shown[-1]))
    assert 1 <= first < last <= 30


@pytest.mark.parametrize("policy, rates", [('lr_policy: "step" gamma: 0.5 stepsize: 5', 1),
                                           ('lr_policy: "fixed"', 0)])
def test_tests_and_rates_have_curves(policy, rates):
    """The rate only if it changed; without `live` there are the tests still."""
    text = SOLVER.replace('lr_policy: "fixed"', f"{policy} test_iter: 1 test_interval: 4")
    given, shown = get_solver(parse(text, "SolverParameter")), []
    curve = LiveCurve(given, lambda page, text: shown.append(page))
    with given.watched_by(curve):
        given.step(12)
    curve.draw(finished=True)
    labels = [chart.get("aria-label").split(":")[0] for chart in charts(shown[-1])]
    assert labels == ["loss against iteration", "test loss against iteration",
                      "rate against iteration"][:2 + rates]
    assert len(charts(solver_html(given))) == 2


def charts(page):
    return ElementTree.fromstring(page).findall(".//{http://www.w3.org/2000/svg}svg")


def test_speed_and_time_left(solver):
    times = iter([0.0, 10.0, 100.0])
    curve = LiveCurve(solver, print, lambda: next(times))
    solver.goal, solver.iter = 100, 20
    assert curve.speed(finished=False) == "iteration 20 of 100, 2 iterations/s, 40.0 s left"
    assert curve.speed(finished=True) == "20 iterations in 1:40, 0.2 iterations/s"


def test_elsewhere_than_in_a_notebook(solver, monkeypatch):
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    assert notebook_display() is None
    for get_ipython in (lambda: None, lambda: SimpleNamespace()):  # IPython that does not run; that of a terminal
        monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=get_ipython))
        assert notebook_display() is None
    with live(solver):
        solver.step(2)
    assert solver.iter == 2 and not solver.is_watched_by(live)


CELLS = ["""
import blobnet
from blobnet.check import check_net
from blobnet.proto.text import parse
from blobnet.view.notebook import live
solver = blobnet.get_solver(parse(SOLVER, "SolverParameter"))
shown = []
from blobnet.view.notebook.live_curve import LiveCurve
draw = LiveCurve.draw
LiveCurve.draw = lambda self, finished=False: (shown.append(self.solver.iter), draw(self, finished))
import blobnet.view.notebook.live_curve as module
module.PAUSE = 0
""", """
with live(solver):
    solver.step(40)
""", """
with live(solver):
    solver.step(5)
    raise KeyboardInterrupt
""", "print(shown[:3], shown[-1], len(shown))", "solver", "solver.net", "solver.net.layer_dict['conv']",
         "solver.net.blobs['conv']", "check_net(solver.net.definition)"]


@pytest.mark.filterwarnings("default")  # those of the libraries that talk to the kernel
def test_in_a_notebook(monkeypatch):
    """A kernel runs it; what it shows is kept in the notebook, the live curve as one output."""
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    cells = [nbformat.v4.new_code_cell(text) for text in [f'SOLVER = """{SOLVER}"""', *CELLS]]
    cells[3].metadata["tags"] = ["raises-exception"]
    book = nbformat.v4.new_notebook(cells=cells)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    nbclient.NotebookClient(book, timeout=120).execute()

    def pages(cell):
        return [output.data["text/html"] for output in cell.outputs if "data" in output]

    _, _, training, stopped, said, *things = book.cells
    (curve,) = pages(training)
    assert "at iteration 40 on cpu" in curve and "40 iterations in " in curve and "<svg" in curve
    assert training.outputs[0].data["text/plain"].startswith("<SGD solver of net 'live' at iteration 40 on cpu>: loss ")
    (curve,) = pages(stopped)  # the last one stays
    assert "at iteration 45 on cpu" in curve and "5 iterations in " in curve
    assert said.outputs[0].text == "[0, 1, 2] 45 49\n"
    assert [title.split("</strong>")[0] for cell in things for title in pages(cell)[0].split("<strong>")[1:2]] == [
        "&lt;SGD solver of net &#x27;live&#x27; at iteration 45 on cpu&gt;",
        "&lt;Net &#x27;live&#x27;: 4 layers, 242 parameters on cpu&gt;",
        "&lt;Convolution &#x27;conv&#x27;: 4 outputs, kernel 3, stride 1, pad 0; weight (4, 3, 3, 3), bias (4,); "
        "112 parameters&gt;", "&lt;Blob 8x4x4x4 float32&gt;", "Gradients: 9 ok"]
    for cell in things:
        ElementTree.fromstring(pages(cell)[0])
