#!/usr/bin/env python3
"""Write the nets and solvers of prototxt/dnnh, for codes of 12, 24, 32 and 48 bits, of Lai, Pan, Liu, Yan: Simultaneous
Feature Learning and Hash Coding with Deep Neural Networks, CVPR 2015.

train_test: the paper's net, divide and encode; fc_train_test: the paper's alternative, one fully connected layer in the
place of divide and encode; small_…: the same with fewer and smaller convolutions, for 32x32 pixels and a CPU.

    python tools/write_dnnh.py [FOLDER]      # default: prototxt/dnnh
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "prototxt/dnnh"
BITS = (12, 24, 32, 48)
FEATURES = 50  # a bit
MSRA, XAVIER = (f'weight_filler {{ type: "{kind}" }}' for kind in ("msra", "xavier"))
RATES = "param { lr_mult: 1  decay_mult: 1 }\n  param { lr_mult: 2  decay_mult: 0 }"
PAPER = ((96, "kernel_size: 11  stride: 4"), (256, "kernel_size: 5  pad: 2"), (384, "kernel_size: 3  pad: 1"),
         (1024, "kernel_size: 3  pad: 1"))  # the paper's table 1: maps and window of the convolutions
SMALL = ((32, "kernel_size: 5  pad: 2  stride: 2"), (64, "kernel_size: 3  pad: 1"), (128, "kernel_size: 3  pad: 1"))

HEAD = """\
# DNNH, {bits} bits, {about}; written by tools/write_dnnh.py.
# Lai, Pan, Liu, Yan: Simultaneous Feature Learning and Hash Coding with Deep Neural Networks, CVPR 2015.
# Data: blobnet data import cifar10 --download
name: "DNNH_{title}{bits}bits"

layer {{
  name: "triplets"  type: "TripletData"  top: "data"
  include {{ phase: TRAIN }}
  transform_param {{ mean_file: "data/cifar10_mean.binaryproto"  scale: 0.0166667 }}
  data_param {{ source: "data/cifar10_train_lmdb"  backend: LMDB  batch_size: 48 }}
}}
layer {{
  name: "images"  type: "Data"  top: "data"  top: "label"
  include {{ phase: TEST }}
  transform_param {{ mean_file: "data/cifar10_mean.binaryproto"  scale: 0.0166667 }}
  data_param {{ source: "data/cifar10_test_lmdb"  backend: LMDB  batch_size: 100 }}
}}
"""
ENLARGE = """\
# From 32x32 to 224x224 pixels, bilinear.
layer {
  name: "enlarge"  type: "Deconvolution"  bottom: "data"  top: "enlarged"
  param { lr_mult: 0  decay_mult: 0 }
  convolution_param {
    num_output: 3  group: 3  kernel_size: 13  stride: 7  pad: 3  bias_term: false  weight_filler { type: "bilinear" }
  }
}
"""
END = """\
# The code: elements from 0 to 1; in training those far from 0.5 become 0 or 1. A bit is 1 above 0.5.
layer { name: "sigmoid"  type: "Sigmoid"  bottom: "ip"  top: "sigmoid" }
layer {
  name: "threshold"  type: "PiecewiseThreshold"  bottom: "sigmoid"  top: "code"
  piecewise_threshold_param { epsilon: 0.4 }
}

# Queries q, positives p, negatives n are thirds of the batch. As the similarities are -||a - b||^2 / 2, half the margin
# and twice the weight give the mean of max(0, 1 + ||q - p||^2 - ||q - n||^2).
layer {
  name: "triplet"  type: "Slice"  bottom: "code"  top: "query"  top: "positive"  top: "negative"
  include { phase: TRAIN }
  slice_param { axis: 0 }
}
layer {
  name: "pos_sim"  type: "EuclideanSimilarity"  bottom: "query"  bottom: "positive"  top: "pos_sim"
  include { phase: TRAIN }
}
layer {
  name: "neg_sim"  type: "EuclideanSimilarity"  bottom: "query"  bottom: "negative"  top: "neg_sim"
  include { phase: TRAIN }
}
layer {
  name: "loss"  type: "PairwiseRankingLoss"  bottom: "pos_sim"  bottom: "neg_sim"  top: "loss"  loss_weight: 2
  include { phase: TRAIN }
  triplet_loss_param { margin: 0.5  gradient: EXACT }
}
"""
SOLVER = """\
# DNNH, {bits} bits, {about}; written by tools/write_dnnh.py.
# Momentum and weight decay are the paper's; rate, batch, fillers and number of iterations are our choice.
net: "prototxt/dnnh/{net}"
base_lr: 0.001
momentum: 0.9
weight_decay: 0.0005
lr_policy: "fixed"
display: 100
average_loss: 100
max_iter: 50000
snapshot: 10000
snapshot_prefix: "dnnh_{title}{bits}"
solver_mode: {mode}
"""


def convolution(name: str, bottom: str, maps: int, window: str) -> str:
    """A convolution and its ReLU."""
    return f"""\
