"""SSD300, SegNet and FCN-8s: sizes, shapes and priors are those of the papers, names those of the published weights."""

import math
import re
from pathlib import Path

import numpy as np
import pytest

from blobnet.core.context import TEST, TRAIN
from blobnet.core.net import Net
from blobnet.data.sets import shape_sets
from blobnet.data.sets.shapes import draw_masks
from blobnet.netdef.load import load
from blobnet.proto.files import read_message
from blobnet.pycaffe.coord_map import crop
from blobnet.pycaffe.net_spec import NetSpec
from blobnet.pycaffe.net_spec import layers as L
from blobnet.view.summary import totals

PROTOTXT = Path(__file__).parent.parent / "prototxt"

PARAMETERS = {"ssd/deploy_300": 26.3e6, "segnet/deploy": 29.45e6, "fcn/deploy_8s": 134e6}  # the latter as in the papers
SHAPES = {
    "ssd/deploy_300": {"conv4_3": (1, 512, 38, 38), "fc7": (1, 1024, 19, 19), "conv6_2": (1, 512, 10, 10),
                       "conv7_2": (1, 256, 5, 5), "conv8_2": (1, 256, 3, 3), "conv9_2": (1, 256, 1, 1),
                       "mbox_loc": (1, 8732 * 4), "mbox_conf": (1, 8732 * 21), "mbox_priorbox": (1, 2, 8732 * 4)},
    "segnet/deploy": {"pool1": (1, 64, 180, 240), "pool5_mask": (1, 512, 12, 15), "pool5_D": (1, 512, 23, 30),
                      "pool4_D": (1, 512, 45, 60), "pool1_D": (1, 64, 360, 480), "prob": (1, 11, 360, 480)},
    "fcn/deploy_8s": {"fc6": (1, 4096, 16, 16), "upscore2": (1, 21, 34, 34), "fuse_pool3": (1, 21, 70, 70),
                      "upscore8": (1, 21, 568, 568), "score": (1, 21, 500, 500)},
}
# Layers of the weights that the authors published, and the shapes that their blobs have there.
PUBLISHED = {
    "ssd/deploy_300": {"conv1_1": [(64, 3, 3, 3), (64,)], "fc6": [(1024, 512, 3, 3), (1024,)],
                       "fc7": [(1024, 1024, 1, 1), (1024,)], "conv4_3_norm": [(512,)],
                       "conv4_3_norm_mbox_loc": [(16, 512, 3, 3), (16,)], "fc7_mbox_conf": [(126, 1024, 3, 3), (126,)],
                       "conv9_2_mbox_conf": [(84, 256, 3, 3), (84,)]},
    "segnet/deploy": {"conv1_1": [(64, 3, 3, 3), (64,)], "conv5_3_bn": [(1, 512, 1, 1)] * 2,
                      "conv4_1_D": [(256, 512, 3, 3), (256,)], "conv1_2_D_bn": [(1, 64, 1, 1)] * 2,
                      "conv1_1_D": [(11, 64, 3, 3), (11,)]},
    "fcn/deploy_8s": {"fc6": [(4096, 512, 7, 7), (4096,)], "score_fr": [(21, 4096, 1, 1), (21,)],
                      "upscore2": [(21, 21, 4, 4)], "score_pool3": [(21, 256, 1, 1), (21,)],
                      "upscore8": [(21, 21, 16, 16)]},
}
TRAINED = {"ssd/deploy_300": "ssd/train_test_300", "segnet/deploy": "segnet/train_test",
           "fcn/deploy_8s": "fcn/train_test_8s"}


@pytest.fixture(scope="module", params=PARAMETERS)
def known(request):
    """A net's name and the net, with weights of 0."""
    return request.param, Net(PROTOTXT / f"{request.param}.prototxt", TEST)


def test_sizes_shapes_and_names(known):
    name, net = known
    assert totals(net).learning == pytest.approx(PARAMETERS[name], rel=0.005)
    assert {blob: net.blobs[blob].shape for blob in SHAPES[name]} == SHAPES[name]
    assert {layer: [blob.shape for blob in net.params[layer]] for layer in PUBLISHED[name]} == PUBLISHED[name]


@pytest.mark.parametrize("name", TRAINED)
def test_the_net_for_use_is_the_one_that_is_trained(name):
    trained, used = layers(TRAINED[name]), layers(name)
    assert len(trained) > 40 and trained == used


