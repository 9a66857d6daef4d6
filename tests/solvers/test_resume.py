"""A resumed run is the uninterrupted one, bit for bit, whatever the solver type and the format of its snapshots."""

import numpy as np
import pytest

from blobnet.errors import SolverError
from blobnet.proto.binary import read_weights
from blobnet.proto.blobs import blob_shape
from blobnet.solvers import SOLVERS

FORMATS = ["BINARYPROTO", "HDF5"]
TYPES = [f'type: "{name}"' for name in sorted(SOLVERS)] + [
    'type: "SGD" momentum: 0.9', 'type: "Nesterov" momentum: 0.9', 'type: "AdaDelta" momentum: 0.95 base_lr: 1',
    'type: "Adam" momentum: 0.9 iter_size: 2', 'type: "LBFGS" iter_size: 2', 'type: "RMSProp" clip_gradients: 0.5']


def arrays(solver):
    return [array.copy() for array in (*(parameter.blob.data for parameter in solver.net.parameters), *solver.history)]


@pytest.mark.parametrize("snapshot_format", FORMATS)
@pytest.mark.parametrize("settings", TYPES)
def test_resumed_run(make_solver, random_net, settings, snapshot_format):
    settings += f' snapshot_format: {snapshot_format} weight_decay: 0.01 snapshot_prefix: "run"'
    whole = make_solver(settings, net=random_net)  # without a random_seed: the one drawn goes with the state
    whole.step(2)
    before = arrays(whole)
    _, state = whole.snapshot()
    whole.step(4)
    resumed = make_solver(settings, net=random_net)
    resumed.restore(state)
    for mine, theirs in zip(arrays(resumed), before, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    resumed.step(4)
    for mine, theirs in zip(arrays(resumed), arrays(whole), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert (resumed.iter, resumed.loss, resumed.rate) == (whole.iter, whole.loss, whole.rate)
    assert any((mine != theirs).any() for mine, theirs in zip(arrays(whole), before))


@pytest.mark.parametrize("name, count", [("SGD", 1), ("Nesterov", 1), ("AdaGrad", 1), ("RMSProp", 1), ("AdaDelta", 2),
                                         ("Adam", 2), ("LBFGS", 20)])
def test_history_goes_array_by_array(make_solver, random_net, name, count):
    solver = make_solver(f'type: "{name}" snapshot_prefix: "run"', net=random_net)
    message, _ = read_weights(solver.snapshot()[1], "SolverState")
    assert [blob_shape(blob) for blob in message.history] == [(2, 5), (2,)] * count


def test_a_state_of_another_type(make_solver, random_net):
    _, state = make_solver('snapshot_prefix: "run"', net=random_net).snapshot()
    with pytest.raises(SolverError, match=r"expected 4 history blobs \(net 'random', Adam\), got 2"):
        make_solver('type: "Adam"', net=random_net).restore(state)
