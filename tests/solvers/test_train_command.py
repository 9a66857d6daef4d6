import argparse
import io
import json
import logging

import pytest

from blobnet.cli import train
from blobnet.errors import BlobnetError
from blobnet.log.console import console
from blobnet.log.log_file import log_file
from blobnet.solvers import SOLVERS
from blobnet.view.training_log import parse_log


def run(*words):
    parser = argparse.ArgumentParser()
    train.add_parser(parser.add_subparsers())
    args = parser.parse_args(["train", *map(str, words)])
    return args.run(args)


@pytest.fixture
def files(make_solver):
    """A solver file in the current folder."""
    make_solver('max_iter: 4 display: 2 snapshot_prefix: "run"')


@pytest.mark.parametrize("words", [["--solver", "solver.prototxt"], ["-solver", "solver.prototxt"],
                                   ["-solver=solver.prototxt", "-cpu"]])
def test_train(files, tmp_path, capsys, words):
    assert run(*words) == 0
    assert (tmp_path / "run_iter_4.caffemodel").exists()
    error = capsys.readouterr().err
    assert "] Solving scalar\n" in error and error.endswith("] Optimization Done.\n")
    assert error.count("] Optimization Done.\n") == 2  # of the solver, and of the command
    assert "] Creating training net from net file: net.prototxt\n" in error and "] Creating Layer ip\n" in error
    assert not logging.getLogger("blobnet").handlers


def test_continue(files, make_solver, capsys):
    run("--solver", "solver.prototxt", "--resume")
    assert "Resuming" not in capsys.readouterr().err
    make_solver('max_iter: 6 snapshot_prefix: "run"')
    run("--solver", "solver.prototxt", "--snapshot", "run_iter_4.solverstate")
    run("--solver", "solver.prototxt", "--resume", "--weights", "run_iter_4.caffemodel")
    error = capsys.readouterr().err
    assert "Resuming from run_iter_4.solverstate" in error and "Resuming from run_iter_6.solverstate" in error
    assert "Finetuning" not in error


def test_weights(files, capsys):
    run("--solver", "solver.prototxt")
    run("--solver", "solver.prototxt", "-weights", "run_iter_4.caffemodel, run_iter_4.caffemodel")
    error = capsys.readouterr().err
    assert error.count("Finetuning from run_iter_4.caffemodel\n") == 2
    assert "Iteration 4, loss = 0.0926" in error  # 0.9 ^ 16 / 2


def test_weights_of_the_solver_file(files, make_solver, capsys):
    """They are taken unless the command names others, or a state."""
    run("--solver", "solver.prototxt")
    text = 'max_iter: 5 snapshot_prefix: "next" weights: "run_iter_4.caffemodel"'
    make_solver(text)
    capsys.readouterr()
    run("--solver", "solver.prototxt")
    assert capsys.readouterr().err.count("Finetuning from run_iter_4.caffemodel\n") == 1
    run("--solver", "solver.prototxt", "--weights", "next_iter_5.caffemodel")
    error = capsys.readouterr().err
    assert "Finetuning from run" not in error and error.count("Finetuning from next_iter_5.caffemodel\n") == 1
    make_solver(text.replace("5", "6"))
    capsys.readouterr()
    run("--solver", "solver.prototxt", "--snapshot", "next_iter_5.solverstate")
    assert "Finetuning" not in capsys.readouterr().err


def test_plugin(files, make_solver, tmp_path, capsys):
    (tmp_path / "still.py").write_text(
        "from blobnet.solvers import Solver, register_solver\n"
        "@register_solver\nclass Still(Solver):\n"
        "    def update(self, rate, values, gradient, scratch, history):\n        gradient[...] = 0\n")
    solver = (tmp_path / "solver.prototxt").read_text()
    (tmp_path / "solver.prototxt").write_text(solver + ' type: "Still"')
    try:
        run("--solver", "solver.prototxt", "--plugin", "still.py")
    finally:
        SOLVERS.pop("Still", None)
    assert "Iteration 4, loss = 0.5" in capsys.readouterr().err


@pytest.mark.parametrize("words, expected", [
    (["--solver", "solvr.prototxt"], ["solvr.prototxt", "no such file", "did you mean 'solver.prototxt'"]),
    (["--solver", "net.prototxt"], ["net.prototxt", "SolverParameter"]),
    (["--solver", "x.caffemodel"], ["expected a solver file", ".caffemodel"]),
    (["--solver", "solver.prototxt", "--snapshot", "x.caffemodel"], ["expected a .solverstate", "--weights"]),
    (["--solver", "solver.prototxt", "--snapshot", "x.solverstate"], ["x.solverstate", "no such file"]),
    (["--solver", "solver.prototxt", "--weights", "x.solverstate"], ["expected weights", "--snapshot"]),
    (["--solver", "solver.prototxt", "--weights", "x.caffemodel"], ["x.caffemodel", "no such file"]),
    (["--solver", "solver.prototxt", "--plugin", "x.py"], ["x.py", "expected a Python file"]),
])
def test_wrong_paths(files, words, expected):
    with pytest.raises(BlobnetError) as caught:
        run(*words)
    assert all(word in str(caught.value) for word in expected)


@pytest.mark.parametrize("words", [["--snapshot", "a", "--weights", "b"], ["--gpu", "0", "--cpu"], ["--gpu", "x"]])
def test_words_that_exclude_each_other(files, words, capsys):
    with pytest.raises(SystemExit):
        run("--solver", "solver.prototxt", *words)
    capsys.readouterr()


