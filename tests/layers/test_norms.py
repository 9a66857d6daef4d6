"""The normalising layers of the forks: which one a name means, their parameters, their quirks and errors."""

from __future__ import annotations

import numpy as np
import pytest
from layer_rows import build, layer

from blobnet.core.context import TEST, TRAIN
from blobnet.core.net import Net
from blobnet.core.registry import class_of
from blobnet.errors import NetError, ShapeError
from blobnet.proto.text import parse

RNG = np.random.default_rng(31)
X = RNG.normal(2, 3, (4, 3, 2, 5))
INPUT = 'layer { name: "x" type: "Input" top: "x" input_param { shape { dim: [4, 3, 2, 5] } } } '


def kind(text):
    return class_of(parse(text, "NetParameter").layer[0]).__name__


# BN.

@pytest.mark.parametrize(("options", "tops", "wanted"), [
    ("bn_param { scale_filler { value: 1 } }", "y", "SegNetBN"), ("bn_param { bn_mode: LEARN }", "y", "SegNetBN"),
    ("", "y m", "SegNetBN"), ("param { } param { } bn_param { }", "y m v", "SegNetBN"),
    ("bn_param { slope_filler { value: 1 } }", "y", "PSPNetBN"), ("bn_param { frozen: false }", "y", "PSPNetBN"),
    ("bn_param { momentum: 0.9 }", "y", "PSPNetBN"), ("bn_param { eps: 1 }", "y", "PSPNetBN"),
    ("param { } param { } param { } param { }", "y", "PSPNetBN")])
def test_which_bn(options, tops, wanted):
    assert kind(layer("BN", "x", tops, options)) == wanted


@pytest.mark.parametrize(("options", "words"), [
    ("", "here it is PSPNetBN, by its fields or SegNetBN, by its fields"),
    ("bn_param { }", "here it is PSPNetBN, by its fields or SegNetBN, by its fields"),
    ("bn_param { bn_mode: LEARN frozen: true }",
     "expected the fields of one of the layers called BN, got those of PSPNetBN and SegNetBN; leave fields out")])
def test_a_bn_that_may_be_either(options, words):
    with pytest.raises(NetError, match=words):
        kind(layer("BN", "x", "y", options))


@pytest.mark.parametrize(("name", "shape", "options", "tops", "error", "words"), [
    ("SegNetBN", (2, 3), "frozen: true", "y", NetError, "the fields of SegNetBN, got frozen, of the other layer"),
    ("PSPNetBN", (2, 3), "scale_filler { } bn_mode: LEARN", "y", NetError, "got scale_filler and bn_mode, of"),
    ("BN", (2, 3), "bn_mode: INFERENCE", "y m", NetError, "1 top blob with bn_mode: INFERENCE, got 2; mean and var"),
    ("BN", (3,), "frozen: true", "y", ShapeError, r"2 to 4 axes \(N, C, H, W\), got \(3,\)"),
    ("BN", (2, 3, 1, 1, 1), "bn_mode: LEARN", "y", ShapeError, "2 to 4 axes"),
    ("BN", (0, 3), "momentum: 0.5", "y", ShapeError, r"at least one value to take the statistics of, got \(0, 3\)")])
def test_bn_refuses(name, shape, options, tops, error, words):
    with pytest.raises(error, match=words):
        build(name, [np.ones(shape)], f"bn_param {{ {options} }}", tops)


def test_bn_of_other_channels():
    alone = build("BN", [X], "bn_param { frozen: true }")
    alone.values = [X[:, :2]]
    with pytest.raises(ShapeError, match="3 channels on axis 1, as the parameters have"):
        alone.forward()


def channel(x, c):
    return x[:, c].ravel()


@pytest.mark.parametrize("momentum", [0.9, 0.25])
def test_running_statistics_are_ready_to_use(momentum):
    alone = build("BN", [X], f"bn_param {{ slope_filler {{ value: 2 }} momentum: {momentum} }}")
    assert [blob.shape for blob in alone.layer.blobs] == [(1, 3, 1, 1)] * 4
    alone.parameters[2][...], alone.parameters[3][...] = 5, 7
    (y,) = alone.forward()
    mean, variance = (blob.data.ravel() for blob in alone.layer.blobs[2:])
    kept = float(np.float32(momentum))
    for c in range(3):
        values = channel(X, c)
        np.testing.assert_allclose(channel(y, c), 2 * (values - values.mean()) / np.sqrt(values.var() + 1e-5))
        np.testing.assert_allclose(mean[c], 5 * kept + (1 - kept) * values.mean())
        np.testing.assert_allclose(variance[c], 7 * kept + (1 - kept) * values.var())


