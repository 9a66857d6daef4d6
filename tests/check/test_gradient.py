"""The gradient checker is itself checked: right gradients pass, each kind of wrong one is noticed."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from blobnet.check import (
    ForwardResult,
    GradientResult,
    GradientResults,
    assert_gradients,
    check_layer,
    format_table,
)
from blobnet.check.results import PUBLISHED
from blobnet.core.context import TEST
from blobnet.core.layer import Layer
from blobnet.core.registry import LAYERS, register
from blobnet.errors import NetError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(3, 4))
LABELS = [0, 3, 1]
SOURCES = {
    "Sigmoid": ('layer { name: "s" type: "Sigmoid" bottom: "x" top: "y" }', [X]),
    "Softmax": ('layer { name: "s" type: "Softmax" bottom: "x" top: "y" }', [X]),
    "InnerProduct": ('layer { name: "i" type: "InnerProduct" bottom: "x" top: "y" inner_product_param { num_output: 2 '
                     'weight_filler { type: "xavier" } } }', [X]),
    "SoftmaxWithLoss": ('layer { name: "l" type: "SoftmaxWithLoss" bottom: "x" bottom: "l" top: "loss" }', [X, LABELS]),
    "HashingLoss": ('layer { name: "h" type: "HashingLoss" bottom: "x" bottom: "l" top: "loss" '
                    "hashing_loss_param { bi_margin: 8 } }", [X, [0, 1, 1]]),
}


@pytest.fixture
def registry():
    """What a test registers is forgotten after it."""
    before = dict(LAYERS)
    yield
    LAYERS.clear()
    LAYERS.update(before)


def wrong(results):
    return [result.blob for result in results if not result.passed]


@pytest.mark.parametrize(("source", "bottoms"), SOURCES.values(), ids=SOURCES)
def test_right_gradients_pass(source, bottoms):
    results = check_layer(source, *bottoms)
    assert results
    assert not wrong(results)
    assert all(result.worst_relative_error < 1e-6 for result in results)



MISTAKES = {
    "sign": lambda dx: np.negative(dx, out=dx),
    "one percent": lambda dx: np.multiply(dx, 1.01, out=dx),
    "one element": lambda dx: dx.__setitem__((0, 0), 0),
    "order": lambda dx: dx.__setitem__(slice(None), dx[::-1].copy()),
    "nothing": lambda dx: dx.fill(0),
    "not a number": lambda dx: dx.__setitem__((0, 0), np.nan),
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
@pytest.mark.parametrize("name", SOURCES)
def test_wrong_bottom_gradients_are_noticed(name, mistake, monkeypatch):
    cls, (source, bottoms) = LAYERS[name], SOURCES[name]
    right = cls.backward

    def backward(self, top, propagate_down, bottom):
        right(self, top, propagate_down, bottom)
        mistake(bottom[0].diff)

    monkeypatch.setattr(cls, "backward", backward)
    assert wrong(check_layer(source, *bottoms)) == ["x"]
    with pytest.raises(AssertionError, match="FAIL"):
        assert_gradients(source, *bottoms)


def test_missing_terms_are_noticed(monkeypatch):
    def softmax(self, top, propagate_down, bottom):  # without the inner product of y and dy
        bottom[0].diff[...] = top[0].data * top[0].diff

    def bias(self, top, propagate_down, bottom):  # forgets the last row
        right(self, top, propagate_down, bottom)
        self.blobs[1].diff[...] -= top[0].diff[-1]

    monkeypatch.setattr(LAYERS["Softmax"], "backward", softmax)
    assert wrong(check_layer(*SOURCES["Softmax"][:1], X)) == ["x"]
    right = LAYERS["InnerProduct"].backward
    monkeypatch.setattr(LAYERS["InnerProduct"], "backward", bias)
    assert wrong(check_layer(*SOURCES["InnerProduct"][:1], X)) == ["param 1"]


def test_diffs_that_grow_or_are_overwritten_in_the_wrong_place_are_noticed(monkeypatch):
    def sigmoid(self, top, propagate_down, bottom):
        bottom[0].diff[...] += top[0].diff * top[0].data * (1 - top[0].data)

    def weight(self, top, propagate_down, bottom):
        self.blobs[0].diff.fill(0)
        right(self, top, propagate_down, bottom)

    monkeypatch.setattr(LAYERS["Sigmoid"], "backward", sigmoid)
    assert wrong(check_layer(*SOURCES["Sigmoid"][:1], X)) == ["x"]
    right = LAYERS["InnerProduct"].backward
    monkeypatch.setattr(LAYERS["InnerProduct"], "backward", weight)
    assert wrong(check_layer(*SOURCES["InnerProduct"][:1], X)) == ["param 0"]


def test_a_large_blob_is_checked_along_directions(monkeypatch):
    source, x = SOURCES["Sigmoid"][0], RNG.normal(size=(40, 30))
    (result,) = check_layer(source, x)
    assert result.passed
    assert (result.checked, result.note) == (5, "random directions of 1200 elements")
    right = LAYERS["Sigmoid"].backward

    def backward(self, top, propagate_down, bottom):
        right(self, top, propagate_down, bottom)
        bottom[0].diff[7, 7] *= 2  # one of 1200 elements

    monkeypatch.setattr(LAYERS["Sigmoid"], "backward", backward)
    assert wrong(check_layer(source, x)) == ["x"]


SIGMOID = SOURCES["Sigmoid"][0]
WRONG_PLACES = {
    "one of twelve": (SIGMOID, X, lambda dx: dx.__setitem__((1, 2), 7),
                      r"at \[1, 2\] backward has 7, the differences -?0\.\d+; 1 of 12 are wrong"),
    "all": (SIGMOID, X, lambda dx: np.negative(dx, out=dx),
            r"at \[0, 0\] backward has (-?)(\S+), the differences (?!\1)-?\2; 12 of 12 are wrong"),
    "one of many": (SIGMOID, RNG.normal(size=(40, 30)), lambda dx: dx.__setitem__((7, 9), 0),
                    r"random directions of 1200 elements; [345] of 5 directions are wrong; the worst element found: "
                    r"at \[7, 9\] backward has 0, the differences -?\S+"),
    "all of many": (SIGMOID, RNG.normal(size=(40, 30)), lambda dx: np.multiply(dx, 1.01, out=dx),
                    r"5 of 5 directions are wrong; the worst element found: at \[\d+, \d+\] backward has"),
}


@pytest.mark.parametrize(("source", "x", "mistake", "place"), WRONG_PLACES.values(), ids=WRONG_PLACES)
def test_the_place_of_a_wrong_gradient_is_told(source, x, mistake, place, monkeypatch):
    right = LAYERS["Sigmoid"].backward

    def backward(self, top, propagate_down, bottom):
        right(self, top, propagate_down, bottom)
        mistake(bottom[0].diff)

    monkeypatch.setattr(LAYERS["Sigmoid"], "backward", backward)
    (result,) = check_layer(source, x)
    assert not result.passed
    assert re.search(place, result.note), result.note


def test_a_single_number_has_no_index(monkeypatch):
    monkeypatch.setattr(LAYERS["Sigmoid"], "backward", lambda self, top, down, bottom: bottom[0].diff.fill(9))
    (result,) = check_layer(SIGMOID, 0.5)
    assert re.fullmatch(r"backward has 9, the differences -?\S+; 1 of 1 are wrong", result.note)


def test_a_place_that_is_not_found_is_not_told(monkeypatch):
    right = LAYERS["Sigmoid"].backward

    def backward(self, top, propagate_down, bottom):
        right(self, top, propagate_down, bottom)
        bottom[0].diff[7, 9] = 0

    monkeypatch.setattr(LAYERS["Sigmoid"], "backward", backward)
    monkeypatch.setattr("blobnet.check.compare.suspects", lambda *args: {(0, 1), (0, 2)})
    (result,) = check_layer(SIGMOID, RNG.normal(size=(40, 30)))
    assert result.note.endswith("directions are wrong; none of 2 elements tried is wrong by itself")


RELU = 'layer { name: "r" type: "ReLU" bottom: "x" top: "y" }'


def test_kinks_are_found_and_counted():
    (result,) = check_layer(RELU, [-1.0, 0.0, 1e-6, 2.0])
    assert (result.checked, result.skipped, result.passed) == (2, 2, True)


def test_kinks_can_be_declared():
    (result,) = check_layer(RELU, [-1.0, 0.004, 0.02, 2.0], kinks=[0])
    assert (result.checked, result.skipped) == (3, 1)
    (result,) = check_layer(RELU, [-1.0, 0.004, 0.02, 2.0], kinks=[0, 2], kink_range=0.1)
    assert (result.checked, result.skipped) == (1, 3)


def test_a_kink_does_not_hide_a_wrong_gradient_elsewhere(monkeypatch):
    monkeypatch.setattr(LAYERS["ReLU"], "backward", lambda self, top, down, bottom: bottom[0].diff.fill(0.5))
    assert wrong(check_layer(RELU, [-1.0, 0.0, 3.0]))


def test_jumping_outputs_fail(registry):
    @register
    class Jump(Layer):
        def reshape(self, bottom, top):
            top[0].reshape(bottom[0].shape)

        def forward(self, bottom, top):
            top[0].data[...] = 100 * np.floor(bottom[0].data * 1e6)

        def backward(self, top, propagate_down, bottom):
            bottom[0].diff.fill(0)

    (result,) = check_layer('layer { name: "j" type: "Jump" bottom: "x" top: "y" }', X)
    assert not result.passed


def test_dropout_repeats_its_mask_and_noise_without_a_stream_is_refused(registry):
    dropout = 'layer { name: "d" type: "Dropout" bottom: "x" top: "y" }'
    assert_gradients(dropout, X)
    assert_gradients(dropout, X, phase=TEST)

    @register
    class Noise(LAYERS["Sigmoid"]):
        def forward(self, bottom, top):
            super().forward(bottom, top)
            top[0].data[...] += RNG.normal(size=top[0].shape)

    (result,) = check_layer('layer { name: "n" type: "Noise" bottom: "x" top: "y" }', X)
    assert not result.passed
    assert "differ" in result.note


def test_loss_weight_is_part_of_the_objective(monkeypatch):
    source = ('layer { name: "e" type: "EuclideanLoss" bottom: "a" bottom: "b" top: "loss" loss_weight: 3 }')
    assert_gradients(source, X, X + 1)
    monkeypatch.setattr(LAYERS["EuclideanLoss"], "weight", lambda self, top: 1.0)
    assert wrong(check_layer(source, X, X + 1)) == ["a", "b"]


def test_published_gradients_are_checked_as_exact():
    (result,) = check_layer(*SOURCES["HashingLoss"][:1], *SOURCES["HashingLoss"][1])
    assert result.passed
    assert "EXACT" in result.note
    assert "published" in format_table([result])


def test_what_is_not_checked_says_why():
    results = check_layer('layer { name: "a" type: "Accuracy" bottom: "x" bottom: "l" top: "y" }', X, LABELS)
    assert [(result.checked, result.note) for result in results] == [(0, "no backward")]
    with pytest.raises(AssertionError, match="no backward"):
        assert_gradients('layer { name: "a" type: "Accuracy" bottom: "x" bottom: "l" top: "y" }', X, LABELS)
    source = SOURCES["InnerProduct"][0].replace("inner_product_param", "param { lr_mult: 0 } inner_product_param")
    assert [(result.blob, result.checked > 0) for result in check_layer(source, X)] == [
        ("x", True), ("param 0", False), ("param 1", True)]
    source = SOURCES["Sigmoid"][0].replace("bottom", "propagate_down: false bottom")
    assert check_layer(source, X) == []


def test_bottoms_are_left_alone():
    x = X.copy()
    check_layer(SOURCES["Sigmoid"][0], x)
    assert np.array_equal(x, X)


def test_in_place():
    assert_gradients('layer { name: "t" type: "TanH" bottom: "x" top: "x" }', X)
    power = 'layer { name: "p" type: "Power" bottom: "x" top: "x" power_param { power: 2 shift: 3 } }'
    assert wrong(check_layer(power, X)) == ["x"]  # as in Caffe


@pytest.mark.parametrize("source", ["", 'layer { type: "ReLU" } layer { type: "ReLU" }'])
def test_one_layer_is_expected(source):
    with pytest.raises(NetError, match="one layer"):
        check_layer(source, X)


def test_table():
    forward = ForwardResult(2e-16)
    results = [GradientResult("conv1", "Convolution", "data", "bottom", 12, 1, 3e-9, True, forward=forward),
               GradientResult("ip", "InnerProduct", "param 0", "param", 5, 0, 0.25, False, "900 elements")]
    lines = format_table(results).split("\n")
    assert lines[0].split() == "layer type blob kind checked skipped worst error forward result".split()
    assert lines[1].split() == ["conv1", "Convolution", "data", "bottom", "12", "1", "3.0e-09", "2.0e-16", "ok"]
    assert lines[2].endswith("2.5e-01           FAIL (900 elements)")


def test_results_print_as_their_table_and_show_in_colours():
    results = check_layer(*SOURCES["InnerProduct"][:1], X)
    assert isinstance(results, GradientResults) and str(results) == format_table(results)
    results += [GradientResult("<b>", "T", "x", "bottom", 1, 0, 0.5, False, "wrong & more"),
                GradientResult("p", "T", "x", "bottom", 1, 0, 0.0, True, PUBLISHED),
                GradientResult("s", "T", "x", "bottom", 0, 0, 0.0, True, "no backward")]
    page = ElementTree.fromstring(results._repr_html_())
    head, *rows = [["".join(cell.itertext()) for cell in row] for row in page.iter("tr")]
    assert head == ["layer", "type", "blob", "kind", "checked", "skipped", "worst error", "forward", "result"]
    assert [row[-1] for row in rows] == ["ok"] * 3 + ["FAIL (wrong & more)", f"published ({PUBLISHED})",
                                                      "skipped (no backward)"]
    assert rows[3][0] == "<b>"
    looks = [row.get("class") for row in page.iter("tr")]
    assert looks == [None, *["bn-good"] * 3, "bn-bad", "bn-note", None]
    assert "Gradients: 1 FAIL, 3 ok, 1 published, 1 skipped" in "".join(page.itertext())
    assert "Gradients: none" in GradientResults()._repr_html_()
