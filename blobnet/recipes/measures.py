"""What the tasks of hashing measure."""

from __future__ import annotations

from blobnet.hashing.metrics import Evaluation

RETRIEVAL_MEASURES = ("mAP", "P@N", "P(r<=2)")


def retrieval_measures(score: Evaluation) -> dict[str, float]:
    """The RETRIEVAL_MEASURES of a score by Hamming distance, by their names."""
    return {"mAP": score.mean_average_precision, f"P@{score.k}": score.precision,
            f"P(r<={score.radius})": score.precision_within}
