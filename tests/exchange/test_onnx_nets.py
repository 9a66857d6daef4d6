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
                        "layer 'input-data' .Python.: nothing says what its class 'RoIDataLayer' is in ONNX")
# Of numbers that are nearly equal another one may be the maximum, and Upsample puts it elsewhere: here all that is
# before the decoder is compared, and all of the smaller net, segnet/shapes_train_test.
TIES = ("segnet/deploy", "segnet/train_test")
FEW_TIES = 1e-3  # of the places of maxima
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
    elif "rois" in net.blobs:  # those of scores that are nearly equal may change places
        inputs = TOOL["draw_inputs"](net, np.random.default_rng(2))
        found = TOOL["run_onnx"](export(net, ["rois", *net.outputs]), inputs)
        net.forward(**inputs)
        order, expected = (np.lexsort(boxes.round().T) for boxes in (found["rois"], net.blobs["rois"].data))
        assert all(TOOL["difference"](values[order], net.blobs[blob].data[expected]) < CLOSE
                   for blob, values in found.items())
    elif name in TIES:
        masks = [blob for blob in net.blobs if blob.endswith("_mask")]
        model = export(net, ["pool5", *masks])
        inputs = TOOL["draw_inputs"](net, np.random.default_rng(2))
        found = TOOL["run_onnx"](model, inputs)
        net.forward(end="pool5", **inputs)
        assert TOOL["difference"](found["pool5"], net.blobs["pool5"].data) < CLOSE
        assert masks and all(np.mean(found[mask] != net.blobs[mask].data) < FEW_TIES for mask in masks)
    else:
        assert difference(net) < CLOSE


def test_small_nets_are_there():
    assert set(SMALL) < set(NETS)
