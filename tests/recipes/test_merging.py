"""Statistics of the training set in the scales and shifts of SegNet's normalisation."""

from __future__ import annotations

import numpy as np
import pytest

from blobnet.core.context import TEST, TRAIN
from blobnet.core.net import Net
from blobnet.data.stores.hdf5 import write_datasets
from blobnet.proto.text import parse
from blobnet.recipes.merging import merge_statistics
from blobnet.recipes.trial import Trial

NET = """
name: "merged"
layer { name: "x" type: "HDF5Data" top: "x" hdf5_data_param { source: "LIST" batch_size: 2 } }
layer { name: "bn" type: "BN" bottom: "x" top: "y"
  bn_param { scale_filler { value: 3 } shift_filler { value: 0.5 } MODE } }
"""
X = np.random.default_rng(3).normal(2, 5, (6, 2, 3, 4)).astype("f")


@pytest.fixture
def net(tmp_path):
    write_datasets(tmp_path / "x.h5", {"x": X})
    (tmp_path / "list.txt").write_text(str(tmp_path / "x.h5"))
    text = NET.replace("LIST", str(tmp_path / "list.txt"))
    return lambda mode: parse(text.replace("MODE", mode), "NetParameter", "net")


def trial(folder):
    return Trial("m", {}, 1, folder, folder, folder, note=[].append)


def test_scale_and_shift_take_means_over_the_batches(net, tmp_path):
    definition = net("")
    Net(definition, TRAIN).save(tmp_path / "trained.caffemodel")
    merged = merge_statistics(trial(tmp_path), definition, str(tmp_path / "trained.caffemodel"), 3)
    used = Net(definition, TEST, merged)
    used.forward()
    batches = X.astype(float).reshape(3, 2, 2, 12).transpose(0, 2, 1, 3).reshape(3, 2, 24)  # batch, channel, values
    m, v = batches.mean(2).mean(0), batches.var(2, ddof=1).mean(0)
    expected = 3 * (X[:2] - m[:, None, None]) / np.sqrt(v)[:, None, None] + 0.5
    np.testing.assert_allclose(used.blobs["y"].data, expected, rtol=1e-4, atol=1e-5)
    assert used.layers[1].param.bn_param.bn_mode == used.layers[1].param.bn_param.INFERENCE


def test_nets_without_such_layers_keep_their_weights(net, tmp_path):
    definition = net("bn_mode: INFERENCE")
    before = definition.SerializeToString()
    assert merge_statistics(trial(tmp_path), definition, "some.caffemodel", 3) == "some.caffemodel"
    assert definition.SerializeToString() == before
