"""Bias, Scale, Deconvolution, Embed, Im2col and Parameter against naive formulas; their quirks and errors."""

from __future__ import annotations

import numpy as np
import pytest
from layer_rows import build

from blobnet.core.context import TRAIN
from blobnet.core.net import Net
from blobnet.errors import DataError, NetError, ShapeError
from blobnet.proto.text import parse

GAUSSIAN = 'filler { type: "gaussian" } '


def run(alone, seed=1):
    """Tops, then top diffs, bottom diffs and parameter diffs of one backward."""
    tops, rng = alone.forward(), np.random.default_rng(seed)
    diffs = [rng.standard_normal(top.shape) for top in tops]
    bottoms = alone.backward(diffs, alone.differentiable())
    return tops, diffs, bottoms, [blob.diff.copy() for blob in alone.layer.blobs]


# Bias and Scale

AXES = [("", (3,), "nchw,c->nchw"), ("num_axes: 2", (3, 4), "nchw,ch->nchw"), ("num_axes: 0", (), "nchw,->nchw"),
        ("axis: 0 num_axes: -1", (2, 3, 4, 5), "nchw,nchw->nchw"), ("axis: -1", (5,), "nchw,w->nchw"),
        ("axis: -3 num_axes: -1", (3, 4, 5), "nchw,chw->nchw"), ("axis: 0 num_axes: 2", (2, 3), "nchw,nc->nchw"),
        ("axis: 3 num_axes: 0", (), "nchw,->nchw")]


@pytest.mark.parametrize("options, shape, rule", AXES)
@pytest.mark.parametrize("place", ["parameter", "bottom"])
def test_bias_and_scale_along_axes(options, shape, rule, place):
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 5))
    second = [np.random.default_rng(3).standard_normal(shape)] if place == "bottom" else []
    axes = rule[5:rule.index("-")]
    for kind, field in (("Bias", "bias_param"), ("Scale", "scale_param")):
        fillers = GAUSSIAN + ('bias_term: true bias_filler { type: "gaussian" }' if kind == "Scale" else "")
        alone = build(kind, [x, *second], f"{field} {{ {options} {fillers} }}")
        (y,), (dy,), (dx, *dsecond), dparams = run(alone)
        params = [*second, *alone.parameters]
        assert [values.shape for values in params] == [shape] * len(params)
        ones = np.ones_like(x)
        added = np.einsum(rule, ones, params[-1])
        gradients = [*dsecond, *dparams]
        np.testing.assert_allclose(gradients[-1], np.einsum(f"nchw->{axes}", dy), atol=1e-12)
        if kind == "Bias":
            np.testing.assert_allclose(y, x + added)
            np.testing.assert_array_equal(dx, dy)
        else:
            np.testing.assert_allclose(y, np.einsum(rule, x, params[0]) + added)
            np.testing.assert_allclose(dx, np.einsum(rule, dy, params[0]))
            np.testing.assert_allclose(gradients[0], np.einsum(f"nchw,nchw->{axes}", dy, x), atol=1e-12)


def test_fillers_of_bias_and_scale():
    x = np.ones((2, 3))
    assert build("Bias", [x]).parameters[0].tolist() == [0, 0, 0]
    assert build("Scale", [x]).parameters[0].tolist() == [1, 1, 1]
    assert build("Scale", [x], "scale_param { filler { } }").parameters[0].tolist() == [0, 0, 0]
    factor, bias = build("Scale", [x], "scale_param { bias_term: true bias_filler { value: 4 } }").parameters
    assert factor.tolist() == [1, 1, 1] and bias.tolist() == [4, 4, 4]
    assert len(build("Scale", [x, x[0]], "scale_param { bias_term: true }").parameters) == 1


