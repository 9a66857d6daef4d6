"""Layers that find boxes: NonMaxSuppression, and rows of what it keeps."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from blobnet.errors import NetError
from blobnet.exchange.onnx.part import Part
from blobnet.exchange.onnx.registry import exports

END = int(np.iinfo(np.int64).max)
ROW = 7


@exports("DetectionOutput")
def detection_output(layer: Any, part: Part, offsets: str, scores: str, priors: str, images: str = "") -> str:
    """Image by image, as keep_top_k counts what all classes of one have."""
    if layer.options.nms_param.eta < 1:
        raise NetError(layer.where, "eta below 1 changes the threshold from box to box, which NonMaxSuppression cannot")
    part.open.append((0, 2))
    boxes = decoded(layer, part, offsets, priors)  # (N, L, P, 4)
    scores = part.add("Transpose", part.reshape(scores, (layer.images, layer.priors, layer.classes)), perm=[0, 2, 1])
    scores = part.add("Where", background(layer, part), -np.inf, scores)
    if 0 <= layer.top_k < layer.priors:
        scores = best(part, scores, layer.top_k)
    found = [detections(layer, part, n, *(part.add("Gather", each, part.constant(n), axis=0)
                                          for each in (boxes, scores))) for n in range(layer.images)]
    return rows(part, found, layer.images)


def decoded(layer: Any, part: Part, offsets: str, priors: str) -> str:
    """The boxes (N, L, P, 4) at these offsets."""
    add, P = part.add, layer.priors
    offsets = part.reshape(offsets, (layer.images, P, layer.boxes_a_prior, 4))
    priors, variances = (part.reshape(part.slice(priors, [0, i], [1, i + 1], [0, 1]), (P, 1, 4)) for i in range(2))
    if not layer.options.variance_encoded_in_target:
        offsets = add("Mul", offsets, variances)
    low, high = (part.slice(priors, [2 * i], [2 * i + 2], [2]) for i in range(2))
    sizes = add("Sub", high, low)
    if layer.code == "CORNER":
        boxes = add("Add", priors, offsets)
    elif layer.code == "CORNER_SIZE":
        boxes = add("Add", priors, add("Mul", offsets, add("Concat", sizes, sizes, axis=2)))
    else:
        moves, logs = (part.slice(offsets, [2 * i], [2 * i + 2], [3]) for i in range(2))
        centres = add("Add", add("Mul", moves, sizes), add("Div", add("Add", low, high), 2.0))
        halves = add("Div", add("Mul", add("Exp", logs), sizes), 2.0)
        boxes = add("Concat", add("Sub", centres, halves), add("Add", centres, halves), axis=3)
    return add("Transpose", boxes, perm=[0, 2, 1, 3])


def background(layer: Any, part: Part) -> str:
    """Which of the classes (1, C, 1) is the background's."""
    classes = np.arange(layer.classes) == layer.options.background_label_id
    return part.constant(classes.reshape(1, -1, 1), np.bool_)


def best(part: Part, scores: str, count: int) -> str:
    """The scores (N, C, P), with -inf but for the `count` best of each row."""
    nothing = part.add("Expand", -np.inf, part.add("Shape", scores))
    if not count:
        return nothing
    values, places = part.add("TopK", scores, [count], outputs=2, axis=2)
    return part.add("ScatterElements", nothing, places, values, axis=2)


