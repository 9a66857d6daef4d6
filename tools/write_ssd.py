#!/usr/bin/env python3
"""Write prototxt/ssd: the detectors of Liu, Anguelov, Erhan, Szegedy, Reed, Fu, Berg: SSD: Single Shot MultiBox
Detector, ECCV 2016.

train_test_300, deploy_300: SSD300 on VGG-16, under the names of the weights that the authors published for Caffe;
shapes_train_test: a small net of the same structure for drawn shapes of 96x96 pixels.

    python tools/write_ssd.py [FOLDER]      # default: prototxt/ssd
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).resolve().parent.parent / "prototxt/ssd"
RATES = "param { lr_mult: 1  decay_mult: 1 }\n  param { lr_mult: 2  decay_mult: 0 }\n  "
FILLER = '  weight_filler { type: "xavier" }'
VGG = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))  # widths of the stages
NARROW = ((16,), (24,), (32,), (48, 48), (64,))


class Source(NamedTuple):
    """A map that boxes are predicted from: its blob, priors in pixels, aspect ratios, pixels from cell to cell."""

    blob: str
    least: int
    most: int
    ratios: tuple[int, ...]
    step: int


PAPER = (Source("conv4_3_norm", 30, 60, (2,), 8), Source("fc7", 60, 111, (2, 3), 16),
         Source("conv6_2", 111, 162, (2, 3), 32), Source("conv7_2", 162, 213, (2, 3), 64),
         Source("conv8_2", 213, 264, (2,), 100), Source("conv9_2", 264, 315, (2,), 300))
SMALL = (Source("conv4_2_norm", 20, 30, (2,), 8), Source("fc7", 30, 40, (2,), 16), Source("conv6_2", 40, 50, (2,), 32))

PAPER_HEAD = """\
# SSD300 on VGG-16, written by tools/write_ssd.py. Liu, Anguelov, Erhan, Szegedy, Reed, Fu, Berg: SSD: Single Shot
# MultiBox Detector, ECCV 2016, figure 2. Data: LMDBs of AnnotatedDatum, PASCAL VOC 2007 and 2012; labels 1 to 20.
# Weights to start from: VGG_ILSVRC_16_layers_fc_reduced.caffemodel.
name: "SSD_300"

layer {
  name: "data"  type: "AnnotatedData"  top: "data"  top: "label"
  include { phase: TRAIN }
  transform_param {
    mirror: true
    mean_value: 104  mean_value: 117  mean_value: 123
    resize_param {
      prob: 1  resize_mode: WARP  height: 300  width: 300
      interp_mode: LINEAR  interp_mode: AREA  interp_mode: NEAREST  interp_mode: CUBIC  interp_mode: LANCZOS4
    }
    emit_constraint { emit_type: CENTER }
    distort_param {
      brightness_prob: 0.5  brightness_delta: 32
      contrast_prob: 0.5  contrast_lower: 0.5  contrast_upper: 1.5
      hue_prob: 0.5  hue_delta: 18
      saturation_prob: 0.5  saturation_lower: 0.5  saturation_upper: 1.5
    }
    expand_param { prob: 0.5  max_expand_ratio: 4 }
  }
  data_param { source: "data/voc0712_trainval_lmdb"  backend: LMDB  batch_size: 32 }
  annotated_data_param {
    # The whole image, or a part that overlaps some box by at least so much.
    batch_sampler { max_sample: 1  max_trials: 1 }
SAMPLERS  }
}
layer {
  name: "data"  type: "AnnotatedData"  top: "data"  top: "label"
  include { phase: TEST }
  transform_param {
    mean_value: 104  mean_value: 117  mean_value: 123
    resize_param { prob: 1  resize_mode: WARP  height: 300  width: 300  interp_mode: LINEAR }
  }
  data_param { source: "data/voc2007_test_lmdb"  backend: LMDB  batch_size: 8 }
}
"""
SAMPLER = """\
    batch_sampler {
      sampler { min_scale: 0.3  max_scale: 1  min_aspect_ratio: 0.5  max_aspect_ratio: 2 }
      sample_constraint { %s }
      max_sample: 1  max_trials: 50
    }
"""
DEPLOY_HEAD = """\
# SSD300 on VGG-16 for use, written by tools/write_ssd.py: images in, rows [image, class, score, corners of a box] out.
# Liu, Anguelov, Erhan, Szegedy, Reed, Fu, Berg: SSD: Single Shot MultiBox Detector, ECCV 2016, figure 2.
# Images: BGR, 0 to 255, less the means 104, 117, 123, resized to 300x300. Corners are shares of the image.
name: "SSD_300"

layer {
  name: "data"  type: "Input"  top: "data"
  input_param { shape { dim: 1  dim: 3  dim: 300  dim: 300 } }
}
"""
SMALL_HEAD = """\
# SSD in the size of drawn shapes, for a laptop, written by tools/write_ssd.py: the structure of SSD300 with narrow
# stages, and boxes from three maps in the place of six. Classes: disc, rectangle, triangle; 0 is the background.
# Data: blobnet data import shapes
name: "SSD_shapes"

