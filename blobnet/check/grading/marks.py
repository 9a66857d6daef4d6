"""Arrays that a layer found full of marks: were they overwritten, added to, or left alone?"""

from __future__ import annotations

import numpy as np

from blobnet.check.grading.findings import Finding, State
from blobnet.check.grading.passes import Spot
from blobnet.check.grading.slips import Slip
from blobnet.check.rules.run import MARK


def look_at_marks(spot: Spot, clean: np.ndarray, marked: np.ndarray) -> Finding | None:
    """Compare what a run left in an array that held zeros before with what it left where MARK stood before.

    The diffs of parameters must grow, all other arrays be overwritten.
    """
    kept = np.isclose(marked - clean, MARK, rtol=1e-9)  # nan is nowhere kept
    part = "forward" if spot.of_forward else "backward"
    if kept.all() and not clean.any():
        return _finding(part, Slip.UNWRITTEN, spot, f"{spot} is never written. What does {part} put there?")
    if spot.kind == "param":
        if kept.all() or np.isnan(clean).any():
            return None
        return _finding(part, Slip.OVERWRITTEN, spot, f"{spot} loses what stood in it before. Several batches, or "
                        "several layers, may add up one gradient there: a parameter's diff has to grow.")
    if not kept.any():
        return None
    if not clean[kept].any():
        return _finding(part, Slip.UNWRITTEN, spot, f"{spot} is written in part only: {kept.sum()} of {kept.size} "
                        f"elements stay as they were. What does {part} put there?")
    return _finding(part, Slip.ACCUMULATED, spot, f"{spot} still has in it what stood there before, and the result is "
                    "added to that. It has to be overwritten.")


def _finding(part: str, slip: Slip, spot: Spot, words: str) -> Finding:
    return Finding(part, State.WRONG, words, slip, str(spot))
