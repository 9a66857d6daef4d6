"""A pass forward and a pass backward of a net, on made-up data."""

from __future__ import annotations

from collections.abc import Callable, Collection

import numpy as np

from blobnet.backend import free_bytes
from blobnet.check.net import is_label
from blobnet.core.fillers import PIECE
from blobnet.core.layer import Layer
from blobnet.core.memory import memory
from blobnet.core.net import Net
from blobnet.data.batches.annotated import LIST
from blobnet.errors import BlobnetError
from blobnet.port.report import StateReport
from blobnet.view.summary import size_text, totals

OBJECT = (0, 1, 0, 0.2, 0.2, 0.7, 0.7, 0)  # of AnnotatedData: image, label, instance, corners, not difficult
LISTED = (0, 0.45, 0.45, 0.5, 0.5)           # the same with yolo_data_type: 1: label - 1, middle, sides
BOXES = {"gt_boxes": (20, 20, 120, 150, 1), "rois": (0, 20, 20, 120, 150)}  # by what detection calls them
MOST = 30 * 10 ** 9  # multiply-adds of a forward pass that is tried as it is; a larger one is tried with a row or two


def try_passes(net: Net, labels: Collection[str], report: StateReport, note: Callable[[str, Exception], None]) -> None:
    """Run `net` forward and backward, and write down in `report` how it went; errors go to `note`.

    The data is normal noise; `labels` and what is read as such are 0, or a box of class 1. Gradients start from the
    losses; in a net without any, which must have been built with force_backward, from ones in its outputs.
    """
    report.memory, report.multiply_adds = memory(net).total, totals(net).multiply_adds
    free = free_bytes()
    if report.multiply_adds > MOST or report.memory > free / 2:
        report.rows = _fewer_rows(net)
        if memory(net).total > free / 2:
            report.note = f"not run: it takes {size_text(memory(net).total)}, and {size_text(int(free))} are free"
            return
    _fill_parameters(net)
    _fill(net, labels)
    report.forward = _passes(net.forward, "forward", note)
    if not report.forward:
        return
    if not any(any(layer.loss_weights) for layer in net.layers):
        blind = [node.layer for node in net.nodes if any(node.bottom_needs_backward)
                 and type(node.layer).backward is Layer.backward]
        if blind:
            report.note = f"no loss, and {blind[0].type} has no gradient to go back by"
            return
        for name in net.outputs:
            net.blobs[name].diff.fill(1)
    report.backward = _passes(net.backward, "backward", note)


def _passes(run: Callable[[], object], kind: str, note: Callable[[str, Exception], None]) -> bool:
    try:
        with np.errstate(all="ignore"):  # noise is no image
            run()
    except Exception as error:  # of a Python layer, whatever it raises
        note(kind, error)
        return False
    return True


def _fewer_rows(net: Net) -> int | None:
    """Cut the batch to two rows or one, if the net takes that; how many it has then, None if it is as it was."""
    whole = {name: net.blobs[name].shape for name in net.inputs}
    if len({shape[:1] for shape in whole.values()}) != 1:
        return None
    for rows in (1, 2):
        try:
            _reshape(net, {name: (rows, *shape[1:]) for name, shape in whole.items()})
            return rows
        except BlobnetError:
            _reshape(net, whole)
    return None


def _reshape(net: Net, shapes: dict[str, tuple[int, ...]]) -> None:
    for name, shape in shapes.items():
        net.blobs[name].reshape(shape)
    net.reshape()


def _fill_parameters(net: Net) -> None:
    """Give the large parameters, which nobody filled, the same few small numbers again and again."""
    tile = np.random.default_rng(1).normal(0, 0.01, PIECE)
    for parameter in net.parameters:
        values = parameter.blob.data.reshape(-1)
        if values.size > PIECE:
            for start in range(0, values.size, PIECE):
                part = values[start:start + PIECE]
                part[...] = tile[:part.size]


def _fill(net: Net, labels: Collection[str]) -> None:
    rng = np.random.default_rng(0)
    for name in net.inputs:
        blob = net.blobs[name]
        if name in BOXES and blob.shape[-1:] == (5,):
            blob.data[...] = BOXES[name]
        elif name == "im_info" and blob.count == 3:
            blob.data[...] = np.reshape([*net.blobs[net.inputs[0]].shape[-2:], 1][:3], blob.shape)
        elif name in labels or is_label(net, name):
            blob.data[...] = OBJECT if blob.shape[-1:] == (len(OBJECT),) and len(blob.shape) == 4 else 0
            if blob.shape[1:] == (1, *LIST):
                blob.data[:, :, 0] = LISTED
        else:
            blob.data[...] = rng.normal(size=blob.shape)