@pytest.mark.parametrize(("frozen", "wanted"), [(False, [1, 2, 0, 0]), (True, [0, 0, 0, 0])])
def test_what_psp_bn_learns(frozen, wanted):
    text = layer("BN", "x", "y", f"param {{ lr_mult: 1 }} param {{ lr_mult: 2 }} bn_param {{ frozen: {frozen} }}")
    net = Net(parse(INPUT + text.replace("True", "true").replace("False", "false"), "NetParameter"), TRAIN)
    assert [parameter.lr_mult for parameter in net.parameters] == wanted
    assert [parameter.decay_mult for parameter in net.parameters] == [float(rate > 0) for rate in wanted]
    assert [blob.data.ravel()[0] for blob in net.params["it"]] == [0, 0, 0, frozen]


def test_published_gradient_of_psp_bn_in_test():
    dy = RNG.normal(size=X.shape)
    diffs = []
    for options in ("", "gradient: EXACT"):
        alone = build("BN", [X], f"bn_param {{ slope_filler {{ value: 2 }} {options} }}", phase=TEST)
        alone.parameters[3][...] = 4
        (y,) = alone.forward()
        diffs.append(alone.backward([dy], [True])[0])
    deviation = np.sqrt(4 + 1e-5)
    np.testing.assert_allclose(diffs[1], dy * 2 / deviation, rtol=1e-6)
    for c in range(3):
        slopes, normalized = channel(dy, c), channel(y, c) / 2
        want = 2 / deviation * (slopes - slopes.mean() - normalized * (slopes * normalized).mean())
        np.testing.assert_allclose(channel(diffs[0], c), want, rtol=1e-6)


@pytest.mark.parametrize("suffix", [".caffemodel", ".caffemodel.h5"])
@pytest.mark.parametrize(("shape", "fits"), [((1, 3), True), ((1, 3, 1, 1), True), ((3,), False), ((1, 1, 3), False)])
def test_weights_of_tsn_have_two_axes(shape, fits, suffix, tmp_path):
    net, saved = (Net(parse(INPUT + layer("BN", "x", "y", "bn_param { momentum: 0.5 }"), "NetParameter"), TRAIN)
                  for _ in range(2))
    for blob in saved.params["it"]:
        blob.reshape(shape)
        blob.data[...] = np.reshape([2, 5, 7], shape)
    saved.save(tmp_path / f"tsn{suffix}")
    if fits:
        net.copy_from(tmp_path / f"tsn{suffix}")
        assert [blob.data.ravel().tolist() for blob in net.params["it"]] == [[2, 5, 7]] * 4
    else:
        with pytest.raises(ShapeError, match=r"number 0, expected shape \(1, 3, 1, 1\)"):
            net.copy_from(tmp_path / f"tsn{suffix}")


def test_segnet_bn_of_a_constant():
    alone = build("BN", [np.full((2, 3, 4), 1e3)], "bn_param { scale_filler { value: 3 } shift_filler { value: 2 } }")
    np.testing.assert_array_equal(alone.forward()[0], 2)


# Normalize.

@pytest.mark.parametrize(("options", "wanted"), [
    ("norm_param { }", "SSDNormalize"), ("norm_param { eps: 1 }", "SSDNormalize"),
    ("normalize_param { }", "ChannelNormalize"), ("", "ChannelNormalize")])
def test_which_normalize(options, wanted):
    assert kind(layer("Normalize", "x", "y", options)) == wanted


def test_a_normalize_that_may_be_either():
    with pytest.raises(NetError, match="layers called Normalize, got those of ChannelNormalize and SSDNormalize"):
        kind(layer("Normalize", "x", "y", "norm_param { } normalize_param { }"))


@pytest.mark.parametrize(("shape", "options", "error", "words"), [
    ((2, 3, 1, 2), "", ShapeError, r"one place \(N, C, 1, 1\), or options, got \(2, 3, 1, 2\); over C at every place: "
     r'normalize_param { }; over whole samples: type: "L2Norm", or with the learned factor of SSD norm_param { }'),
    ((2, 3, 1, 2, 1), "", ShapeError, "1 to 4 axes"),
    ((2, 3), 'normalize_param { normalize_type: "L3" }', NetError, "normalize_type L2 or L1, got 'L3'"),
    ((3,), "norm_param { }", ShapeError, r"at least 2 axes \(N, C, …\), got \(3,\)")])
def test_normalize_refuses(shape, options, error, words):
    with pytest.raises(error, match=words):
        build("Normalize", [np.ones(shape)], options)


def test_normalize_of_other_channels():
    alone = build("Normalize", [X], "norm_param { channel_shared: false }")
    alone.values = [X[:, :2]]
    with pytest.raises(ShapeError, match="3 channels on axis 1"):
        alone.forward()


