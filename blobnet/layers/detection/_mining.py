"""True boxes as rows of a bottom, and which priors a loss learns from."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from google.protobuf.message import Message

from blobnet.errors import DataError, NetError
from blobnet.ops.boxes import LEAST_OVERLAP, areas, encode, match, overlaps, suppress

SMALLEST = 1e-5  # boxes with less area are not suppressed but dropped
MANY = 1e6       # negatives for a match
LABEL, BOX, DIFFICULT = 1, slice(3, 7), 7


def check_options(options: Message, classes: int, where: str) -> None:
    """NetError for options of MultiBoxLoss that do not go together."""
    mining = options.mining_type != options.NONE
    if options.HasField("do_neg_mining") and options.do_neg_mining != mining:
        raise NetError(where, expected=f"do_neg_mining: {str(mining).lower()}, which mining_type says",
                       got=str(options.do_neg_mining).lower(), hint="leave do_neg_mining out")
    if mining and not options.share_location:
        raise NetError(where, expected="mining_type: NONE where share_location is false",
                       got=options.MiningType.Name(options.mining_type))
    if not abs(options.neg_pos_ratio) < MANY:
        raise NetError(where, expected=f"neg_pos_ratio below {MANY:g}", got=options.neg_pos_ratio)
    if options.map_object_to_agnostic and classes != 2:
        raise NetError(where, expected="num_classes: 2 with map_object_to_agnostic", got=classes)
    if options.background_label_id >= classes:
        raise NetError(where, expected=f"background_label_id below num_classes ({classes})",
                       got=options.background_label_id)


def true_boxes(rows: np.ndarray, images: int, options: Message, where: str) -> list[np.ndarray]:
    """The rows [image, label, -, x1, y1, x2, y2, difficult] of each image; those of image -1 are none.

    DataError for a label that is the background's, or not one of the classes.
    """
    rows = rows[rows[:, 0].astype(int) != -1]
    if not options.use_difficult_gt:
        rows = rows[rows[:, DIFFICULT] == 0]
    labels = rows[:, LABEL].astype(int)
    allowed = labels if options.map_object_to_agnostic else range(options.num_classes)
    wrong = [label for label in labels if label not in allowed or label == options.background_label_id]
    if wrong:
        raise DataError(where, expected=f"labels of true boxes below num_classes {options.num_classes}, other than the "
                        f"background's, {options.background_label_id}", got=wrong[0])
    return [rows[rows[:, 0].astype(int) == n] for n in range(images)]


def find_matches(truth: list[np.ndarray], places: np.ndarray, options: Message) -> tuple[np.ndarray, np.ndarray]:
    """(N, L, P): for each box of `places` (N, P, L, 4) the number of its true box, as `match` gives it; and (N, P): the
    largest overlap of the boxes of a prior, if they are shared, with a true box.
    """
    images, count, slots = places.shape[:3]
    found, most = np.full((images, slots, count), -1), np.zeros((images, count), places.dtype)
    for n, rows in enumerate(truth):
        for slot in range(slots) if len(rows) else ():
            own = np.arange(len(rows))
            if not options.share_location:
                own = np.flatnonzero(rows[:, LABEL].astype(int) == slot)
            rivals = np.arange(len(rows)) if options.use_prior_for_matching else own
            if len(own):
                number, most[n] = _match(rows[rivals, BOX], places[n, :, slot], options)
                number = np.where(number > -1, rivals[np.maximum(number, 0)], number)
                found[n, slot] = np.where((number < 0) | np.isin(number, own), number, -1)
    return found, most


def _match(truth: np.ndarray, boxes: np.ndarray, options: Message) -> tuple[np.ndarray, np.ndarray]:
    outside = ((boxes < 0) | (boxes > 1)).any(axis=1) & options.ignore_cross_boundary_bbox
    shares = overlaps(boxes, truth)
    found = match(shares, options.overlap_threshold if options.match_type == options.PER_PREDICTION else None, outside)
    most = np.where(outside, 0, shares.max(axis=1, initial=0))
    return found, np.where(most > LEAST_OVERLAP, most, 0)


class Matches(NamedTuple):
    """What K matched priors are to learn, in the order of images, then slots (classes, if boxes are not shared)."""

    image: np.ndarray   # (K,)
    slot: np.ndarray    # (K,)
    prior: np.ndarray   # (K,)
    label: np.ndarray   # (K,) of the true box
    miss: np.ndarray    # (K, 4): offsets less those of the true box, divided by `scale`
    scale: np.ndarray   # (K, 4)


def matches_of(found: np.ndarray, truth: list[np.ndarray], offsets: np.ndarray, priors: np.ndarray,
               variances: np.ndarray, places: np.ndarray, options: Message, where: str) -> Matches:
    """The matches that `find_matches` found.

    offsets (N, P, L, 4); priors and variances (P, 4); places (N, P, L, 4): where the boxes lie, for bp_inside.
    DataError for a matched prior that has no size or no variance.
    """
    image, slot, prior = np.nonzero(found > -1)
    goals = np.concatenate([rows[own[own > -1]] for rows, own in zip(truth, found)] + [np.empty((0, 8), priors.dtype)])
    boxes, scale = priors[prior], variances[prior]
    if not (scale > 0).all() or not (boxes[:, 2:] > boxes[:, :2]).all():
        raise DataError(where, expected="priors with widths, heights and variances above 0")
    in_target, unit = options.encode_variance_in_target, np.ones_like(scale)
    code = options.CodeType.Name(options.code_type)
    miss = offsets[image, prior, slot] - encode(goals[:, BOX], boxes, unit if in_target else scale, code)
    if options.bp_inside:
        place = places[image, prior, slot]
        miss[(place < 0) | (place > 1)] = 0
    label = goals[:, LABEL].astype(int)
    if options.map_object_to_agnostic:
        label[:] = options.background_label_id + 1
    scale = scale if in_target else unit
    return Matches(image, slot, prior, label, miss / scale, scale)


def mine(truth: list[np.ndarray], found: np.ndarray, most: np.ndarray, costs: np.ndarray, priors: np.ndarray,
         predicted: np.ndarray, options: Message) -> tuple[np.ndarray, np.ndarray]:
    """Which priors count: booleans (N, P) for matches and for negatives. An image without true boxes has none.

    found (N, 1, P) and most (N, P) are of find_matches, costs (N, P) the loss of each prior.
    """
    matches, negatives = np.full((2, *most.shape), False)
    for n, rows in enumerate(truth):
        if len(rows):
            boxes = priors if options.use_prior_for_nms else predicted[n, :, 0]
            matches[n], negatives[n] = _mine(found[n, 0], most[n], costs[n], boxes, options)
    return matches, negatives


def _mine(found: np.ndarray, most: np.ndarray, costs: np.ndarray, boxes: np.ndarray, options: Message
          ) -> tuple[np.ndarray, np.ndarray]:
    """The same in one image: booleans (P,) for matches and for negatives.

    found, most: of find_matches; costs (P,): the loss of each prior; boxes (P, 4): what is suppressed.
    """
    matched, hardest = found > -1, options.mining_type == options.HARD_EXAMPLE
    able = np.flatnonzero(np.full(len(found), True) if hardest else (found == -1) & (most < options.neg_overlap))
    count = options.sample_size if hardest else int(np.float32(matched.sum()) * np.float32(options.neg_pos_ratio))
    rules = options.nms_param
    if options.HasField("nms_param") and rules.nms_threshold > 0:
        best = able[np.argsort(-costs[able], kind="stable")[:rules.top_k if rules.top_k >= 0 else None]]
        best = best[areas(boxes[best]) >= SMALLEST]
        order = best[suppress(boxes[best], costs[best], rules.nms_threshold)]
    else:
        order = able[np.argsort(-costs[able], kind="stable")]
    chosen = np.full(len(found), False)
    chosen[order[:max(count, 0)]] = True
    return matched & chosen if hardest else matched, (found == -1) & chosen
