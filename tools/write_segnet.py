#!/usr/bin/env python3
"""Write prototxt/segnet: the nets of Badrinarayanan, Kendall, Cipolla: SegNet: A Deep Convolutional Encoder-Decoder
Architecture for Image Segmentation, PAMI 2017.

train_test, deploy: SegNet with the convolutions of VGG-16, under the names of the weights that the authors published
for Caffe; shapes_train_test: a small net of the same structure for drawn shapes of 96x96 pixels.

    python tools/write_segnet.py [FOLDER]      # default: prototxt/segnet
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "prototxt/segnet"
RATES = "param { lr_mult: 1  decay_mult: 1 }\n  param { lr_mult: 2  decay_mult: 0 }\n  "
BN_RATES = "param { lr_mult: 1  decay_mult: 1 }\n  param { lr_mult: 1  decay_mult: 0 }\n  "
FILLER = '  weight_filler { type: "msra" }'
BN_FILLERS = "scale_filler { value: 1 }  shift_filler { value: 0.001 }"
VGG = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))  # widths of the encoder's stages
SMALL = ((16,), (24,), (32,), (48, 48))
SIZES = {5: (23, 30), 4: (45, 60)}  # of the planes of 360x480 pixels that a pool rounds up
CAMVID = (0.2595, 0.1826, 4.564, 0.1417, 0.9051, 0.3826, 9.6446, 1.8418, 0.6823, 6.2478, 7.3614)
SHAPES = (0.1556, 1.1196, 0.9035, 1.7083)  # both: median of the classes' shares, divided by the share

HEAD = """\
# SegNet, written by tools/write_segnet.py. Badrinarayanan, Kendall, Cipolla: SegNet: A Deep Convolutional
# Encoder-Decoder Architecture for Image Segmentation, PAMI 2017, figure 2. Data: CamVid, 360x480 pixels, lists with an
# image and a label image a line; labels 0 to 10, 11 is left out. To start from: VGG_ILSVRC_16_layers.caffemodel.
name: "SegNet"

layer {
  name: "data"  type: "DenseImageData"  top: "data"  top: "label"
  include { phase: TRAIN }
  dense_image_data_param { source: "data/camvid_train.txt"  root_folder: "data/"  batch_size: 4  shuffle: true }
}
layer {
  name: "data"  type: "DenseImageData"  top: "data"  top: "label"
  include { phase: TEST }
  dense_image_data_param { source: "data/camvid_test.txt"  root_folder: "data/"  batch_size: 1 }
}
"""
DEPLOY_HEAD = """\
# SegNet for use, written by tools/write_segnet.py: images in, probabilities of the 11 classes of every pixel out.
# Badrinarayanan, Kendall, Cipolla: SegNet: A Deep Convolutional Encoder-Decoder Architecture for Image Segmentation,
# PAMI 2017, figure 2. Images: BGR, 0 to 255, 360x480. Its weights have the statistics of the training set merged in.
name: "SegNet"

layer {
  name: "data"  type: "Input"  top: "data"
  input_param { shape { dim: 1  dim: 3  dim: 360  dim: 480 } }
}
"""
SMALL_HEAD = """\
# SegNet in the size of drawn shapes, for a laptop, written by tools/write_segnet.py: the structure of SegNet with four
# narrow stages. Classes: 0 ground, 1 disc, 2 rectangle, 3 triangle.
# Data: blobnet data import shapes_masks
name: "SegNet_shapes"