layer {
  name: "data"  type: "AnnotatedData"  top: "data"  top: "label"
  include { phase: TRAIN }
  transform_param { mirror: true  mean_value: 60  scale: 0.0166667 }
  data_param { source: "data/shapes_train_lmdb"  backend: LMDB  batch_size: 16 }
}
layer {
  name: "data"  type: "AnnotatedData"  top: "data"  top: "label"
  include { phase: TEST }
  transform_param { mean_value: 60  scale: 0.0166667 }
  data_param { source: "data/shapes_test_lmdb"  backend: LMDB  batch_size: 20 }
}
"""
LOSS = """\
layer {
  name: "mbox_loss"  type: "MultiBoxLoss"
  bottom: "mbox_loc"  bottom: "mbox_conf"  bottom: "mbox_priorbox"  bottom: "label"  top: "mbox_loss"
  include { phase: TRAIN }
  propagate_down: true  propagate_down: true  propagate_down: false  propagate_down: false
  loss_param { normalization: VALID }
  multibox_loss_param {
    num_classes: %d  loc_loss_type: SMOOTH_L1  conf_loss_type: SOFTMAX  loc_weight: 1
    match_type: PER_PREDICTION  overlap_threshold: 0.5  use_prior_for_matching: true  use_difficult_gt: true
    mining_type: MAX_NEGATIVE  neg_pos_ratio: 3  neg_overlap: 0.5  code_type: CENTER_SIZE
  }
}
"""
PROBABILITIES = """\
layer {
  name: "mbox_conf_reshape"  type: "Reshape"  bottom: "mbox_conf"  top: "mbox_conf_reshape"TEST
  reshape_param { shape { dim: 0  dim: -1  dim: %d } }
}
layer {
  name: "mbox_conf_softmax"  type: "Softmax"  bottom: "mbox_conf_reshape"  top: "mbox_conf_softmax"TEST
  softmax_param { axis: 2 }
}
layer {
  name: "mbox_conf_flatten"  type: "Flatten"  bottom: "mbox_conf_softmax"  top: "mbox_conf_flatten"TEST
  flatten_param { axis: 1 }
}
layer {
  name: "detection_out"  type: "DetectionOutput"
  bottom: "mbox_loc"  bottom: "mbox_conf_flatten"  bottom: "mbox_priorbox"  top: "detection_out"TEST
  detection_output_param {
    num_classes: %d  nms_param { nms_threshold: 0.45  top_k: 400 }  keep_top_k: 200  confidence_threshold: 0.01
    code_type: CENTER_SIZE
  }
}
"""
EVALUATE = """\
layer {
  name: "detection_eval"  type: "DetectionEvaluate"  bottom: "detection_out"  bottom: "label"  top: "detection_eval"
  include { phase: TEST }
  detection_evaluate_param { num_classes: %d  overlap_threshold: 0.5  evaluate_difficult_gt: %s }
}
"""


def layer(name: str, kind: str, bottoms: list[str], top: str, options: str = "") -> str:
    """A layer, on one line if it has no options."""
    head = f'name: "{name}"  type: "{kind}"'
    for word in (*(f'bottom: "{bottom}"' for bottom in bottoms), f'top: "{top}"'):
        line = len(head) - head.rfind("\n")
        head += ("  " if line + len(word) < 116 else "\n  ") + word
    return f"layer {{\n  {head}\n  {options}\n}}\n" if options else f"layer {{ {head} }}\n"


def convolution(name: str, bottom: str, shape: str, relu: str = "") -> str:
    """A convolution, and a ReLU in place if it has a name."""
    text = layer(name, "Convolution", [bottom], name, f"{RATES}convolution_param {{ {shape}{FILLER} }}")
    return text + (layer(relu, "ReLU", [name], name) if relu else "")


def stages(widths: tuple[tuple[int, ...], ...]) -> Iterator[str]:
    """Stages of 3x3 convolutions, each with a pool behind it: 2/2, and 3/1 behind the last."""
    bottom = "data"
    for stage, maps in enumerate(widths, 1):
        text = ""
        for i, width in enumerate(maps, 1):
            name = f"conv{stage}_{i}"
            text += convolution(name, bottom, f"num_output: {width}  kernel_size: 3  pad: 1", f"relu{stage}_{i}")
            bottom = name
        size = "kernel_size: 3  stride: 1  pad: 1" if stage == len(widths) else "kernel_size: 2  stride: 2"
        yield text + layer(f"pool{stage}", "Pooling", [bottom], f"pool{stage}",
                           f"pooling_param {{ pool: MAX  {size} }}")
        bottom = f"pool{stage}"


def extra(name: str, bottom: str, width: int, shape: str) -> str:
    """Two convolutions, of 1x1 to half of the width and of 3x3: a smaller map."""
    narrow, wide = f"{name}_1", f"{name}_2"
    return (convolution(narrow, bottom, f"num_output: {width // 2}  kernel_size: 1", f"{narrow}_relu")
            + convolution(wide, narrow, f"num_output: {width}  kernel_size: 3  {shape}", f"{wide}_relu"))


def normalized(name: str) -> str:
    """Features of length 1 at every place, times a scale for each channel that is learned, from 20 on."""
    return layer(f"{name}_norm", "Normalize", [name], f"{name}_norm",
                 'norm_param { across_spatial: false  channel_shared: false  '
                 'scale_filler { type: "constant"  value: 20 } }')


def head(source: Source, classes: int) -> str:
    """Offsets, scores and priors of a map: for every aspect ratio two boxes, and two squares."""
    blob, boxes, text = source.blob, 2 + 2 * len(source.ratios), ""
    for kind, numbers in (("loc", 4), ("conf", classes)):
        name = f"{blob}_mbox_{kind}"
        text += convolution(name, blob, f"num_output: {boxes * numbers}  kernel_size: 3  pad: 1")
        text += layer(f"{name}_perm", "Permute", [name], f"{name}_perm",
                      "permute_param { order: 0  order: 2  order: 3  order: 1 }")
        text += layer(f"{name}_flat", "Flatten", [f"{name}_perm"], f"{name}_flat", "flatten_param { axis: 1 }")
    ratios = "  ".join(f"aspect_ratio: {ratio}" for ratio in source.ratios)
    return text + layer(f"{blob}_mbox_priorbox", "PriorBox", [blob, "data"], f"{blob}_mbox_priorbox", f"""\
