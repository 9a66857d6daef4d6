"""The terms of losses of all pairs of codes."""

from __future__ import annotations

import numpy as np

from blobnet.core.costs import sum_of_costs
from blobnet.core.terms import Index, Place, Term, Terms

WORDS = "every pair costs the more, the worse its codes tell whether it is similar"


def pair_costs(place: Place, costs: np.ndarray, alike: np.ndarray, share: Term, words: str = WORDS) -> Terms:
    """The costs (N, N) of pairs, each times `share`; alike (N, N): which belong together."""
    def told(at: Index) -> tuple[str, None]:
        return f"rows {at[0]} and {at[1]}, {'similar' if alike[at] else 'unlike'}", None

    return sum_of_costs(place, costs, share, told, words)
