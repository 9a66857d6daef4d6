"""The kernel that updates all parameters at once on a GPU: it does what the `update` of each solver type does."""

import logging

import fakecupy
import numpy as np
import pytest

from blobnet.backend import to_host
from blobnet.errors import ShapeError, SolverError
from blobnet.ops.cuda import launch
from blobnet.ops.cuda.updates import RULES
from blobnet.proto.text import parse
from blobnet.solvers import SOLVERS, Solver, get_solver
from blobnet.solvers.flat_update import kernel_of
from blobnet.solvers.types.adam import Adam
from blobnet.solvers.types.sgd import SGD

pytestmark = pytest.mark.usefixtures("stand_in")

NET = """
layer { name: "x" type: "Input" top: "x" top: "y" input_param { shape { dim: 4 dim: 9 } shape { dim: 4 dim: 3 } } }
layer { name: "a" type: "InnerProduct" bottom: "x" top: "a" param { lr_mult: 1 } param { lr_mult: 2 decay_mult: 0 }
  inner_product_param { num_output: 40 weight_filler { type: "xavier" } } }
layer { name: "n" type: "BatchNorm" bottom: "a" top: "n" }
layer { name: "b" type: "InnerProduct" bottom: "n" top: "b" param { lr_mult: 0.5 decay_mult: 3 } param { lr_mult: 0 }
  inner_product_param { num_output: 3 weight_filler { type: "xavier" } bias_filler { value: 0.5 } } }
layer { name: "loss" type: "EuclideanLoss" bottom: "b" bottom: "y" top: "loss"
  loss_weight: 3
}
"""
ROOT = NET.replace('"BatchNorm"', '"Power" power_param { power: 0.5 shift: 100 }').replace(": 3\n", ": 1e-3\n")
TYPES = {
    "SGD": "momentum: 0.9", "Nesterov": "momentum: 0.9", "AdaGrad": "delta: 0.01",
    "RMSProp": "rms_decay: 0.7 delta: 0.01", "AdaDelta": "momentum: 0.7 delta: 0.01",
    "Adam": "momentum: 0.9 momentum2: 0.999 delta: 0.01", "AdamW": "momentum: 0.9 momentum2: 0.999 delta: 0.01"}
RULES_OF_ALL = ["", "weight_decay: 0.1", 'weight_decay: 0.1 regularization_type: "L1"',
                "clip_gradients: 0.05 weight_decay: 0.01", "clip_gradients: 1e6", "iter_size: 3 weight_decay: 0.01",
                "iter_size: 2 clip_gradients: 0.1"]


def make(settings, device="gpu", dtype="float32", net=NET, **options):
    text = f'base_lr: 0.1 lr_policy: "exp" gamma: 0.9 random_seed: 3 {settings}'
    param = parse(text, "SolverParameter")
    param.net_param.CopyFrom(parse(net, "NetParameter"))
    solver = get_solver(param, device=device, dtype=dtype, **options)
    feed(solver)
    return solver


def feed(solver, seed=1):
    rng, xp = np.random.default_rng(seed), solver.net.xp
    with solver.net.context.on_device():
        for name in "xy":
            blob = solver.net.blobs[name]
            blob.data[...] = xp.asarray(rng.normal(size=blob.shape).astype(blob.dtype))


def state(solver):
    blobs = [parameter.blob for parameter in solver.net.parameters]
    return [to_host(array) for array in (*(blob.data for blob in blobs), *(blob.diff for blob in blobs),
                                         *solver.history)]


def assert_same(mine, other, rtol):
    for one, two in zip(state(mine), state(other), strict=True):
        np.testing.assert_allclose(one, two, rtol=rtol, atol=rtol * max(1, np.abs(two).max(initial=0)))


def updates():
    return fakecupy.counts["kernel update_parameters"]


def trained(settings, device, dtype="float32", n=2, **options):
    solver = make(settings, device, dtype, **options)
    solver.step(n)
    return solver


@pytest.mark.parametrize("dtype, rtol", [("float32", 2e-4), ("float64", 1e-11)])
@pytest.mark.parametrize("rules", RULES_OF_ALL)
@pytest.mark.parametrize("kind, settings", TYPES.items())
def test_the_kernel_does_what_update_does(kind, settings, rules, dtype, rtol):
    text = f'type: "{kind}" {settings} {rules}'
    fakecupy.reset()
    mine = trained(text, "gpu", dtype)
    assert updates() == 2
    assert_same(mine, trained(text, "cpu", dtype), rtol)


