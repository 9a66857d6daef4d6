"""Training logs read back: `blobnet parse_log` and `blobnet plot_training_log`."""

import csv
import io
import math
import os
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from blobnet.cli import main
from blobnet.errors import BlobnetError, DataError
from blobnet.log.console import console
from blobnet.proto.text import parse
from blobnet.solvers import get_solver
from blobnet.view.training_charts import chart_title, plot_training_log
from blobnet.view.training_log import parse_log

CAFFE = """\
I0210 13:39:21.000000 25210 caffe.cpp:217] Using GPUs 0
I0210 13:39:21.100000 25210 solver.cpp:44] Initializing solver from parameters:
test_iter: 100
base_lr: 0.01
I0210 13:39:21.900000 25210 net.cpp:255] Network initialization done.
I0210 13:39:22.000000 25210 solver.cpp:272] Solving LeNet
I0210 13:39:22.000001 25210 solver.cpp:273] Learning Rate Policy: inv
I0210 13:39:22.250000 25210 solver.cpp:330] Iteration 0, Testing net (#0)
I0210 13:39:24.500000 25214 blocking_queue.cpp:49] Waiting for data
I0210 13:39:24.500000 25210 solver.cpp:397]     Test net output #0: accuracy = 0.1059
I0210 13:39:24.500000 25210 solver.cpp:397]     Test net output #1: loss = 2.36142 (* 1 = 2.36142 loss)
I0210 13:39:24.600000 25210 solver.cpp:218] Iteration 0 (-4.2039e-45 iter/s, 2.6s/100 iters), loss = 2.29
I0210 13:39:24.600000 25210 solver.cpp:237]     Train net output #0: loss = 2.3 (* 1 = 2.3 loss)
I0210 13:39:24.600000 25210 sgd_solver.cpp:105] Iteration 0, lr = 0.01
I0210 13:39:30.000000 25210 solver.cpp:218] Iteration 100 (18.5 iter/s, 5.4s/100 iters), loss = 0.5
I0210 13:39:30.000000 25210 solver.cpp:237]     Train net output #0: loss = 0.25 (* 1 = 0.25 loss)
I0210 13:39:30.000000 25210 sgd_solver.cpp:105] Iteration 100, lr = 0.00992565

I0210 13:39:35.000000 25210 solver.cpp:218] Iteration 200 (20 iter/s, 5s/100 iters), loss = 0.125
I0210 13:39:35.000000 25210 solver.cpp:237]     Train net output #0: loss = 1e-05 (* 1 = 1e-05 loss)
I0210 13:39:35.000000 25210 sgd_solver.cpp:105] Iteration 200, lr = 0.00985258
I0210 13:39:36.000000 25210 solver.cpp:447] Snapshotting to binary proto file lenet_iter_250.caffemodel
I0210 13:39:38.000000 25210 solver.cpp:310] Iteration 250, loss = 0.0625
I0210 13:39:38.500000 25210 solver.cpp:330] Iteration 250, Testing net (#0)
I0210 13:39:40.000000 25210 solver.cpp:397]     Test net output #0: accuracy = 0.98
I0210 13:39:40.000000 25210 solver.cpp:397]     Test net output #1: loss = 0.03 (* 1 = 0.03 loss)
I0210 13:39:40.000000 25210 solver.cpp:315] Optimization Done.
"""
START = "I0210 13:39:22.000000 1 solver.cpp:272] Solving net\n"


def line(text, day="0210", time="13:39:23.000000"):
    return f"I{day} {time} 1 solver.cpp:1] {text}\n"


@pytest.fixture
def log(tmp_path):
    def write(text, name="train.log"):
        (tmp_path / name).write_text(text)
        return tmp_path / name
    return write


