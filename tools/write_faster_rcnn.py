#!/usr/bin/env python3
"""Write prototxt/faster_rcnn: the nets of Ren, He, Girshick, Sun: Faster R-CNN: Towards Real-Time Object Detection with
Region Proposal Networks, NIPS 2015, on VGG-16, on the net of Zeiler and Fergus, and on a small one for drawn shapes,
under the names of the weights that the authors published for Caffe.

    python tools/write_faster_rcnn.py [FOLDER]      # default: prototxt/faster_rcnn
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "prototxt/faster_rcnn"
PAPER = """\
# Ren, He, Girshick, Sun: Faster R-CNN: Towards Real-Time Object Detection with Region Proposal Networks, NIPS 2015."""
LEARNS = "param { lr_mult: 1 }  param { lr_mult: 2  decay_mult: 0 }"
FIXED = "param { lr_mult: 0 }  param { lr_mult: 0 }"
RANDOM = 'weight_filler { type: "msra" }'


@dataclass(frozen=True)
class Detector:
    """What the nets differ in.

    title; name; features: the layers that a region is judged by, from the blob data; map: their last blob, whose places
    are `stride` pixels apart; width: channels of the region proposal network; bins: of ROIPooling, along each side;
    hidden: neurons of fc6 and of fc7; pretrained: whether these start from published weights and have Dropout, or from
    random weights; classes, with the background; image: height and width for use; anchors: how many at each place.
    Settings of the layers in Python, besides: scales of the anchors; data; of the samples of anchors and of boxes; of
    the proposals in training and in use.
    """

    title: str
    name: str
    features: str
    map: str
    stride: int
    width: int
    bins: int
    hidden: tuple[int, ...]
    pretrained: bool
    classes: int
    image: tuple[int, int]
    anchors: int = 9
    scales: str = ""
    data: str = ""
    samples: tuple[str, str] = ("", "")
    proposals: tuple[str, str] = ("", "")


def layer(name: str, kind: str, bottoms: str, tops: str, *options: str) -> str:
    """A layer, on one line if it has no options; bottoms and tops have lines of their own if they are many."""
    parts = [[f'name: "{name}"', f'type: "{kind}"'], [f'bottom: "{blob}"' for blob in bottoms.split()],
             [f'top: "{blob}"' for blob in tops.split()]]
    heads = ["  ".join(word for part in parts for word in part)]
    if len(heads[0]) > 116:
        heads = ["  ".join(part) for part in parts if part]
    if not any(options):
        return f"layer {{ {heads[0]} }}\n"
    return "\n".join(["layer {", *(f"  {line}" for line in [*heads, *filter(None, options)]), "}\n"])


def gaussian(deviation: float) -> str:
    """A filler of weights."""
    return f'weight_filler {{ type: "gaussian"  std: {deviation} }}'


def convolution(name: str, bottom: str, shape: str, rates: str = LEARNS, filler: str = "", top: str = "") -> str:
    """A convolution."""
    return layer(name, "Convolution", bottom, top or name, rates,
                 "convolution_param { " + "  ".join(filter(None, [shape, filler])) + " }")


def relu(name: str, blob: str) -> str:
    """A ReLU in place."""
    return layer(name, "ReLU", blob, blob)


def max_pool(name: str, bottom: str, shape: str) -> str:
    """Maxima of windows."""
    return layer(name, "Pooling", bottom, name, f"pooling_param {{ pool: MAX  {shape} }}")


def python(name: str, bottoms: str, tops: str, module: str, kind: str, settings: str) -> str:
    """A layer of examples/faster_rcnn."""
    return layer(name, "Python", bottoms, tops,
                 f'python_param {{\n    module: "{module}"  layer: "{kind}"\n    param_str: "{{{settings}}}"\n  }}')


def vgg() -> str:
    """conv1_1 to conv5_3 of VGG-16, of which the first four do not learn."""
    text, bottom = "", "data"
    for stage, (count, width) in enumerate(((2, 64), (2, 128), (3, 256), (3, 512), (3, 512)), 1):
        for i in range(1, count + 1):
            name = f"conv{stage}_{i}"
            text += convolution(name, bottom, f"num_output: {width}  kernel_size: 3  pad: 1",
                                FIXED if stage < 3 else LEARNS) + relu(f"relu{stage}_{i}", name)
            bottom = name
        if stage < 5:
            text, bottom = text + max_pool(f"pool{stage}", bottom, "kernel_size: 2  stride: 2"), f"pool{stage}"
    return text


