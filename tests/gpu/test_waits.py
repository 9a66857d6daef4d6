"""The host waits for a GPU only for what it shows: the ceiling of waits, and errors that nobody waited for."""

from pathlib import Path
from types import SimpleNamespace

import fakecupy
import numpy as np
import pytest

import blobnet
from blobnet.backend import to_host
from blobnet.core.without_data import without_data
from blobnet.errors import DataError, SolverError
from blobnet.netdef.load import load
from blobnet.proto.messages import new
from blobnet.proto.text import parse
from blobnet.solvers import passes
from blobnet.solvers.registry import SOLVERS

ROOT = Path(__file__).resolve().parents[2] / "prototxt"
PUBLISHED = {"lenet": ("lenet/train_test.prototxt", (4, 1, 28, 28)),
             "dsh": ("dsh/train_test_12.prototxt", (6, 3, 32, 32))}

INPUT = """layer { name: "data" type: "Input" top: "data" top: "label" input_param {
  shape { dim: 4 dim: 3 dim: 9 dim: 9 } shape { dim: 4 } } }
"""
LOSS = """layer { name: "ip" type: "InnerProduct" bottom: "BELOW" top: "ip" inner_product_param {
  num_output: 5 weight_filler { type: "xavier" } } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }
"""
TINY = INPUT + LOSS.replace("BELOW", "data")
SMALL = {
    "alexnet": INPUT + """
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv" convolution_param {
  num_output: 4 kernel_size: 3 group: 1 weight_filler { type: "xavier" } } }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
layer { name: "norm" type: "LRN" bottom: "conv" top: "norm" lrn_param { local_size: 3 } }
layer { name: "pool" type: "Pooling" bottom: "norm" top: "pool" pooling_param { kernel_size: 3 stride: 2 } }
layer { name: "groups" type: "Convolution" bottom: "pool" top: "groups" convolution_param {
  num_output: 4 kernel_size: 3 pad: 1 group: 2 weight_filler { type: "xavier" } } }
layer { name: "fc" type: "InnerProduct" bottom: "groups" top: "fc" inner_product_param {
  num_output: 8 weight_filler { type: "xavier" } } }
layer { name: "drop" type: "Dropout" bottom: "fc" top: "fc" }
""" + LOSS.replace("BELOW", "fc") + """
layer { name: "accuracy" type: "Accuracy" bottom: "ip" bottom: "label" top: "accuracy" include { phase: TEST } }
""",
    "resnet": INPUT + """
layer { name: "a" type: "Convolution" bottom: "data" top: "a" convolution_param {
  num_output: 4 kernel_size: 3 pad: 1 bias_term: false weight_filler { type: "msra" } } }
layer { name: "a/bn" type: "BatchNorm" bottom: "a" top: "a" }
layer { name: "a/scale" type: "Scale" bottom: "a" top: "a" scale_param { bias_term: true } }
layer { name: "a/relu" type: "ReLU" bottom: "a" top: "a" }
layer { name: "b" type: "Convolution" bottom: "a" top: "b" convolution_param {
  num_output: 4 kernel_size: 1 bias_term: false weight_filler { type: "msra" } } }
layer { name: "b/bn" type: "BatchNorm" bottom: "b" top: "b" }
layer { name: "b/scale" type: "Scale" bottom: "b" top: "b" scale_param { bias_term: true } }
layer { name: "sum" type: "Eltwise" bottom: "a" bottom: "b" top: "sum" }
layer { name: "sum/relu" type: "ReLU" bottom: "sum" top: "sum" }
layer { name: "pool" type: "Pooling" bottom: "sum" top: "pool" pooling_param { pool: AVE global_pooling: true } }
""" + LOSS.replace("BELOW", "pool"),
    "ignore": INPUT + LOSS.replace("BELOW", "data").replace('top: "loss" }',
                                                           'top: "loss" loss_param { ignore_label: 255 } }')}


