"""Train Faster R-CNN to find drawn shapes, and score what it finds in images that it has not seen."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import numpy as np
from google.protobuf.message import Message

from blobnet.backend import to_host
from blobnet.core.context import TEST
from blobnet.core.net import Net
from blobnet.data.images.encode import encode_image
from blobnet.data.sets.shape_sets import SEEDS, VALIDATION_SEEDS
from blobnet.data.sets.shapes import CLASSES, draw_shapes
from blobnet.errors import NetError
from blobnet.proto.storage import atomic_write
from blobnet.published import example_of
from blobnet.recipes.detections import class_precision, regions_found
from blobnet.recipes.nets import trial_net, trial_solver
from blobnet.recipes.options import TRAINING, Option
from blobnet.recipes.training import train
from blobnet.recipes.trial import Trial

SOURCE = "data/shapes_train.txt"             # as the net for training has it; the trial draws its own
MEANS = 102.9801, 115.9465, 122.7717         # of blue, green, red, as in training
DEVIATIONS = 0.1, 0.1, 0.2, 0.2              # of the offsets, as in training

OPTIONS = TRAINING | {
    "encode_net": Option(str),               # net file that finds boxes: tops rois, cls_prob, bbox_pred
    "size": Option(int, 96, least=32),       # sides of the images in pixels
    "train_images": Option(int, 500, least=1),
    "test_images": Option(int, 200, least=1),
}
MEASURES = ("mAP", *CLASSES)
TOPS = "rois", "cls_prob", "bbox_pred"


def check(trial: Trial) -> None:
    """Raise the errors of the net that finds boxes, and of its blobs."""
    net = _test_net(trial)
    for name, width in zip(TOPS, (5, len(CLASSES) + 1, 4 * len(CLASSES) + 4)):
        if name not in net.blobs or net.blobs[name].shape[1:] != (width,):
            raise NetError(f"net {trial.options['encode_net']!r}", expected=f"a blob {name!r} with rows of {width}",
                           got=net.blobs[name].shape if name in net.blobs else "none")


def run(trial: Trial) -> dict[str, float]:
    """Train, from the last snapshot if the trial was interrupted, and find the shapes of the test images.

    Measures: mAP and the average precision of every class. Leaves found.json: for each test image rows of [class,
    probability, x1, y1, x2, y2].
    """
    options = trial.options
    _find_layers()
    param = trial_solver(trial)
    _draw(trial, param.net_param)
    net = _test_net(trial, train(trial, param))
    seeds = VALIDATION_SEEDS if trial.validation else SEEDS
    images, boxes = draw_shapes(options["test_images"], options["size"], seeds["test"])
    found = [_found(net, image) for image in images]
    with atomic_write(trial.out / "found.json") as file:
        file.write(json.dumps([np.round(rows, 4).tolist() for rows in found]).encode())
    truth = [np.array(rows) for rows in boxes]
    measures = {name: class_precision(found, truth, k) for k, name in enumerate(CLASSES, 1)}
    return {"mAP": float(np.mean(list(measures.values())))} | measures


def footnote(options: dict) -> str:
    """How it is scored."""
    return (f"{options['train_images']} images of {options['size']} x {options['size']} to learn from, "
            f"{options['test_images']} others to score. A hit overlaps a true box by 0.5; average precision at 11 "
            "recalls, as in PASCAL VOC 2007.")


def _find_layers() -> None:
    """Let Python find the layers of the example faster_rcnn, wherever blobnet is."""
    example = os.fspath(example_of("rpn.proposal_layer"))
    if example not in sys.path:
        sys.path.append(example)


def _test_net(trial: Trial, weights: str | None = None) -> Net:
    _find_layers()
    definition = trial_net(trial, trial.folder / trial.options["encode_net"])
    return Net(definition, TEST, weights, device=trial.device, python_layers=trial.python_layers)


def _draw(trial: Trial, net: Message) -> None:
    """Draw the images to learn from into the trial's folder, and let the net read them."""
    folder = trial.out / "images"
    folder.mkdir(exist_ok=True)
    lines = []
    for i, (image, boxes) in enumerate(zip(*draw_shapes(trial.options["train_images"], trial.options["size"],
                                                        SEEDS["train"]))):
        path = folder / f"{i:05}.png"
        path.write_bytes(encode_image(image[:, :, ::-1].transpose(2, 0, 1), "png"))
        rows = [f"{box.label} {box.xmin} {box.ymin} {box.xmax - 1} {box.ymax - 1}" for box in boxes]
        lines.append(f"images/{path.name} {' '.join(rows)}\n")
    source = trial.out / Path(SOURCE).name
    source.write_text("".join(lines), "utf-8")
    for layer in net.layer:
        given = layer.python_param.param_str
        if SOURCE in given:
            layer.python_param.param_str = given.replace(SOURCE, json.dumps(os.fspath(source)))


def _found(net: Net, image: np.ndarray) -> np.ndarray:
    """The detections in an image (H, W, 3), red first."""
    data = image[:, :, ::-1].transpose(2, 0, 1) - np.array(MEANS)[:, None, None]
    net.forward(data=data[None], im_info=[[*image.shape[:2], 1]])
    rois, probabilities, offsets = (to_host(net.blobs[name].data) for name in TOPS)
    regions = rois[:, 1:] + np.array([0, 0, 1, 1])  # the last pixel is in them
    return regions_found(regions, probabilities, offsets, DEVIATIONS, image.shape[:2])