def detections(layer: Any, part: Part, image: int, boxes: str, scores: str) -> str:
    """The rows (K, 7) of an image with boxes (L, P, 4) and scores (C, P)."""
    add, shared = part.add, layer.boxes_a_prior == 1
    given = add("Unsqueeze", scores, [0 if shared else 1])
    found = suppressed(part, boxes, given, layer.options.nms_param.nms_threshold, layer.least, layer.priors)
    label, place = part.slice(found, [int(shared)], [int(shared) + 1], [1]), part.slice(found, [2], [3], [1])
    score = add("GatherND", scores, add("Concat", label, place, axis=1))
    own = add("GatherND", boxes, add("Concat", part.slice(found, [0], [1], [1]), place, axis=1))
    label = add("Cast", label, to=1)
    if 0 <= layer.options.keep_top_k:
        count = add("Min", add("Shape", score), [layer.options.keep_top_k])
        _, chosen = add("TopK", score, count, outputs=2, axis=0)
        chosen, _ = add("TopK", chosen, count, outputs=2, axis=0, largest=0)  # in the order that they had
        label, score, own = (add("Gather", each, chosen, axis=0) for each in (label, score, own))
    number = add("Add", add("Mul", label, 0.0), float(image))
    return add("Concat", number, label, add("Unsqueeze", score, [1]), own, axis=1)


def suppressed(part: Part, boxes: str, scores: str, threshold: float, least: float, most: int) -> str:
    """The numbers (K, 3) of the batch, the class and the box of what is kept of boxes (B, P, 4) with scores (B, C, P)
    above `least`: by batch, class and falling score. A box whose second corner lies before the first overlaps none."""
    low, high = part.slice(boxes, [0], [2], [2]), part.slice(boxes, [2], [END], [2])
    boxes = part.add("Concat", low, part.add("Max", low, high), axis=2)
    return part.add("NonMaxSuppression", boxes, scores, [most], [min(threshold, 1.0)],
                    part.constant([least], np.float32))


def rows(part: Part, found: Sequence[str], images: int) -> str:
    """The rows (1, 1, K, 7) of all images, or one a image of -1 behind its number if there are none."""
    none = np.full((images, ROW), -1.0)
    none[:, 0] = np.arange(images)
    counts = [part.slice(part.add("Shape", each), [0], [1], [0]) for each in found]
    count = functools.reduce(lambda some, more: part.add("Add", some, more), counts)
    end = part.add("Where", part.add("Greater", count, 0), count, [images])
    shown = part.add("Slice", part.add("Concat", *found, none, axis=0), [0], end, [0])
    return part.add("Unsqueeze", shown, [0, 1])


@exports("YoloDetectionOutput", "Yolov3DetectionOutput")
def yolo_output(layer: Any, part: Part, *maps: str) -> str:
    part.open.append((0, 2))
    add, number = part.add, np.float32(layer.options.confidence_threshold)
    third = type(layer).__name__ == "Yolov3DetectionOutput"
    least = number if third else np.nextafter(number, np.float32(-np.inf))
    found = [candidates(layer, part, i, x, third) for i, x in enumerate(maps)]
    boxes, scores, labels = (add("Concat", *each, axis=1) if len(each) > 1 else each[0] for each in zip(*found))
    limit = float(np.nextafter(np.float32(layer.options.nms_threshold), np.float32(0)))
    count = sum(shape[2] * shape[3] for shape in part.bottom_shapes) * len(layer.anchors[0])
    kept = suppressed(part, boxes, add("Unsqueeze", scores, [1]), limit, float(least), count)
    place = add("Gather", kept, [0, 2], axis=1)
    label, score = (add("Unsqueeze", add("GatherND", each, place), [1]) for each in (labels, scores))
    image = add("Cast", part.slice(kept, [0], [1], [1]), to=1)
    return rows(part, [add("Concat", image, label, score, add("GatherND", boxes, place), axis=1)],
                part.bottom_shapes[0][0])


