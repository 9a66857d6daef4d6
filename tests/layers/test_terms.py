"""What the terms of layers say: which numbers they name, which pairs pull and push. The contract holds their sums."""

import numpy as np
import pytest
from layer_cases import CASES

from blobnet.check.rules.terms import ROUNDING, SUM
from blobnet.check.standalone import standalone
from blobnet.core.slopes import CURVED
from blobnet.core.terms import LISTED, Place

RNG = np.random.default_rng(7)
X = RNG.normal(size=(2, 3, 4))
TOLD = ["Deconvolution", "DepthwiseConvolution", "ConvolutionDepthwise", "Split", "Flatten", "Reshape", "Concat",
        "Slice", "Crop", "AutoCrop", "Permute", "Transpose", "Tile", "Flip", "Reverse", "Reorg", "ShuffleChannel",
        "Gather", "BatchReindex", "Filter", "UpsampleNearest", "BatchNorm", "PSPNetBN", "SegNetBN", "LRN", "Softmax",
        "HashingLoss", "PairwiseHashingLoss", "PairwiseLoss", "PairwiseMeanLoss", "PairwiseDistanceLoss",
        "PairwiseLabelLoss", "SoftPairwiseLoss", "TripletLikelihoodLoss", "PairwiseRankingLoss", "ContrastiveLoss",
        "TripletLoss", "TripletRankingHingeLoss", "BatchTripletLoss", "GeneralTripletLoss", "NaiveTripletLoss",
        "SigmoidCrossEntropyLoss", "HingeLoss", "InfogainLoss", "Accuracy", "ArgMax"]


def run(kind, rest, *values, tops=1, seed=0):
    """The layer after a forward, with diffs in its tops, and what its backward wrote."""
    names = "".join(f'bottom: "x{i}" ' for i in range(len(values))) + "".join(f'top: "y{i}" ' for i in range(tops))
    alone = standalone(f'layer {{ name: "it" type: "{kind}" {names} {rest} }}', *values, seed=seed)
    diffs = [RNG.normal(size=top.shape) for top in alone.forward()]
    return alone, alone.backward(diffs, alone.differentiable()), diffs


def terms(alone, kind, number, which, *index):
    return alone.layer.terms(Place(kind, number, which, index), alone.bottom, alone.top)


def places(found):
    return [factor.place for term in found.terms for factor in term if factor.place]


NAMES = [name for name, row in CASES.items() if row.type.__name__ in TOLD]
ROWS = pytest.mark.parametrize("case", NAMES, indirect=True)


@ROWS
def test_every_number_adds_up(case):
    """The contract tries two numbers of each array; signs at labels and the like are few."""
    alone = case.build()
    tops, weights = alone.forward(), alone.layer.loss_weights
    diffs = [np.full(top.shape, w) if any(weights) else RNG.normal(size=top.shape) for top, w in zip(tops, weights)]
    wanted = alone.differentiable()
    for blob in alone.layer.blobs:
        blob.diff.fill(0)
    down = alone.backward(diffs, wanted)
    arrays = [("top", i, "data", top) for i, top in enumerate(tops)]
    arrays += [("bottom", i, "diff", diff) for i, diff in enumerate(down) if wanted[i]]
    arrays += [("param", i, "diff", blob.diff.copy()) for i, blob in enumerate(alone.layer.blobs)]
    for blob, diff in zip(alone.top, diffs):
        blob.diff[...] = diff  # a bottom may share its memory
    for kind, number, which, array in arrays:
        for index in np.ndindex(array.shape):
            got = terms(alone, kind, number, which, *index).value
            allowed = SUM * max(abs(array).max(), ROUNDING)
            assert got == pytest.approx(array[index], rel=SUM, abs=allowed, nan_ok=True), (kind, index)


@ROWS
def test_no_top_is_left_to_slopes(case):
    """A rest that says nothing is for types that nobody wrote terms for."""
    alone = case.build()
    top = alone.forward()[0]
    if top.size:
        found = alone.layer.terms(Place("top", 0, "data", (0,) * top.ndim), alone.bottom, alone.top)
        assert found.rest_words != CURVED and found.words