@pytest.mark.parametrize("value, after", [(0, 0), (2, 1.99), (-2, -1.99), (np.nan, np.nan)])
def test_the_sign_of_a_weight_that_decays(value, after):
    solver = make('weight_decay: 0.1 regularization_type: "L1"', dtype="float64")
    solver.net.params["a"][0].data.fill(value)
    solver.net.clear_param_diffs()
    solver.apply_update()
    np.testing.assert_allclose(to_host(solver.net.params["a"][0].data), np.full((40, 9), after), rtol=1e-6)


def test_the_second_gpu():
    text = "momentum: 0.9 clip_gradients: 0.05"
    solver = trained(text, "gpu:1", n=1)
    fakecupy.devices.select(0)
    solver.step(1)
    assert_same(solver, trained(text, "cpu"), 2e-5)


def test_no_memory_for_the_flat_arrays(monkeypatch):
    monkeypatch.setattr(fakecupy.devices, "limits", [taken + 8000 for taken in fakecupy.devices.taken])
    with pytest.raises(ShapeError, match="solver: parameters and histories in one array each: no memory .Out of memory "
                       "allocating .* GiB of the GPU are free"):
        make("momentum: 0.9")


def test_every_rule_is_of_a_type():
    assert {kernel_of(cls) for cls in SOLVERS.values()} - {""} == set(RULES)
    assert {kind for kind, cls in SOLVERS.items() if kernel_of(cls)} == set(TYPES)


@pytest.mark.parametrize("blocks, threads", [(1, 32), (3, 64), (2112, 1024)])
def test_any_grid_gives_the_same(monkeypatch, blocks, threads):
    text = 'type: "Adam" momentum: 0.9 clip_gradients: 0.05 weight_decay: 0.1 delta: 0.01'
    before = trained(text, "gpu")
    monkeypatch.setattr(launch, "MOST_BLOCKS", blocks)
    monkeypatch.setattr(launch, "THREADS", threads)
    monkeypatch.setattr("blobnet.ops.cuda.updates.SHORTEST", 100)
    assert_same(trained(text, "gpu"), before, 1e-6)


def test_gaps_stay_empty():
    """Also where a rule makes NaN of 0."""
    solver = trained('type: "AdaGrad" delta: 0', "gpu", allow_nan=True)
    flat = solver._flat
    used = np.zeros(flat._data.size, bool)
    for start, count in zip(flat._data.starts, flat._data.counts):
        used[start:start + count] = True
    for array in (flat._data.whole(), flat._diffs.whole(), *flat._histories):
        assert not to_host(array)[~used].any() and to_host(array)[used].any()


def change_rates(solver):
    solver.net.parameters[0].lr_mult, solver.net.parameters[1].decay_mult = 0.1, 5


def change_settings(solver):
    solver.param.momentum, solver.param.weight_decay, solver.param.base_lr = 0.2, 0.5, 0.01


def change_weights(solver):
    solver.net.params["b"][0].data[...] = 0.1
    solver.history[0][...] = 0.2


@pytest.mark.parametrize("change", [change_rates, change_settings, change_weights])
def test_what_somebody_changes_between_iterations(change):
    both = [trained('type: "Nesterov" momentum: 0.9 weight_decay: 0.1', device) for device in ("gpu", "cpu")]
    for solver in both:
        change(solver)
        solver.step(2)
    assert_same(*both, 2e-4)


def move_history(solver):
    solver.history[0] = solver.history[0].copy()


def move_data(solver):
    blob = solver.net.params["a"][0]
    other = type(blob)(blob.shape, blob.xp, blob.dtype)
    other.data[...] = blob.data
    blob.share_data(other)


def grow(solver):
    blob = solver.net.params["a"][1]
    values = blob.data.copy()
    blob.reshape(1000)
    blob.data  # noqa: B018
    blob.reshape(40)
    blob.data[...] = values


@pytest.mark.parametrize("move", [move_history, move_data, grow])
def test_where_something_lies_elsewhere_each_is_updated_by_itself(move):
    both = [trained("momentum: 0.9 weight_decay: 0.1", device) for device in ("gpu", "cpu")]
    fakecupy.reset()
    for solver in both:
        move(solver)
        solver.step(2)
    assert not updates()
    assert_same(*both, 2e-4)


def test_a_shape_of_the_same_count_changes_nothing():
    both = [trained("momentum: 0.9", device) for device in ("gpu", "cpu")]
    fakecupy.reset()
    for solver in both:
        solver.net.params["a"][1].reshape(4, 10)
        solver.step(2)
    assert updates() == 2
    assert_same(*both, 2e-4)


class Plain(Solver):
    """A plug-in."""

    num_histories = 0

    def update(self, rate, values, gradient, scratch):
        gradient *= 2 * rate


