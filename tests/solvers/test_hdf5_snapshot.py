"""Snapshots with snapshot_format: HDF5."""

import h5py
import numpy as np
import pytest

from blobnet.errors import BlobnetError, DataError, SolverError
from blobnet.solvers.snapshot import find_latest

SETTINGS = 'momentum: 0.9 weight_decay: 0.01 max_iter: 8 snapshot_prefix: "run" lr_policy: "multistep" gamma: 0.5 ' \
           "stepvalue: 3 stepvalue: 6 test_iter: 2 test_interval: 3 snapshot_format: HDF5 "


def weights(solver):
    return [parameter.blob.data.copy() for parameter in solver.net.parameters]


@pytest.mark.parametrize("settings", ["", "random_seed: 7", 'type: "Nesterov"', 'type: "Adam" momentum2: 0.9'])
def test_a_resumed_run_is_the_uninterrupted_one(make_solver, random_net, settings):
    whole = make_solver(SETTINGS + settings, net=random_net)
    whole.step(4)
    _, state = whole.snapshot()
    whole.step(4)
    resumed = make_solver(SETTINGS + settings, net=random_net)
    resumed.restore(state)
    assert (resumed.iter, resumed.random_seed) == (4, whole.random_seed)
    resumed.step(4)
    for mine, theirs in zip(weights(resumed) + resumed.history, weights(whole) + whole.history, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_files(make_solver, random_net):
    """What Caffe reads, of the types it reads."""
    solver = make_solver(SETTINGS, net=random_net)
    solver.step(7)
    assert solver.snapshot() == ("run_iter_7.caffemodel.h5", "run_iter_7.solverstate.h5")
    with h5py.File("run_iter_7.solverstate.h5") as file:
        assert file["iter"][()].tolist() == [7] and file["current_step"][()].tolist() == [2]
        text = file["learned_net"].id.get_type()
        assert (text.get_size(), text.get_strpad()) == (len("run_iter_7.caffemodel.h5") + 1, h5py.h5t.STR_NULLTERM)
        assert file["learned_net"][()] == b"run_iter_7.caffemodel.h5" and file["learned_net"].shape == ()
        assert {name: array.shape for name, array in file["history"].items()} == {"0": (2, 5), "1": (2,)}
        np.testing.assert_array_equal(file["history/0"], solver.history[0])
        assert file["random_seed"][()].tolist() == [solver.random_seed]
    with h5py.File("run_iter_7.caffemodel.h5") as file:
        assert list(file) == ["data"]
        np.testing.assert_array_equal(file["data/ip/0"], weights(solver)[0])


def test_snapshot_diff(make_solver):
    solver = make_solver('snapshot_prefix: "run" snapshot_diff: true snapshot_format: HDF5')
    solver.step(1)
    with h5py.File(solver.snapshot()[0]) as file:
        np.testing.assert_allclose(file["diff/ip/0"], [[0.1]], rtol=1e-6)


def _caffe_state(path, **changes):
    """A state as Caffe writes it, for the random net; without random_seed."""
    fields = {"iter": np.array([4], np.int32), "learned_net": np.bytes_(b"w.caffemodel.h5"),
              "current_step": np.array([0], np.int32), "history/0": np.ones((2, 5), np.float32),
              "history/1": np.ones(2, np.float32), **changes}
    with h5py.File(path, "w") as file:
        for name, value in fields.items():
            if value is not None:
                file[name] = value
    return path


def _caffe_weights(path, scale=1):
    with h5py.File(path, "w") as file:
        for name in ("x", "drop", "loss"):
            file.create_group(f"data/{name}")
        file["data/ip/0"], file["data/ip/1"] = np.full((2, 5), scale, np.float32), np.full(2, scale, np.float32)


@pytest.mark.parametrize("name", ["s.solverstate.h5", "s.solverstate"])
def test_a_state_of_caffe(make_solver, random_net, tmp_path, name):
    _caffe_weights(tmp_path / "w.caffemodel.h5", scale=3)
    solver = make_solver(SETTINGS, net=random_net)
    seed = solver.random_seed
    solver.restore(_caffe_state(tmp_path / name))
    assert solver.iter == solver.net.context.step == 4 and solver.random_seed == seed
    assert all((array == 3).all() for array in weights(solver)) and all((array == 1).all() for array in solver.history)


def test_binary_weights_beside_an_hdf5_state(make_solver, random_net, tmp_path):
    solver = make_solver(SETTINGS, net=random_net)
    solver.net.save("w.caffemodel")
    other = make_solver(SETTINGS, net=random_net)
    other.restore(_caffe_state(tmp_path / "s.solverstate.h5", learned_net=np.bytes_(b"elsewhere/w.caffemodel")))
    np.testing.assert_array_equal(weights(other)[0], weights(solver)[0])


@pytest.mark.parametrize("changes, error, words", [
    ({"history/1": None}, SolverError, ["expected 2 history blobs", "got 1", "SGD"]),
    ({"history/1": None, "history/2": np.ones(2)}, SolverError, ["no dataset 'history/1'", "2 there"]),
    ({"history/0": np.ones((5, 2))}, SolverError, ["history blob 0 (layer 'ip')", "(2, 5)", "(5, 2)"]),
    ({"history/0": np.full((2, 5), b"x")}, DataError, ["'history/0'", "integers or floats"]),
    ({"history/0": None, "history/1": None, "history": np.ones(2)}, DataError, ["'history'", "expected a group"]),
    ({"iter": None}, SolverError, ["with iter and history"]),
    ({"iter": np.array([-1])}, SolverError, ["expected iter of at least 0, got -1"]),
    ({"iter": np.array([1.5])}, SolverError, ["'iter'", "an integer"]),
    ({"iter": np.array([1, 2])}, SolverError, ["'iter'", "an integer"]),
    ({"learned_net": np.array([1])}, DataError, ["'learned_net'", "expected a string"]),
    ({"learned_net": np.bytes_(b"gone.h5")}, SolverError, ["'gone.h5'", "beside"]),
])
def test_a_bad_state_changes_nothing(make_solver, random_net, tmp_path, changes, error, words):
    _caffe_weights(tmp_path / "w.caffemodel.h5")
    solver = make_solver(SETTINGS, net=random_net)
    solver.step(2)
    before = weights(solver) + [array.copy() for array in solver.history]
    with pytest.raises(error) as caught:
        solver.restore(_caffe_state(tmp_path / "bad.solverstate.h5", **changes))
    assert all(word in str(caught.value) for word in words), caught.value
    assert solver.iter == 2
    for mine, old in zip(weights(solver) + solver.history, before, strict=True):
        np.testing.assert_array_equal(mine, old)


def test_weights_without_a_layer(make_solver, random_net, tmp_path):
    with h5py.File(tmp_path / "w.caffemodel.h5", "w") as file:
        file.create_group("data/ip")
    with pytest.raises(SolverError, match="w.caffemodel.h5: no parameters for layer 'ip'"):
        make_solver(SETTINGS, net=random_net).restore(_caffe_state(tmp_path / "s.solverstate.h5"))


@pytest.mark.parametrize("name", ["run.caffemodel.h5", "run.caffemodel"])
def test_weights_are_no_state(make_solver, name):
    with pytest.raises(SolverError, match="expected a .solverstate, got weights"):
        make_solver("").restore(name)


def test_a_state_that_is_cut_off(make_solver, random_net, tmp_path):
    solver = make_solver(SETTINGS, net=random_net)
    _, state = solver.snapshot()
    data = (tmp_path / state).read_bytes()
    (tmp_path / state).write_bytes(data[:-1])
    with pytest.raises(BlobnetError, match=r"run_iter_0.solverstate.h5'.*should have \d+ bytes"):
        solver.restore(state)


def test_latest_of_both_formats(tmp_path):
    for name in ("a_iter_90.solverstate", "a_iter_100.solverstate.h5", "a_iter_200.caffemodel.h5",
                 "a_iter_300.solverstate.h5x"):
        (tmp_path / name).touch()
    assert find_latest(str(tmp_path / "a")) == str(tmp_path / "a_iter_100.solverstate.h5")


def test_weights_to_start_from(make_solver):
    solver = make_solver("snapshot_format: HDF5")
    solver.step(3)
    model, _ = solver.snapshot()
    tuned = make_solver(f'weights: "{model}"')
    np.testing.assert_array_equal(weights(tuned)[0], weights(solver)[0])