@pytest.mark.parametrize(("options", "axes", "shape"), [
    ("", (1, 2, 3), ()), ("across_spatial: false", (1,), ()), ("channel_shared: false", (1, 2, 3), (3,)),
    ("across_spatial: false channel_shared: false", (1,), (3,))])
def test_ssd_normalize(options, axes, shape):
    alone = build("Normalize", [X], f"norm_param {{ {options} }}")
    assert [values.shape for values in alone.parameters] == [shape] and np.all(alone.parameters[0] == 1)
    alone.parameters[0][...] = factor = RNG.normal(size=shape)
    want = factor.reshape(-1, 1, 1) * X / np.sqrt((X ** 2).sum(axes, keepdims=True))
    np.testing.assert_allclose(alone.forward()[0], want)


def test_published_gradient_of_ssd_normalize():
    x, dy = RNG.normal(size=(2, 2, 3))
    alone = build("Normalize", [x], "norm_param { channel_shared: false }")
    alone.parameters[0][...] = factor = np.array([1.0, 0, -3])
    alone.forward()
    (dx,) = alone.backward([dy], [True])
    for i in range(2):
        length = np.linalg.norm(x[i])
        np.testing.assert_allclose(dx[i], factor * (dy[i] - x[i] * (dy[i] @ x[i]) / length ** 2) / length)
    want = (dy * x / np.linalg.norm(x, axis=1)[:, None]).sum(axis=0)  # in the fork nan where the factor is 0
    np.testing.assert_allclose(alone.layer.blobs[0].diff, want)


def test_bare_normalize_brings_samples_to_length_1():
    y, = build("Normalize", [[[3.0, 4.0], [0.0, 0.0]]]).forward()
    np.testing.assert_allclose(y, np.reshape([0.6, 0.8, 0, 0], (2, 2, 1, 1)), rtol=1e-6)


def test_lengths_are_the_second_top():
    x = np.array([[3.0, -4.0]])
    for name, length in (("L2", 5), ("L1", 7)):
        y, lengths = build("Normalize", [x], f'normalize_param {{ normalize_type: "{name}" }}', "y r").forward()
        assert (y.shape, lengths.shape) == ((1, 2, 1, 1), (1, 1, 1, 1))
        np.testing.assert_allclose([lengths.item(), *y.ravel()], [length, 3 / length, -4 / length], rtol=1e-6)


# Axpy and ReLU6.

def test_axpy():
    a, x, z = RNG.normal(size=(4, 3)), X, RNG.normal(size=X.shape)
    (y,) = build("Axpy", [a, x, z]).forward()
    for n, c in np.ndindex(a.shape):
        np.testing.assert_allclose(y[n, c], a[n, c] * x[n, c] + z[n, c], rtol=1e-12)
    scaled, = build("Scale", [x, a], "scale_param { axis: 0 }").forward()
    np.testing.assert_allclose(y, scaled + z, rtol=1e-12)


@pytest.mark.parametrize(("shapes", "words"), [
    ([(2, 3), (2, 3, 4), (2, 3, 5)], r"bottoms 1 and 2 of one shape \(N, C, …\), got \(2, 3, 4\) and \(2, 3, 5\)"),
    ([(2,), (2,), (2,)], "bottoms 1 and 2 of one shape"),
    ([(2, 4), (2, 3, 4), (2, 3, 4)], r"factors \(2, 3\), further axes of size 1, in bottom 0, got \(2, 4\); the order"),
    ([(2, 3, 2, 2), (2, 3, 2, 2), (2, 3, 2, 2)], r"factors \(2, 3\)")])
def test_axpy_refuses(shapes, words):
    with pytest.raises(ShapeError, match=words):
        build("Axpy", [np.ones(shape) for shape in shapes])


@pytest.mark.parametrize(("options", "wanted", "slopes"), [
    ("", [0, 0, 0, 2, 6, 6], [0, 0, 0, 1, 0, 0]),
    ("relu6_param { n: 2 }", [0, 0, 0, 2, 2, 2], [0, 0, 0, 0, 0, 0]),
    ("relu6_param { negative_slope: 0.5 }", [-2, -0.5, 0, 2, 6, 6], [0.5, 0.5, 0.5, 1, 0, 0])])
def test_relu6(options, wanted, slopes):
    alone = build("ReLU6", [np.array([-4.0, -1, 0, 2, 6, 9])], options)
    assert alone.forward()[0].tolist() == wanted
    assert alone.backward([np.full(6, 3.0)], [True])[0].tolist() == [3 * slope for slope in slopes]


@pytest.mark.parametrize(("options", "words"), [("n: 0", "n above 0, got 0"),
                                                ("negative_slope: -1", "negative_slope of at least 0, got -1")])
def test_relu6_refuses(options, words):
    with pytest.raises(NetError, match=words):
        build("ReLU6", [X], f"relu6_param {{ {options} }}")
