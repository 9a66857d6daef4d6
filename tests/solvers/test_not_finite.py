"""Numbers that are not finite: found, named, kept out of weights and snapshots; and settings that are none."""

import numpy as np
import pytest

from blobnet.core.net import Net
from blobnet.core.not_finite import PIECE, all_finite, first_not_finite
from blobnet.errors import SolverError
from blobnet.proto.text import parse
from blobnet.solvers.snapshot import find_latest

DATA = """layer { name: "x" type: "DummyData" top: "x" top: "y" dummy_data_param {
  shape { dim: 1 dim: 2 } shape { dim: 1 dim: 1 } data_filler { value: VALUE } data_filler { value: 0 } } }
"""
IP = """layer { name: "ip" type: "InnerProduct" bottom: "BOTTOM" top: "ip" inner_product_param {
  num_output: 1 weight_filler { value: 1 } } }
"""
LOSS = 'layer { name: "loss" type: "EuclideanLoss" bottom: "LAST" bottom: "y" top: "loss" }'


def chain(value="1", before="", after="", bottom="x", last="ip"):
    return (DATA.replace("VALUE", value) + before + IP.replace("BOTTOM", bottom) + after + LOSS.replace("LAST", last))


LOG = 'layer { name: "log" type: "Log" bottom: "x" top: "log" }'
IN_PLACE = 'layer { name: "act" type: "Log" bottom: "ip" top: "ip" }'
ROOT = 'layer { name: "root" type: "Power" bottom: "ip" top: "root" power_param { power: 0.5 } }'
TWO = 'layer { name: "more" type: "Power" bottom: "ip" top: "more" power_param { power: 0.5 } loss_weight: 1 }'


@pytest.mark.parametrize("net, words", [
    (chain("nan"), ["nan at (0, 0) of top 'x' of layer 'x' (DummyData) itself", "no bottoms"]),
    (chain("-1", before=LOG, bottom="log"), ["nan at (0, 0) of top 'log' of layer 'log' (Log)"]),
    (chain("0", before=LOG, bottom="log"), ["-inf at (0, 0) of top 'log'"]),
    (chain("-1", after=IN_PLACE), ["top 'ip' of layer 'ip' (InnerProduct), as layer 'act' (Log) left it, in place"]),
    (chain("1e30"), ["loss is inf", "inf at () of top 'loss' of layer 'loss' (EuclideanLoss)"]),
    (chain("0", after=ROOT, last="root"), ["gradients", "of the diff of bottom 'ip' of layer 'root' (Power)"]),
    (chain("0", after=TWO, last="ip"), ["gradients", "the diff of bottom 'ip_ip_0_split_0' of layer 'more' (Power)"]),
])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # which the layers themselves may give
def test_the_first_is_named(make_solver, net, words):
    solver = make_solver('snapshot_prefix: "run" snapshot: 1', net=net)
    before = [parameter.blob.data.copy() for parameter in solver.net.parameters]
    with pytest.raises(SolverError) as caught:
        solver.step(3)
    text = str(caught.value)
    words = ["solver.prototxt: training stopped at iteration 0", "--allow-nan", *words]
    assert all(word in text for word in words), text
    assert solver.iter == 0 and find_latest("run") is None
    for mine, old in zip(solver.net.parameters, before):
        np.testing.assert_array_equal(mine.blob.data, old)


def test_a_parameter(make_solver):
    solver = make_solver('snapshot_prefix: "run"')
    solver.step(1)
    solver.net.params["ip"][0].data[...] = np.nan
    with pytest.raises(SolverError, match=r"no snapshot at iteration 1: .*nan at \(0, 0\) of parameter 0 of layer"):
        solver.snapshot()
    with pytest.raises(SolverError, match=r"iteration 1: the loss is nan; .*parameter 0 of layer 'ip' .*last update"):
        solver.step(1)
    assert find_latest("run") is None


def test_history_is_not_written(make_solver):
    solver = make_solver('snapshot_prefix: "run"')
    solver.history[0][...] = np.inf
    with pytest.raises(SolverError, match="the history of the solver"):
        solver.snapshot()


