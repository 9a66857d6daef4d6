import argparse
import io
import logging

import pytest

from blobnet.cli import train
from blobnet.errors import BlobnetError
from blobnet.solvers import SOLVERS
from blobnet.solvers.log import console, progress


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
        "    def update(self, rate, gradient, scratch, history):\n        gradient[...] = 0\n")
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
        with progress(solver, terminal):
            solver.solve()
    text = terminal.getvalue()
    assert "Test net output #0: loss = 0.5" in text and "Iteration 50, Testing net (#0)" in text
    assert "Solver scaffolding done." in text and "Creating" not in text and "ip <- x" not in text
    assert "Train net output" not in text and "Iteration 1," not in text and "Iteration 1 (" not in text
    last = text.replace("\r", "\n").strip().splitlines()[-1]
    assert "50/50" in last and "loss 1.328e-05, lr 0.1" in last


def test_find_nan(files, tmp_path, capsys):
    assert run("--solver", "solver.prototxt", "--find-nan") == 0
    text = (tmp_path / "net.prototxt").read_text()
    (tmp_path / "net.prototxt").write_text(text.replace("data_filler { value: 1 }", "data_filler { value: 0 }") + """
        layer { name: "root" type: "Power" bottom: "ip" top: "root" power_param { power: 0.5 } loss_weight: 1 }""")
    with pytest.raises(BlobnetError, match=r"layer 'root' \(Power\), backward of step 0: nan at \(0, 0\) of the diff"):
        run("--solver", "solver.prototxt", "--find_nan")
    with pytest.raises(SystemExit):
        run("--solver", "solver.prototxt", "--find-nan", "--allow-nan")