def layers(name):
    """The layers between data and loss, without what matters in training only, what is known to differ, and splits."""
    ends = ("AnnotatedData", "DenseImageData", "Input", "SegAccuracy", "DetectionEvaluate", "SoftmaxWithLoss", "Split")
    found = [layer for layer in load(PROTOTXT / f"{name}.prototxt", TEST).layer if layer.type not in ends]
    for layer in found:
        for field in ("param", "include", "bottom"):
            layer.ClearField(field)
        for field in ("weight_filler", "bias_filler", *(["group"] if layer.type == "Deconvolution" else [])):
            layer.convolution_param.ClearField(field)
        layer.ClearField("bn_param")
    return [layer for layer in found if layer.name != "prob"]


def test_the_priors_are_those_of_the_paper():
    definition = load(PROTOTXT / "ssd/deploy_300.prototxt", TEST)
    net = Net(definition, TEST)
    for layer in net.layers:
        if layer.type == "PriorBox":
            layer.forward([], [net.blobs[layer.param.top[0]]])
    scales = [0.1, 0.2, 0.37, 0.54, 0.71, 0.88, 1.05]  # of the image; 0.1 for conv4_3, then from 0.2 to 0.9
    maps = {"conv4_3_norm": (38, 8, 4), "fc7": (19, 16, 6), "conv6_2": (10, 32, 6), "conv7_2": (5, 64, 6),
            "conv8_2": (3, 100, 4), "conv9_2": (1, 300, 4)}
    for (name, (cells, step, boxes)), s, larger in zip(maps.items(), scales, scales[1:]):
        priors = net.blobs[f"{name}_mbox_priorbox"].data[0, 0].reshape(cells, cells, boxes, 4)
        sides = [(s, s), (math.sqrt(s * larger),) * 2] + [
            (s * math.sqrt(r), s / math.sqrt(r)) for r in ((2, 1 / 2) if boxes == 4 else (2, 1 / 2, 3, 1 / 3))]
        np.testing.assert_allclose(priors[..., 2:] - priors[..., :2], np.broadcast_to(sides, priors.shape[:3] + (2,)),
                                   atol=2e-6)
        middles = (priors[0, -1, :, :2] + priors[0, -1, :, 2:]) / 2
        np.testing.assert_allclose(middles, [[(cells - 0.5) * step / 300, step / 600]] * boxes, rtol=1e-5)


@pytest.mark.parametrize("net, widths, pad, kernel", [
    ("train_test_8s", (2, 2, 3, 3, 3), 100, 7), ("shapes_train_test", (1, 1, 1, 1, 1), 17, 3)])
def test_the_crops_of_fcn_lay_maps_where_they_belong(net, widths, pad, kernel):
    spec = NetSpec()
    spec.data, pools = L.Input(), []
    x = spec.data
    for stage, count in enumerate(widths):
        for i in range(count):
            x = L.Convolution(x, num_output=1, kernel_size=3, pad=1 if stage or i else pad)
        x = L.Pooling(x, kernel_size=2, stride=2)
        pools.append(x)
    x, offsets = L.Convolution(x, num_output=1, kernel_size=kernel), []
    for beside, step in ((pools[3], 2), (pools[2], 2), (spec.data, 8)):
        x = L.Deconvolution(x, convolution_param={"num_output": 1, "kernel_size": 2 * step, "stride": step})
        cut = crop(beside, x) if step == 2 else crop(x, beside)
        offsets += cut.fn.params["crop_param"]["offset"]
        x = L.Eltwise(x, cut)
    found = read_message(PROTOTXT / f"fcn/{net}.prototxt", "NetParameter")
    assert [layer.crop_param.offset[0] for layer in found.layer if layer.type == "Crop"] == offsets


def test_the_class_weights_of_the_shapes_balance_medians():
    masks = draw_masks(shape_sets.COUNTS["train"], shape_sets.SIZE, shape_sets.SEEDS["train"])
    shares = [(masks[(masks == k).any((1, 2))] == k).mean() for k in range(4)]  # of images that have the class
    loss = next(layer for layer in read_message(PROTOTXT / "segnet/shapes_train_test.prototxt", "NetParameter").layer
                if layer.name == "loss")
    np.testing.assert_allclose(loss.loss_param.class_weighting, np.median(shares) / shares, atol=1e-4)


@pytest.mark.parametrize("name", ["ssd", "segnet", "fcn"])
def test_the_small_nets_have_the_layers_of_the_large(name):
    large, small = (load(path, TRAIN).layer for path in (
        next(PROTOTXT.glob(f"{name}/train_test*.prototxt")), PROTOTXT / f"{name}/shapes_train_test.prototxt"))
    kinds = {re.sub(r"\d+", "", layer.type) for layer in large} - {"Dropout"}
    assert kinds == {layer.type for layer in small}