def test_terminal(make_solver):
    """A bar with loss, rate and speed in the place of the iterations' lines, test results above it."""
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    settings = "max_iter: 50 display: 1 test_iter: 1 test_interval: 50 snapshot_after_train: false"
    with console(terminal):
        solver = make_solver(settings)
        train.solve(solver, terminal)
    text = terminal.getvalue()
    assert "Test net output #0: loss = 0.5" in text and "Iteration 50, Testing net (#0)" in text
    assert "Solver scaffolding done." in text and "Creating" not in text and "ip <- x" not in text
    assert "Train net output" not in text and "Iteration 1," not in text and "Iteration 1 (" not in text
    last = text.replace("\r", "\n").strip().splitlines()[-1]
    assert "50/50" in last and "loss 1.328e-05, lr 0.1" in last


def test_a_log_beside_a_terminal(make_solver, tmp_path, monkeypatch):
    """The file has the lines that the terminal shows as a bar, a resumed run appends, and Caffe's tools read it."""
    def train_on_a_terminal(*words):
        terminal = io.StringIO()
        terminal.isatty = lambda: True
        monkeypatch.setattr("sys.stderr", terminal)
        assert run("--solver", "solver.prototxt", "--log", "train.log", *words) == 0
        return terminal.getvalue()

    settings = 'max_iter: {} display: 2 test_iter: 1 test_interval: 2 snapshot_prefix: "run"'
    for _ in range(2):  # a run from the start replaces the log of another
        make_solver(settings.format(4))
        shown = train_on_a_terminal()
    assert "Iteration 2, loss" not in shown and "Train net output" not in shown
    rows, tests = parse_log("train.log")
    assert [row["NumIters"] for row in rows] == [0, 2] and [row["NumIters"] for row in tests] == [0, 2, 4]
    assert rows[1]["loss"] == pytest.approx(0.9 ** 4 / 2, rel=1e-4)
    make_solver(settings.format(8))
    train_on_a_terminal("--resume")
    assert {row["NumIters"] for row in parse_log("train.log")[0]} == {0, 2, 4, 6}
    text = (tmp_path / "train.log").read_text()
    assert text.count("] Solving scalar") == 2 and text.count("] Creating Layer ip\n") == 4
    assert not logging.getLogger("blobnet").handlers


def test_a_log_file_leaves_warnings_to_standard_error(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    log = logging.getLogger("blobnet.solvers")
    with log_file(tmp_path / "log"):
        log.info("so it goes")
        log.warning("take care")
    log.warning("once more")
    assert capsys.readouterr().err == "take care\nonce more\n"
    assert [line.split("] ")[1] for line in (tmp_path / "log").read_text().splitlines()] == ["so it goes", "take care"]


def test_callbacks(make_solver, tmp_path, capsys):
    """The log tells of a test before it tells of the best snapshot; a stopped run goes on and stops again."""
    make_solver('base_lr: 2.5 max_iter: 9 test_iter: 1 test_interval: 1 snapshot_prefix: "run"')
    words = ["--solver", "solver.prototxt", "--log-json", "log.json", "--keep-best", "loss:max", "--early-stop",
             "loss:2:min"]
    assert run(*words) == 0
    said = capsys.readouterr().err
    assert "Early stop at iteration 2: loss was not better for 2 tests than 0.5 at iteration 0" in said
    kinds = [(line["iteration"], next(kind for kind in ("test", "snapshot", "loss") if kind in line))
             for line in map(json.loads, (tmp_path / "log.json").read_text().splitlines())]
    assert kinds == [(0, "test"), (0, "snapshot"), (0, "loss"), (1, "test"), (1, "snapshot"), (1, "loss"),
                     (2, "test"), (2, "snapshot"), (2, "snapshot")]
    assert run(*words, "--resume") == 0
    assert "Early stop at iteration 2: loss was not better for 2 tests" in capsys.readouterr().err
    assert not (tmp_path / "run_iter_3.caffemodel").exists()
    assert json.loads((tmp_path / "run_best.json").read_text())["iteration"] == 2


@pytest.mark.filterwarnings("ignore:overflow")
def test_event_files_are_closed_after_an_error(make_solver, tmp_path):
    pytest.importorskip("tensorboardX")
    make_solver("base_lr: 1e30 max_iter: 9")
    with pytest.raises(BlobnetError, match="not finite|inf"):
        run("--solver", "solver.prototxt", "--tensorboard", "events")
    (path,) = (tmp_path / "events").iterdir()
    assert b"train/loss" in path.read_bytes()


def test_find_rate(make_solver, tmp_path, capsys):
    make_solver("max_iter: 9 momentum: 0.5")
    assert run("--solver", "solver.prototxt", "--find-rate", "1e-3:100:50") == 0
    table, _, end = capsys.readouterr().out.partition("ended early: ")
    rows = [list(map(float, line.split())) for line in table.splitlines()[1:]]
    assert table.split()[:3] == ["rate", "loss", "smoothed"] and rows[0] == [0.001, 0.5, 0.5] and len(rows) <= 21
    suggested = float(end.splitlines()[1].split()[1])
    assert end.splitlines()[1].startswith("base_lr: ") and 0.01 < suggested < 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.prototxt", "solver.prototxt"]


def test_find_nan(files, tmp_path, capsys):
    assert run("--solver", "solver.prototxt", "--find-nan") == 0
    text = (tmp_path / "net.prototxt").read_text()
    (tmp_path / "net.prototxt").write_text(text.replace("data_filler { value: 1 }", "data_filler { value: 0 }") + """
        layer { name: "root" type: "Power" bottom: "ip" top: "root" power_param { power: 0.5 } loss_weight: 1 }""")
    with pytest.raises(BlobnetError, match=r"layer 'root' \(Power\), backward of step 0: nan at \(0, 0\) of the diff"):
        run("--solver", "solver.prototxt", "--find_nan")
    with pytest.raises(SystemExit):
        run("--solver", "solver.prototxt", "--find-nan", "--allow-nan")