def test_a_log_of_caffe(log):
    train, test = parse_log(log(CAFFE))
    assert train == [
        {"NumIters": 0, "Seconds": 2.6, "LearningRate": 0.01, "loss": 2.3},
        {"NumIters": 100, "Seconds": 8, "LearningRate": 0.01, "loss": 0.25},
        {"NumIters": 200, "Seconds": 13, "LearningRate": 0.00992565, "loss": 1e-05}]
    assert test == [
        {"NumIters": 0, "Seconds": 2.5, "LearningRate": 0.00985258, "accuracy": 0.1059, "loss": 2.36142},
        {"NumIters": 250, "Seconds": 18, "LearningRate": 0.00985258, "accuracy": 0.98, "loss": 0.03}]


@pytest.mark.parametrize("flags, train, test", [
    ([], "NumIters,Seconds,LearningRate,loss\r\n0.0,2.6,0.01,2.3\r\n100.0,8.0,0.01,0.25\r\n"
     "200.0,13.0,0.00992565,1e-05\r\n",
     "NumIters,Seconds,LearningRate,accuracy,loss\r\n0.0,2.5,0.00985258,0.1059,2.36142\r\n"
     "250.0,18.0,0.00985258,0.98,0.03\r\n"),
    (["--delimiter", ";"], "NumIters;Seconds;LearningRate;loss\r\n0.0;2.6",
     "NumIters;Seconds;LearningRate;accuracy;loss\r\n0.0;2.5"),
])
def test_files(log, tmp_path, capsys, flags, train, test):
    assert main(["parse_log", str(log(CAFFE, "caffe.INFO")), str(tmp_path), *flags]) == 0
    assert capsys.readouterr().out == ""
    assert (tmp_path / "caffe.INFO.train").read_bytes().decode().startswith(train)
    assert (tmp_path / "caffe.INFO.test").read_bytes().decode().startswith(test)


