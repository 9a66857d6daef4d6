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
  batch_size: 2 } transform_param { resize_param { height: 16 width: 16 RESIZE } mirror: true mean_value: 100
  scale: 0.01 MORE } }
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


def net(folder, text=NET, more="", resize=""):
    text = text.replace("MORE", more).replace("RESIZE", resize).replace("FOLDER", str(folder))
    return Net(parse(text, "NetParameter"), TRAIN, random_seed=3)


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


AUGMENTED = """distort_param { brightness_prob: 1 brightness_delta: 32 } expand_param { max_expand_ratio: 4 }
  emit_constraint { emit_type: CENTER }"""
WAYS = "interp_mode: LINEAR interp_mode: AREA interp_mode: NEAREST interp_mode: CUBIC interp_mode: LANCZOS4"
SAMPLED = """annotated_data_param { batch_sampler { max_sample: 1 max_trials: 1 } batch_sampler { sampler {
  min_scale: 0.3 max_scale: 1 min_aspect_ratio: 0.5 max_aspect_ratio: 2 } sample_constraint { min_jaccard_overlap: 0.1 }
  max_sample: 1 max_trials: 50 } } transform_param"""


def test_batches_of_ssd_are_the_same_again(folder):
    """Five forwards with all that SSD changes, and the last of them alone; another seed changes other things."""
    text = DATA.replace("transform_param", SAMPLED)
    one, two, other = (net(folder, text, AUGMENTED, WAYS) for _ in range(3))
    other.context.seed = 4
    batches = []
    for _ in range(5):
        one.forward()
        other.forward()
        batches.append([one.blobs[name].data.copy() for name in ("data", "label")])
    two.seek(4)
    two.forward()
    for found, name in zip(batches[4], ("data", "label")):
        np.testing.assert_array_equal(found, two.blobs[name].data)
    assert (one.blobs["data"].data != other.blobs["data"].data).any()
    rows = np.concatenate([label[0, 0] for _, label in batches])
    assert (rows[:, 3:7] >= 0).all(1).any() and rows.max() <= 2 and (rows[:, 5:7] >= rows[:, 3:5]).all()


def test_images_of_their_own_size_and_boxes_of_another(folder):
    """20 x 24 becomes 16 x 19: the box is said in parts of 8 x 8."""
    text = DATA.replace("batch_size: 2", "batch_size: 1").replace("mirror: true", "")
    made = net(folder, text, resize="resize_mode: FIT_SMALL_SIZE height_scale: 8 width_scale: 8")
    made.forward()
    assert made.blobs["data"].shape == (1, 3, 16, 19)
    box = np.array([0.1 * 19.2, 1.6, 9.6, 8]) / 8
    np.testing.assert_allclose(made.blobs["label"].data[0, 0, 0, 3:7], box, rtol=1e-6)


def shapes(message):
    return {name: tuple(shape.dim) for name, shape in zip(message.layer[0].top, message.layer[0].input_param.shape)}


def test_nets_are_built_without_their_data(tmp_path, folder):
    there, gone = (parse(NET.replace("MORE", "").replace("RESIZE", "").replace("FOLDER", str(place)), "NetParameter")
                   for place in (folder, folder / "no"))
    assert shapes(without_data(there)) == {"data": (2, 3, 16, 16), "label": (1, 1, 1, 8)}
    assert shapes(without_data(gone)) == {"data": (2, 3, 16, 16), "label": (1, 1, 1, 8)}
    given = without_data(gone, {"label": (1, 1, 7, 8)})
    assert shapes(given)["label"] == (1, 1, 7, 8)
    assert Net(without_data(gone), TEST).blobs["loss"].shape == ()


@pytest.mark.parametrize("old, new, words", [
    ("batch_size: 2", "batch_size: 0", "expected batch_size of at least 1, got 0"),
    ("backend: LMDB", "", "backend LEVELDB, got LMDB; write backend: LMDB"),
    ("FOLDER/db", "", "no source"),
    ("RESIZE", "resize_mode: FIT_SMALL_SIZE", "batch_size 1 with resize_mode FIT_SMALL_SIZE, got 2"),
    ("MORE", "random_aspect_ratio_param { } crop_size: 9", "random_aspect_ratio_param; remove it: boxes do not follow"),
    ("RESIZE", "center_object: true", "center_object; remove it: boxes do not follow"),
    ("RESIZE", "max_angle: 5", "max_angle; remove it: boxes do not follow"),
    ("MORE", "expand_param { }", "expected max_expand_ratio above 1, got 1"),
    ("transform_param", "annotated_data_param { batch_sampler { max_trials: 99999 } } transform_param",
     "max_trials of at most 10000, got 99999"),
    ("transform_param", 'annotated_data_param { label_map_file: "FOLDER/no" } transform_param', "no: no such file"),
    ("transform_param", 'annotated_data_param { label_map_file: "FOLDER/map" } transform_param', "map:1:1: .*itm"),
])
def test_what_is_refused(folder, old, new, words):
    (folder / "map").write_text("itm { }")
    with pytest.raises(BlobnetError, match=rf"layer 'data' \(AnnotatedData\).*: .*{words}"):
        net(folder, DATA.replace(old, new))
