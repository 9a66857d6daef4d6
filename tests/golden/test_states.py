"""Runs that Caffe 1.0 began: from its state after 5 iterations to its figures after 10."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from blobnet.proto.binary import read_weights
from blobnet.proto.blobs import blob_shape
from blobnet.solvers import get_solver

FILES = Path(__file__).with_name("files")
SUFFIXES = {"binaryproto": ".solverstate", "hdf5": ".solverstate.h5"}
# The bias before a BatchNorm has no gradient but rounding noise, which Adam scales up to full steps; the mean that the
# BatchNorm keeps follows it, and the loss does not.
NOISE = {"adam": {1, 2}, "sgd": set()}


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("kind", sorted(NOISE))
def test_same_end_as_caffe(kind, suffix, tmp_path, monkeypatch):
    shutil.copytree(FILES, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    stem = f"snap_{kind}_{suffix}"
    solver = get_solver(f"{stem}_solver.prototxt")
    solver.restore(f"{stem}_iter_5{SUFFIXES[suffix]}")
    assert solver.iter == 5
    losses = []
    with np.load(f"{stem}_end.npz") as end:
        for _ in range(5):
            solver.step(1)
            losses.append(solver.loss)
        np.testing.assert_allclose(losses, end["loss"][5:], rtol=1e-5)
        for i, parameter in enumerate(solver.net.parameters):
            want = end[f"param/{i}"]
            if i not in NOISE[kind]:
                assert np.abs(parameter.blob.data - want).max() <= 1e-5 * max(np.abs(want).max(), 1e-3), i


@pytest.mark.parametrize("kind", sorted(NOISE))
def test_states_are_laid_out_as_caffes(kind, tmp_path, monkeypatch):
    shutil.copytree(FILES, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    solver = get_solver(f"snap_{kind}_binaryproto_solver.prototxt")
    solver.restore(f"snap_{kind}_binaryproto_iter_5.solverstate")
    theirs, arrays = read_weights(f"snap_{kind}_binaryproto_iter_10.solverstate", "SolverState")
    solver.step(5)  # writes a state of the same name
    mine, own = read_weights(f"snap_{kind}_binaryproto_iter_10.solverstate", "SolverState")
    assert (mine.iter, mine.learned_net, mine.current_step) == (theirs.iter, theirs.learned_net, theirs.current_step)
    assert list(map(blob_shape, mine.history)) == list(map(blob_shape, theirs.history))
    for ours, blob in zip(mine.history, theirs.history):
        np.testing.assert_allclose(own[ours.array]["data"], arrays[blob.array]["data"], rtol=1e-4, atol=1e-8)
