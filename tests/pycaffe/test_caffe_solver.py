"""caffe.SGDSolver and its siblings, in the loops that scripts write."""

from __future__ import annotations

import caffe
import numpy as np
import pytest

from blobnet.errors import DeviceError, SolverError

NET = '''
layer { name: "d" type: "DummyData" top: "x" top: "label" dummy_data_param {
  shape { dim: 6 dim: 4 } shape { dim: 6 }
  data_filler { type: "gaussian" } data_filler { type: "constant" value: 1 } } }
layer { name: "ip" type: "InnerProduct" bottom: "x" top: "ip" inner_product_param {
  num_output: 3 weight_filler { type: "xavier" } } }
layer { name: "drop" type: "Dropout" bottom: "ip" top: "ip" }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }
layer { name: "accuracy" type: "Accuracy" bottom: "ip" bottom: "label" top: "accuracy" include { phase: TEST } }
'''
TYPES = {"SGD": "momentum: 0.9", "Nesterov": "momentum: 0.9", "AdaGrad": "", "RMSProp": "rms_decay: 0.98",
         "AdaDelta": "momentum: 0.95 delta: 1e-6", "Adam": "momentum: 0.9 momentum2: 0.999"}


@pytest.fixture
def write(tmp_path):
    def write(options="momentum: 0.9", kind="SGD"):
        (tmp_path / "net.prototxt").write_text(NET)
        path = tmp_path / "solver.prototxt"
        path.write_text(f'net: "{tmp_path}/net.prototxt" test_iter: 2 test_interval: 1000 base_lr: 0.1 max_iter: 12 '
                        f'lr_policy: "step" stepsize: 10 gamma: 0.1 type: "{kind}" '
                        f'snapshot_prefix: "{tmp_path}/s" {options}')
        return str(path)
    return write


@pytest.mark.parametrize("kind, options", TYPES.items())
def test_types(write, kind, options):
    path = write(options, kind)
    cls = getattr(caffe, f"{kind}Solver")
    for solver in (cls(path), caffe.get_solver(path)):
        assert type(solver) is cls and isinstance(solver, caffe.SGDSolver)
        before = solver.net.params["ip"][0].data.copy()
        solver.step(2)
        assert solver.iter == 2 and not np.array_equal(before, solver.net.params["ip"][0].data)


def test_the_class_decides_not_the_file(write):
    assert type(caffe.NesterovSolver(write(kind="SGD")).core).__name__ == "Nesterov"
    with pytest.raises(SolverError, match="unknown solver type 'SDG'; did you mean 'SGD'"):
        caffe.get_solver(write(kind="SDG"))


