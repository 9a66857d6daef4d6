"""Every published net: its model computes what it computes, or there is a reason why there is none."""

import pytest
from onnx_nets import CLOSE, ROOT, TOOL, difference

from blobnet.errors import NetError
from blobnet.exchange.onnx import export

SMALL = ("bdnn/uh_16", "cifar10/full_train_test", "deep_hashing/sdh_16", "dnnh/small_train_test_12",
         "dsh/digits_train_test", "fcn/shapes_train_test", "hashing/train_test", "lenet/train_test",
         "metric_losses/train_test", "sbir/shoes_train_test", "segnet/shapes_train_test", "ssd/shapes_train_test",
         "ssdh/digits_train_test", "subic/digits_train_test")
REFUSED = {"faster_rcnn": "layer 'proposal' .Python.: nothing says what Python is in ONNX"}
DIGITS, SHAPES = (2, 1, 8, 8), (2, 3, 96, 96)
NETS = {path.relative_to(ROOT / "prototxt").with_suffix("").as_posix(): path
        for path in sorted((ROOT / "prototxt").rglob("*.prototxt")) if "solver" not in path.stem}


@pytest.mark.parametrize("name", [pytest.param(name, marks=() if name in SMALL else pytest.mark.slow)
                                  for name in NETS])
def test_a_published_net_is_what_it_was(name, monkeypatch):
    monkeypatch.chdir(ROOT)
    folder, _, file = name.partition("/")
    shapes = {"data": DIGITS} if "digits" in file else {"data": SHAPES} if "shapes" in file else {}
    if folder == "ssd" and "train" in file:
        shapes["label"] = (1, 1, 3, 8)
    net = TOOL["build"](str(NETS[name]), shapes, rows=2 if folder not in ("faster_rcnn", "vgg", "resnet") else 1)
    if folder in REFUSED:
        with pytest.raises(NetError, match=REFUSED[folder]):
            export(net)
    else:
        assert difference(net) < CLOSE


def test_small_nets_are_there():
    assert set(SMALL) < set(NETS)