layer {
  name: "data"  type: "DenseImageData"  top: "data"  top: "label"
  include { phase: TRAIN }
  dense_image_data_param {
    source: "data/shapes_masks_train.txt"  root_folder: "data/"  batch_size: 10  shuffle: true  mirror: true
  }
}
layer {
  name: "data"  type: "DenseImageData"  top: "data"  top: "label"
  include { phase: TEST }
  dense_image_data_param { source: "data/shapes_masks_test.txt"  root_folder: "data/"  batch_size: 20 }
}
"""


def layer(name: str, kind: str, bottoms: list[str], tops: list[str], options: str = "") -> str:
    """A layer, on one line if it has no options."""
    head = "  ".join([f'name: "{name}"', f'type: "{kind}"', *(f'bottom: "{bottom}"' for bottom in bottoms),
                      *(f'top: "{top}"' for top in tops)])
    return f"layer {{\n  {head}\n  {options}\n}}\n" if options else f"layer {{ {head} }}\n"


def convolution(name: str, bottom: str, width: int, relu: str = "") -> str:
    """A convolution of 3x3; before a ReLU, if that has a name, its outputs are normalised."""
    text = layer(name, "Convolution", [bottom], [name],
                 f"{RATES}convolution_param {{ num_output: {width}  kernel_size: 3  pad: 1{FILLER} }}")
    if relu:
        text += layer(f"{name}_bn", "BN", [name], [name], f"{BN_RATES}bn_param {{ {BN_FILLERS} }}")
        text += layer(relu, "ReLU", [name], [name])
    return text


def encoder(widths: tuple[tuple[int, ...], ...]) -> Iterator[str]:
    """Stages of convolutions, each with a pool behind it that keeps where its maxima were."""
    bottom = "data"
    for stage, maps in enumerate(widths, 1):
        text = ""
        for i, width in enumerate(maps, 1):
            text += convolution(f"conv{stage}_{i}", bottom, width, f"relu{stage}_{i}")
            bottom = f"conv{stage}_{i}"
        yield text + layer(f"pool{stage}", "Pooling", [bottom], [f"pool{stage}", f"pool{stage}_mask"],
                           "pooling_param { pool: MAX  kernel_size: 2  stride: 2 }")
        bottom = f"pool{stage}"


def decoder(widths: tuple[tuple[int, ...], ...], classes: int, sizes: dict[int, tuple[int, int]]) -> Iterator[str]:
    """The same stages backwards: values go back to where the maxima were. The last convolution gives the scores."""
    bottom = f"pool{len(widths)}"
    for stage in range(len(widths), 0, -1):
        size = "scale: 2"
        if stage in sizes:
            size = "upsample_h: {}  upsample_w: {}".format(*sizes[stage])
        text = layer(f"upsample{stage}", "Upsample", [bottom, f"pool{stage}_mask"], [f"pool{stage}_D"],
                     f"upsample_param {{ {size} }}")
        bottom = f"pool{stage}_D"
        below = widths[stage - 2][-1] if stage > 1 else classes
        for i, width in reversed(list(enumerate((below, *widths[stage - 1][:-1]), 1))):
            name = f"conv{stage}_{i}_D"
            last = (stage, i) == (1, 1)
            text += convolution(name, bottom, width, "" if last else f"relu{stage}_{i}_D")
            bottom = name
        yield text


def end(weights: tuple[float, ...], ignored: int | None) -> str:
    """The loss, and in TEST the shares of right pixels, over all batches so far."""
    ignore = "" if ignored is None else f"  ignore_label: {ignored}"
    lines = "\n".join("    " + "  ".join(f"class_weighting: {weight:g}" for weight in weights[i:i + 4])
                      for i in range(0, len(weights), 4))
    return (layer("loss", "SoftmaxWithLoss", ["conv1_1_D", "label"], ["loss"],
                  f"loss_param {{\n    normalize: true  weight_by_label_freqs: true{ignore}\n{lines}\n  }}")
            + layer("accuracy", "SegAccuracy", ["conv1_1_D", "label"], ["accuracy"],
                    f"include {{ phase: TEST }}\n  seg_accuracy_param {{ reset: false{ignore} }}"))


def paper() -> Iterator[str]:
    """The pieces of SegNet, to be separated by empty lines."""
    yield HEAD
    yield from encoder(VGG)
    yield from decoder(VGG, len(CAMVID), SIZES)
    yield end(CAMVID, 11)


def deploy() -> Iterator[str]:
    """The same for use, by weights with the statistics merged in, without fillers and rates."""
    yield DEPLOY_HEAD
    for text in [*encoder(VGG), *decoder(VGG, len(CAMVID), SIZES)]:
        for words in (FILLER, RATES, BN_RATES):
            text = text.replace(words, "")
        yield text.replace(BN_FILLERS, "bn_mode: INFERENCE")
    yield layer("prob", "Softmax", ["conv1_1_D"], ["prob"])


def small() -> Iterator[str]:
    """The pieces of the small net."""
    yield SMALL_HEAD
    yield from encoder(SMALL)
    yield from decoder(SMALL, len(SHAPES), {})
    yield end(SHAPES, None)


def files() -> dict[str, str]:
    """The files of the folder by name."""
    return {"train_test.prototxt": "\n".join(paper()), "deploy.prototxt": "\n".join(deploy()),
            "shapes_train_test.prototxt": "\n".join(small())}


if __name__ == "__main__":
    from _write_files import write_files  # here, for who imports this file may have no tools/ on the path

    write_files(files(), FOLDER, __doc__)
