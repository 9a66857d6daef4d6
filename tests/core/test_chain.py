"""Chains: layers that are computed together leave what they would leave if each ran for itself."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

import blobnet
from blobnet.core.chain import Chain
from blobnet.core.profile import Profile
from blobnet.errors import ShapeError
from blobnet.proto.text import parse

SCALE = 'scale_param { bias_term: true filler { type: "gaussian" std: 1 } bias_filler { type: "gaussian" std: 1 } }'


def net_of(*layers, shape="dim: 4 dim: 3 dim: 5 dim: 6", phase=blobnet.TRAIN):
    """x, a learned factor and bias for each channel, `layers` (type, bottom, top, more), a sum of squares as loss."""
    text = 'force_backward: true ' \
           f'layer {{ name: "in" type: "Input" top: "x" input_param {{ shape {{ {shape} }} }} }} ' \
           f'layer {{ name: "first" type: "Scale" bottom: "x" top: "y" {SCALE} }}'
    for i, (kind, bottom, top, *more) in enumerate(layers):
        text += f' layer {{ name: "{kind}{i}" type: "{kind}" bottom: "{bottom}" top: "{top}" {" ".join(more)} }}'
    text += f' layer {{ name: "loss" type: "Reduction" bottom: "{layers[-1][2]}" top: "loss" loss_weight: 1 ' \
            'reduction_param { operation: SUMSQ coeff: 0.3 } }'
    net = blobnet.Net(parse(text, "NetParameter"), phase, dtype="float64", random_seed=3)
    net.blobs["x"].data[...] = np.random.default_rng(1).normal(2, 3, net.blobs["x"].shape)
    return net


def chains(net):
    return [step.kind for step in net.steps if isinstance(step, Chain)]


def one_by_one(net):
    """Watched, so that no chain runs."""
    return net.watched_by(SimpleNamespace(before_forward=lambda node: None, after_backward=lambda node: None))


def passes(net, rounds=2):
    for _ in range(rounds):
        net.forward()
        net.backward()


def left(net):
    """Everything that a pass leaves."""
    found = {f"{name} {of}": getattr(blob, of).copy() for name, blob in net.blobs.items() for of in ("data", "diff")}
    for name, blobs in net.params.items():
        for i, blob in enumerate(blobs):
            found |= {f"{name} {i} data": blob.data.copy(), f"{name} {i} diff": blob.diff.copy()}
    return found


def same(one, other):
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_allclose(one[name], other[name], rtol=1e-9, atol=1e-9, err_msg=name)


NETS = {
    "in place": ([("BatchNorm", "y", "y"), ("Scale", "y", "y", SCALE), ("ReLU", "y", "y")], "BatchNorm + Scale + ReLU"),
    "its own top": ([("BatchNorm", "y", "z"), ("Scale", "z", "z", SCALE), ("ReLU", "z", "z")],
                    "BatchNorm + Scale + ReLU"),
    "no ReLU": ([("BatchNorm", "y", "z"), ("Scale", "z", "z", SCALE)], "BatchNorm + Scale"),
    "no bias": ([("BatchNorm", "y", "y"), ("Scale", "y", "y"), ("ReLU", "y", "y")], "BatchNorm + Scale + ReLU"),
    "leaky ReLU": ([("BatchNorm", "y", "y"), ("Scale", "y", "y", SCALE), ("ReLU", "y", "y",
                    "relu_param { negative_slope: 0.1 }")], "BatchNorm + Scale"),
    "frozen scale": ([("BatchNorm", "y", "y"), ("Scale", "y", "y", SCALE, "param { lr_mult: 0 }"), ("ReLU", "y", "y")],
                     "BatchNorm + Scale + ReLU"),
    "a layer after it in place": ([("BatchNorm", "y", "y"), ("Scale", "y", "y", SCALE), ("ReLU", "y", "y"),
                                   ("Sigmoid", "y", "y")], "BatchNorm + Scale + ReLU"),
    "given statistics": ([("BatchNorm", "y", "y", "batch_norm_param { use_global_stats: true }"),
                          ("Scale", "y", "y", SCALE), ("ReLU", "y", "y")], "BatchNorm + Scale + ReLU"),
    "ReLU first": ([("BatchNorm", "y", "y"), ("ReLU", "y", "y"), ("Scale", "y", "y", SCALE)], None),
    "not in place": ([("BatchNorm", "y", "z"), ("Scale", "z", "u", SCALE), ("ReLU", "u", "u")], None),
    "along another axis": ([("BatchNorm", "y", "y"), ("Scale", "y", "y", "scale_param { axis: 2 }")], None),
}


@pytest.mark.parametrize("shape", ["dim: 4 dim: 3 dim: 5 dim: 6", "dim: 1 dim: 3 dim: 20 dim: 20", "dim: 9 dim: 3"])
@pytest.mark.parametrize("name", NETS)
def test_all_that_it_leaves(name, shape):
    layers, kind = NETS[name]
    if name == "along another axis" and "6" not in shape and "20" not in shape:
        pytest.skip("there is no such axis")
    together, apart = net_of(*layers, shape=shape), net_of(*layers, shape=shape)
    assert chains(together) == [kind] * (kind is not None)
    passes(together)
    with one_by_one(apart):
        passes(apart)
    same(left(together), left(apart))


@pytest.mark.parametrize("forward_apart", [True, False])
def test_a_pass_each_way(forward_apart):
    net, apart = (net_of(*NETS["its own top"][0]) for _ in range(2))
    with one_by_one(apart):
        apart.forward()
        apart.backward()
    for run, alone in ((net.forward, forward_apart), (net.backward, not forward_apart)):
        if alone:
            with one_by_one(net):
                run()
        else:
            run()
    same(left(net), left(apart))


@pytest.mark.parametrize("end", ["BatchNorm0", "Scale1", "ReLU2"])
def test_a_part_of_a_pass(end):
    net, apart = (net_of(*NETS["in place"][0]) for _ in range(2))
    net.forward(end=end)
    with one_by_one(apart):
        apart.forward(end=end)
    same(left(net), left(apart))


def test_in_test_phase_with_the_statistics_of_training():
    layers, results = NETS["its own top"][0], []
    trained = net_of(*layers)
    passes(trained)
    for event in ("before_forward_pass", "before_forward"):
        net = net_of(*layers, phase=blobnet.TEST)
        net.share_with(trained)
        net.blobs["x"].data[...] *= 2
        for parameter in net.parameters:
            parameter.blob.diff.fill(0)
        assert chains(net) == ["BatchNorm + Scale + ReLU"]
        with net.watched_by(SimpleNamespace(**{event: lambda what: None})):
            net.forward()
        net.backward()
        results.append(left(net))
    same(*results)


def test_new_shapes():
    net, apart = (net_of(*NETS["in place"][0]) for _ in range(2))
    x = np.random.default_rng(2).normal(size=(6, 3, 9, 2))
    for each, run in ((net, None), (apart, one_by_one(apart))):
        passes(each)
        each.blobs["x"].reshape(x.shape)
        each.blobs["x"].data[...] = x
        each.clear_param_diffs()
        if run is None:
            passes(each, 1)
        else:
            with run:
                passes(each, 1)
    for name in ("x", "y"):
        np.testing.assert_allclose(net.blobs[name].diff, apart.blobs[name].diff, atol=1e-9)


def test_an_error_names_the_layer_that_makes_it():
    net = net_of(*NETS["in place"][0])
    net.params["Scale1"][0].reshape(2)
    with pytest.raises(ShapeError, match="Scale1"):
        net.blobs["x"].reshape(2, 3, 4, 4)
        net.forward()


def test_who_sees_them():
    net, seen = net_of(*NETS["in place"][0]), []
    with net.watched_by(SimpleNamespace(before_forward=lambda node: seen.append(node.kind))):
        net.forward()
    assert seen == [layer.type for layer in net.layers]
    with net.watched_by(SimpleNamespace(takes_chains=True, before_forward=lambda node: seen.append(node.kind))):
        seen.clear()
        net.forward()
    assert "BatchNorm + Scale + ReLU" in seen and len(seen) == len(net.layers) - 2


def test_a_profile_counts_them_together():
    net, profile = net_of(*NETS["in place"][0]), Profile()
    with net.watched_by(profile):
        passes(net)
    assert [row[1] for row in profile.rows()][1:-1] == ["Input", "Scale", "BatchNorm + Scale + ReLU", "Reduction"]