def zf() -> str:
    """conv1 to conv5 of the net of Zeiler and Fergus, the faster of their two."""
    text, bottom = "", "data"
    for stage, (width, kernel) in enumerate(((96, 7), (256, 5), (384, 3), (384, 3), (256, 3)), 1):
        shape = f"num_output: {width}  kernel_size: {kernel}  pad: {kernel // 2}" + "  stride: 2" * (stage < 3)
        text += convolution(f"conv{stage}", bottom, shape) + relu(f"relu{stage}", f"conv{stage}")
        bottom = f"conv{stage}"
        if stage < 3:
            text += layer(f"norm{stage}", "LRN", bottom, f"norm{stage}",
                          "lrn_param { local_size: 3  alpha: 0.00005  beta: 0.75  norm_region: WITHIN_CHANNEL }")
            text += max_pool(f"pool{stage}", f"norm{stage}", "kernel_size: 3  stride: 2  pad: 1")
            bottom = f"pool{stage}"
    return text


def small() -> str:
    """Four convolutions for drawn shapes."""
    text = layer("scaled", "Power", "data", "scaled", "power_param { scale: 0.01 }")
    bottom = "scaled"
    for i, (width, shape) in enumerate(((16, "kernel_size: 5  pad: 2  stride: 2"), (32, "kernel_size: 3  pad: 1"),
                                        (64, "kernel_size: 3  pad: 1"), (64, "kernel_size: 3  pad: 1")), 1):
        text += convolution(f"conv{i}", bottom, f"num_output: {width}  {shape}", LEARNS, RANDOM)
        text += relu(f"relu{i}", f"conv{i}")
        bottom = f"conv{i}"
        if i == 2:
            text, bottom = text + max_pool("pool2", bottom, "kernel_size: 2  stride: 2"), "pool2"
    return text


def proposals(net: Detector) -> str:
    """The region proposal network: rpn_cls_score, two scores an anchor, and rpn_bbox_pred, four offsets."""
    return (convolution("rpn_conv/3x3", net.map, f"num_output: {net.width}  kernel_size: 3  pad: 1", LEARNS,
                        gaussian(0.01), "rpn/output")
            + relu("rpn_relu/3x3", "rpn/output")
            + convolution("rpn_cls_score", "rpn/output", f"num_output: {2 * net.anchors}  kernel_size: 1", LEARNS,
                          gaussian(0.01))
            + convolution("rpn_bbox_pred", "rpn/output", f"num_output: {4 * net.anchors}  kernel_size: 1", LEARNS,
                          gaussian(0.01))
            + layer("rpn_cls_score_reshape", "Reshape", "rpn_cls_score", "rpn_cls_score_reshape",
                    "reshape_param { shape { dim: 0  dim: 2  dim: -1  dim: 0 } }"))


def chosen(net: Detector, top: str, settings: str) -> str:
    """The boxes that the region proposal network finds best."""
    return (layer("rpn_cls_prob", "Softmax", "rpn_cls_score_reshape", "rpn_cls_prob")
            + layer("rpn_cls_prob_reshape", "Reshape", "rpn_cls_prob", "rpn_cls_prob_reshape",
                    f"reshape_param {{ shape {{ dim: 0  dim: {2 * net.anchors}  dim: -1  dim: 0 }} }}")
            + python("proposal", "rpn_cls_prob_reshape rpn_bbox_pred im_info", top, "rpn.proposal_layer",
                     "ProposalLayer", f"feat_stride: {net.stride}{net.scales}{settings}"))


def proposal_losses(net: Detector) -> str:
    """What the anchors are to learn, and equation 1 of the paper."""
    return (python("rpn-data", "rpn_cls_score gt_boxes im_info data",
                   "rpn_labels rpn_bbox_targets rpn_bbox_inside_weights rpn_bbox_outside_weights",
                   "rpn.anchor_target_layer", "AnchorTargetLayer",
                   f"feat_stride: {net.stride}{net.scales}{net.samples[0]}")
            + layer("rpn_loss_cls", "SoftmaxWithLoss", "rpn_cls_score_reshape rpn_labels", "rpn_cls_loss",
                    "propagate_down: true  propagate_down: false", "loss_weight: 1",
                    "loss_param { ignore_label: -1  normalize: true }")
            + layer("rpn_loss_bbox", "SmoothL1Loss",
                    "rpn_bbox_pred rpn_bbox_targets rpn_bbox_inside_weights rpn_bbox_outside_weights", "rpn_loss_bbox",
                    "propagate_down: true  propagate_down: false  propagate_down: false  propagate_down: false",
                    "loss_weight: 1", "smooth_l1_loss_param { sigma: 3 }"))


