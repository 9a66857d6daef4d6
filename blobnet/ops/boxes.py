"""Boxes (x1, y1, x2, y2): areas and overlaps, offsets from priors, suppression of doubles, matching with true boxes."""

from __future__ import annotations

import numpy as np

from blobnet.backend import Array, array_module

BLOCK = 64            # boxes that are compared with all that are left at a time
LEAST_OVERLAP = 1e-6  # boxes that overlap no more than this do not meet


@np.errstate(over="ignore", invalid="ignore")  # boxes may be infinite, as predictions of a net that diverges
def areas(boxes: Array) -> Array:
    """The areas of `boxes` (..., 4), 0 for a box whose second corner lies before the first.

    >>> areas(np.array([[0, 0, 2, 3], [2, 0, 0, 3]]))
    array([6, 0])
    """
    width, height = boxes[..., 2] - boxes[..., 0], boxes[..., 3] - boxes[..., 1]
    return array_module(boxes).where((width < 0) | (height < 0), 0, width * height)


@np.errstate(over="ignore", invalid="ignore")
def overlaps(a: Array, b: Array) -> Array:
    """(A, B): intersection over union of every box of `a` (A, 4) with every one of `b` (B, 4)."""
    xp = array_module(a)
    width, height = (xp.maximum(xp.minimum(a[:, None, axis + 2], b[None, :, axis + 2])
                                - xp.maximum(a[:, None, axis], b[None, :, axis]), 0) for axis in (0, 1))
    common = width * height
    union = areas(a)[:, None] + areas(b)[None] - common
    return xp.where(common > 0, common / xp.where(common > 0, union, 1), 0)


@np.errstate(over="ignore", invalid="ignore")
def decode(offsets: Array, priors: Array, variances: Array, code: str) -> Array:
    """The boxes (..., 4) that lie at `offsets`, times `variances`, from `priors`; all are broadcast.

    code: CORNER, the offsets of both corners; CORNER_SIZE, the same in widths and heights of the prior; CENTER_SIZE,
    the offset of the centre in widths and heights, and the logarithms of the ratios of the sizes.
    """
    xp = array_module(offsets)
    offsets = offsets * variances
    if code == "CORNER":
        return priors + offsets
    sizes = priors[..., 2:] - priors[..., :2]
    if code == "CORNER_SIZE":
        return priors + offsets * xp.concatenate([sizes, sizes], axis=-1)
    centres = offsets[..., :2] * sizes + (priors[..., :2] + priors[..., 2:]) / 2
    halves = xp.exp(offsets[..., 2:]) * sizes / 2
    return xp.concatenate([centres - halves, centres + halves], axis=-1)


def encode(boxes: Array, priors: Array, variances: Array, code: str) -> Array:
    """The offsets (..., 4) from which `decode` makes `boxes` again; priors need a positive width and height."""
    xp = array_module(boxes)
    if code == "CORNER":
        return (boxes - priors) / variances
    sizes = priors[..., 2:] - priors[..., :2]
    if code == "CORNER_SIZE":
        return (boxes - priors) / xp.concatenate([sizes, sizes], axis=-1) / variances
    centres = (boxes[..., :2] + boxes[..., 2:]) / 2 - (priors[..., :2] + priors[..., 2:]) / 2
    ratios = xp.log((boxes[..., 2:] - boxes[..., :2]) / sizes)
    return xp.concatenate([centres / sizes, ratios], axis=-1) / variances


def suppress(boxes: np.ndarray, scores: np.ndarray, threshold: float, eta: float = 1.0, top: int = -1) -> np.ndarray:
    """Which of `boxes` (B, 4) non-maximum suppression keeps, by falling score; of equal scores the first comes first.

    A box is dropped if it overlaps one that was kept by more than `threshold`. Only the `top` best are looked at, all
    if it is negative. After every box kept the threshold is multiplied by `eta` while it is above 0.5. Arrays and
    result are on the host: the loop depends on what was kept before.
    """
    left = np.argsort(-scores, kind="stable")[:top if top >= 0 else None]
    worst = np.zeros(len(left), boxes.dtype)  # the largest overlap with a box that was kept
    limit, kept = np.float32(threshold), []
    while len(left):
        shares = overlaps(boxes[left[:BLOCK]], boxes[left])
        for i, number in enumerate(left[:BLOCK]):
            if worst[i] <= limit:
                kept.append(number)
                np.maximum(worst, shares[i], out=worst)
                if eta < 1 and limit > 0.5:
                    limit *= np.float32(eta)
        still = BLOCK + np.flatnonzero(worst[BLOCK:] <= limit)
        left, worst = left[still], worst[still]
    return np.array(kept, int)


def match(shares: np.ndarray, least: float | None, skipped: np.ndarray) -> np.ndarray:
    """The true box that each of P boxes is to find: its number, -1 for none, -2 for those `skipped` (P,).

    shares (P, G): the overlaps with the G true boxes. First every true box gets a box of its own, in pairs from the
    largest overlap down; then the rest get the true box that they overlap most, if that is at least `least`. With
    None, they get none. On the host: each pair depends on those before.
    """
    shares = np.where((shares > LEAST_OVERLAP) & ~skipped[:, None], shares, 0)
    found = np.where(skipped, -2, -1)
    left = shares.copy()
    while left.any():
        box, truth = np.unravel_index(left.argmax(), left.shape)
        found[box] = truth
        left[box], left[:, truth] = 0, 0
    if least is not None and shares.size:
        most = shares.max(axis=1)
        rest = (found == -1) & (most > 0) & (most >= least)
        found[rest] = shares[rest].argmax(axis=1)
    return found


def hits(shares: np.ndarray, least: float, counted: np.ndarray) -> np.ndarray:
    """(B, 2) of 0 and 1: whether each of B detections is a true positive, and whether it is a false one.

    shares (B, G): the overlaps with G true boxes; a detection hits the one that it overlaps most, if by `least`. The
    first hit of a true box is right, others are wrong; where `counted` (G,) is false, hits are neither.
    """
    result = np.zeros((len(shares), 2))
    taken: set[int] = set()
    for row, own in zip(result, shares):
        truth = int(own.argmax()) if own.size else -1
        if truth < 0 or own[truth] < least:
            row[1] = 1
        elif counted[truth]:
            row[int(truth in taken)] = 1
            taken.add(truth)
    return result
