#!/usr/bin/env python3
"""Write prototxt/resnet: the residual nets of 50, 101 and 152 layers of He, Zhang, Ren, Sun: Deep Residual Learning for
Image Recognition, CVPR 2016, table 1, under the names of the weights that the authors published for Caffe.

    python tools/write_resnet.py [FOLDER]      # default: prototxt/resnet
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "prototxt/resnet"
BLOCKS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}  # in conv2_x … conv5_x
FILLER = '  weight_filler { type: "msra" }'
MEANS = "mean_value: 104  mean_value: 117  mean_value: 123"

TRAIN_HEAD = """\
# ResNet-{depth}, written by tools/write_resnet.py. He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition,
# CVPR 2016, table 1. Data: LMDBs of ImageNet (ILSVRC 2012), images in BGR, the smaller side 256 pixels or more.
name: "ResNet_{depth}"

layer {{
  name: "data"  type: "Data"  top: "data"  top: "label"
  include {{ phase: TRAIN }}
  transform_param {{ mirror: true  crop_size: 224  {means} }}
  data_param {{ source: "data/imagenet_train_lmdb"  backend: LMDB  batch_size: 32 }}
}}
layer {{
  name: "data"  type: "Data"  top: "data"  top: "label"
  include {{ phase: TEST }}
  transform_param {{ crop_size: 224  {means} }}
  data_param {{ source: "data/imagenet_val_lmdb"  backend: LMDB  batch_size: 25 }}
}}
"""
DEPLOY_HEAD = """\
# ResNet-{depth} for use, written by tools/write_resnet.py: images in, probabilities of the 1000 classes out.
# He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition, CVPR 2016, table 1.
# Images: BGR, 0 to 255, less the mean image (or its means 104, 117, 123), crops of 224x224. Features: pool5.
name: "ResNet_{depth}"

layer {{
  name: "data"  type: "Input"  top: "data"
  input_param {{ shape {{ dim: 1  dim: 3  dim: 224  dim: 224 }} }}
}}
"""
TRAIN_END = """\
layer {
  name: "accuracy"  type: "Accuracy"  bottom: "fc1000"  bottom: "label"  top: "accuracy"
  include { phase: TEST }
}
layer {
  name: "accuracy_5"  type: "Accuracy"  bottom: "fc1000"  bottom: "label"  top: "accuracy_5"
  include { phase: TEST }
  accuracy_param { top_k: 5 }
}
layer { name: "loss"  type: "SoftmaxWithLoss"  bottom: "fc1000"  bottom: "label"  top: "loss" }
"""
DEPLOY_END = """\
layer { name: "prob"  type: "Softmax"  bottom: "fc1000"  top: "prob" }
"""


def layer(name: str, kind: str, bottoms: list[str], top: str, options: str = "") -> str:
    """A layer, on one line if it has no options."""
    head = "  ".join([f'name: "{name}"', f'type: "{kind}"', *(f'bottom: "{bottom}"' for bottom in bottoms),
                      f'top: "{top}"'])
    return f"layer {{\n  {head}\n  {options}\n}}\n" if options else f"layer {{ {head} }}\n"


def convolution(name: str, bottom: str, shape: str, bias: bool = False) -> str:
    """A convolution with normalisation, scale and shift: conv1, bn_conv1, scale_conv1; res2a_…, bn2a_…, scale2a_…"""
    rest = name.removeprefix("res") if name != "conv1" else "_conv1"
    no_bias = "" if bias else "  bias_term: false"
    return (layer(name, "Convolution", [bottom], name, f"convolution_param {{ {shape}{no_bias}{FILLER} }}")
            + layer(f"bn{rest}", "BatchNorm", [name], name)
            + layer(f"scale{rest}", "Scale", [name], name, "scale_param { bias_term: true }"))


def relu(name: str, blob: str) -> str:
    """A ReLU in place."""
    return layer(name, "ReLU", [blob], blob)


def block(name: str, bottom: str, width: int, stride: int, projects: bool) -> str:
    """A bottleneck of 1x1, 3x3, 1x1 convolutions beside the identity or, if it `projects`, a 1x1 convolution."""
    step = f"  stride: {stride}" if stride > 1 else ""
    a, b, c, shortcut = (f"{name}_branch{part}" for part in ("2a", "2b", "2c", "1"))
    wide = f"num_output: {4 * width}  kernel_size: 1"
    text = convolution(shortcut, bottom, wide + step) if projects else ""
    text += convolution(a, bottom, f"num_output: {width}  kernel_size: 1{step}") + relu(f"{a}_relu", a)
    text += convolution(b, a, f"num_output: {width}  kernel_size: 3  pad: 1") + relu(f"{b}_relu", b)
    text += convolution(c, b, wide)
    return text + layer(name, "Eltwise", [shortcut if projects else bottom, c], name) + relu(f"{name}_relu", name)


def block_names(stage: int, count: int, depth: int) -> list[str]:
    """res2a res2b res2c …; the long stages of the deeper nets count: res4a res4b1 res4b2 …"""
    if count > 3 and depth > 50:
        return [f"res{stage}a", *(f"res{stage}b{i}" for i in range(1, count))]
    return [f"res{stage}{letter}" for letter in "abcdef"[:count]]


def parts(depth: int, train: bool) -> Iterator[str]:
    """The pieces of a net's text, to be separated by empty lines."""
    yield (TRAIN_HEAD if train else DEPLOY_HEAD).format(depth=depth, means=MEANS)
    yield (convolution("conv1", "data", "num_output: 64  kernel_size: 7  pad: 3  stride: 2", bias=depth == 50)
           + relu("conv1_relu", "conv1")
           + layer("pool1", "Pooling", ["conv1"], "pool1", "pooling_param { pool: MAX  kernel_size: 3  stride: 2 }"))
    bottom = "pool1"
    for stage, count in enumerate(BLOCKS[depth], 2):
        for i, name in enumerate(block_names(stage, count, depth)):
            first = i == 0
            yield block(name, bottom, 16 << stage, 2 if first and stage > 2 else 1, first)
            bottom = name
    yield (layer("pool5", "Pooling", [bottom], "pool5", "pooling_param { pool: AVE  kernel_size: 7  stride: 1 }")
           + layer("fc1000", "InnerProduct", ["pool5"], "fc1000",
                   f"inner_product_param {{ num_output: 1000{FILLER} }}"))
    yield TRAIN_END if train else DEPLOY_END


def files() -> dict[str, str]:
    """The files of the folder by name. Nets for use take their weights from a file and have no fillers."""
    nets = {f"{kind}_{depth}.prototxt": "\n".join(parts(depth, kind == "train_val"))
            for kind in ("train_val", "deploy") for depth in BLOCKS}
    return {name: text if name.startswith("train") else text.replace(FILLER, "") for name, text in nets.items()}


if __name__ == "__main__":
    from _write_files import write_files  # here, for who imports this file may have no tools/ on the path

    write_files(files(), FOLDER, __doc__)
