"""A small net with most kinds of layers, what it reads, and solvers of it."""

import numpy as np

import blobnet
from blobnet.backend import to_host
from blobnet.proto.text import parse

NET = '''name: "tiny"
layer { name: "in" type: "Input" top: "x" top: "label"
        input_param { shape { dim: 6 dim: 2 dim: 8 dim: 8 } shape { dim: 6 } } }
layer { name: "conv" type: "Convolution" bottom: "x" top: "conv"
        convolution_param { num_output: 4 kernel_size: 3 pad: 1 bias_term: false weight_filler { type: "xavier" } } }
layer { name: "bn" type: "BatchNorm" bottom: "conv" top: "conv" }
layer { name: "scale" type: "Scale" bottom: "conv" top: "conv" scale_param { bias_term: true } }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
layer { name: "pool" type: "Pooling" bottom: "conv" top: "pool" pooling_param { kernel_size: 2 stride: 2 } }
layer { name: "norm" type: "LRN" bottom: "pool" top: "norm" lrn_param { local_size: 3 } }
layer { name: "ip" type: "InnerProduct" bottom: "norm" top: "ip"
        param { lr_mult: 1 decay_mult: 0.5 } param { lr_mult: 2 }
        inner_product_param { num_output: 5 weight_filler { type: "xavier" } } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }
layer { name: "accuracy" type: "Accuracy" bottom: "ip" bottom: "label" top: "accuracy" include { phase: TEST } }
'''
_rng = np.random.default_rng(0)
INPUTS = {"x": _rng.normal(size=(6, 2, 8, 8)).astype("float32"),
          "label": _rng.integers(0, 5, 6).astype("float32")}


def net(device="gpu", phase=blobnet.TRAIN, more="", **options):
    """The net on a device."""
    return blobnet.Net(parse(more + NET, "NetParameter"), phase, device=device, random_seed=1, **options)


def solver(settings, device="gpu", dtype="float32", text=NET, **options):
    """A solver of the net, or that of another `text`, whose inputs are given."""
    param = parse(f"random_seed: 1 snapshot_after_train: false {settings}", "SolverParameter")
    param.lr_policy = param.lr_policy or "fixed"
    param.net_param.CopyFrom(parse(text, "NetParameter"))
    result = blobnet.get_solver(param, device=device, dtype=dtype, **options)
    for each in [result.net, *result.test_nets]:
        for name in each.inputs:
            each.blobs[name].data[...] = each.xp.asarray(INPUTS[name])
    return result


def numbers(arrays):
    """Device arrays as one vector of the host."""
    return np.concatenate([to_host(array).reshape(-1) for array in arrays])


def parameters(of, which="data"):
    """The data or the diffs of all parameters of a net, as one vector."""
    return numbers(getattr(parameter.blob, which) for parameter in of.parameters)
