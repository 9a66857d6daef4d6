"""What layers do on a GPU, counted by the stand-in for CuPy: few operations, and no wait of the host."""

import fakecupy
import numpy as np
import pytest
from layer_rows import row

import blobnet
from blobnet.backend import to_host
from blobnet.check.standalone import standalone
from blobnet.core.chain import Chain
from blobnet.proto.text import parse

X, CODES, LABELS = (4, 3, 5, 6), (6, 8), np.eye(6, 3)
LAYERS = {  # operations forward and backward
    "BatchNorm": (row("BatchNorm", [X]), 3, 2),
    "BatchNorm TEST": (row("BatchNorm", [X], phase=blobnet.TEST), 2, 1),
    "MVN": (row("MVN", [X]), 2, 2),
    "MVN mean": (row("MVN", [X], "mvn_param { normalize_variance: false }"), 2, 2),
    "Split": (row("Split", [X], tops="a b c"), 0, 2),
    "Concat": (row("Concat", [X, X, X]), 3, 3),
    "Slice": (row("Slice", [X], tops="a b c"), 3, 3),
    "HashingLoss": (row("HashingLoss", [CODES, LABELS], "hashing_loss_param { bi_margin: 16 }"), 4, 1),
    "PairwiseRankingLoss": (row("PairwiseRankingLoss", [(6,), (6,)]), 3, 4),
}


def counted(run):
    """How many operations it makes, once the arrays are there."""
    run()
    fakecupy.reset()
    run()
    assert not fakecupy.sites
    return sum(fakecupy.counts[kind] for kind in ("kernels", "gemms", "DtoD", "memset"))


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer(name, stand_in):
    case, forward, backward = LAYERS[name]
    it = standalone(case.source, *case.values(), phase=case.phase, device="gpu")
    it.prepare()
    down = [i not in it.layer.unforced_bottoms for i in range(len(it.bottom))]
    for blob in it.top:
        blob.diff.fill(1)
    assert counted(lambda: it.layer.forward(it.bottom, it.top)) <= forward
    assert counted(lambda: it.layer.backward(it.top, down, it.bottom)) <= backward


CHAIN = '''force_backward: true
    layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 4 dim: 3 dim: 5 dim: 6 } } }
    layer { name: "norm" type: "BatchNorm" bottom: "x" top: "y" }
    layer { name: "scale" type: "Scale" bottom: "y" top: "y" scale_param {
      bias_term: true filler { type: "gaussian" std: 1 } bias_filler { type: "gaussian" std: 1 } } }
    layer { name: "relu" type: "ReLU" bottom: "y" top: "y" }'''


def run_chain(device, phase):
    """What the layers of the chain leave, and how many operations it makes forward and backward."""
    net = blobnet.Net(parse(CHAIN, "NetParameter"), phase, random_seed=1, dtype="float64", device=device)
    rng = np.random.default_rng(1)
    for array in (net.blobs["x"].data, net.blobs["y"].diff):
        array[...] = net.xp.asarray(rng.normal(size=X))
    for blob in net.params["norm"]:
        blob.data[...] = 1.5
    chain = next(step for step in net.steps if isinstance(step, Chain))
    assert chain.kind == "BatchNorm + Scale + ReLU"
    counts = counted(chain.forward), counted(chain.backward)
    blobs = *net.blobs.values(), *net.params["norm"], *net.params["scale"]
    return [to_host(array) for blob in blobs for array in (blob.data, blob.diff)], counts


@pytest.mark.parametrize(("phase", "forward", "backward"), [(blobnet.TRAIN, 3, 2), (blobnet.TEST, 2, 2)])
def test_a_chain(phase, forward, backward, stand_in):
    (wanted, _), (found, counts) = (run_chain(device, phase) for device in ("cpu", "gpu"))
    assert counts[0] <= forward and counts[1] <= backward
    for one, other in zip(wanted, found, strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-9, atol=1e-9)
