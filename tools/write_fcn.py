#!/usr/bin/env python3
"""Write prototxt/fcn: FCN-8s of Long, Shelhamer, Darrell: Fully Convolutional Networks for Semantic Segmentation, CVPR
2015.

train_test_8s, deploy_8s: FCN-8s on VGG-16, under the names of the weights that the authors published for Caffe;
shapes_train_test: a small net of the same structure for drawn shapes of 96x96 pixels.

    python tools/write_fcn.py [FOLDER]      # default: prototxt/fcn
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).resolve().parent.parent / "prototxt/fcn"
RATES = "param { lr_mult: 1  decay_mult: 1 }\n  param { lr_mult: 2  decay_mult: 0 }\n  "
FIXED = "param { lr_mult: 0 }\n  "
FILLER = '  weight_filler { type: "msra" }'
DROP = "dropout_param { dropout_ratio: 0.5 }"


class Kind(NamedTuple):
    """What the two nets differ in.

    widths: of the convolutions of each stage; pad: round the image; full, kernel: width and window of fc6; crops: where
    pool4, pool3 and the image begin, in pixels of the maps that are laid over them; drop: whether fc6 and fc7 drop out.
    """

    classes: int
    widths: tuple[tuple[int, ...], ...]
    pad: int
    full: int
    kernel: int
    crops: tuple[int, int, int]
    drop: bool
    loss: str


VGG = Kind(21, ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512)), 100, 4096, 7, (5, 9, 31),
           True, "ignore_label: 255  normalize: false")
SMALL = Kind(4, ((16,), (24,), (32,), (48,), (64,)), 17, 96, 3, (1, 1, 12), False, "normalize: true")

HEAD = """\
# FCN-8s on VGG-16, written by tools/write_fcn.py. Long, Shelhamer, Darrell: Fully Convolutional Networks for Semantic
# Segmentation, CVPR 2015, figure 3. Data: PASCAL VOC, lists with an image and a label image a line, gray as its labels,
# 0 to 20; 255 is left out.
name: "FCN_8s"

layer {
  name: "data"  type: "DenseImageData"  top: "data"  top: "label"
  include { phase: TRAIN }
  transform_param { mean_value: 104.00699  mean_value: 116.66877  mean_value: 122.67892 }
  dense_image_data_param { source: "data/sbd_train.txt"  root_folder: "data/"  batch_size: 1  shuffle: true }
}
layer {
  name: "data"  type: "DenseImageData"  top: "data"  top: "label"
  include { phase: TEST }
  transform_param { mean_value: 104.00699  mean_value: 116.66877  mean_value: 122.67892 }
  dense_image_data_param { source: "data/voc2011_val.txt"  root_folder: "data/"  batch_size: 1 }
}
"""
DEPLOY_HEAD = """\
# FCN-8s on VGG-16 for use, written by tools/write_fcn.py: images in, scores of the 21 classes of every pixel out.
# Long, Shelhamer, Darrell: Fully Convolutional Networks for Semantic Segmentation, CVPR 2015, figure 3.
# Images: BGR, 0 to 255, less the means 104.00699, 116.66877, 122.67892, of any size. In the published weights every
# upscore layer has a window from every class to every class, so it is not grouped here.
name: "FCN_8s"

layer {
  name: "data"  type: "Input"  top: "data"
  input_param { shape { dim: 1  dim: 3  dim: 500  dim: 500 } }
}
"""
SMALL_HEAD = """\
# FCN-8s in the size of drawn shapes, for a laptop, written by tools/write_fcn.py: the structure of FCN-8s with one
# narrow convolution a stage. Classes: 0 ground, 1 disc, 2 rectangle, 3 triangle.
# Data: blobnet data import shapes_masks
name: "FCN_shapes"

