import os
import shutil

import numpy as np
import pytest

from blobnet.errors import BlobnetError, ParseError, SolverError
from blobnet.proto.binary import read_weights, write_weights
from blobnet.proto.blobs import blob_shape, set_blob
from blobnet.proto.messages import new
from blobnet.solvers.snapshot import find_latest

SETTINGS = 'momentum: 0.9 weight_decay: 0.01 max_iter: 8 snapshot_prefix: "run" lr_policy: "multistep" gamma: 0.5 ' \
           "stepvalue: 3 stepvalue: 6 test_iter: 2 test_interval: 3 "


def weights(solver):
    return [parameter.blob.data.copy() for parameter in solver.net.parameters]


def assert_same(one, other):
    for mine, theirs in zip(weights(one) + one.history, weights(other) + other.history, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert (one.iter, one.loss, one.rate) == (other.iter, other.loss, other.rate)


@pytest.mark.parametrize("settings", ["", "random_seed: 7", "iter_size: 3", 'type: "Nesterov"',
                                      "test_initialization: false", "iter_size: 2 average_loss: 3"])
@pytest.mark.parametrize("at", [1, 3, 4, 7])
def test_a_resumed_run_is_the_uninterrupted_one(make_solver, random_net, settings, at):
    """Bit for bit: dropout, random data, the drawn seed and the tests included."""
    whole = make_solver(SETTINGS + settings, net=random_net)
    whole.step(at)
    _, state = whole.snapshot()
    whole.step(8 - at)
    tested = whole.test_all()
    resumed = make_solver(SETTINGS + settings, net=random_net)
    resumed.restore(state)
    assert resumed.iter == at
    resumed.step(8 - at)
    assert_same(resumed, whole)
    assert resumed.test_all() == tested


def test_solve_resumes(make_solver, random_net):
    whole = make_solver(SETTINGS + "snapshot: 5", net=random_net)
    whole.solve()
    resumed = make_solver(SETTINGS, net=random_net)
    resumed.solve("run_iter_5.solverstate")
    assert_same(resumed, whole)


def test_a_finished_run_can_go_on(make_solver, random_net):
    """The forward pass that only displays the loss at the end does not count."""
    whole = make_solver(SETTINGS + "display: 4", net=random_net)
    whole.solve()
    whole.step(2)
    resumed = make_solver(SETTINGS, net=random_net)
    resumed.restore("run_iter_8.solverstate")
    resumed.step(2)
    assert_same(resumed, whole)


def test_the_seed_of_the_file_counts(make_solver, random_net):
    first = make_solver(SETTINGS + "random_seed: 1", net=random_net)
    _, state = first.snapshot()
    other = make_solver(SETTINGS + "random_seed: 2", net=random_net)
    other.restore(state)
    assert (other.random_seed, other.net.context.seed) == (2, 2)


def test_files(make_solver, random_net):
    """The state holds what Caffe's does, under names of Caffe's pattern."""
    solver = make_solver(SETTINGS, net=random_net)
    solver.step(7)
    model, state = solver.snapshot()
    assert (model, state) == ("run_iter_7.caffemodel", "run_iter_7.solverstate")
    message, _ = read_weights(state, "SolverState")
    assert (message.iter, message.learned_net, message.current_step) == (7, model, 2)
    assert [blob_shape(blob) for blob in message.history] == [(2, 5), (2,)]
    net, arrays = read_weights(model)
    saved = next(layer for layer in net.layer if layer.name == "ip")
    np.testing.assert_array_equal(arrays[saved.blobs[0].array]["data"], weights(solver)[0].reshape(-1))
    assert "diff" not in arrays[0]


def test_snapshot_diff(make_solver):
    solver = make_solver('snapshot_prefix: "run" snapshot_diff: true')
    solver.step(1)
    _, arrays = read_weights(solver.snapshot()[0])
    assert arrays[0]["diff"] == pytest.approx([0.1])


@pytest.mark.parametrize("given, expected", [
    ("", "my.net"), ('snapshot_prefix: "a/b"', "a/b"), ('snapshot_prefix: "new/"', "new/my.net"),
    ('snapshot_prefix: "old"', "old/my.net")])
def test_prefix(make_solver, tmp_path, given, expected):
    (tmp_path / "old").mkdir()
    solver = make_solver(given, file="my.net.prototxt")
    model, _ = solver.snapshot()
    assert os.path.abspath(model) == str(tmp_path / f"{expected}_iter_0.caffemodel")
    assert find_latest(solver.param.snapshot_prefix) == f"{solver.param.snapshot_prefix}_iter_0.solverstate"


def test_latest_goes_by_number(tmp_path):
    prefix = str(tmp_path / "a[1]")
    assert find_latest(prefix) is find_latest(str(tmp_path / "nowhere" / "a")) is None
    for name in ("a[1]_iter_9.solverstate", "a[1]_iter_100.solverstate", "a[1]_iter_200.caffemodel",
                 "b_iter_300.solverstate", ".a[1]_iter_400.solverstate.xyz", "a[1]_iter_5x.solverstate"):
        (tmp_path / name).touch()
    assert find_latest(prefix) == prefix + "_iter_100.solverstate"


def test_weights_beside_the_state(make_solver, tmp_path):
    solver = make_solver("")
    solver.step(3)
    model, state = solver.snapshot()
    (tmp_path / "moved").mkdir()
    for file in (model, state):
        shutil.move(file, tmp_path / "moved")
    fresh = make_solver("")
    fresh.restore(tmp_path / "moved" / os.path.basename(state))
    assert weights(fresh) == weights(solver)


def _state(folder, **changes):
    """A state of the random net's solver, with something wrong."""
    shapes = changes.pop("shapes", [(2, 5), (2,)])
    fields = {"iter": 4, "learned_net": str(folder / "run_iter_4.caffemodel"), **changes}
    message, arrays = new("SolverState", **fields), []
    for shape in shapes:
        set_blob(message.history.add(), np.ones(shape, np.float32), arrays)
    write_weights(folder / "bad.solverstate", message, arrays)


def _cut(folder, name, size):
    data = (folder / name).read_bytes()
    (folder / name).write_bytes(data[:len(data) - size])


def _other_weights(folder):
    write_weights(folder / "run_iter_4.caffemodel", new("NetParameter", name="x"), [])


@pytest.mark.parametrize("spoil, error, words", [
    (_other_weights, SolverError, ["run_iter_4.solverstate", "'run_iter_4.caffemodel'", "not those"]),
    (lambda folder: _cut(folder, "run_iter_4.solverstate", 12), ParseError, ["run_iter_4.solverstate", "byte"]),
    (lambda folder: _cut(folder, "run_iter_4.solverstate", 10**6), ParseError, ["empty"]),
    (lambda folder: _cut(folder, "run_iter_4.caffemodel", 3), SolverError,
     ["run_iter_4.solverstate", "'run_iter_4.caffemodel'", "not those", "--weights"]),
    (lambda folder: (_cut(folder, "run_iter_4.caffemodel", 3), _state(folder)), ParseError, ["run_iter_4.caffemodel"]),
    (lambda folder: (folder / "run_iter_4.caffemodel").unlink(), SolverError, ["run_iter_4.caffemodel", "beside"]),
    (lambda folder: (_state(folder), _other_weights(folder)), SolverError, ["no parameters for layer 'ip'"]),
    (lambda folder: _state(folder, shapes=[(2, 5)]), SolverError, ["expected 2 history blobs", "got 1", "SGD"]),
    (lambda folder: _state(folder, shapes=[(2, 5)] * 2), SolverError, ["blob 1 (layer 'ip')", "(2,)", "(2, 5)"]),
    (lambda folder: _state(folder, shapes=[(5, 2), (2,)]), SolverError, ["blob 0", "(2, 5)", "(5, 2)"]),
    (lambda folder: _state(folder, learned_net="gone.caffemodel"), SolverError, ["'gone.caffemodel'"]),
])
def test_a_bad_state_changes_nothing(make_solver, random_net, tmp_path, spoil, error, words):
    writer = make_solver(SETTINGS, net=random_net)
    writer.step(4)
    writer.snapshot()
    solver = make_solver(SETTINGS, net=random_net)
    solver.step(2)
    before, seed = weights(solver) + [array.copy() for array in solver.history], solver.random_seed
    spoil(tmp_path)
    path = tmp_path / "bad.solverstate"
    with pytest.raises(error) as caught:
        solver.restore(path if path.exists() else tmp_path / "run_iter_4.solverstate")
    assert all(word in str(caught.value) for word in words)
    assert (solver.iter, solver.random_seed, solver.net.context.step) == (2, seed, 2)
    for mine, old in zip(weights(solver) + solver.history, before, strict=True):
        np.testing.assert_array_equal(mine, old)


def test_old_states_have_four_axes(make_solver, random_net, tmp_path):
    solver = make_solver(SETTINGS, net=random_net)
    solver.snapshot()
    _state(tmp_path, shapes=[(1, 1, 2, 5), (1, 1, 1, 2)], learned_net="run_iter_0.caffemodel", iter=1)
    solver.restore(tmp_path / "bad.solverstate")
    assert [array.shape for array in solver.history] == [(2, 5), (2,)]
    assert all((array == 1).all() for array in solver.history)


@pytest.mark.parametrize("name, words", [
    ("x.caffemodel", ["expected a .solverstate", "--weights"]),
    ("solver.solverstat", ["no such file", "did you mean 'solver.prototxt'?"]),
])
def test_what_is_no_state(make_solver, name, words):
    with pytest.raises(BlobnetError) as caught:
        make_solver("").restore(name)
    assert all(word in str(caught.value) for word in words)


def test_weights_to_start_from(make_solver, tmp_path):
    solver = make_solver("")
    solver.step(3)
    model, _ = solver.snapshot()
    tuned = make_solver(f'weights: "{model}"')
    np.testing.assert_array_equal(weights(tuned)[0], weights(solver)[0])
    assert tuned.iter == 0
    write_weights(tmp_path / "other.caffemodel", new("NetParameter", layer=[{"name": "fc8"}]), [])
    with pytest.raises(SolverError, match="other.caffemodel.*net 'scalar'"):
        tuned.copy_from("other.caffemodel")


def test_multistep_counts_on_from_the_state(make_solver):
    """As in Caffe: two steps were taken, whatever the stepvalues are now."""
    settings = 'lr_policy: "multistep" gamma: 0.1 base_lr: 1 '
    first = make_solver(settings + "stepvalue: 1 stepvalue: 2")
    first.step(5)
    _, state = first.snapshot()
    other = make_solver(settings + "stepvalue: 10 stepvalue: 11 stepvalue: 12")
    other.restore(state)
    other.step(1)
    assert other.rate == pytest.approx(0.01)
    other.step(6)
    assert (other.iter, other.current_step) == (12, 2)
    other.step(1)
    assert other.current_step == 3 and other.rate == pytest.approx(0.001)
