"""The page of a net that was trained and broken, and whose loss compares pairs: what it says, and how it shows."""

import base64
import gzip
import json
import re
import struct

import pytest

pytest.importorskip("sklearn")

from blobnet.data.sets import import_set  # noqa: E402
from blobnet.explain import Fault, Lesson, Question, explain  # noqa: E402
from blobnet.solvers import get_solver  # noqa: E402

STEPS = 12


@pytest.fixture(scope="module")
def file(tmp_path_factory, pytestconfig):
    folder = tmp_path_factory.mktemp("digits")
    root = pytestconfig.rootpath / "prototxt/dsh"
    net = (root / "digits_train_test.prototxt").read_text().replace('"data/', f'"{folder}/')
    (folder / "net.prototxt").write_text(net)
    solver = (root / "digits_solver.prototxt").read_text()
    solver = re.sub(r'net: ".*"', f'net: "{folder}/net.prototxt"', solver)
    (folder / "solver.prototxt").write_text(solver)
    import_set("digits", folder)
    explain(Question(str(folder / "net.prototxt")), folder / "page.html",
            lesson=Lesson(str(folder / "solver.prototxt"), STEPS, Fault("ip1", -1.0)))
    assert not list(folder.glob("*.caffemodel"))
    return folder / "page.html"


@pytest.fixture(scope="module")
def header(file):
    return read_header(file)


def read_header(file):
    """What the page holds."""
    text = re.search(r'id="payload"[^>]*>([^<]*)<', file.read_text("utf-8"))[1]
    data = gzip.decompress(base64.b64decode(text))
    return json.loads(data[4:4 + struct.unpack("<I", data[:4])[0]])


def test_it_tells_the_training(header):
    training = header["training"]
    assert training["steps"][0] == 0 and training["steps"][-1] == STEPS
    assert [frame["step"] for frame in training["frames"]] == training["steps"]
    assert len(training["loss"]) == STEPS
    assert {one["name"] for one in training["gradient_norms"]} >= {"conv1 weight", "ip1 bias"}
    assert all(len(one["values"]) == len(training["steps"]) for one in training["gradient_norms"])
    learning = [layer for layer in header["layers"] if layer["params"]]
    assert learning and all(param["update"] and param["ratio"] > 0 for layer in learning for param in layer["params"])
    assert training["frames"][-1]["loss"] == pytest.approx(header["loss"])


def test_it_tells_the_pairs(header):
    pairs, count = header["pairs"], header["batch"]
    assert (pairs["name"], pairs["margin"], len(pairs["labels"])) == ("loss", 24.0, count)
    assert len(pairs["frames"]) == len(header["training"]["frames"])
    assert pairs["force"]["full"] == [count, count]


def test_it_tells_where_the_fault_is_noticed(header):
    broken = header["broken"]
    ip1 = next(layer for layer in header["layers"] if layer["name"] == "ip1")
    assert (broken["layer"], broken["name"], broken["factor"]) == (ip1["index"], "ip1", -1.0)
    assert any(not row["passed"] for row in broken["check"])
    assert all(row["passed"] for row in ip1["check"])  # the layer itself is healthy
    assert [mark["kind"] for mark in ip1["marks"]].count("broken") == 1
    assert broken["healthy"][0] == broken["faulty"][0] and broken["healthy"][-1] != broken["faulty"][-1]


def test_trainings_begin_with_the_weights_that_are_given(file):
    solver, weights = get_solver(file.with_name("solver.prototxt")), file.with_name("weights.h5")
    solver.step(3)
    solver.net.save(weights)
    page = file.with_name("again.html")
    explain(Question(str(file.with_name("net.prototxt"))), page, [weights],
            Lesson(str(file.with_name("solver.prototxt")), 2, Fault("ip1", 0.5)))
    found = read_header(page)
    first = found["training"]["loss"][0]
    assert first == found["broken"]["healthy"][0] == found["broken"]["faulty"][0]
    assert first != read_header(file)["training"]["loss"][0]


def test_a_browser_shows_it(browser, file):
    page = browser.open(file)
    page.run("blobnetExplain.ready")
    said = page.run("document.body.innerText")
    for word in ("Training", "Pairs", "A broken layer", "DSH_digits"):
        assert word in said
    assert page.complaints() == [] and page.requests() == []
    page.close()