def test_a_moved_number_names_where_it_was_and_its_copies():
    alone, _, _ = run("Tile", "tile_param { axis: 2 tiles: 3 }", X)
    assert places(terms(alone, "top", 0, "data", 1, 2, 9)) == [Place("bottom", 0, "data", (1, 2, 1))]
    back = terms(alone, "bottom", 0, "diff", 1, 2, 1)
    assert places(back) == [Place("top", 0, "diff", (1, 2, k)) for k in (1, 5, 9)] and "copies" in back.words
    assert (alone.bottom[0].data == X).all() and (alone.top[0].data == np.tile(X, 3)).all()


def test_joined_cut_and_cropped_numbers_are_found():
    alone, _, _ = run("Concat", "", X, X[:, :1])
    assert places(terms(alone, "top", 0, "data", 1, 3, 2)) == [Place("bottom", 1, "data", (1, 0, 2))]
    alone, _, _ = run("Slice", "slice_param { slice_point: 1 }", X, tops=2)
    assert places(terms(alone, "bottom", 0, "diff", 1, 2, 0)) == [Place("top", 1, "diff", (1, 1, 0))]
    alone, _, _ = run("Crop", "crop_param { axis: 2 offset: 1 }", X, X[:, :, :2])
    cut = terms(alone, "bottom", 0, "diff", 0, 0, 3)
    assert cut.terms == [] and cut.value == 0 and "nowhere" in cut.words
    assert terms(alone, "bottom", 1, "diff", 0, 0, 0).value == 0


def test_a_deconvolution_adds_up_what_was_spread():
    alone, _, _ = run("Deconvolution", "convolution_param { num_output: 2 kernel_size: 3 stride: 2 }", X)
    met = places(terms(alone, "top", 0, "data", 0, 1, 2))[1::2]  # x 0 with tap 2, x 1 with tap 0, of each channel
    assert {place.index for place in met[:6]} == {(0, c, h) for c in range(3) for h in (0, 1)}


def test_batch_statistics_have_three_ways_back():
    alone, (dx,), (dy,) = run("BatchNorm", "", X)
    back = terms(alone, "bottom", 0, "diff", 1, 2, 0)
    straight, mean, variance = back.terms
    deviation = np.sqrt(X[:, 2].var() + 1e-5)
    normal = (X[:, 2] - X[:, 2].mean()) / deviation
    assert straight[0].place == Place("top", 0, "diff", (1, 2, 0))
    assert straight[1].value == pytest.approx(1 / deviation)
    assert mean[0].value == pytest.approx(-dy[:, 2].mean())
    assert variance[0].value * variance[1].value == pytest.approx(-(dy[:, 2] * normal).mean() * normal[1, 0])
    assert back.value == pytest.approx(dx[1, 2, 0])


def test_stored_statistics_are_sums_divided_by_their_factor():
    alone = standalone('layer { name: "it" type: "BatchNorm" bottom: "x" top: "y" '
                       "batch_norm_param { use_global_stats: true } }", X)
    alone.parameters = [np.array([1.0, 2, 3]), np.array([4.0, 5, 6]), np.array([2.0])]
    y = alone.forward()[0]
    found = terms(alone, "top", 0, "data", 0, 1, 3)
    assert [factor.value for factor in found.terms[1][1:3]] == [2, 0.5] and found.value == pytest.approx(y[0, 1, 3])
    assert {place[:2] for place in places(found)} == {("bottom", 0), ("param", 0), ("param", 2)}


def test_similar_codes_pull_and_near_ones_push():
    codes, labels = np.array([[0.5, 1], [0.4, -1], [0.3, 1], [9, 9]]), np.array([0.0, 0, 1, 1])
    alone, _, _ = run("HashingLoss", "hashing_loss_param { bi_margin: 4 tradeoff: 0.5 }", codes, labels)
    loss = terms(alone, "top", 0, "data")
    said = [term[0].words for term in loss.terms]
    assert said[:4] == ["rows 0 and 1, similar", "rows 0 and 2, unlike", "rows 2 and 3, similar", "| |u| - 1 |"]
    similar, unlike, pull = terms(alone, "bottom", 0, "diff", 0, 0).terms  # row 3 is unlike and beyond the margin
    assert (similar[0].place.index, similar[1].words) == ((1, 0), "similar, pulls")
    assert (unlike[0].place.index, unlike[1].words) == ((2, 0), "unlike, pushes")
    assert similar[0].value == pytest.approx(0.1) and pull[0].value == -1 and pull[-1].value == 0.5 / 4


