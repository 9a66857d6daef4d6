"""What a page says beside the numbers: marks of layers that need a look, the pairs of a batch, a fault."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from blobnet.check.results import GradientResult
from blobnet.explain.broken import Broken
from blobnet.explain.film import Film
from blobnet.explain.health import marks
from blobnet.explain.pairs import SeenPairs, see_pairs
from blobnet.explain.payload import Pack
from blobnet.explain.pictures import Picture, histogram_row
from blobnet.explain.seen import see
from blobnet.explain.stage import Stage


def mark_rows(stage: Stage) -> dict[int, list[dict[str, str]]]:
    """The marks of a stage that has run, by layer index."""
    return {index: [mark._asdict() for mark in found] for index, found in marks(see(stage)).items()}


def check_rows(results: Sequence[GradientResult]) -> list[dict[str, Any]]:
    """The results of a gradient check."""
    return [{"layer": r.layer, "blob": r.blob, "kind": r.kind, "checked": r.checked, "skipped": r.skipped,
             "error": r.worst_relative_error, "passed": r.passed, "note": r.note} for r in results]


def broken_row(broken: Broken) -> dict[str, Any]:
    """A fault and what it does."""
    return {"layer": broken.index, "name": broken.layer, "factor": broken.factor, "check": check_rows(broken.check),
            "healthy": broken.healthy, "faulty": broken.faulty, "text": broken.text}


def pairs_row(stage: Stage, film: Film | None, pack: Pack) -> dict[str, Any] | None:
    """The pairs of the first loss over pairs, at the end and in every frame; None if the net has none."""
    last = see_pairs(stage.net)
    if not last:
        return None
    pairs, count = last[0], len(last[0].codes)
    similar = Picture(pairs.similar.astype(np.uint8), 0, 255)
    frames: list[dict[str, Any]] = film.training.frames if film else [{"step": 0, "pairs": last}]
    return {"layer": pairs.layer, "name": pairs.name, "margin": pairs.margin, "labels": pairs.labels.tolist(),
            "codes": pairs.codes.tolist(), "similar": pack.picture(similar, similar.numbers.shape),
            "force": pack.floats(pairs.force, count * count),
            "frames": [_pairs_frame(frame["step"], frame["pairs"][0], pack) for frame in frames]}


def _pairs_frame(step: int, pairs: SeenPairs, pack: Pack) -> dict[str, Any]:
    return {"step": step, "distances": pack.floats(pairs.distances, pairs.distances.size),
            "codes": pack.floats(pairs.codes, pairs.codes.size), "histogram": histogram_row(pairs.codes)}
