"""AnnotatedData in nets: read ahead, before the data is there, and with SSD's loss behind it."""

from __future__ import annotations

import numpy as np
import pytest

from blobnet.core.context import TEST, TRAIN
from blobnet.core.net import Net
from blobnet.core.without_data import without_data
from blobnet.data.stores.annotated_datum import write_annotated
from blobnet.errors import BlobnetError
from blobnet.proto.text import parse

DATA = """
name: "tiny"
layer { name: "data" type: "AnnotatedData" top: "data" top: "label" data_param { source: "FOLDER/db" backend: LMDB
  batch_size: 2 } transform_param { resize_param { height: 16 width: 16 } mirror: true mean_value: 100 scale: 0.01
  MORE } }
"""
NET = DATA + """
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv" convolution_param { num_output: 4 kernel_size: 4
  stride: 4 weight_filler { type: "xavier" } } }
layer { name: "loc" type: "Convolution" bottom: "conv" top: "loc" convolution_param { num_output: 4 kernel_size: 1
  weight_filler { type: "xavier" } } }
layer { name: "conf" type: "Convolution" bottom: "conv" top: "conf" convolution_param { num_output: 3 kernel_size: 1
  weight_filler { type: "xavier" } } }
layer { name: "loc_rows" type: "Permute" bottom: "loc" top: "loc_rows" permute_param { order: [0, 2, 3, 1] } }
layer { name: "conf_rows" type: "Permute" bottom: "conf" top: "conf_rows" permute_param { order: [0, 2, 3, 1] } }
layer { name: "loc_flat" type: "Flatten" bottom: "loc_rows" top: "loc_flat" }
layer { name: "conf_flat" type: "Flatten" bottom: "conf_rows" top: "conf_flat" }
layer { name: "priors" type: "PriorBox" bottom: "conv" bottom: "data" top: "priors" prior_box_param { min_size: 6 } }
layer { name: "loss" type: "MultiBoxLoss" bottom: "loc_flat" bottom: "conf_flat" bottom: "priors" bottom: "label"
  top: "loss" propagate_down: [true, true, false, false]
  multibox_loss_param { num_classes: 3 code_type: CENTER_SIZE } }
"""


@pytest.fixture
def folder(tmp_path):
    """Five images, of which two stand together in the second batch and have no box."""
    rng = np.random.default_rng(2)
    boxes = [[(1, 0.1, 0.1, 0.5, 0.5)], [(2, 0.3, 0.4, 0.9, 0.8), (1, 0, 0, 0.3, 0.3, 1)], [], [], [(2, 0, 0, 1, 1)]]
    write_annotated(tmp_path / "db", [(rng.integers(0, 256, (20, 24 + i, 3), np.uint8), own)
                                      for i, own in enumerate(boxes)])
    return tmp_path


def net(folder, text=NET, phase=TRAIN, more="", **options):
    text = text.replace("FOLDER", str(folder)).replace("MORE", more)
    return Net(parse(text, "NetParameter"), phase, random_seed=3, **options)


def test_a_net_learns_from_rows_of_changing_number(folder):
    made, rows, losses = net(folder), [], []
    for _ in range(5):
        made.clear_param_diffs()
        made.forward()
        made.backward()
        rows.append(made.blobs["label"].data.copy()[0, 0])
        losses.append(float(made.blobs["loss"].data))
        slopes = [float(abs(made.params["conf"][0].diff).max()), float(abs(made.params["loc"][0].diff).max())]
        assert (min(slopes) > 0) == (losses[-1] > 0)
    assert [len(own) for own in rows] == [3, 1, 2, 2, 1]
    assert [sorted(own[:, 0]) for own in rows] == [[0, 1, 1], [-1], [0, 1], [0, 0], [1]]
    assert [loss > 0 for loss in losses] == [True, False, True, True, True]


def test_a_resumed_run_reads_on(folder):
    made, other = net(folder, DATA), net(folder, DATA)
    for _ in range(3):
        made.forward()
    other.seek(2)
    other.forward()
    for name in ("data", "label"):
        np.testing.assert_array_equal(made.blobs[name].data, other.blobs[name].data)


def shapes(message):
    return {name: tuple(shape.dim) for name, shape in zip(message.layer[0].top, message.layer[0].input_param.shape)}


def test_nets_are_built_without_their_data(tmp_path, folder):
    there, gone = (parse(NET.replace("FOLDER", str(place)).replace("MORE", ""), "NetParameter")
                   for place in (folder, folder / "no"))
    assert shapes(without_data(there)) == {"data": (2, 3, 16, 16), "label": (1, 1, 1, 8)}
    assert shapes(without_data(gone)) == {"data": (2, 3, 16, 16), "label": (1, 1, 1, 8)}
    assert Net(without_data(gone), TEST).blobs["loss"].shape == ()


@pytest.mark.parametrize("old, new, words", [
    ("batch_size: 2", "batch_size: 0", "expected batch_size of at least 1, got 0"),
    ("backend: LMDB", "", "backend LEVELDB, got LMDB; write backend: LMDB"),
    ("FOLDER/db", "", "no source"),
    ("transform_param", 'annotated_data_param { label_map_file: "FOLDER/no" } transform_param', "no: no such file"),
    ("transform_param", 'annotated_data_param { label_map_file: "FOLDER/map" } transform_param', "map:1:1: .*itm"),
])
def test_what_is_refused(folder, old, new, words):
    (folder / "map").write_text("itm { }")
    with pytest.raises(BlobnetError, match=rf"layer 'data' \(AnnotatedData\): .*{words}"):
        net(folder, DATA.replace(old, new))