class Twice(SGD):
    """Another update than that of SGD."""

    def update(self, rate, values, gradient, scratch, history):
        super().update(2 * rate, values, gradient, scratch, history)


class Free(SGD):
    """Another weight decay."""

    def regularize(self, values, gradient, scratch):
        gradient += 0.1


class Loose(SGD):
    """Without the decay."""

    decoupled_decay = True


class Warm(Adam):
    """The same update with another correction."""

    def corrections(self):
        return 0.5, 1.0


@pytest.mark.parametrize("cls, kernel", [(Plain, ""), (Twice, ""), (Free, ""), (Loose, ""), (Warm, "adam")])
def test_plug_ins(monkeypatch, cls, kernel):
    monkeypatch.setitem(SOLVERS, cls.__name__, cls)
    assert kernel_of(cls) == kernel
    fakecupy.reset()
    text = f'type: "{cls.__name__}" weight_decay: 0.1 clip_gradients: 0.5 delta: 0.01'
    assert_same(trained(text, "gpu"), trained(text, "cpu"), 2e-4)
    assert updates() == (2 if kernel else 0)


def test_a_net_without_parameters():
    net = NET[:NET.index('layer { name: "a"')] + NET[NET.index('layer { name: "loss"'):].replace(
        'bottom: "b"', 'bottom: "y"')
    solver = trained("", "gpu", net=net)
    assert solver.iter == 2 and solver.history == []


@pytest.mark.parametrize("settings, most", [("momentum: 0.9 weight_decay: 0.1", 4), ("clip_gradients: 1", 6)])
def test_few_operations(settings, most):
    """Clearing, the numbers of the iteration, the check of the gradients, the update; two more to clip."""
    solver = trained(settings, "gpu")
    fakecupy.reset()
    solver.net.clear_param_diffs()
    solver._passes.keep(solver.iter)
    kept = sum(fakecupy.counts[kind] for kind in ("kernels", "memset", "HtoD", "waits"))
    solver.apply_update()
    done = sum(fakecupy.counts[kind] for kind in ("kernels", "memset", "HtoD", "waits"))
    assert kept == 2 and done - 1 == most
    assert not fakecupy.counts["waits"]


@pytest.mark.parametrize("kind", ["SGD", "Adam"])
def test_a_gradient_that_is_not_finite_changes_nothing(kind):
    solver = trained(f'type: "{kind}" momentum: 0.9', "gpu", net=ROOT)
    weight, bias = solver.net.params["a"]
    kept = weight.data.copy(), bias.data.copy()
    weight.data[...], bias.data[...] = 0, -100  # the slope of the root is infinite there
    before = [array.copy() for array in state(solver)]
    with pytest.raises(SolverError, match="training stopped at iteration 2: the gradients are not finite") as caught:
        solver.step(3)
    assert "of the diff of bottom 'a' of layer 'n' (Power)" in str(caught.value)
    after, count = state(solver), len(solver.net.parameters)
    for one, two in zip(before[:count] + before[2 * count:], after[:count] + after[2 * count:]):
        np.testing.assert_array_equal(one, two)
    assert solver.iter == 2
    weight.data[...], bias.data[...] = kept
    solver.step(2)
    assert solver.iter == 4


def test_nan_is_allowed_where_that_is_asked_for():
    both = [make("clip_gradients: 1", device, allow_nan=True) for device in ("gpu", "cpu")]
    for solver in both:
        solver.net.params["a"][0].data[0, 0] = np.nan
        solver.step(2)
        assert np.isnan(state(solver)[0]).any()


def test_clipping_is_logged_where_it_is_displayed(caplog):
    lines = {}
    for device in ("gpu", "cpu"):
        caplog.clear()
        with caplog.at_level(logging.INFO):
            trained("clip_gradients: 0.01 display: 2 iter_size: 2", device, n=4)
        lines[device] = [record.getMessage() for record in caplog.records if "clipping" in record.getMessage()]
    assert len(lines["cpu"]) == 4 and lines["gpu"] == lines["cpu"][::2]


@pytest.mark.parametrize("kind", ["SGD", "Adam"])
def test_a_snapshot_continues_as_if_nothing_had_been(tmp_path, kind):
    text = f'type: "{kind}" momentum: 0.9 delta: 0.01 snapshot_prefix: "{tmp_path}/run"'
    solver = trained(text, "gpu")
    _, path = solver.snapshot()
    for device in ("gpu", "cpu"):
        other = make(text, device)
        other.restore(path)
        feed(other)
        other.step(2)
        if device == "gpu":
            solver.step(2)
        assert_same(other, solver, 2e-4)
