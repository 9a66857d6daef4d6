"""One forward and one backward of a layer, and the comparison of two such runs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from blobnet.backend import to_host
from blobnet.check.standalone import Standalone

MARK = 7.0  # written where a layer must not write, or must overwrite


class Run:
    """One forward and one backward, with copies of their results, on the host."""

    def __init__(self, alone: Standalone, wanted: Sequence[bool] | None = None, mark: float = 0.0):
        self.alone = alone
        self.tops = alone.forward()
        self.data = [np.array(to_host(blob.data)) for blob in [*alone.bottom, *alone.top, *alone.layer.blobs]]
        self.wanted = alone.differentiable() if wanted is None else list(wanted)
        rng = np.random.default_rng(4)
        weights = alone.layer.loss_weights
        self.top_diffs = [np.full(top.shape, weight) if weight else rng.normal(size=top.shape)
                          for top, weight in zip(self.tops, weights, strict=True)]
        for blob in alone.bottom:
            blob.diff.fill(mark)
        for blob in alone.layer.blobs:
            blob.diff.fill(0)
        self.bottom_diffs = alone.backward(self.top_diffs, self.wanted)
        self.param_diffs = [np.array(to_host(blob.diff)) for blob in alone.layer.blobs]

    def differs(self, other: Run, rtol: float = 0.0) -> str:
        """The name of the first result that differs, or ''; rtol is relative to the largest number of an array."""
        for name in ("tops", "bottom_diffs", "param_diffs"):
            for i, (a, b) in enumerate(zip(getattr(self, name), getattr(other, name), strict=True)):
                scale = abs(a).max(initial=0.0) if rtol else 0.0
                if a.shape != b.shape or not np.allclose(a, b, rtol=0, atol=rtol * scale, equal_nan=True):
                    return f"{name}[{i}]"
        return ""