def test_scale_in_place_between_in_place_layers():
    text = """
        force_backward: true
        layer {{ name: "x" type: "Input" top: "x" input_param {{ shape {{ dim: 2 dim: 3 dim: 4 }} }} }}
        layer {{ name: "p" type: "Power" bottom: "x" top: "a" power_param {{ scale: 2 }} }}
        layer {{ name: "s" type: "Scale" bottom: "a" top: "{b}" scale_param {{ bias_term: true
            filler {{ type: "gaussian" }} bias_filler {{ type: "gaussian" }} }} }}
        layer {{ name: "b" type: "Bias" bottom: "{b}" top: "{c}" bias_param {{ filler {{ type: "gaussian" }} }} }}
        layer {{ name: "r" type: "ReLU" bottom: "{c}" top: "{d}" }}"""
    x = np.random.default_rng(0).standard_normal((2, 3, 4)).astype("f")
    found = []
    for names in ({"b": "a", "c": "a", "d": "a"}, {"b": "b", "c": "c", "d": "d"}):
        net = Net(parse(text.format(**names), "NetParameter"), TRAIN, random_seed=3)
        y = net.forward(x=x)[names["d"]].copy()
        net.blobs[names["d"]].diff[...] = x
        net.backward()
        found.append([y, net.blobs["x"].diff, *(blob.diff for blobs in net.params.values() for blob in blobs)])
    for a, b in zip(*found, strict=True):
        np.testing.assert_array_equal(a, b)
        assert a.any()


@pytest.mark.parametrize("shape, options, adds", [
    ((2, 3, 2), "", True), ((1, 3, 2), "", False), ((2, 3), "axis: 0 num_axes: -1", False),
    ((2, 3), "num_axes: 0", True), ((1, 1), "num_axes: 0", False), ((1, 1, 2), "", True), ((4, 1), "", True)])
def test_when_the_diff_of_a_learned_factor_adds_up(shape, options, adds):
    alone = build("Scale", [np.full(shape, 3.0)], f"scale_param {{ {options} bias_term: true }}")
    _, _, _, once = run(alone)
    _, _, _, twice = run(alone)
    np.testing.assert_allclose(twice[0], once[0] * (2 if adds else 1))
    np.testing.assert_allclose(twice[1], once[1] * 2)


@pytest.mark.parametrize("kind", ["Bias", "Scale"])
@pytest.mark.parametrize("values, options, error, says", [
    ([(2, 3)], "axis: 2", ShapeError, r"an axis in \[-2, 2\)"),
    ([(2, 3)], "axis: 1 num_axes: 2", ShapeError, "at least 2 axes from axis 1 on"),
    ([(2, 3)], "num_axes: -2", NetError, "num_axes at least 0, or -1"),
    ([(2, 3), (2,)], "", ShapeError, r"bottom 1 has shape \(2,\)"),
    ([(2, 3), (3, 1)], "", ShapeError, "from axis 1 on"),
    ([(2, 3)] * 3, "", NetError, "1 to 2 bottom blobs, got 3"),
])
def test_errors_of_bias_and_scale(kind, values, options, error, says):
    with pytest.raises(error, match=f"'it'.*{says}"):
        build(kind, [np.ones(shape) for shape in values], f"{kind.lower()}_param {{ {options} }}")


def test_learned_shapes_stay():
    alone = build("Scale", [np.ones((2, 3))])
    alone.values = [np.ones((2, 4))]
    with pytest.raises(ShapeError, match=r"parameter 0 has shape \(3,\).*got \(2, 4\)"):
        alone.forward()
    alone = build("Scale", [np.ones((2, 3)), np.ones(2)], "scale_param { axis: 0 bias_term: true }")
    alone.values = [np.ones((4, 3)), np.ones(4)]
    with pytest.raises(ShapeError, match=r"the bias's shape \(2,\), got \(4,\)"):
        alone.forward()


# Deconvolution and Im2col