def test_a_table_without_rows_is_not_written(log, tmp_path, capsys):
    text = "\n".join(text for text in CAFFE.split("\n") if "Test net output" not in text)
    assert main(["parse_log", "--verbose", str(log(text)), str(tmp_path)]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["train.log", "train.log.train"]
    assert capsys.readouterr().out == (f"Wrote {tmp_path}/train.log.train\n"
                                       f"Not writing {tmp_path}/train.log.test; no lines to write\n")


def outputs(*values, kind="Train", **place):
    return "".join(line(f"    {kind} net output #{i}: o{i} = {value}", **place) for i, value in enumerate(values))


@pytest.mark.parametrize("text, expected", [
    # nan and inf are values, with either sign
    (line("Iteration 0") + outputs("nan") + line("Iteration 1") + outputs("-inf"), [("nan",), ("-inf",)]),
    # exponents, plain integers, a point at an end
    (line("Iteration 0") + outputs("-1.5e-07", "3") + line("Iteration 1") + outputs("1E+3", ".5"),
     [(-1.5e-7, 3), (1e3, 0.5)]),
    # a row that the log breaks off is left out; the only row of a log is kept
    (line("Iteration 0") + outputs(1, 2) + line("Iteration 1") + outputs(3), [(1, 2)]),
    (line("Iteration 0") + outputs(1, 2), [(1, 2)]),
    # of an output of several elements the last one
    (line("Iteration 0") + 2 * outputs(1) + outputs(2) + line("Iteration 1") + outputs(4), [(2,), (4,)]),
    # lines before the first iteration, and without a head, do not count
    (outputs(7) + line("Iteration 0") + outputs(1) + "    Train net output #0: o0 = 9\n" + line("Iteration 1")
     + outputs(2), [(1,), (2,)]),
    # another run in the same file starts its iterations anew
    (line("Iteration 5") + outputs(1) + START + line("Iteration 0") + outputs(2), [(1,), (2,)]),
])
def test_rows(log, text, expected):
    rows, _ = parse_log(log(line("Iteration 9, lr = 1").replace("Iteration 9, ", "") + START + text))
    assert [tuple(row.values())[3:] for row in rows] == [pytest.approx(tuple(map(float, values)), nan_ok=True)
                                                         for values in expected]


def test_two_test_nets_with_outputs_of_their_own(log):
    text = START + "".join(line(f"Iteration {i}") + line(f"    Test net output #0: a = {i}")
                           + line(f"    Test net output #0: b = {-i}") for i in (1, 2))
    _, test = parse_log(log(text))
    assert [(row["a"], row["b"]) for row in test] == [(1, -1), (2, -2)]


@pytest.mark.parametrize("start, days, seconds", [
    ("1231", ("1231", "0101", "0102"), (1, 86401, 172801)),
    ("0228", ("0228", "0229", "0301"), (1, 86401, 172801)),  # only leap years have such a day
    ("20211231", ("20211231", "20220101", "20220102"), (1, 86401, 172801)),  # newer glog
    ("20230228", ("20230228", "20230301", "20240301"), (1, 86401, 367 * 86400 + 1)),
])
def test_dates(log, start, days, seconds):
    text = START.replace("0210", start) + "".join(
        line(f"Iteration {i}", day=day) + outputs(i, day=day) for i, day in enumerate(days))
    path = log(text)
    os.utime(path, (1.7e9, 1.7e9))  # November 2023
    assert [row["Seconds"] for row in parse_log(path)[0]] == list(seconds)


NET = '''name: "line" layer { name: "x" type: "DummyData" top: "x" dummy_data_param { shape { dim: 1 dim: 1 }
    data_filler { value: 2 } } }
layer { name: "y" type: "InnerProduct" bottom: "x" top: "y" inner_product_param { num_output: 1 } }
layer { name: "loss" type: "EuclideanLoss" bottom: "y" bottom: "x" top: "loss" }'''


def test_a_log_of_ours(log):
    settings = ('base_lr: 0.1 lr_policy: "step" stepsize: 2 gamma: 0.5 max_iter: 4 display: 1 test_iter: 1 '
                "test_interval: 2 snapshot_after_train: false")
    solver = get_solver(parse(f"net_param {{ {NET} }} {settings}", "SolverParameter"))
    text = io.StringIO()
    with console(text):
        solver.solve()
    train, test = parse_log(log(text.getvalue()))
    assert [(row["NumIters"], row["LearningRate"]) for row in train] == [
        (0, pytest.approx(0.1)), (1, pytest.approx(0.1)), (2, pytest.approx(0.1)), (3, pytest.approx(0.05))]
    losses = [2, 0.5, 0.125, 0.0703125, 0.0395508]  # the difference to 2 halves at rate 0.1, loses a quarter at 0.05
    assert [row["loss"] for row in train] == pytest.approx(losses[:4], rel=1e-4)
    assert [row["loss"] for row in test] == pytest.approx(losses[::2], rel=1e-4)
    assert 0 <= train[0]["Seconds"] <= train[-1]["Seconds"] < 60


@pytest.mark.parametrize("text, says", [
    ("", "expected a training log"),
    ("nothing\nlike that\n", "expected a training log"),
    (line("Iteration 3, loss = 1"), "2> train.log"),
    (START, "iterations after it"),
    (START + line("Iteration 3, loss = 1"), "no line of a net's outputs"),
])
def test_what_is_no_log(log, tmp_path, text, says):
    with pytest.raises(BlobnetError, match=says):
        parse_log(log(text))


@pytest.mark.parametrize("words, status, says", [
    (["parse_log", "trian.log", "."], 1, "did you mean 'train.log'"),
    (["parse_log", "train.log", "nowhere"], 1, "there is no folder 'nowhere'"),
    (["parse_log", "train.log", ".", "--delimiter", "ab"], 2, "expected one letter"),
    (["parse_log", "train.log"], 2, "OUTPUT_DIR"),
    (["plot_training_log", "8", "out.png", "train.log"], 2, "invalid choice"),
    (["plot_training_log", "0", "out.png"], 2, "LOG"),
    (["plot_training_log", "0", "out.xyz", "train.log"], 1, "got 'xyz'"),
    (["plot_training_log", "0", "out.png", "train.log", "no.log"], 1, "no.log: no such file"),
    (["plot_training_log", "0", "out.png", "train.log", "--output", "lss"], 1, "did you mean 'loss'?"),
    (["plot_training_log", "0", "out.png", "hash.log"], 1, "no output of the test net looks like its accuracy"),
    (["plot_training_log", "5", "out.png", "hash.log"], 1, "no train learning rate in this log; set display"),
    (["plot_training_log", "0", "out.png", "train_only.log"], 1, "set test_interval"),
])
def test_errors(log, tmp_path, monkeypatch, capsys, words, status, says):
    log(CAFFE)
    log(START + line("Iteration 0, Testing net (#0)") + line("    Test net output #0: loss = 1"), "hash.log")
    log(START + line("Iteration 0, loss = 3"), "train_only.log")
    monkeypatch.chdir(tmp_path)
    try:
        got = main(words)
    except SystemExit as stop:
        got = stop.code
    assert got == status and says in capsys.readouterr().err
    assert not list(tmp_path.glob("out*")) and not list(tmp_path.glob("*.test"))


PIECES = ("Iteration ", "Solving", "Train net output #0: a = ", "Test net output #1: b = ", "lr = ", "-nan", "1e5",
          "e+", " ", "\n", "I0210 13:39:22.000000 1 s.cpp:1] ", "I0230 99:00:00.1 ", "I00000229 1:00:00.1234567 ")


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=3)))
def test_any_text_is_a_log_or_an_error(tmp_path_factory, pieces):
    path = tmp_path_factory.getbasetemp() / "any.log"
    path.write_text(START * (len(pieces) % 2) + "".join(pieces), "utf-8", "surrogateescape")
    try:
        train, test = parse_log(path)
    except DataError as error:
        assert "any.log" in str(error)
    else:
        assert all(set(row) > {"NumIters", "Seconds", "LearningRate"} for row in train + test)