layer {{
  name: "{name}"  type: "Convolution"  bottom: "{bottom}"  top: "{name}"
  {RATES}
  convolution_param {{ num_output: {maps}  {window}  {MSRA} }}
}}
layer {{ name: "relu_{name}"  type: "ReLU"  bottom: "{name}"  top: "{name}" }}
"""


def shared_net(stages: tuple, bottom: str, features: int) -> Iterator[str]:
    """Convolutions with a 1x1 convolution behind each, the last of as many maps as there are features."""
    for i, (maps, window) in enumerate(stages, 1):
        last = i == len(stages)
        yield convolution(f"conv{i}", bottom, maps, window)
        yield convolution(f"conv{i}_1", f"conv{i}", features if last else maps, "kernel_size: 1")
        bottom = f"pool{i}"
        pool = "pool: AVE  global_pooling: true" if last else "pool: MAX  kernel_size: 3  stride: 2"
        yield (f'layer {{\n  name: "{bottom}"  type: "Pooling"  bottom: "conv{i}_1"  top: "{bottom}"\n'
               f"  pooling_param {{ {pool} }}\n}}\n")


def divide_and_encode(bottom: str, bits: int) -> str:
    """Slices of the features, an inner product of each, and their numbers side by side."""
    parts = range(1, bits + 1)
    tops = "".join(f'\n  top: "slice_{i}"' for i in parts)
    points = "".join(("\n    " if i % 8 == 1 else "  ") + f"slice_point: {FEATURES * i}" for i in parts[:-1])
    products = "".join(f"""\
layer {{
  name: "ip_{i}"  type: "InnerProduct"  bottom: "slice_{i}"  top: "hash_{i}"
  inner_product_param {{ num_output: 1  {XAVIER} }}
}}
""" for i in parts)
    bottoms = "".join(f'\n  bottom: "hash_{i}"' for i in parts)
    return f"""\
# Divide: {FEATURES} features a bit. Encode: each part to one element.
layer {{
  name: "divide"  type: "Slice"  bottom: "{bottom}"{tops}
  slice_param {{
    axis: 1{points}
  }}
}}
{products}layer {{
  name: "concat"  type: "Concat"{bottoms}
  top: "ip"
  concat_param {{ axis: 1 }}
}}
"""


def fully_connected(bottom: str, bits: int) -> str:
    """One inner product of all features."""
    return f"""\
layer {{
  name: "ip"  type: "InnerProduct"  bottom: "{bottom}"  top: "ip"
  inner_product_param {{ num_output: {bits}  {XAVIER} }}
}}
"""


def parts(bits: int, small: bool, encode) -> Iterator[str]:
    """The pieces of a net's text, to be separated by empty lines."""
    stages = SMALL if small else PAPER
    yield HEAD.format(bits=bits, **words(small, encode))
    if not small:
        yield ENLARGE
    yield from shared_net(stages, "data" if small else "enlarged", FEATURES * bits)
    yield encode(f"pool{len(stages)}", bits)
    yield END


def words(small: bool, encode) -> dict[str, str]:
    """What heads and names of the files say."""
    about = "divide and encode" if encode is divide_and_encode else "one fully connected layer"
    return {"about": about + ", for 32x32 pixels and a CPU" * small,
            "title": "small_" * small + "fc_" * (encode is fully_connected)}


def files() -> dict[str, str]:
    """The files of the folder by name."""
    result = {}
    for small in (False, True):
        for encode in (divide_and_encode, fully_connected):
            said = words(small, encode)
            for bits in BITS:
                net = f"{said['title']}train_test_{bits}.prototxt"
                result[net] = "\n".join(parts(bits, small, encode))
                result[f"{said['title']}solver_{bits}.prototxt"] = SOLVER.format(
                    bits=bits, net=net, mode="CPU" if small else "GPU", **said)
    return result


if __name__ == "__main__":
    from _write_files import write_files  # here, for who imports this file may have no tools/ on the path

    write_files(files(), FOLDER, __doc__)
