"""Train a net that says the class of every pixel; its measures on all test images, and a picture of what it says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from google.protobuf.message import Message

from blobnet.backend import to_host
from blobnet.errors import NetError
from blobnet.proto.storage import atomic_write
from blobnet.recipes.merging import merge_statistics
from blobnet.recipes.nets import trial_solver
from blobnet.recipes.options import TRAINING, Option
from blobnet.recipes.testing import net_in_test, pictures
from blobnet.recipes.training import train
from blobnet.recipes.trial import Trial
from blobnet.view.masks import plot_masks

SHOWN = 8  # test images in the picture

OPTIONS = TRAINING | {
    "statistics": Option(int, 50, least=1),       # batches for BN layers, whose statistics are merged for the test
    "images": Option(str, "data"),                # blobs in TEST: images
    "truth": Option(str, "label"),                # true classes
    "scores": Option(str, "score"),               # scores of the classes
    "accuracy": Option(str, "accuracy"),          # as SegAccuracy gives it, over all batches so far
    "classes": Option(str),                       # their names, from 0 on
}
MEASURES = ("pixel accuracy", "class accuracy", "mean IOU")


def check(trial: Trial) -> None:
    """Raise the errors of the blobs and of the number of test images."""
    _net(trial, _solver(trial))


def run(trial: Trial) -> dict[str, float]:
    """Train, then pixel accuracy, class accuracy and mean IOU, the three numbers of SegAccuracy.

    BN layers with bn_mode: LEARN are tested with the statistics of training batches, which merged.caffemodel holds.
    Leaves masks.npz, of the first test images: images (8, 3, H, W) as the net reads them, truth and found (8, H, W).
    """
    param = _solver(trial)
    weights = train(trial, param)
    weights = merge_statistics(trial, param.net_param, weights, trial.options["statistics"])
    net, batches = _net(trial, param, weights)
    kept: dict[str, list[np.ndarray]] = {"images": [], "truth": [], "found": []}
    for _ in range(batches):
        net.forward()
        if sum(map(len, kept["images"])) < SHOWN:
            images, truth, scores = (np.array(to_host(net.blobs[trial.options[name]].data))
                                     for name in ("images", "truth", "scores"))
            for name, values in (("images", images), ("truth", truth[:, 0]), ("found", scores.argmax(axis=1))):
                kept[name].append(values)
    with atomic_write(trial.out / "masks.npz") as file:
        arrays: dict[str, Any] = {name: np.concatenate(parts)[:SHOWN] for name, parts in kept.items()}
        np.savez_compressed(file, **arrays)
    values = to_host(net.blobs[trial.options["accuracy"]].data).ravel().tolist()
    return dict(zip(MEASURES, values))


def footnote(options: dict) -> str:
    """What is measured."""
    return ("Shares over all test images: of the pixels that are right; of those of a class, mean over the classes; of "
            f"intersection / union, mean over the classes. Classes: {', '.join(options['classes'].split())}.")


def report(finished: Sequence[tuple[Trial, Mapping[str, float]]], out: Path) -> None:
    """Draw what every trial says of the first test images into masks.png beside its masks.npz."""
    for trial, _ in finished:
        path = trial.out / "masks.npz"
        if path.exists():
            with np.load(path) as kept:
                plot_masks(pictures(kept["images"]), kept["truth"], kept["found"], trial.options["classes"].split(),
                           trial.out / "masks.png")


def _solver(trial: Trial) -> Message:
    """The solver with its net, whose SegAccuracy adds up over batches."""
    param = trial_solver(trial)
    for layer in param.net_param.layer:
        if trial.options["accuracy"] in layer.top:
            layer.seg_accuracy_param.reset = False
    return param


def _net(trial: Trial, param: Message, weights: str | None = None):
    """The net in TEST, and how many batches its images are; NetError unless `accuracy` has three numbers."""
    blobs = [trial.options[name] for name in ("images", "truth", "scores", "accuracy")]
    net, batches = net_in_test(trial, param.net_param, weights, *blobs)
    if net.blobs[blobs[-1]].count != len(MEASURES):
        raise NetError(f"net {net.name!r}", expected=f"three numbers in blob {blobs[-1]!r}, as SegAccuracy gives",
                       got=net.blobs[blobs[-1]].shape)
    return net, batches