def solver(net=TINY, kind="SGD", device="gpu", **settings):
    """A solver on the stand-in, whose data is noise and whose labels are 0 ... 3."""
    if net in PUBLISHED:
        path, shape = PUBLISHED[net]
        definition = without_data(load(ROOT / path, blobnet.TRAIN), {"data": shape, "label": shape[:1]})
    else:
        definition = parse(SMALL.get(net, net), "NetParameter", origin="net")
    settings = {"base_lr": 0.01, "lr_policy": "fixed", "weight_decay": 0.004, "random_seed": 1, "type": kind,
                "snapshot_after_train": False, **settings}
    made = blobnet.get_solver(new("SolverParameter", net_param=definition, **settings), device=device)
    fill(made.net)
    return made


def fill(net):
    data, label = net.blobs["data"].data, net.blobs["label"].data
    data[...] = net.xp.asarray(np.random.default_rng(1).standard_normal(data.shape, "float32"))
    label[...] = net.xp.arange(label.size, dtype=label.dtype).reshape(label.shape) % 4


def waits(made):
    """Where the host waited, and how often, in the third of four iterations."""
    found = {}

    def before_iteration(iteration):
        if iteration == 2:
            fakecupy.reset()
        elif iteration == 3:
            found.update(fakecupy.sites)

    with made.watched_by(SimpleNamespace(before_iteration=before_iteration)):
        made.step(4)
    return found


def weights(net):
    return [to_host(parameter.blob.data).copy() for parameter in net.parameters]


@pytest.mark.parametrize("net", [*PUBLISHED, *SMALL])
def test_an_iteration_waits_for_nothing(net, stand_in):
    assert waits(solver(net)) == {}


# L-BFGS is scipy's, on the CPU.
@pytest.mark.parametrize("kind", sorted(SOLVERS.keys() - {"LBFGS"}))
def test_no_solver_waits(kind, stand_in):
    assert waits(solver(kind=kind, iter_size=2)) == {}


def test_clipped_gradients_are_not_waited_for(stand_in):
    assert waits(solver(clip_gradients=1)) == {}


def test_a_display_waits_for_what_it_shows(stand_in):
    found = waits(solver(display=1))
    assert sum(found.values()) == 3, found  # whether all was well, the losses, the output "loss"


def test_a_test_waits_for_what_it_shows(stand_in):
    net = blobnet.Net(parse(SMALL["resnet"], "NetParameter", origin="net"), blobnet.TEST, device="gpu", random_seed=1)
    fill(net)
    net.forward()
    fakecupy.reset()
    net.forward()
    assert fakecupy.sites == {}
    assert np.isfinite(net.loss)
    assert sum(fakecupy.sites.values()) == 2  # whether all was well, the loss


class Wrong:
    """Watches a net: in the forward of step 2 alone, its input or a gradient has a number that is wrong."""

    def __init__(self, net, which, value):
        self.net, self.which, self.value = net, which, value

    def before_forward_pass(self, whole):
        fill(self.net)
        if self.which in ("data", "label") and self.net.context.step == 2:
            self.net.blobs[self.which].data[1] = self.value

    def after_backward_pass(self, whole):
        if self.which == "diff" and self.net.context.step == 3:
            self.net.params["ip"][0].diff[0, 7] = self.value


WRONG = {  # what is wrong, and what the error says
    "a label that is no class": ("label", 5, DataError, r"layer 'loss' .*labels in 0 ... 4.*got 5"),
    "a label below 0": ("label", -1, DataError, r"layer 'loss' .*labels in 0 ... 4.*got -1"),
    "a label that is not whole": ("label", 1.5, DataError, r"layer 'loss' .*'label' at \[1\].*whole number.*got 1.5"),
    "a label that is nan": ("label", np.nan, DataError, r"'label' at \[1\].*got nan"),
    "a loss": ("data", np.nan, SolverError, r"stopped at iteration 2: the loss is nan; the first .* 'data'"),
    "a gradient": ("diff", np.inf, SolverError, r"stopped at iteration 2: the gradients are not finite; the first .*: "
                   r"inf at \(0, 7\) of the diff of parameter 0 of layer 'ip'")}


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("late, device", [("", "cpu"), ("", "gpu"), ("display", "gpu"), ("test", "gpu"),
                                          ("snapshot", "gpu"), ("loss", "gpu")])
