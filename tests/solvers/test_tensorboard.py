"""Event files, read back with the messages that tensorboardX brings."""

import struct
import sys
from pathlib import Path

import numpy as np
import pytest

from blobnet.errors import MissingLibrary, SolverError
from blobnet.solvers.callbacks import TensorBoard
from blobnet.solvers.callbacks.tensorboard import mosaic

pytest.importorskip("tensorboardX")
NET = """
layer { name: "x" type: "DummyData" top: "x" top: "y" dummy_data_param {
  shape { dim: 4 dim: 3 dim: 5 dim: 5 } shape { dim: 4 dim: 2 } data_filler { type: "gaussian" } } }
layer { name: "conv" type: "Convolution" bottom: "x" top: "conv" convolution_param {
  num_output: 5 kernel_size: 2 weight_filler { type: "xavier" } } }
layer { name: "ip" type: "InnerProduct" bottom: "conv" top: "ip" inner_product_param {
  num_output: 2 weight_filler { type: "xavier" } } }
layer { name: "loss" type: "EuclideanLoss" bottom: "ip" bottom: "y" top: "loss" }
"""
SETTINGS = 'display: 2 test_iter: 1 test_interval: 3 snapshot_prefix: "run" random_seed: 1'


def events(folder="events"):
    """Those of the files in `folder`, the oldest file first."""
    from tensorboardX.proto.event_pb2 import Event

    found = []
    for path in sorted(Path(folder).iterdir(), key=lambda path: int(path.suffix[1:])):
        data = path.read_bytes()
        while data:
            size, = struct.unpack_from("<Q", data)
            found.append(Event.FromString(data[12:12 + size]))
            data = data[size + 16:]
    return found


def values(found, field):
    """(tag, iteration, value) of those that have the field."""
    return [(value.tag, event.step, getattr(value, field)) for event in found for value in event.summary.value
            if value.HasField(field)]


def test_scalars(make_solver):
    solver = make_solver(SETTINGS, net=NET)
    with TensorBoard("events") as board, solver.watched_by(board):
        solver.step(5)
    found = values(events(), "simple_value")
    assert sorted({tag for tag, *_ in found}) == ["outputs/loss", "test/loss", "train/loss", "train/rate",
                                                  "train/smoothed_loss"]
    losses = dict(zip(*solver.losses.points()))
    assert [row[1:] for row in found if row[0] == "train/loss"] == [(i, pytest.approx(losses[i])) for i in (0, 2, 4)]
    assert [row[1:] for row in found if row[0] == "train/rate"] == [(i, pytest.approx(0.1)) for i in (0, 2, 4)]
    tests = solver.tested["loss"]
    assert [row[1:] for row in found if row[0] == "test/loss"] == [
        (i, pytest.approx(value)) for i, value in zip(tests.iterations, tests.values)]
    assert not values(events(), "histo") and not solver.is_watched


def test_histograms_and_images(make_solver):
    solver, kept = make_solver(SETTINGS, net=NET), {}

    class Keeper:
        def gradients_ready(self, iteration, loss):
            conv = solver.net.params["conv"][0]
            kept[iteration] = conv.data.copy(), conv.diff.copy()

    solver.watch(Keeper())
    with TensorBoard("events", every=100, histograms=2, images=True) as board, solver.watched_by(board):
        solver.step(3)
    found = {(tag, step): histogram for tag, step, histogram in values(events(), "histo")}
    assert {tag for tag, _ in found} == {f"{kind}/{layer}/{i}" for kind in ("parameters", "gradients")
                                         for layer in ("conv", "ip") for i in (0, 1)}
    for step in (0, 2):
        for kind, array in zip(("parameters", "gradients"), kept[step]):
            histogram = found[f"{kind}/conv/0", step]
            assert (histogram.num, histogram.sum) == (60, pytest.approx(array.sum(), abs=1e-5))
            assert (histogram.min, histogram.max) == pytest.approx((array.min(), array.max()))
    pictures = values(events(), "image")
    assert [(tag, step) for tag, step, _ in pictures] == [("filters/conv/0", 0), ("filters/conv/0", 2)]
    assert (pictures[0][2].height, pictures[0][2].width) == (6, 9)  # 2 rows of 3 filters, 2 by 2, and lines


def test_mosaic():
    filters = np.array([[[[0, 1]]], [[[2, 4]]]])  # two of one row of two
    np.testing.assert_array_equal(mosaic(filters), [[[0, 0.25, 1, 0.5, 1, 1], [1] * 6]])
    assert np.isfinite(mosaic(np.ones((1, 3, 1, 1)))).all()


def test_a_resumed_run_hides_what_came_later(make_solver):
    solver = make_solver(SETTINGS, net=NET)
    with TensorBoard("events") as board, solver.watched_by(board):
        solver.step(2)
        state = solver.snapshot()[1]
        solver.step(6)
    other = make_solver(SETTINGS, net=NET)
    other.restore(state)
    with TensorBoard("events") as board, other.watched_by(board):
        other.step(6)
    found = events()
    starts = [event.step for event in found if event.HasField("session_log")]
    assert starts == [0, 2]  # from there on TensorBoard takes the newer file
    assert len(list(Path("events").iterdir())) == 2
    losses = [row for row in values(found, "simple_value") if row[0] == "train/loss"]
    assert losses[:4] == [*losses[:1], *losses[4:]] and len(losses) == 7


def test_images_come_with_histograms():
    with pytest.raises(SolverError, match="images are written every `histograms` iterations, which is 0"):
        TensorBoard("events", images=True)


def test_without_tensorboardx(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(MissingLibrary, match=r"pip install 'blobnet\[tensorboard\]'"):
        TensorBoard("events")
