"""AlexNet, VGG and ResNet: sizes and shapes are those of the papers, names those of the published weights."""

import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from blobnet.cli import main
from blobnet.core.context import TEST
from blobnet.core.net import Net
from blobnet.proto.files import read_message
from blobnet.view.summary import summary, totals

ROOT = Path(__file__).parent.parent
PROTOTXT = ROOT / "prototxt"

# Parameters that learn; multiply-adds as He et al. state them, for VGG-16 without inner products.
SIZES = {
    "alexnet/deploy": (60_965_224, 0.724e9),
    "vgg/deploy_16": (138_357_544, 15.3e9),
    "vgg/deploy_19": (143_667_240, 19.6e9),
    "resnet/deploy_50": (25_557_032 + 64, 3.8e9),  # the published weights have a bias in conv1, which does nothing
    "resnet/deploy_101": (44_549_160, 7.6e9),
    "resnet/deploy_152": (60_192_808, 11.3e9),
}
# Convolutions and inner products from the image to the classes, which the nets are named after.
DEPTHS = {"alexnet/deploy": 8, "vgg/deploy_16": 16, "vgg/deploy_19": 19,
          "resnet/deploy_50": 50, "resnet/deploy_101": 101, "resnet/deploy_152": 152}
SHAPES = {
    "alexnet/deploy": {"conv1": "1x96x55x55", "conv2": "1x256x27x27", "conv3": "1x384x13x13", "conv4": "1x384x13x13",
                       "conv5": "1x256x13x13", "pool5": "1x256x6x6", "fc7": "1x4096", "prob": "1x1000"},
    "vgg/deploy_16": {"conv1_2": "1x64x224x224", "conv2_2": "1x128x112x112", "conv3_3": "1x256x56x56",
                      "conv4_3": "1x512x28x28", "conv5_3": "1x512x14x14", "pool5": "1x512x7x7", "prob": "1x1000"},
    "vgg/deploy_19": {"conv3_4": "1x256x56x56", "conv4_4": "1x512x28x28", "conv5_4": "1x512x14x14", "fc6": "1x4096"},
    "resnet/deploy_50": {"conv1": "1x64x112x112", "pool1": "1x64x56x56", "res2c": "1x256x56x56", "res3d": "1x512x28x28",
                         "res4f": "1x1024x14x14", "res5c": "1x2048x7x7", "pool5": "1x2048x1x1", "prob": "1x1000"},
    "resnet/deploy_101": {"res3b3": "1x512x28x28", "res4b22": "1x1024x14x14", "res5c": "1x2048x7x7"},
    "resnet/deploy_152": {"res3b7": "1x512x28x28", "res4b35": "1x1024x14x14", "res5c": "1x2048x7x7"},
}
# Layers of the weights that the authors published, and how many blobs each has there.
PUBLISHED = {
    "alexnet/deploy": {"conv1": 2, "conv5": 2, "fc6": 2, "fc8": 2},
    "vgg/deploy_16": {"conv1_1": 2, "conv5_3": 2, "fc6": 2, "fc8": 2},
    "vgg/deploy_19": {"conv3_4": 2, "conv5_4": 2, "fc8": 2},
    "resnet/deploy_50": {"conv1": 2, "bn_conv1": 3, "scale_conv1": 2, "res2a_branch1": 1, "bn2a_branch1": 3,
                         "scale2a_branch1": 2, "res4f_branch2c": 1, "bn5c_branch2b": 3, "fc1000": 2},
    "resnet/deploy_101": {"conv1": 1, "res3b3_branch2a": 1, "bn4b22_branch2c": 3, "scale4b22_branch2c": 2, "fc1000": 2},
    "resnet/deploy_152": {"conv1": 1, "res3b7_branch2b": 1, "res4b35_branch2c": 1, "bn4b35_branch2c": 3, "fc1000": 2},
}


@pytest.fixture(scope="module", params=SIZES)
def known(request):
    """A net's name and the net, with weights of 0."""
    return request.param, Net(PROTOTXT / f"{request.param}.prototxt", TEST)


def test_sizes(known):
    name, net = known
    found, (learning, multiply_adds) = totals(net), SIZES[name]
    assert found.learning == learning
    assert found.multiply_adds == pytest.approx(multiply_adds, rel=0.02)  # the papers round


def test_depth(known):
    name, net = known
    weighted = [layer for layer in net.layers if layer.type in ("Convolution", "InnerProduct")]
    assert len([layer for layer in weighted if not layer.name.endswith("branch1")]) == DEPTHS[name]  # shortcuts aside


def test_published_weights_fit_by_name(known):
    name, net = known
    assert {layer: len(net.params[layer]) for layer in PUBLISHED[name]} == PUBLISHED[name]


def test_summary_shows_the_shapes_of_the_paper(known):
    name, net = known
    lines = [line.split() for line in summary(net).splitlines()]
    shapes = {words[2]: words[3].rstrip(",") for words in lines if len(words) > 3}
    assert SHAPES[name].items() <= shapes.items()


def test_the_command_prints_the_summary(capsys):
    assert main(["summary", str(PROTOTXT / "resnet/deploy_50.prototxt")]) == 0
    assert "25,557,096 of them learn" in capsys.readouterr().out


@pytest.mark.parametrize("name", SIZES)
def test_the_net_for_use_is_the_one_that_is_trained(name):
    trained, used = (layers(PROTOTXT / f"{name.replace('deploy', kind)}.prototxt") for kind in ("train_val", "deploy"))
    assert len(trained) > 20 and trained == used


def layers(path):
    """The layers between data and loss, without what matters in training only."""
    ends = ("Data", "Input", "Accuracy", "Softmax", "SoftmaxWithLoss")
    found = [layer for layer in read_message(path, "NetParameter").layer if layer.type not in ends]
    for layer in found:
        layer.ClearField("param")
        for options in (layer.convolution_param, layer.inner_product_param):
            options.ClearField("weight_filler")
            options.ClearField("bias_filler")
    return found


@pytest.mark.parametrize("tool", [
    "write_dnnh", "write_faster_rcnn", "write_fcn", "write_resnet", "write_segnet", "write_ssd"])
@pytest.mark.parametrize("words, status, says", [
    (["--help"], 0, "FOLDER"), (["no/such"], 2, "there is no folder 'no/such'")])
def test_the_command_lines_of_the_tools(tool, words, status, says):
    done = subprocess.run([sys.executable, ROOT / f"tools/{tool}.py", *words], capture_output=True, text=True)
    assert done.returncode == status and says in done.stdout + done.stderr


@pytest.mark.parametrize("folder", ["faster_rcnn", "fcn", "resnet", "segnet", "ssd"])
def test_nets_are_what_their_tool_writes(folder):
    files = runpy.run_path(str(ROOT / f"tools/write_{folder}.py"))["files"]()
    assert {path.name for path in PROTOTXT.glob(f"{folder}/*.prototxt") if "solver" not in path.name} == set(files)
    for name, text in files.items():
        assert (PROTOTXT / folder / name).read_text("utf-8") == text, f"run tools/write_{folder}.py for {name}"