def candidates(layer: Any, part: Part, number: int, x: str, third: bool) -> tuple[str, str, str]:
    """The boxes (N, P, 4), scores and labels (N, P) of a map."""
    add, (images, channels, height, width), anchors = part.add, part.bottom_shapes[number], layer.anchors[number]
    count = len(anchors)
    t = add("Transpose", part.reshape(x, (images, count, channels // count, height, width)), perm=[0, 3, 4, 1, 2])
    centre, size, o, classes = (part.slice(t, [a], [b], [4]) for a, b in ((0, 2), (2, 4), (4, 5), (5, END)))
    cells = np.stack(np.broadcast_arrays(np.arange(width), np.arange(height)[:, None]), axis=-1)[:, :, None]
    sides = [float(width), float(height)]
    centre = add("Div", add("Add", add("Sigmoid", centre), cells.astype(np.float32)), sides)
    half = add("Div", add("Div", add("Mul", add("Exp", size), anchors), sides), 2.0)
    boxes = add("Concat", add("Sub", centre, half), add("Add", centre, half), axis=4)
    highest = add("ReduceMax", classes, axes=[4])
    if third:
        score = add("Mul", add("Sigmoid", o), add("Sigmoid", highest))
    else:
        score = add("Div", add("Sigmoid", o), part.total(add("Exp", add("Sub", classes, highest)), [4]))
    label = add("Add", add("Cast", add("ArgMax", classes, axis=4), to=1), 1.0)
    places = height * width * count
    return (part.reshape(boxes, (images, places, 4)), part.reshape(score, (images, places)),
            part.reshape(label, (images, places)))


@exports("Proposal")
def proposal(layer: Any, part: Part, scores: str, shifts: str, info: str) -> list[str]:
    """Boxes that meet in less than a pixel count as overlapping by that, where the layer takes them to be apart."""
    part.open += [(i, 0) for i in range(len(part.top_shapes))]
    add, options, anchors = part.add, layer.options, len(layer.sizes)
    height, width = part.bottom_shapes[0][2:]
    info = part.reshape(info, [-1])
    last = min(part.count(2), 4) - 1
    d = add("Transpose", part.reshape(shifts, (anchors, 4, height, width)), perm=[2, 3, 0, 1])
    moves, logs = (part.slice(d, [2 * i], [2 * i + 2], [3]) for i in range(2))
    cells = np.stack(np.broadcast_arrays(np.arange(width), np.arange(height)[:, None]), axis=-1)[:, :, None]
    middles = add("Add", add("Mul", moves, layer.sizes), cells * float(options.feat_stride) + options.base_size / 2)
    halves = add("Div", add("Mul", add("Exp", logs), layer.sizes), 2.0)
    inside = add("Sub", add("Gather", info, [1, 0]), 1.0)
    low, high = (add("Max", add("Min", add(kind, middles, halves), inside), 0.0) for kind in ("Sub", "Add"))
    sides = add("Add", add("Sub", high, low), 1.0)
    large = add("GreaterOrEqual", sides, add("Mul", add("Gather", info, [last, 2]), float(options.min_size)))
    large = add("ReduceMin", add("Cast", large, to=1), axes=[3], keepdims=0)
    scores = add("Transpose", part.slice(scores, [anchors], [2 * anchors], [1]), perm=[0, 2, 3, 1])
    scores = part.reshape(add("Mul", scores, large), [-1])
    boxes = part.reshape(add("Concat", low, high, axis=3), [-1, 4])
    count = min(options.pre_nms_topn, height * width * anchors)
    scores, order = add("TopK", scores, [count], outputs=2, axis=0)
    boxes = add("Gather", boxes, order, axis=0)
    larger = add("Unsqueeze", add("Add", boxes, [0.0, 0.0, 1.0, 1.0]), [0])  # a side is x2 - x1 + 1 long
    kept = suppressed(part, larger, add("Unsqueeze", scores, [0, 1]), options.nms_thresh, -np.inf,
                      options.post_nms_topn)
    place = add("Gather", kept, part.constant(2), axis=1)
    boxes = add("Gather", boxes, place, axis=0)
    image = add("Mul", part.slice(boxes, [0], [1], [1]), 0.0)
    return [add("Concat", image, boxes, axis=1), add("Gather", scores, place, axis=0)][:len(part.top_shapes)]
