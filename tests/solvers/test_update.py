from pathlib import Path

import numpy as np
import pytest

from blobnet.errors import SolverError
from blobnet.netdef.upgrade import SOLVER_TYPES
from blobnet.proto.text import parse
from blobnet.solvers import SOLVERS, Solver, get_solver, register_solver, types
from blobnet.solvers import solver as solver_module

# settings, specification of the parameter, the weight after 1, 2, 3 iterations; worked out by hand or in decimals
CASES = [
    ("", "", [0.9, 0.81, 0.729]),
    ("momentum: 0.9", "", [0.9, 0.72, 0.486]),
    ("weight_decay: 0.5", "", [0.85, 0.7225, 0.614125]),
    ('weight_decay: 0.5 regularization_type: "L1"', "", [0.85, 0.715, 0.5935]),
    ("clip_gradients: 0.5", "", [0.95, 0.9, 0.85]),
    ("clip_gradients: 5", "", [0.9, 0.81, 0.729]),
    ("clip_gradients: 0.5 weight_decay: 1", "", [0.85, 0.715, 0.5935]),  # decay is not clipped
    ("iter_size: 4", "", [0.9, 0.81, 0.729]),
    ("iter_size: 2 clip_gradients: 0.5", "", [0.975, 0.95, 0.925]),      # the sum is clipped
    ("", "param { lr_mult: 2 }", [0.8, 0.64, 0.512]),
    ("", "param { lr_mult: 0 }", [1, 1, 1]),
    ("weight_decay: 0.5", "param { decay_mult: 0 }", [0.9, 0.81, 0.729]),
    ("weight_decay: 0.5", "param { decay_mult: 2 }", [0.8, 0.64, 0.512]),
    ('lr_policy: "multistep" gamma: 0.5 stepvalue: 1 stepvalue: 2', "", [0.9, 0.855, 0.833625]),
    ("layer_wise_reduce: false", "", [0.9, 0.81, 0.729]),
    ('type: "Nesterov" momentum: 0.9', "", [0.81, 0.5751, 0.327321]),
    ('type: "AdaGrad"', "", [0.9, 0.833103527, 0.780456181]),
    ('type: "AdaGrad" delta: 0.5', "", [0.933333333, 0.883365963, 0.841860769]),
    ('type: "RMSProp" rms_decay: 0.75 delta: 0.5', "", [0.9, 0.819964414, 0.750397166]),
    ('type: "AdaDelta" momentum: 0.75 delta: 0.5', "", [0.918350342, 0.839238417, 0.764097781]),
    ('type: "Adam"', "", [0.9, 0.805391616, 0.716420318]),
    ('type: "Adam" momentum: 0.75 momentum2: 0.5 delta: 0.5', "", [0.941421356, 0.878606647, 0.814549793]),
    ('type: "Adam" momentum: 0.75 momentum2: 0.5 delta: 0.5 weight_decay: 0.5', "param { lr_mult: 2 }",
     [0.864075448, 0.721799859, 0.578344816]),
    ('type: "AdamW"', "", [0.9, 0.805391618, 0.716420321]),
    ('type: "AdamW" momentum: 0.75 momentum2: 0.5 delta: 0.5 weight_decay: 0.5', "param { lr_mult: 2 }",
     [0.766666667, 0.561754848, 0.383191982]),
    ('type: "LBFGS"', "", [0, 0, 0]),  # one step of length 1 along the gradient, and there is none any more
]
GOLDEN = Path(__file__).parent.parent / "golden" / "caffe"


def type_of(settings):
    return parse(settings, "SolverParameter").type


def test_every_type_has_its_figures():
    """Each of ours has a row above; each of Caffe's has a training measured on Caffe."""
    ours = {name for name, cls in SOLVERS.items() if cls.__module__.startswith(types.__name__)}
    assert ours == {type_of(settings) for settings, _, _ in CASES}
    measured = set()
    for path in GOLDEN.glob("solver_*.npz"):
        with np.load(path) as case:
            measured.add(type_of(str(case["solver"])))
    assert set(SOLVER_TYPES.values()) - {"AdaDelta"} <= measured  # of which no training was measured