# Charts.

@pytest.fixture
def curves(monkeypatch):
    """What is drawn, as {label: (x, y)}, by looking at the axes before they are written."""
    seen = {}

    def save(figure, path):
        axes, = figure.axes
        for curve in axes.get_lines():
            seen[curve.get_label()] = curve.get_xdata().tolist(), curve.get_ydata().tolist()
        seen["title"] = axes.get_title(), axes.get_xlabel(), axes.get_ylabel()

    def as_arrays(figure, path):
        for curve in figure.axes[0].get_lines():
            curve.set_data(*map(np.asarray, curve.get_data()))
        save(figure, path)

    monkeypatch.setattr("blobnet.view.training_charts.save", as_arrays)
    return seen


@pytest.mark.parametrize("chart, title, x, y", [
    (0, "Test accuracy vs. Iters", [0, 250], [0.1059, 0.98]),
    (1, "Test accuracy vs. Seconds", [0.25, 16.5], [0.1059, 0.98]),  # when the tests begin
    (2, "Test loss vs. Iters", [0, 250], [2.36142, 0.03]),
    (3, "Test loss vs. Seconds", [0.25, 16.5], [2.36142, 0.03]),
    (4, "Train learning rate vs. Iters", [0, 100, 200], [0.01, 0.00992565, 0.00985258]),
    (5, "Train learning rate vs. Seconds", [2.6, 8, 13], [0.01, 0.00992565, 0.00985258]),
    (6, "Train loss vs. Iters", [0, 100, 200, 250], [2.29, 0.5, 0.125, 0.0625]),
    (7, "Train loss vs. Seconds", [2.6, 8, 13, 16], [2.29, 0.5, 0.125, 0.0625]),
])
def test_charts(log, curves, chart, title, x, y):
    plot_training_log(chart, "out.png", [log(CAFFE)])
    assert curves == {"train": (x, y), "title": (title, *title.split(" vs. ")[::-1])}
    assert chart_title(chart) == title