@pytest.mark.parametrize("kind, rest, labels", [
    ("HashingLoss", "hashing_loss_param { bi_margin: 8 }", RNG.integers(0, 5, 60)),
    ("HashingLoss", "hashing_loss_param { bi_margin: 8 gradient: EXACT }", RNG.integers(0, 5, 60)),
    ("PairwiseLoss", "", RNG.integers(0, 2, (60, 4)))])
@pytest.mark.filterwarnings("ignore:.*bi_margin")
def test_of_many_pairs_the_largest_are_listed_and_all_count(kind, rest, labels):
    alone, (dx, _), _ = run(kind, rest, RNG.normal(size=(60, 4)), labels.astype(float))
    loss = terms(alone, "top", 0, "data")
    assert loss.value == pytest.approx(alone.forward()[0], rel=1e-12) and loss.unlisted and loss.rest
    assert LISTED <= len(loss.terms) <= LISTED + 240
    assert terms(alone, "bottom", 0, "diff", 7, 2).value == pytest.approx(dx[7, 2])


def test_of_many_rows_the_strongest_are_listed():
    codes = RNG.normal(size=(LISTED + 200, 1))
    alone, (dx, _), _ = run("PairwiseMeanLoss", "pairwise_param { weighted: false }", codes,
                            RNG.integers(0, 3, LISTED + 200).astype(float))
    found = terms(alone, "bottom", 0, "diff", 5, 0)
    assert len(found.terms) == LISTED and found.unlisted == 199 and found.value == pytest.approx(dx[5, 0])


def test_a_triplet_that_costs_nothing_pulls_nothing():
    a, p, q = np.zeros((2, 2)), np.array([[1, 0.5], [0, 0]]), np.array([[1.0, 1], [5, 5]])
    alone, _, _ = run("TripletLoss", "", a, p, q)
    assert [term[0].words[:9] for term in terms(alone, "top", 0, "data").terms] == ["triplet 0"]
    quiet, loud = terms(alone, "bottom", 0, "diff", 1, 0), terms(alone, "bottom", 0, "diff", 0, 1)
    assert quiet.terms == [] and "nothing" in quiet.words
    assert [(place.kind, place.number) for place in places(loud)[::2]] == [("bottom", 2), ("bottom", 1)]


def test_unlike_pairs_beyond_the_margin_are_left_alone():
    b, similar = np.array([[0.5, 0], [0.5, 0], [3, 0]]), np.array([1.0, 0, 0])
    alone, _, _ = run("ContrastiveLoss", "", np.zeros((3, 2)), b, similar)
    words = [terms(alone, "bottom", 0, "diff", n, 0).words for n in range(3)]
    assert [text.split(":")[0] for text in words] == ["similar", "unlike and near", "far enough from each other"]
    assert len(terms(alone, "top", 0, "data").terms) == 2


def test_rows_that_count_as_right_are_named():
    scores, labels = np.array([[3.0, 1, 2], [1, 2, 3], [5, 4, 6], [0, 1, 0]]), np.array([0.0, 1, 2, 9])
    alone = standalone('layer { name: "it" type: "Accuracy" bottom: "x" bottom: "t" top: "y" top: "each" '
                       "accuracy_param { ignore_label: 9 } }", scores, labels)
    alone.forward()
    found = terms(alone, "top", 0, "data")
    assert [term[0].words.split(",")[0] for term in found.terms] == ["row 0", "row 2"]
    assert found.words == "2 of 3 positions are right" and found.value == pytest.approx(2 / 3)
    assert terms(alone, "top", 1, "data", 1).terms == []


def test_the_greatest_are_named():
    alone = standalone('layer { name: "it" type: "ArgMax" bottom: "x" top: "y" argmax_param { top_k: 2 '
                       "out_max_val: true } }", X)
    y = alone.forward()[0].reshape(2, 2, 2)
    flat = X.reshape(2, -1)
    for n, part, k in np.ndindex(2, 2, 2):
        found = alone.layer.terms(Place("top", 0, "data", np.unravel_index(4 * n + 2 * part + k, alone.top[0].shape)),
                                  alone.bottom, alone.top)
        at = int(np.argsort(flat[n])[-1 - k])
        assert found.value == y[n, part, k] and places(found)[0].index == (n, *np.unravel_index(at, (3, 4)))
