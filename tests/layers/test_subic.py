"""The layers of structured binary codes: known values, and what they refuse."""

import numpy as np
import pytest
from layer_rows import build

from blobnet.errors import ShapeError

ONE_HOT = np.eye(4)[[0, 1, 2, 3, 0, 1, 2, 3]].reshape(4, 8)  # two blocks; each uses two of its four elements alike


def loss(kind, values, size):
    alone = build(kind, [values], f"block_param {{ block_size: {size} }}")
    return float(alone.forward()[0])


@pytest.mark.parametrize(("kind", "values", "size", "expected"), [
    ("MeanEntropyLoss", np.full((3, 8), 0.25), 4, 1), ("MeanEntropyLoss", ONE_HOT, 4, 0),
    ("MeanEntropyLoss", [[0.5, 0.5, 0, 0, 1, 0, 0, 0]], 4, 0.25),
    ("BatchEntropyLoss", np.full((3, 8), 0.25), 4, -1), ("BatchEntropyLoss", ONE_HOT, 4, -0.5),
    ("BatchEntropyLoss", np.eye(4), 4, -1), ("BatchEntropyLoss", np.tile([[0, 1, 0, 1, 0, 0]], (5, 1)), 3, 0),
])
def test_entropies_of_known_blocks(kind, values, size, expected):
    assert loss(kind, np.asarray(values, float), size) == pytest.approx(expected, abs=1e-6)


def test_each_block_is_a_softmax_of_its_own():
    x = np.array([[0.0, np.log(3), 5.0, 5.0, 1000.0, -1000.0]])
    y = build("BlockSoftmax", [x], "block_param { block_size: 2 }").forward()[0]
    np.testing.assert_allclose(y, [[0.25, 0.75, 0.5, 0.5, 1, 0]], atol=1e-6)


@pytest.mark.parametrize("kind", ["BlockSoftmax", "MeanEntropyLoss", "BatchEntropyLoss"])
@pytest.mark.parametrize(("shape", "options", "words"), [
    ((2, 6), "block_param { block_size: 4 }", r"block_size 4 divides.*got shape \(2, 6\); set block_param"),
    ((2, 6), "block_param { block_size: 1 }", "block_size 2 or more"),
    ((2, 5), "", "block_size 2 divides"),
])
def test_rows_that_are_no_blocks_are_refused(kind, shape, options, words):
    with pytest.raises(ShapeError, match=rf"layer 'it' \({kind}\): .*{words}"):
        build(kind, [np.full(shape, 0.5)], options)