def judged(net: Detector) -> str:
    """The detector of Fast R-CNN: cls_score, a score a class, and bbox_pred, four offsets a class, of every box."""
    text = layer("roi_pool5", "ROIPooling", f"{net.map} rois", "pool5", f"roi_pooling_param {{ pooled_h: {net.bins}  "
                 f"pooled_w: {net.bins}  spatial_scale: {1 / net.stride:g} }}")
    bottom, filler = "pool5", "" if net.pretrained else f"  {RANDOM}"
    for i, width in enumerate(net.hidden, 6):
        text += layer(f"fc{i}", "InnerProduct", bottom, f"fc{i}", LEARNS,
                      f"inner_product_param {{ num_output: {width}{filler} }}") + relu(f"relu{i}", f"fc{i}")
        if net.pretrained:
            text += layer(f"drop{i}", "Dropout", f"fc{i}", f"fc{i}", "dropout_param { dropout_ratio: 0.5 }")
        bottom = f"fc{i}"
    for name, width, deviation in (("cls_score", net.classes, 0.01), ("bbox_pred", 4 * net.classes, 0.001)):
        text += layer(name, "InnerProduct", bottom, name, LEARNS,
                      f"inner_product_param {{ num_output: {width}  {gaussian(deviation)} }}")
    return text


def losses() -> str:
    """Equation 1 of Fast R-CNN."""
    return (layer("loss_cls", "SoftmaxWithLoss", "cls_score labels", "loss_cls",
                  "propagate_down: true  propagate_down: false", "loss_weight: 1")
            + layer("loss_bbox", "SmoothL1Loss", "bbox_pred bbox_targets bbox_inside_weights bbox_outside_weights",
                    "loss_bbox", "propagate_down: true  propagate_down: false  propagate_down: false  "
                    "propagate_down: false", "loss_weight: 1"))


def train_parts(net: Detector) -> Iterator[str]:
    """The pieces of the net for training, to be separated by empty lines."""
    yield (f"# Faster R-CNN on {net.title}, for training; written by tools/write_faster_rcnn.py.\n{PAPER}\n"
           f'name: "{net.name}"\n')
    yield python("input-data", "", "data im_info gt_boxes", "roi_data_layer.layer", "RoIDataLayer",
                 f"num_classes: {net.classes}{net.data}")
    yield net.features
    yield proposals(net) + proposal_losses(net)
    yield chosen(net, "rpn_rois", net.proposals[0])
    yield python("roi-data", "rpn_rois gt_boxes", "rois labels bbox_targets bbox_inside_weights bbox_outside_weights",
                 "rpn.proposal_target_layer", "ProposalTargetLayer",
                 f"num_classes: {net.classes}{net.samples[1]}")
    yield judged(net) + losses()


def test_parts(net: Detector) -> Iterator[str]:
    """The pieces of the net for use."""
    height, width = net.image
    yield (f"# Faster R-CNN on {net.title}, for use: an image, less its means, and its height, width and scale in;\n"
           f"# boxes, probabilities of the {net.classes} classes and offsets of each class out. Written by "
           f"tools/write_faster_rcnn.py.\n{PAPER}\n"
           f'name: "{net.name}"\n')
    yield layer("input", "Input", "", "data im_info", f"input_param {{ shape {{ dim: 1  dim: 3  dim: {height}  "
                f"dim: {width} }}  shape {{ dim: 1  dim: 3 }} }}")
    yield net.features
    yield proposals(net)
    yield chosen(net, "rois", net.proposals[1])
    yield judged(net) + layer("cls_prob", "Softmax", "cls_score", "cls_prob")


NETS = {
    "vgg16": Detector("VGG-16", "VGG_16_Faster_RCNN", vgg(), "conv5_3", 16, 512, 7, (4096, 4096), True, 21,
                      (600, 1000)),
    "zf": Detector("the net of Zeiler and Fergus", "ZF_Faster_RCNN", zf(), "conv5", 16, 256, 6, (4096, 4096), True, 21,
                   (600, 1000)),
    "shapes": Detector(
        "a small net for drawn shapes", "Shapes_Faster_RCNN", small(), "conv4", 4, 64, 6, (128,), False, 4, (96, 96),
        anchors=6, scales=", scales: [1.5, 2.5]",
        data=", source: data/shapes_train.txt, scales: [96], max_size: 96",
        samples=(", rpn_batchsize: 64", ", batch_size: 64"),
        proposals=(", rpn_pre_nms_top_n: 600, rpn_post_nms_top_n: 100, rpn_min_size: 8",
                   ", rpn_pre_nms_top_n: 600, rpn_post_nms_top_n: 50, rpn_min_size: 8")),
}


def files() -> dict[str, str]:
    """The files of the folder by name."""
    return {f"{name}_{kind}.prototxt": "\n".join(parts(net)) for name, net in NETS.items()
            for kind, parts in (("train", train_parts), ("test", test_parts))}


if __name__ == "__main__":
    from _write_files import write_files  # here, for who imports this file may have no tools/ on the path

    write_files(files(), FOLDER, __doc__)