def log_of(names, nets=1):
    return START + "".join(
        line(f"Iteration {i}, Testing net (#{net})") + "".join(
            line(f"    Test net output #{k}: {name} = {100 * net + 10 * k + i}") for k, name in enumerate(names))
        for i in (0, 1) for net in range(nets))


@pytest.mark.parametrize("chart, names, flags, expected", [
    (0, ["loss", "accuracy"], {}, 10), (2, ["loss", "accuracy"], {}, 0),  # by name, in any order
    (0, ["top1", "loss"], {}, 0), (2, ["a", "b"], {}, 10),                # else by Caffe's order
    (2, ["hash_loss"], {}, 0), (2, ["mAP", "Loss1", "loss2"], {}, 10),
    (0, ["accuracy", "loss", "mAP"], {"output": "mAP"}, 20),
])
def test_which_output_is_drawn(log, curves, chart, names, flags, expected):
    plot_training_log(chart, "out.png", [log(log_of(names))], **flags)
    assert curves["train"] == ([0, 1], [expected, expected + 1])


def test_several_logs_and_test_nets(log, curves, tmp_path):
    (tmp_path / "b").mkdir()
    logs = [log(CAFFE, "caffe.log"), log(log_of(["accuracy"], nets=2), "two.log"),
            log(log_of(["accuracy"]), "b/two.log")]
    plot_training_log(0, "out.png", logs)
    assert curves["caffe"][1] == [0.1059, 0.98]
    assert curves[f"{logs[1]}, test net 0"][1] == [0, 1] and curves[f"{logs[1]}, test net 1"][1] == [100, 101]
    assert curves[str(logs[2])][1] == [0, 1] and len(curves) == 5


def test_an_interrupted_test_leaves_a_gap(log, curves):
    text = log_of(["accuracy"]) + line("Iteration 2, Testing net (#0)") + line("Test interrupted.")
    plot_training_log(0, "out.png", [log(text)])
    assert curves["train"][0] == [0, 1]


@pytest.mark.parametrize("name, start", [("out.png", b"\x89PNG"), ("out.pdf", b"%PDF"), ("out.svg", b"<?xml")])
def test_a_picture_is_written(log, tmp_path, capsys, name, start):
    path = tmp_path / name
    assert main(["plot_training_log", "6", str(path), str(log(CAFFE)), str(log(CAFFE, "other.log"))]) == 0
    assert capsys.readouterr().out == f"{path}: Train loss vs. Iters\n"
    assert path.read_bytes().startswith(start)
    if name == "out.png":
        assert np.ptp(np.asarray(Image.open(path).convert("L"))) > 100


def test_the_chart_types_are_explained(capsys):
    with pytest.raises(SystemExit):
        main(["plot_training_log", "--help"])
    assert "  5  Train learning rate vs. Seconds\n" in capsys.readouterr().out


def test_parsing_needs_no_matplotlib(log, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert main(["parse_log", str(log(CAFFE)), str(tmp_path)]) == 0
    assert main(["plot_training_log", "0", str(tmp_path / "out.png"), str(log(CAFFE))]) == 1
    assert "pip install 'blobnet[view]'" in capsys.readouterr().err


def test_rows_of_unlike_columns_have_gaps(log, tmp_path):
    text = START + line("Iteration 0") + outputs(1, 2) + line("Iteration 1") + outputs(3) + line("Iteration 2")
    text += line("    Train net output #0: other = 5") + outputs(6)
    main(["parse_log", str(log(text)), str(tmp_path)])
    with open(tmp_path / "train.log.train", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["o1"] for row in rows] == ["2.0", "", ""] and math.isnan(float(rows[0]["LearningRate"]))