layer {
  name: "data"  type: "DenseImageData"  top: "data"  top: "label"
  include { phase: TRAIN }
  transform_param { mean_value: 60  scale: 0.0166667 }
  dense_image_data_param {
    source: "data/shapes_masks_train.txt"  root_folder: "data/"  batch_size: 10  shuffle: true  mirror: true
  }
}
layer {
  name: "data"  type: "DenseImageData"  top: "data"  top: "label"
  include { phase: TEST }
  transform_param { mean_value: 60  scale: 0.0166667 }
  dense_image_data_param { source: "data/shapes_masks_test.txt"  root_folder: "data/"  batch_size: 20 }
}
"""


def layer(name: str, kind: str, bottoms: list[str], top: str, options: str = "") -> str:
    """A layer, on one line if it has no options."""
    head = "  ".join([f'name: "{name}"', f'type: "{kind}"', *(f'bottom: "{bottom}"' for bottom in bottoms),
                      f'top: "{top}"'])
    return f"layer {{\n  {head}\n  {options}\n}}\n" if options else f"layer {{ {head} }}\n"


def convolution(name: str, bottom: str, shape: str, relu: str = "") -> str:
    """A convolution, and a ReLU in place if it has a name; without one it gives scores, which begin at 0."""
    text = layer(name, "Convolution", [bottom], name, f"{RATES}convolution_param {{ {shape}{FILLER if relu else ''} }}")
    return text + (layer(relu, "ReLU", [name], name) if relu else "")


def stages(kind: Kind) -> Iterator[str]:
    """Stages of 3x3 convolutions with pools of 2/2 behind them."""
    bottom, pad = "data", kind.pad
    for stage, maps in enumerate(kind.widths, 1):
        text = ""
        for i, width in enumerate(maps, 1):
            text += convolution(f"conv{stage}_{i}", bottom, f"num_output: {width}  kernel_size: 3  pad: {pad}",
                                f"relu{stage}_{i}")
            bottom, pad = f"conv{stage}_{i}", 1
        yield text + layer(f"pool{stage}", "Pooling", [bottom], f"pool{stage}",
                           "pooling_param { pool: MAX  kernel_size: 2  stride: 2 }")
        bottom = f"pool{stage}"


def full(kind: Kind) -> str:
    """The inner products of the classifier as convolutions, and the scores of 32 x 32 pixels."""
    text, bottom = "", "pool5"
    for number, size in ((6, kind.kernel), (7, 1)):
        name = f"fc{number}"
        text += convolution(name, bottom, f"num_output: {kind.full}  kernel_size: {size}", f"relu{number}")
        text += layer(f"drop{number}", "Dropout", [name], name, DROP) if kind.drop else ""
        bottom = name
    return text + convolution("score_fr", "fc7", f"num_output: {kind.classes}  kernel_size: 1")


def enlarged(name: str, bottom: str, kind: Kind, step: int, grouped: bool) -> str:
    """Scores of `step` times the size, bilinear; in groups, one a class, unless weights from a file say the same."""
    shape = f"num_output: {kind.classes}  kernel_size: {2 * step}  stride: {step}  bias_term: false"
    if grouped:
        shape += f'\n    group: {kind.classes}  weight_filler {{ type: "bilinear" }}'
    return layer(name, "Deconvolution", [bottom], name, f"{FIXED}convolution_param {{\n    {shape}\n  }}")


def skip(pool: str, bottom: str, kind: Kind, offset: int) -> str:
    """The scores of a pool, cut to those of deeper layers and added to them."""
    return (convolution(f"score_{pool}", pool, f"num_output: {kind.classes}  kernel_size: 1")
            + layer(f"score_{pool}c", "Crop", [f"score_{pool}", bottom], f"score_{pool}c",
                    f"crop_param {{ axis: 2  offset: {offset} }}")
            + layer(f"fuse_{pool}", "Eltwise", [bottom, f"score_{pool}c"], f"fuse_{pool}",
                    "eltwise_param { operation: SUM }"))


def body(kind: Kind, grouped: bool = True) -> Iterator[str]:
    """The pieces between the data and the loss."""
    yield from stages(kind)
    yield full(kind)
    yield enlarged("upscore2", "score_fr", kind, 2, grouped) + skip("pool4", "upscore2", kind, kind.crops[0])
    yield (enlarged("upscore_pool4", "fuse_pool4", kind, 2, grouped)
           + skip("pool3", "upscore_pool4", kind, kind.crops[1]))
    yield (enlarged("upscore8", "fuse_pool3", kind, 8, grouped)
           + layer("score", "Crop", ["upscore8", "data"], "score",
                   f"crop_param {{ axis: 2  offset: {kind.crops[2]} }}"))


def end(kind: Kind) -> str:
    """The loss, and in TEST the shares of right pixels, over all batches so far."""
    ignore = "  ignore_label: 255" if "ignore" in kind.loss else ""
    return (layer("loss", "SoftmaxWithLoss", ["score", "label"], "loss", f"loss_param {{ {kind.loss} }}")
            + layer("accuracy", "SegAccuracy", ["score", "label"], "accuracy",
                    f"include {{ phase: TEST }}\n  seg_accuracy_param {{ reset: false{ignore} }}"))


def files() -> dict[str, str]:
    """The files of the folder by name. Nets for use take their weights from a file and have no fillers."""
    deploy = "\n".join([DEPLOY_HEAD, *body(VGG, grouped=False)])
    for words in (FILLER, RATES, FIXED):
        deploy = deploy.replace(words, "")
    return {"train_test_8s.prototxt": "\n".join([HEAD, *body(VGG), end(VGG)]), "deploy_8s.prototxt": deploy,
            "shapes_train_test.prototxt": "\n".join([SMALL_HEAD, *body(SMALL), end(SMALL)])}


if __name__ == "__main__":
    from _write_files import write_files  # here, for who imports this file may have no tools/ on the path

    write_files(files(), FOLDER, __doc__)