SLIDING = ["kernel_size: 3", "kernel_size: 3 stride: 2 pad: 1", "kernel_size: 2 dilation: 2 pad: 1",
           "kernel_h: 3 kernel_w: 1 stride_h: 2 stride_w: 3 pad_h: 1", "kernel_size: 4 stride: 3 force_nd_im2col: true"]


def naive_deconvolution(x, weight, bias, stride, pad, dilation, groups):
    """Every value spread on its own into a wide canvas, which is cropped in the end."""
    num, channels, height, width = x.shape
    rows, columns = weight.shape[2:]
    outputs = weight.shape[1] * groups
    canvas = np.zeros((num, outputs, stride[0] * (height - 1) + dilation[0] * (rows - 1) + 1,
                       stride[1] * (width - 1) + dilation[1] * (columns - 1) + 1))
    for n, c, h, w in np.ndindex(*x.shape):
        first = c // (channels // groups) * weight.shape[1]
        for k, r, s in np.ndindex(*weight.shape[1:]):
            place = n, first + k, h * stride[0] + r * dilation[0], w * stride[1] + s * dilation[1]
            canvas[place] += x[n, c, h, w] * weight[c, k, r, s]
    canvas = canvas[:, :, pad[0]:canvas.shape[2] - pad[0], pad[1]:canvas.shape[3] - pad[1]]
    return canvas + bias[:, None, None]


@pytest.mark.parametrize("options, stride, pad, dilation", [
    ("kernel_size: 3", (1, 1), (0, 0), (1, 1)), ("kernel_size: 3 stride: 2 pad: 1", (2, 2), (1, 1), (1, 1)),
    ("kernel_h: 2 kernel_w: 3 dilation: 2 pad_w: 1", (1, 1), (0, 1), (2, 2)),
    ("kernel_size: 2 stride: 3", (3, 3), (0, 0), (1, 1)),
    ("kernel_size: 3 stride_h: 1 stride_w: 3 pad: 2 engine: CUDNN", (1, 3), (2, 2), (1, 1))])