@pytest.mark.parametrize("settings, param, expected", CASES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_weights(make_solver, weight, settings, param, expected, dtype):
    solver = make_solver(settings, param=param, dtype=dtype)
    got = []
    for _ in expected:
        solver.step(1)
        got.append(weight(solver))
    assert got == pytest.approx(expected, rel=1e-6)


def test_diff_holds_the_update(make_solver):
    solver = make_solver("momentum: 0.9")
    solver.step(2)
    assert solver.net.params["ip"][0].diff.item() == pytest.approx(0.18, rel=1e-6)
    assert solver.history[0].item() == pytest.approx(0.18, rel=1e-6)


WIDE_NET = """
layer { name: "x" type: "DummyData" top: "x" top: "y" dummy_data_param {
  shape { dim: 2 dim: 300 } shape { dim: 2 dim: 40 } data_filler { type: "gaussian" } } }
layer { name: "ip" type: "InnerProduct" bottom: "x" top: "ip" inner_product_param {
  num_output: 40 weight_filler { type: "xavier" } } }
layer { name: "loss" type: "EuclideanLoss" bottom: "ip" bottom: "y" top: "loss" }
"""


@pytest.mark.parametrize("piece, threads, settings", [
    (64, "1", "momentum: 0.9"), (1000, "3", "momentum: 0.9"), (7, "2", "momentum: 0.9"), (50, "2", 'type: "AdaGrad"'),
    (50, "2", 'type: "RMSProp"'), (50, "2", 'type: "AdaDelta" momentum: 0.9'), (50, "2", 'type: "Adam" momentum: 0.9'),
    (50, "2", 'type: "AdamW" momentum: 0.9')])
def test_pieces_and_threads_change_nothing(make_solver, monkeypatch, piece, threads, settings):
    def train():
        solver = make_solver(f'{settings} random_seed: 3 weight_decay: 0.1 regularization_type: "L1" iter_size: 2',
                             net=WIDE_NET)
        solver.step(3)
        return solver

    whole = train()
    monkeypatch.setattr(solver_module, "PIECE", piece)
    monkeypatch.setenv("BLOBNET_NUM_THREADS", threads)
    cut = train()
    for mine, other in zip(cut.net.parameters, whole.net.parameters):
        np.testing.assert_array_equal(mine.blob.data, other.blob.data)


def test_a_solver_in_one_file(make_solver, weight):
    class Sign(Solver):
        num_histories = 0
        schema = "extend SolverParameter { optional float stride = 60001 [default = 3]; }"

        def check(self):
            if self.param.momentum:
                raise SolverError(self.where, "Sign has no momentum")

        def update(self, rate, values, gradient, scratch):
            self.net.xp.sign(gradient, out=gradient)
            gradient *= rate * self.param.stride

    register_solver(Sign)
    try:
        solver = make_solver('type: "Sign" stride: 2')
        solver.step(2)
        assert weight(solver) == pytest.approx(0.6)
        with pytest.raises(SolverError, match="Sign has no momentum"):
            make_solver('type: "Sign" momentum: 0.5')
    finally:
        del SOLVERS["Sign"]


@pytest.mark.parametrize("length", [4, 7, 100])
def test_norms_of_whole_parameters(make_solver, monkeypatch, length):
    """A type may ask for whole parameters, and add the weight decay where it belongs: LAMB without its momenta."""
    class Lamb(Solver):
        num_histories = 0
        whole_parameters = decoupled_decay = True

        def update(self, rate, values, gradient, scratch):
            self.regularize(values, gradient, scratch)
            gradient *= rate * np.linalg.norm(values) / np.linalg.norm(gradient)

    monkeypatch.setattr(solver_module, "PIECE", length)
    monkeypatch.setitem(SOLVERS, "Lamb", Lamb)
    solver = make_solver('type: "Lamb" weight_decay: 0.5 random_seed: 2', net=WIDE_NET, dtype="float64")
    weight = solver.net.params["ip"][0]
    weight.data[0, 0] = 3
    solver.net.forward()
    solver.net.clear_param_diffs()
    solver.net.backward()
    before, full = weight.data.copy(), weight.diff + 0.5 * weight.data
    solver.apply_update()
    want = before - float(np.float32(0.1)) * np.linalg.norm(before) / np.linalg.norm(full) * full
    np.testing.assert_allclose(weight.data, want, rtol=1e-12)


@pytest.mark.parametrize("histories, update", [
    (1, lambda self, rate, gradient, scratch, history: None),
    (2, lambda self, rate, gradient, scratch, *history: None),
    (0, lambda self, rate, gradient, scratch: None),
    (2, lambda self, rate, values, gradient, scratch, history: None),
])
def test_an_update_that_does_not_see_the_values(histories, update):
    cls = type("Old", (Solver,), {"num_histories": histories, "update": update})
    with pytest.raises(SolverError) as caught:
        register_solver(cls)
    history = {0: "", 1: ", history", 2: ", history1, history2"}[histories]
    assert all(word in str(caught.value) for word in [
        "solver type Old", f"expected update(self, rate, values, gradient, scratch{history})", "got update(self, rate",
        "write `values` after `rate`"])
    assert "Old" not in SOLVERS


@pytest.mark.parametrize("settings, words", [
    ('type: "SDG"', ["solver.prototxt", "unknown solver type 'SDG'", "did you mean 'SGD'?"]),
    ('type: "AdaGrad" momentum: 0.9', ["solver.prototxt", "no momentum with AdaGrad", "got 0.9"]),
    ('type: "RMSProp" momentum: 0.9', ["no momentum with RMSProp"]),
    ('type: "RMSProp" rms_decay: 1', ["rms_decay in [0, 1)", "got 1"]),
    ('type: "RMSProp" rms_decay: -0.5', ["rms_decay in [0, 1)", "got -0.5"]),
    ('type: "AdaDelta" momentum: 1.5', ["momentum in [0, 1] for AdaDelta", "got 1.5"]),
    ('type: "Adam" momentum: 1', ["momentum in [0, 1) for Adam", "got 1"]),
    ('type: "Adam" momentum2: 1', ["momentum2 in [0, 1) for Adam", "got 1"]),
    ('type: "AdamW" momentum: 1', ["momentum in [0, 1) for AdamW", "got 1"]),
    ('type: "LBFGS" momentum: 0.9', ["no momentum with LBFGS"]),
    ('type: "LBFGS" clip_gradients: 1', ["LBFGS cannot clip", "remove clip_gradients"]),
    ('type: "LBFGS" regularization_type: "L1"', ['"L2" for LBFGS', "got L1"]),
    ("average_loss: 0", ["average_loss of at least 1", "got 0"]),
    ("iter_size: 0", ["iter_size of at least 1", "got 0"]),
    ('regularization_type: "L3"', ["unknown regularization_type 'L3'", "L1"]),
    ('lr_policy: "stepp"', ["unknown lr_policy 'stepp'"]),
    ('snapshot: 5 snapshot_prefix: "net.prototxt/x"', ["cannot write snapshots", "net.prototxt"]),
])
def test_settings_that_cannot_be(make_solver, settings, words):
    with pytest.raises(SolverError) as error:
        make_solver(settings)
    assert all(word in str(error.value) for word in words)


def test_a_message_needs_a_prefix_for_snapshots(make_solver):
    param = make_solver("max_iter: 1").param
    param.ClearField("snapshot_prefix")
    with pytest.raises(SolverError, match="no snapshot_prefix"):
        get_solver(param).solve()
    param.snapshot_after_train = False
    get_solver(param).solve()