def test_a_loop_of_ones_own(make_solver, weight):
    solver = make_solver("")
    solver.net.forward()
    solver.net.backward()
    solver.net.params["ip"][0].diff[...] = np.inf
    with pytest.raises(SolverError, match="inf at .* of the diff of parameter 0 of layer 'ip'"):
        solver.apply_update()
    assert (solver.iter, weight(solver)) == (0, 1)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_allow_nan_goes_on(make_solver):
    solver = make_solver('max_iter: 2 snapshot_prefix: "run" test_iter: 1 test_interval: 1', net=chain("nan"),
                         allow_nan=True)
    solver.solve()
    assert solver.iter == 2 and np.isnan(solver.loss) and find_latest("run") == "run_iter_2.solverstate"


@pytest.mark.parametrize("loss, words", [
    ("loss_weight: 1", "the loss of test net #0 is nan"), ("", "output 'out' of test net #0 is not finite")])
def test_tests(make_solver, loss, words):
    extra = f"""layer {{ name: "z" type: "DummyData" top: "out" {loss} include {{ phase: TEST }} dummy_data_param {{
        shape {{ dim: 1 }} data_filler {{ value: nan }} }} }}"""
    solver = make_solver("test_iter: 2 test_interval: 2", net=chain() + extra)
    with pytest.raises(SolverError, match=f"iteration 0: {words}; .* of top 'out' of layer 'z'"):
        solver.step(1)


@pytest.mark.parametrize("field", ["base_lr", "gamma", "power", "momentum", "momentum2", "weight_decay", "delta",
                                   "rms_decay", "clip_gradients"])
@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e99"])
def test_settings(make_solver, field, value):
    with pytest.raises(SolverError, match=rf"solver\.prototxt:1:\d+: expected a finite number for {field}, got"):
        make_solver(f"{field}: {value}")


def test_settings_as_yaml(make_solver, tmp_path):
    make_solver("")
    (tmp_path / "s.yaml").write_text("net: net.prototxt\nlr_policy: fixed\nbase_lr: .nan\n")
    with pytest.raises(SolverError, match=r"s\.yaml:3:10: expected a finite number for base_lr, got nan"):
        type(make_solver(""))(tmp_path / "s.yaml")


def test_multipliers(make_solver):
    with pytest.raises(SolverError, match="layer 'ip' .*a finite lr_mult of parameter 0, got nan"):
        make_solver("", param="param { lr_mult: nan }")


def test_a_rate_that_grows_too_large(make_solver, weight):
    solver = make_solver('lr_policy: "exp" gamma: 1e30 base_lr: 1e-9')
    solver.iter = 20
    with pytest.raises(SolverError, match="the learning rate is inf at iteration 20"):
        solver.step(1)
    assert weight(solver) == 1


def test_an_update_that_is_cut_short(make_solver):
    """Its weights are not written and not trained on, until a state is restored."""
    solver = make_solver('snapshot_prefix: "run"')
    solver.step(1)
    _, state = solver.snapshot()
    solver.update = lambda *args: (_ for _ in ()).throw(KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        solver.step(1)
    for call in (solver.snapshot, lambda: solver.step(1)):
        with pytest.raises(SolverError, match="the update of iteration 1 was cut short.*restore a snapshot"):
            call()
    del solver.update
    solver.restore(state)
    solver.step(1)
    assert solver.iter == 2


@pytest.mark.parametrize("place", [None, 0, PIECE, 3 * PIECE + 6])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_all_finite(monkeypatch, place, value):
    monkeypatch.setenv("BLOBNET_NUM_THREADS", "2")
    array = np.full(3 * PIECE + 7, 3e38, np.float32)  # whose sum is inf
    if place is not None:
        array[place] = value
    assert all_finite([np.zeros(0, np.float32), array]) is (place is None)


def test_a_sound_net_has_none():
    net = Net(parse(chain(), "NetParameter"), 0)
    net.forward()
    net.backward()
    assert first_not_finite(net.nodes) is None