@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("outputs", [2, 18])
def test_deconvolution(options, stride, pad, dilation, groups, outputs):
    x = np.random.default_rng(0).standard_normal((2, 4, 4, 3))
    alone = build("Deconvolution", [x], f"convolution_param {{ num_output: {outputs} group: {groups} {options} "
                  'weight_filler { type: "gaussian" } bias_filler { type: "gaussian" } }')
    weight, bias = alone.parameters
    assert weight.shape[:2] == (4, outputs // groups)
    want = naive_deconvolution(x, weight, bias, stride, pad, dilation, groups)
    np.testing.assert_allclose(alone.forward()[0], want, atol=1e-12)


@pytest.mark.parametrize("options", SLIDING)
@pytest.mark.parametrize("shape", [(2, 4, 6, 7), (3, 2, 4, 4)])
def test_deconvolution_is_the_transpose_of_convolution(options, shape):
    rng, options = np.random.default_rng(0), f"convolution_param {{ num_output: %d bias_term: false {options} }}"
    back = build("Deconvolution", [rng.standard_normal(shape)], options % 5)
    (y,) = back.forward()
    forth = build("Convolution", [rng.standard_normal(y.shape)], options % shape[1])
    forth.parameters[0][...] = back.parameters[0][...] = rng.standard_normal(back.parameters[0].shape)
    (y,), (x,) = back.forward(), forth.forward()
    np.testing.assert_allclose(np.vdot(y, forth.values[0]), np.vdot(x, back.values[0]))
    top_diff = rng.standard_normal(y.shape)
    forth.values[0][...] = top_diff
    np.testing.assert_allclose(back.backward([top_diff], [True])[0], forth.forward()[0], atol=1e-12)


def test_bilinear_upsampling_keeps_a_constant():
    alone = build("Deconvolution", [np.full((1, 3, 4, 4), 5.0)], "convolution_param { num_output: 3 group: 3 "
                  'kernel_size: 4 stride: 2 pad: 1 bias_term: false weight_filler { type: "bilinear" } }')
    (y,) = alone.forward()
    assert y.shape == (1, 3, 8, 8)
    np.testing.assert_allclose(y[:, :, 1:-1, 1:-1], 5)


def test_multiply_adds_of_a_deconvolution():
    alone = build("Deconvolution", [np.ones((2, 4, 3, 5))] * 2,
                  "convolution_param { num_output: 6 group: 2 kernel_size: 3 }", tops="y z")
    assert alone.layer.multiply_adds(alone.bottom, alone.top) == 2 * 2 * 4 * 3 * 5 * 3 * 9


@pytest.mark.parametrize("options, error, says", [
    ("num_output: 6 kernel_size: 3 pad: 5", ShapeError, "the kernel fits into"),
    ("kernel_size: 3", NetError, "num_output above 0"),
    ("num_output: 6 kernel_size: 3 group: 4", NetError, r"group to divide num_output \(6\)"),
    ("num_output: 6 kernel_size: 3 stride_h: 2", NetError, "both stride_h and stride_w"),
])
def test_errors_of_deconvolution(options, error, says):
    with pytest.raises(error, match=f"'it'.*{says}"):
        build("Deconvolution", [np.ones((2, 4, 3, 3))], f"convolution_param {{ {options} }}")


@pytest.mark.parametrize("options", SLIDING)
def test_weights_times_columns_is_a_convolution(options):
    x = np.random.default_rng(0).standard_normal((2, 3, 8, 9))
    columns = build("Im2col", [x], f"convolution_param {{ {options} }}")
    convolved = build("Convolution", [x], f"convolution_param {{ num_output: 4 {options} "
                      'weight_filler { type: "gaussian" } }')
    (y,), (want,) = columns.forward(), convolved.forward()
    np.testing.assert_allclose(np.einsum("kr,nrpq->nkpq", convolved.parameters[0].reshape(4, -1), y), want, atol=1e-12)


def test_columns_are_windows():
    x = np.arange(2 * 3 * 5 * 6.0).reshape(2, 3, 5, 6)
    (y,) = build("Im2col", [x], "convolution_param { kernel_size: 3 kernel_size: 2 num_output: 9 group: 7 }").forward()
    want = np.lib.stride_tricks.sliding_window_view(x, (3, 2), (2, 3))  # n c p q r s
    np.testing.assert_array_equal(y.reshape(2, 3, 3, 2, 3, 5), want.transpose(0, 1, 4, 5, 2, 3))
    alone = build("Im2col", [x], "convolution_param { kernel_size: 2 axis: 2 pad: 1 }")
    (y,) = alone.forward()
    assert y.shape == (2, 3, 10, 7)
    assert y[1, 2, 0].tolist() == [0, *x[1, 2, 0]] and y[1, 2, 9].tolist() == [*x[1, 2, 4], 0]
    assert (alone.backward([np.ones_like(y)], [True])[0] == 2).all()


@pytest.mark.parametrize("shape, options, error, says", [
    ((2, 3, 4, 4), "", NetError, "kernel_size once or 2 times"),
    ((2, 3), "kernel_size: 1", ShapeError, "a spatial axis after axis 1"),
    ((2, 3, 4, 4), "kernel_size: 5", ShapeError, "the kernel fits into"),
    ((2, 3, 4), "kernel_h: 1 kernel_w: 1", NetError, "2 spatial axes"),
    ((2, 3, 4, 4), "kernel_size: 2 axis: 4", ShapeError, "an axis in"),
])
def test_errors_of_im2col(shape, options, error, says):
    with pytest.raises(error, match=f"'it'.*{says}"):
        build("Im2col", [np.ones(shape)], f"convolution_param {{ {options} }}")


# Embed and Parameter

EMBED = 'embed_param { num_output: 4 input_dim: 6 weight_filler { type: "gaussian" } bias_filler { type: "gaussian" } }'


def test_embed_is_an_inner_product_with_one_hot_rows():
    indices = np.array([[0, 5, 2.0], [2, 2, 0]])
    alone = build("Embed", [indices], EMBED)
    (y,), (dy,), _, (dweight, dbias) = run(alone)
    hot = np.eye(6)[indices.astype(int)]
    np.testing.assert_allclose(y, hot @ alone.parameters[0] + alone.parameters[1])
    np.testing.assert_allclose(dweight, np.einsum("nti,ntk->ik", hot, dy), atol=1e-12)
    np.testing.assert_allclose(dbias, dy.sum((0, 1)))


@pytest.mark.parametrize("index", [-1, 6])
def test_embed_refuses_indices_without_row(index):
    with pytest.raises(DataError, match=rf"'it'.*indices in 0 \.\.\. 5, got {index}"):
        build("Embed", [np.array([0, index])], EMBED).forward()


@pytest.mark.parametrize("options, says", [("num_output: 4", "input_dim above 0"),
                                           ("input_dim: 4", "num_output above 0")])
def test_errors_of_embed(options, says):
    with pytest.raises(NetError, match=f"'it'.*{says}"):
        build("Embed", [np.zeros(2)], f"embed_param {{ {options} }}")


def test_indices_have_no_gradient():
    alone = build("Embed", [np.zeros(2)], EMBED)
    alone.forward()
    with pytest.raises(NetError, match="indices have no gradient"):
        alone.backward([np.ones((2, 4))], [True])
    net = Net(parse('force_backward: true layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 2 } } } '
                    f'layer {{ name: "e" type: "Embed" bottom: "x" top: "y" {EMBED} }}', "NetParameter"), TRAIN)
    net.forward(x=np.array([1, 3]))
    net.blobs["y"].diff[...] = 1
    net.backward()
    assert net.params["e"][0].diff.sum(axis=1).tolist() == [0, 4, 0, 4, 0, 0] and not net.blobs["x"].diff.any()


PARAMETER_NET = """
    layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 } } }
    layer { name: "w" type: "Parameter" top: "w" param { name: "shared" } parameter_param { shape { dim: 2 dim: 3 } } }
    layer { name: "v" type: "Parameter" top: "v" param { name: "shared" } parameter_param { shape { dim: 2 dim: 3 } } }
    layer { name: "loss" type: "EuclideanLoss" bottom: "x" bottom: "w" top: "loss" }
    layer { name: "quiet" type: "Silence" bottom: "v" }"""


def test_parameter_learns_through_its_top():
    net = Net(parse(PARAMETER_NET, "NetParameter"), TRAIN)
    x = np.arange(6.0).reshape(2, 3)
    assert not net.params["w"][0].data.any() and len(net.parameters) == 1
    net.params["w"][0].data[...] = 1
    net.forward(x=x)
    np.testing.assert_allclose(net.blobs["v"].data, np.ones((2, 3)))
    assert float(net.blobs["loss"].data) == pytest.approx(((x - 1) ** 2).sum() / 4)
    for _ in range(2):  # the second pass replaces the diff of the first
        net.backward()
        np.testing.assert_allclose(net.params["w"][0].diff, (1 - x) / 2)
    net.params["w"][0].data[...] -= net.params["w"][0].diff * 2
    net.forward(x=x)
    assert float(net.blobs["loss"].data) == 0


def test_parameter_starts_from_its_filler():
    filled = build("Parameter", [], "parameter_param { shape { dim: [2, 3] } blob_filler { value: 7 } }")
    assert filled.forward()[0].tolist() == [[7, 7, 7], [7, 7, 7]]


def test_parameter_without_a_shape_is_one_number():
    alone = build("Parameter", [])
    assert alone.forward()[0].shape == () and alone.parameters[0] == 0
    with pytest.raises(NetError, match="expected 0 bottom blobs, got 1"):
        build("Parameter", [np.ones(2)])