def test_what_is_wrong_is_said_in_time(wrong, late, device, stand_in, tmp_path):
    """As on the CPU: the error, the iteration where training stands, its losses and its weights."""
    which, value, kind, words = WRONG[wrong]
    settings = {"display": {"display": 4}, "test": {"test_interval": 4, "test_iter": [1]}}.get(late, {})
    made, right = (solver(device=device, snapshot_prefix=str(tmp_path / "run"), momentum=0.9, **settings)
                   for _ in range(2))
    for net in made.test_nets:
        fill(net)
    with right.net.watched_by(Wrong(right.net, "", 0)):
        right.step(2)
    end = {"snapshot": made.snapshot, "loss": lambda: made.net.loss}.get(late, lambda: None)
    ending = SimpleNamespace(after_update=lambda iteration, rate: end() if iteration == 5 else None)
    with made.net.watched_by(Wrong(made.net, which, value)), made.watched_by(ending):
        with pytest.raises(kind, match=words):
            made.step(6)
        assert made.iter == 2 and made.losses.points()[0].tolist() == [0, 1] + [2] * (which == "diff")
        assert made.net.context.step == (2 if (which, device) == ("label", "cpu") else 3)
        assert not [*tmp_path.iterdir()]
        for mine, other in zip(weights(made.net), weights(right.net)):
            np.testing.assert_array_equal(mine, other)
    fill(made.net)
    made.step(2)  # all is well again
    assert made.iter == 4


@pytest.mark.parametrize("which, value, kind, words", [
    ("label", 7, DataError, r"layer 'loss' .*labels in 0 ... 4, got 7"),
    ("data", np.nan, SolverError, r"stopped at iteration 5: the loss is nan; all blobs are finite now")])
def test_what_is_wrong_in_a_graph_is_said(which, value, kind, words, stand_in):
    """As above, where passes are replayed, which nobody watches; the input was filled anew meanwhile."""
    def before_iteration(iteration):
        fill(made.net)
        assert made._replay.captured == (iteration > 2)
        if iteration == 5:
            made.net.blobs[which].data[1] = value

    made, right = solver(), solver()
    right.step(5)
    with made.watched_by(SimpleNamespace(before_iteration=before_iteration)), pytest.raises(kind, match=words):
        made.step(9)
    assert made.iter == 5
    for mine, other in zip(weights(made.net), weights(right.net)):
        np.testing.assert_array_equal(mine, other)


@pytest.mark.parametrize("settings", [{}, {"iter_size": 3, "average_loss": 4}, {"iter_size": 7, "display": 2}])
def test_losses_are_those_of_the_cpu(settings, stand_in, monkeypatch):
    """Also where more passes are made than losses stay on the device."""
    monkeypatch.setattr(passes, "MOST", 5)
    runs = {}
    for device in ("cpu", "gpu"):
        made, seen = solver(device=device, **settings), []
        with made.watched_by(SimpleNamespace(gradients_ready=lambda iteration, loss, seen=seen: seen.append(loss))):
            made.step(4)
        made.step(7)
        runs[device] = [*seen, made.loss, made.smoothed_loss, made.net.loss, *made.losses.last(20)]
        assert made.losses.points()[0].tolist() == [*range(11)]
    np.testing.assert_allclose(runs["gpu"], runs["cpu"], rtol=1e-5)


def test_a_step_cut_short_leaves_whole_iterations(stand_in):
    class Interrupt(BaseException):
        pass

    def before_backward_pass(whole):
        if made.net.context.step == 6:
            raise Interrupt

    made = solver(iter_size=2)
    with made.net.watched_by(SimpleNamespace(before_backward_pass=before_backward_pass)), pytest.raises(Interrupt):
        made.step(5)
    assert made.iter == 2
    made.step(1)
    assert made.losses.points()[0].tolist() == [0, 1, 2]


@pytest.mark.parametrize("which, value, kind, words", [
    ("label", 7, DataError, r"layer 'loss' .*labels in 0 ... 4, got 7"),
    ("data", np.nan, SolverError, r"stopped at iteration 3: the loss of test net #0 is nan; the first .* 'data'")])
def test_a_test_says_what_is_wrong(which, value, kind, words, stand_in):
    made = solver(test_iter=[4], test_interval=100, test_initialization=False)
    made.step(3)
    test = made.test_nets[0]
    with test.watched_by(Wrong(test, which, value)), pytest.raises(kind, match=words):
        made.test_all()
    fill(test)
    assert np.isfinite(made.test_all()[0]["loss"]) and made.iter == 3
