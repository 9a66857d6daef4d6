"""Products, alone and several at once, against loops."""

import numpy as np
import pytest

from blobnet.ops import linear
from blobnet.ops.linear import Product, add_matmul, matmul, multiply


@pytest.mark.parametrize("rows, inner, columns", [
    (3, 2, 5), (300, 40, 200), (130, 700, 900), (1, 1, 1), (0, 3, 2), (4, 0, 3)])
@pytest.mark.parametrize("transposed", [False, True])
def test_add_matmul_adds_the_bits_of_matmul(monkeypatch, rows, inner, columns, transposed):
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


def test_several_at_once_have_the_bits_of_each_alone(monkeypatch):
    monkeypatch.setattr(linear, "LEAST", 1000)
    rng, wanted, given = np.random.default_rng(2), [], []
    for rows, inner, columns, add in [(300, 40, 200, True), (3, 2, 5, False), (130, 700, 900, False), (0, 3, 2, True)]:
        a, b = rng.normal(size=(rows, inner)), rng.normal(size=(inner, columns))
        out = rng.normal(size=(rows, columns))
        given.append(Product(a, b, out, add))
        wanted.append(out.copy())
        (add_matmul if add else matmul)(a, b, wanted[-1])
    multiply(*given)
    for product, want in zip(given, wanted):
        np.testing.assert_array_equal(product.out, want)
    multiply()