prior_box_param {{
    min_size: {source.least}  max_size: {source.most}  {ratios}  flip: true  clip: false
    variance: 0.1  variance: 0.1  variance: 0.2  variance: 0.2  step: {source.step}  offset: 0.5
  }}""")


def joined(sources: tuple[Source, ...]) -> str:
    """What all maps say, in one blob each."""
    return "".join(layer(f"mbox_{kind}", "Concat", [f"{source.blob}_mbox_{kind}{flat}" for source in sources],
                         f"mbox_{kind}", f"concat_param {{ axis: {axis} }}")
                   for kind, flat, axis in (("loc", "_flat", 1), ("conf", "_flat", 1), ("priorbox", "", 2)))


def paper_body() -> Iterator[str]:
    """VGG-16 with its inner products as convolutions, and the layers that the paper adds."""
    yield from stages(VGG)
    yield (convolution("fc6", "pool5", "num_output: 1024  kernel_size: 3  pad: 6  dilation: 6", "relu6")
           + convolution("fc7", "fc6", "num_output: 1024  kernel_size: 1", "relu7"))
    yield extra("conv6", "fc7", 512, "stride: 2  pad: 1")
    yield extra("conv7", "conv6_2", 256, "stride: 2  pad: 1")
    yield extra("conv8", "conv7_2", 256, "stride: 1  pad: 0")
    yield extra("conv9", "conv8_2", 256, "stride: 1  pad: 0")
    yield normalized("conv4_3")


def small_body() -> Iterator[str]:
    """The same in a small size, with one added map."""
    yield from stages(NARROW)
    yield (convolution("fc6", "pool5", "num_output: 96  kernel_size: 3  pad: 2  dilation: 2", "relu6")
           + convolution("fc7", "fc6", "num_output: 96  kernel_size: 1", "relu7"))
    yield extra("conv6", "fc7", 96, "stride: 2  pad: 1")
    yield normalized("conv4_2")


def end(sources: tuple[Source, ...], classes: int, train: bool, difficult: bool = True) -> Iterator[str]:
    """Everything behind the maps."""
    for source in sources:
        yield head(source, classes)
    yield joined(sources)
    if train:
        yield LOSS % classes
    test = "\n  include { phase: TEST }" if train else ""
    yield PROBABILITIES.replace("TEST", test) % (classes, classes)
    if train:
        yield EVALUATE % (classes, str(difficult).lower())


def paper(train: bool) -> Iterator[str]:
    """The pieces of SSD300, to be separated by empty lines."""
    overlaps = [f"min_jaccard_overlap: {share}" for share in (0.1, 0.3, 0.5, 0.7, 0.9)] + ["max_jaccard_overlap: 1"]
    samplers = "".join(SAMPLER % overlap for overlap in overlaps)
    yield PAPER_HEAD.replace("SAMPLERS", samplers) if train else DEPLOY_HEAD
    yield from paper_body()
    yield from end(PAPER, 21, train, difficult=False)


def small() -> Iterator[str]:
    """The pieces of the small net."""
    yield SMALL_HEAD
    yield from small_body()
    yield from end(SMALL, 4, train=True)


def files() -> dict[str, str]:
    """The files of the folder by name. Nets for use take their weights from a file and have no fillers."""
    deploy = "\n".join(paper(train=False)).replace(FILLER, "").replace(RATES, "")
    return {"train_test_300.prototxt": "\n".join(paper(train=True)), "deploy_300.prototxt": deploy,
            "shapes_train_test.prototxt": "\n".join(small())}


if __name__ == "__main__":
    from _write_files import write_files  # here, for who imports this file may have no tools/ on the path

    write_files(files(), FOLDER, __doc__)