def test_a_loop_with_arrays_to_plot(write):
    caffe.set_random_seed(1)
    solver = caffe.get_solver(write())
    losses, accuracy = np.zeros(20), np.zeros(4)
    for it in range(20):
        solver.step(1)
        losses[it] = solver.net.blobs["loss"].data
        if it % 5 == 0:
            correct = 0
            solver.test_nets[0].forward(start="d")
            for _ in range(3):
                solver.test_nets[0].forward()
                correct += solver.test_nets[0].blobs["accuracy"].data
            accuracy[it // 5] = correct / 3
    assert losses[-5:].mean() < losses[:5].mean() / 2 and accuracy[-1] == 1
    assert solver.net is solver.net and len(solver.test_nets) == 1


def test_solve_snapshot_restore(write, tmp_path):
    solver = caffe.SGDSolver(write("momentum: 0.9 snapshot: 5"))
    solver.solve()
    assert solver.iter == 12 and solver.lr == pytest.approx(0.01)
    again = caffe.SGDSolver(write())
    again.restore(str(tmp_path / "s_iter_12.solverstate"))
    assert again.iter == 12
    np.testing.assert_array_equal(again.net.params["ip"][0].data, solver.net.params["ip"][0].data)
    third = caffe.SGDSolver(write())
    third.solve(str(tmp_path / "s_iter_10.solverstate"))
    assert third.iter == 12
    third.step(1)
    third.snapshot()
    assert (tmp_path / "s_iter_13.caffemodel").exists()


def test_apply_update(write):
    solver = caffe.SGDSolver(write())
    weights, bias = solver.net.layers[1].blobs
    weights.data[...], weights.diff[...] = 0, 1
    bias.diff[...] = 0
    solver.apply_update()
    np.testing.assert_allclose(weights.data, -0.1, rtol=1e-6)
    assert solver.iter == 1


@pytest.mark.parametrize("kind, options", TYPES.items())
def test_a_loop_of_ones_own_is_step(write, kind, options, tmp_path):
    path, nets = write(f"{options} random_seed: 4", kind), []
    for by_hand in (False, True):
        solver = caffe.get_solver(path)
        for _ in range(12 if by_hand else 0):  # the rate falls after 10
            solver.net.clear_param_diffs()
            solver.net.forward()
            solver.net.backward()
            solver.apply_update()
        solver.step(0 if by_hand else 12)
        assert solver.iter == 12 and solver.lr == pytest.approx(0.01)
        nets.append(solver.net)
    solver.snapshot()
    assert (tmp_path / "s_iter_12.solverstate").exists()
    np.testing.assert_array_equal(*(net.params["ip"][0].data for net in nets))


def test_settings_can_be_changed(write):
    solver = caffe.SGDSolver(write("momentum: 0"))
    assert solver.param.max_iter == 12 and solver.param.display == 0 and solver.param.layer_wise_reduce
    solver.param.base_lr = 0
    before = solver.net.params["ip"][0].data.copy()
    solver.step(1)
    np.testing.assert_array_equal(before, solver.net.params["ip"][0].data)


def test_share_weights(write, tmp_path):
    solver = caffe.SGDSolver(write())
    net = caffe.Net(str(tmp_path / "net.prototxt"), caffe.TEST)
    solver.share_weights(net)
    solver.step(3)
    np.testing.assert_array_equal(net.params["ip"][0].data, solver.net.params["ip"][0].data)


def test_callbacks_and_hooks(write):
    solver = caffe.SGDSolver(write("momentum: 0.9 iter_size: 2"))
    seen = []
    solver.add_callback(lambda: seen.append("start"), lambda: seen.append("ready"))
    solver.net.before_forward(lambda i: seen.append(i))
    solver.net.after_backward(lambda i: seen.append(-i))
    solver.step(1)
    down = [0, 1, 2, 3]
    assert seen == ["start", *2 * (down + [-i for i in reversed(down)]), "ready"]


def test_hooks_do_not_change_a_training(write):
    weights = []
    for hooked in (False, True):
        solver = caffe.SGDSolver(write("momentum: 0.9 random_seed: 5"))
        if hooked:
            solver.net.after_forward(lambda i: None)
        solver.step(4)
        weights.append(solver.net.params["ip"][0].data)
    np.testing.assert_array_equal(*weights)


def test_hooks_beside_debug_info(write, caplog):
    caplog.set_level("INFO", logger="blobnet")
    solver = caffe.SGDSolver(write("momentum: 0.9 debug_info: true display: 2"))
    seen = []
    solver.net.after_backward(lambda i: seen.append(i))
    solver.step(3)
    assert seen == [3, 2, 1, 0] * 3
    assert caplog.text.count("[Backward] All net params") == 2  # in iterations 0 and 2
    assert caplog.text.count("[Backward] Layer drop, bottom blob ip") == 2


def test_random_seed(write):
    path, weights = write(), []
    for _ in range(2):
        caffe.set_random_seed(8)
        solver = caffe.SGDSolver(path)
        solver.step(3)
        weights.append(solver.net.params["ip"][0].data)
    np.testing.assert_array_equal(*weights)


def test_one_solver_with_nccl(write):
    """As Caffe's script for several GPUs has it, run for one."""
    uid = caffe.NCCL.new_uid()
    assert isinstance(uid, bytes) and not caffe.has_nccl()
    assert (caffe.solver_count(), caffe.solver_rank()) == (1, 0)
    caffe.set_multiprocess(True)
    solver = caffe.SGDSolver(write())
    nccl = caffe.NCCL(solver, uid)
    nccl.bcast()
    solver.add_callback(nccl)
    solver.net.after_backward(nccl)
    solver.step(2)
    assert solver.iter == 2
    caffe.set_solver_count(2)
    caffe.set_solver_rank(1)
    assert (caffe.solver_count(), caffe.solver_rank()) == (2, 1)
    with pytest.raises(DeviceError, match="NCCL: expected one solver, got solver_count 2"):
        caffe.NCCL(solver, uid)
