"""Every published net: its model computes what it computes, or there is a reason why there is none."""

import numpy as np
import pytest
from onnx_nets import CLOSE, ROOT, TOOL, difference

from blobnet.errors import NetError
from blobnet.exchange.onnx import export

SMALL = ("bdnn/uh_16", "cifar10/full_train_test", "deep_hashing/sdh_16", "dnnh/small_train_test_12",
         "dsh/digits_train_test", "fcn/shapes_train_test", "hashing/train_test", "lenet/train_test",
         "metric_losses/train_test", "sbir/shoes_train_test", "segnet/shapes_train_test", "ssd/shapes_train_test",
         "ssdh/digits_train_test", "subic/digits_train_test")
REFUSED = dict.fromkeys((f"faster_rcnn/{name}_train" for name in ("shapes", "vgg16", "zf")),
                        "layer 'rpn-data' .Python.: nothing says what its class 'AnchorTargetLayer' is in ONNX")
# Of numbers that are nearly equal another one may be the maximum, and Upsample puts it elsewhere: here all that is
# before the decoder is compared, and all of the smaller net, segnet/shapes_train_test. With statistics of the batch
# rounding grows: of train_test a net of float64 is 2.7e-5 from blobnet's, 1.0e-5 from the model.
TIES = {"segnet/deploy": CLOSE, "segnet/train_test": 5e-5}
FEW_TIES = 1e-3  # of the places of maxima in the first layers
DIGITS, SHAPES, BOXES = (2, 1, 8, 8), (1, 3, 96, 96), (1, 1, 3, 8)
LARGE = ("faster_rcnn", "resnet", "segnet", "vgg")
NETS = {path.relative_to(ROOT / "prototxt").with_suffix("").as_posix(): path
        for path in sorted((ROOT / "prototxt").rglob("*.prototxt")) if "solver" not in path.stem}


@pytest.mark.parametrize("name", [pytest.param(name, marks=() if name in SMALL else pytest.mark.slow)
                                  for name in NETS])
def test_a_published_net_is_what_it_was(name, monkeypatch):
    folder, _, file = name.partition("/")
    monkeypatch.chdir(ROOT)
    monkeypatch.syspath_prepend(ROOT / "examples" / folder)  # of layers in Python
    shapes = {"data": DIGITS} if "digits" in file else {"data": SHAPES} if "shapes" in file else {}
    if folder == "ssd" and "train" in file:
        shapes["label"] = BOXES
    rows = 1 if folder in LARGE or "shapes" in file else 2
    net = TOOL["build"](str(NETS[name]), shapes, rows=rows, python_layers=True)
    if name in REFUSED:
        with pytest.raises(NetError, match=REFUSED[name]):
            export(net)
    elif boxes := [blob for blob in ("rois", "detection_out") if blob in net.blobs]:
        inputs = TOOL["draw_inputs"](net, np.random.default_rng(2))
        found = TOOL["run_onnx"](export(net, boxes if folder == "ssd" else boxes + net.outputs), inputs)
        net.forward(end="detection_out" if folder == "ssd" else None, **inputs)
        pairs = [(values.squeeze(), net.blobs[blob].data.squeeze()) for blob, values in found.items()]
        # Boxes of nearly equal scores may change places: each row is compared with the one that is nearest.
        nearest = abs(pairs[0][0][:, None] - pairs[0][1]).max(axis=2).argmin(axis=1)
        assert sorted(nearest) == list(range(len(nearest)))
        assert all(TOOL["difference"](values, others[nearest]) < CLOSE for values, others in pairs)
    elif name in TIES:
        masks = ["pool1_mask", "pool2_mask"]
        model = export(net, ["pool5", *masks])
        inputs = TOOL["draw_inputs"](net, np.random.default_rng(2))
        found = TOOL["run_onnx"](model, inputs)
        net.forward(end="pool5", **inputs)
        assert TOOL["difference"](found["pool5"], net.blobs["pool5"].data) < TIES[name]
        assert all(np.mean(found[mask] != net.blobs[mask].data) < FEW_TIES for mask in masks)
    else:  # random weights make the scores of ResNet large, and the exp of Softmax makes their rounding larger
        assert difference(net, blobs=["fc1000"] if folder == "resnet" else ()) < CLOSE


def test_small_nets_are_there():
    assert set(SMALL) < set(NETS)
