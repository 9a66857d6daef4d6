"""Every row of the table gives the same bits with any number of threads, with work cut into the smallest pieces."""

import numpy as np
import pytest
from layer_cases import CASES

from blobnet.backend import pieces, sharing
from blobnet.ops import correlation, linear, recurrence

SMALL = [(pieces, "PIECE_BYTES", 16), (pieces, "LEAST_BYTES", 1), (linear, "LEAST", 1), (linear, "SIDE", 1),
         (recurrence, "LEAST", 1), (recurrence, "ROWS", 2), (correlation, "COLUMNS", 2), (correlation, "MIN_PLANES", 1),
         (correlation, "SHARED_WORK", 1), (correlation, "SHARED_OUTPUTS", 1)]
CUT = {"BatchNorm", "Convolution", "Deconvolution", "InnerProduct", "LRN", "LSTM", "Lstm", "MVN", "Pooling", "PReLU",
       "ReLU", "RNN", "Scale", "SPP"}


def run(case):
    """All bits of a forward and, where there is one, a backward."""
    alone = case.build(dtype="float32")
    found, wanted = alone.forward(), alone.differentiable()
    if any(wanted) or alone.parameters:
        rng = np.random.default_rng(1)
        diffs = alone.backward([rng.normal(size=blob.shape) for blob in alone.top], wanted)
        found += [diff for diff, gets in zip(diffs, wanted) if gets]
        found += [blob.diff.copy() for blob in alone.layer.blobs]
    return found


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    for where, name, value in SMALL:
        monkeypatch.setattr(where, name, value)


def test_threads_give_the_same_bits(case, monkeypatch):
    found = {}
    for threads in (1, 2, 3, 5):
        monkeypatch.setenv("BLOBNET_NUM_THREADS", str(threads))
        found[threads] = run(case)
    for threads, arrays in found.items():
        assert all(np.array_equal(mine, first, equal_nan=True)
                   for mine, first in zip(arrays, found[1], strict=True)), threads


def test_the_work_is_cut(monkeypatch):
    seen, threads_for = set(), sharing._threads_for
    monkeypatch.setattr(sharing, "_threads_for", lambda n: (n > 1 and seen.add(row.type.__name__), threads_for(n))[1])
    for row in CASES.values():
        if row.type.__name__ in CUT:
            run(row)
    assert seen == CUT
