"""Labels and indices that are no whole numbers, or that float32 may have rounded, are errors wherever they are read."""

import re

import numpy as np
import pytest
from layer_rows import FILLERS, build

from blobnet.errors import DataError

X = np.random.default_rng(0).normal(size=(3, 4))
H = np.eye(4)
LARGE, LARGEST = 2.0 ** 24, 2.0 ** 53
READERS = {  # type: options, and the bottoms beside the class numbers, which are the second
    "SoftmaxWithLoss": ("", [X]), "MultinomialLogisticLoss": ("", [abs(X)]), "HingeLoss": ("", [X]),
    "InfogainLoss": ("", [X, H]), "Accuracy": ("", [X]), "BatchReindex": ("", [X]),
    "CenterLoss": ("center_loss_param { num_output: 4 }", [X]), "ScatterLoss": ("", [X]),
    "PairwiseLabelLoss": ("", [X]), "HashingLoss": ("hashing_loss_param { bi_margin: 8 }", [X]),
    "PairwiseLoss": ("pairwise_param { weighted: true }", [X]), "LiftedStructSimilaritySoftmaxLoss": ("", [X]),
    "BatchTripletLoss": ("", [X]), "Embed": (f"embed_param {{ num_output: 2 input_dim: 4 {FILLERS} }}", [])}

AS_ROWS = ("HashingLoss", "PairwiseLoss", "LiftedStructSimilaritySoftmaxLoss")  # labels (N, L), here (N, 1)


def reader(kind, numbers, dtype):
    options, others = READERS[kind]
    values = [*others[:1], np.array(numbers), *others[1:]]
    return build(kind, values, options, "y a" if kind == "BatchTripletLoss" else "y", dtype=dtype)


@pytest.mark.parametrize("kind", READERS)
@pytest.mark.parametrize(("dtype", "wrong"), [
    ("float32", 1.5), ("float32", -0.5), ("float32", LARGE), ("float32", -LARGE), ("float64", LARGEST),
    ("float32", np.nan), ("float64", np.inf), ("float32", 1e30)])
def test_refused(kind, dtype, wrong):
    alone = reader(kind, [1, wrong, 2], dtype)
    limit = 16777216 if dtype == "float32" else 9007199254740992
    place = "[1, 0]" if kind in AS_ROWS else "[1]"
    message = (f"layer 'it' ({kind}): 'x{int(kind != 'Embed')}' at {place}, expected a whole number below {limit} in "
               f"size, as {dtype} holds them, got {np.dtype(dtype).type(wrong):.10g}; classes and rows are counted")
    with pytest.raises(DataError, match=re.escape(message)):
        alone.forward()


@pytest.mark.parametrize("kind", READERS)
def test_whole_numbers_are_taken(kind):
    assert np.isfinite(reader(kind, [1.0, 2.0, -0.0], "float32").forward()[0]).all()


@pytest.mark.parametrize("kind", ["ScatterLoss", "HashingLoss"])
def test_classes_just_below_the_limit_are_told_apart(kind):
    losses = [reader(kind, [a, a, b], "float32").forward()[0] for a, b in [(1, 2), (LARGE - 1, LARGE - 2)]]
    assert losses[0] == losses[1] != reader(kind, [1, 1, 1], "float32").forward()[0]


def test_the_place_is_that_in_the_blob():
    maps, labels = np.ones((2, 3, 2, 2)), np.zeros((2, 2, 2))
    labels[1, 0, 1] = 0.25
    with pytest.raises(DataError, match=re.escape("'x1' at [1, 0, 1], expected")):
        build("SoftmaxWithLoss", [maps, labels]).forward()
