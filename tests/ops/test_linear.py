"""Sums of products against loops, in one go and in pieces."""

import numpy as np
import pytest

from blobnet.ops import linear
from blobnet.ops.linear import add_matmul, matmul


@pytest.mark.parametrize("whole", [0, 1 << 30])
@pytest.mark.parametrize("rows, inner, columns", [
    (3, 2, 5), (300, 40, 200), (130, 700, 900), (1, 1, 1), (0, 3, 2), (4, 0, 3)])
@pytest.mark.parametrize("transposed", [False, True])
def test_add_matmul_adds_the_bits_of_matmul(monkeypatch, whole, rows, inner, columns, transposed):
    monkeypatch.setattr(linear, "WHOLE_BYTES", whole)
    monkeypatch.setattr(linear, "LEAST", 1000)  # several pieces
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(rows, inner)).astype("f"), rng.normal(size=(inner, columns)).astype("f")
    out = rng.normal(size=(columns, rows) if transposed else (rows, columns)).astype("f")
    target = out.T if transposed else out
    before, product = target.copy(), np.empty((rows, columns), "f")
    matmul(a, b, product)
    add_matmul(a, b, target)
    np.testing.assert_array_equal(target, before + product)
    if rows * columns * inner < 100:
        loops = [[sum(float(a[i, k]) * float(b[k, j]) for k in range(inner)) for j in range(columns)]
                 for i in range(rows)]
        np.testing.assert_allclose(target - before, np.reshape(loops, target.shape), atol=1e-6)
