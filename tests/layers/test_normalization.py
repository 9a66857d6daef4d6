"""BatchNorm and MVN against loops over channels, and what becomes of the running statistics."""

from __future__ import annotations

import statistics

import numpy as np
import pytest
from layer_rows import build

from blobnet.backend import pieces
from blobnet.core.context import TEST, TRAIN
from blobnet.core.net import Net
from blobnet.errors import NetError, ShapeError
from blobnet.proto.files import write_message
from blobnet.proto.text import parse

RNG = np.random.default_rng(30)
EPS = float(np.float32(1e-5))  # options are float32
SHAPES = [(3, 4, 2, 5), (6, 4), (2, 4, 7), (2, 4, 2, 1, 3)]


def channels(x):
    """The numbers of every channel, as lists."""
    return [x[:, c].ravel().tolist() for c in range(x.shape[1])]


def with_statistics(alone, mean, variance, factor):
    for values, given in zip(alone.parameters, (mean, variance, factor)):
        values[...] = given
    return alone


@pytest.fixture(params=[1 << 19, 40], ids=["one piece", "many pieces"])
def chunks(request, monkeypatch):
    monkeypatch.setattr(pieces, "PIECE_BYTES", request.param)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", SHAPES)
def test_batch_statistics(shape, dtype, chunks):
    x = RNG.normal(3, 2, shape).astype(dtype)
    old = [np.array([1.0, -2, 0, 3]), np.array([4.0, 3, 2, 1]), 1.5]
    alone = build("BatchNorm", [x], "batch_norm_param { moving_average_fraction: 0.75 }", dtype=dtype)
    with_statistics(alone, *old)
    (y,) = alone.forward()
    rtol = 1e-5 if dtype == "float32" else 1e-12
    for c, values in enumerate(channels(x)):
        mean, deviation = statistics.fmean(values), (statistics.pvariance(values) + EPS) ** 0.5
        np.testing.assert_allclose(y[:, c], (x[:, c] - mean) / deviation, rtol=rtol, atol=rtol)
        running = [0.75 * old[0][c] + mean, 0.75 * old[1][c] + statistics.variance(values)]
        np.testing.assert_allclose([blob.data[c] for blob in alone.layer.blobs[:2]], running, rtol=rtol)
    np.testing.assert_allclose(alone.layer.blobs[2].data, [0.75 * 1.5 + 1])


@pytest.mark.parametrize("shape", SHAPES)
def test_global_statistics(shape):
    x, dy = RNG.normal(size=(2, *shape))
    alone = with_statistics(build("BatchNorm", [x], phase=TEST), [2, 4, -2, 0], [8, 2, 4, 6], 4)
    (y,) = alone.forward()
    (dx,) = alone.backward([dy], [True])
    for c, (mean, variance) in enumerate([(0.5, 2), (1, 0.5), (-0.5, 1), (0, 1.5)]):
        deviation = (variance + EPS) ** 0.5
        np.testing.assert_allclose(y[:, c], (x[:, c] - mean) / deviation)
        np.testing.assert_allclose(dx[:, c], dy[:, c] / deviation)
    assert [blob.data.ravel().tolist() for blob in alone.layer.blobs] == [[2, 4, -2, 0], [8, 2, 4, 6], [4]]


@pytest.mark.parametrize(("phase", "field", "uses_global"), [
    (TRAIN, "", False), (TEST, "", True), (TRAIN, "use_global_stats: true", True),
    (TEST, "use_global_stats: false", False)])
def test_which_statistics(phase, field, uses_global):
    alone = build("BatchNorm", [[[3.0], [5.0]]], f"batch_norm_param {{ eps: 1 {field} }}", phase=phase)
    (y,) = alone.forward()
    np.testing.assert_allclose(y.ravel(), [3, 5] if uses_global else [-0.5 ** 0.5, 0.5 ** 0.5])  # factor 0: 0 and 1
    assert alone.layer.blobs[2].data[0] == (not uses_global)


def test_one_value_has_no_variance_to_correct():
    alone = build("BatchNorm", [[[3.0, -2.0]]])
    np.testing.assert_array_equal(alone.forward()[0], [[0, 0]])
    assert [blob.data.tolist() for blob in alone.layer.blobs] == [[3, -2], [0, 0], [1]]


def test_one_axis_is_one_channel():
    x = RNG.normal(size=7)
    one, column = build("BatchNorm", [x]), build("BatchNorm", [x[:, None]])
    np.testing.assert_array_equal(one.forward()[0], column.forward()[0][:, 0])
    assert [blob.shape for blob in one.layer.blobs] == [(1,)] * 3


NET = '''force_backward: true
layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 5 dim: 3 dim: 4 } } }
layer { name: "p" type: "Power" bottom: "x" top: "p" power_param { scale: 2 } }
layer { name: "n" type: "BatchNorm" bottom: "p" top: "n" %s }
layer { name: "r" type: "ReLU" bottom: "n" top: "r" }'''


def net(options="", in_place=False, phase=TRAIN):
    text = NET % options
    if in_place:
        text = text.replace('top: "n"', 'top: "p"').replace('bottom: "n" top: "r"', 'bottom: "p" top: "p"')
    return Net(parse(text, "NetParameter"), phase, random_seed=1, dtype="float64")


@pytest.mark.parametrize("phase", [TRAIN, TEST])
def test_layers_that_work_in_place_may_follow(phase):
    x, dy = RNG.normal(size=(2, 5, 3, 4))
    diffs = []
    for it, last in ((net(phase=phase), "r"), (net(in_place=True, phase=phase), "p")):
        it.forward(x=x)
        it.blobs[last].diff[...] = dy
        it.backward()
        diffs.append(it.blobs["x"].diff)
    np.testing.assert_allclose(diffs[1], diffs[0], rtol=1e-12)


def test_the_running_statistics_are_averages():
    it, batches = net(), RNG.normal(size=(60, 5, 3, 4))
    for x in batches:
        it.forward(x=x)
    mean, variance, factor = (blob.data for blob in it.params["n"])
    decay = 0.999 ** np.arange(60)[::-1]
    np.testing.assert_allclose(factor, [decay.sum()], rtol=1e-6)
    np.testing.assert_allclose(mean, np.tensordot(decay, 2 * batches.mean(axis=(1, 3)), 1), rtol=1e-6)
    np.testing.assert_allclose(variance / factor, 4 * np.ones(3), rtol=0.2)


@pytest.mark.parametrize("options", ["", "param { lr_mult: 0 }", "param { lr_mult: 0 decay_mult: 0 } " * 3,
                                     "param { lr_mult: 1 } " * 3])  # the last one from before they were fixed
def test_the_statistics_are_not_learned(options):
    it = net(options)
    assert [parameter.lr_mult for parameter in it.parameters] == [0, 0, 0]
    assert [spec.lr_mult for spec in it.layer_dict["n"].param.param] == [0, 0, 0]
    it.forward(x=RNG.normal(size=(5, 3, 4)))
    it.blobs["r"].diff[...] = 1
    it.backward()
    assert not any(blob.diff.any() for blob in it.params["n"])


def test_scale_bias_is_a_scale_layer_behind(tmp_path):
    it = net("batch_norm_param { scale_bias: true scale_filler { value: 3 } bias_filler { value: 0.5 } }")
    plain = net()
    assert list(it.layer_dict)[2:4] == ["n", "n_scale"] and it.layer_dict["n_scale"].type == "Scale"
    x = RNG.normal(size=(5, 3, 4))
    for each in (it, plain):
        each.forward(x=x)
    normalized = plain.layer_dict["n"].normalized.reshape(x.shape)
    np.testing.assert_allclose(it.blobs["n"].data, 3 * normalized + 0.5, rtol=1e-12)
    it.params["n_scale"][0].data[...] = [1, -2, 4]
    it.save(tmp_path / "two.caffemodel")
    both = parse('layer { name: "n" type: "BatchNorm" batch_norm_param { scale_bias: true } }', "NetParameter")
    for blob in it.params["n"] + it.params["n_scale"]:  # a file of the fork has all five in one layer
        both.layer[0].blobs.add(data=blob.data.ravel()).shape.dim.extend(blob.shape)
    write_message(tmp_path / "one.caffemodel", both)
    for name in ("two", "one"):
        other = net("batch_norm_param { scale_bias: true }")
        other.copy_from(tmp_path / f"{name}.caffemodel")
        for layer in ("n", "n_scale"):
            for mine, theirs in zip(other.params[layer], it.params[layer], strict=True):
                np.testing.assert_allclose(mine.data, theirs.data, rtol=1e-6)


@pytest.mark.parametrize("options", ["param { lr_mult: 1 }", "param { lr_mult: 0 } param { decay_mult: 0 }"])
def test_statistics_that_should_learn_are_refused(options):
    with pytest.raises(NetError, match=r"layer 'n' \(BatchNorm\): param \d, expected lr_mult 0, got 1; the statistics"):
        net(options)


def test_batch_norm_refuses():
    with pytest.raises(ShapeError, match="at least 1 axis"):
        build("BatchNorm", [3.0])
    with pytest.raises(ShapeError, match=r"at least one value to take the statistics of, got \(0, 3\); use_global"):
        build("BatchNorm", [np.ones((0, 3))])
    alone = build("BatchNorm", [np.ones((2, 3))])
    for shape in [(2, 4), (2,), (2, 1, 3)]:
        alone.values = [np.ones(shape)]
        with pytest.raises(ShapeError, match="3 channels on axis 1, as the statistics have, got"):
            alone.forward()


# MVN.

@pytest.mark.parametrize("eps", [1e-9, 0.25])
@pytest.mark.parametrize("variance", [True, False])
@pytest.mark.parametrize("across", [True, False])
def test_mvn(across, variance, eps, chunks):
    x = RNG.normal(2, 3, (3, 4, 2, 5))
    alone = build("MVN", [x], f"mvn_param {{ across_channels: {str(across).lower()} eps: {eps} "
                  f"normalize_variance: {str(variance).lower()} }}")
    (y,) = alone.forward()
    dy = RNG.normal(size=x.shape)
    (dx,) = alone.backward([dy], [True])
    for place in np.ndindex(x.shape[:1 if across else 2]):
        values, slopes = x[place].ravel().tolist(), dy[place].ravel()
        deviation = statistics.pstdev(values) + float(np.float32(eps)) if variance else 1
        want = (x[place] - statistics.fmean(values)) / deviation
        np.testing.assert_allclose(y[place], want, rtol=1e-10, atol=1e-12)
        jacobian = np.eye(len(values)) - 1 / len(values)
        if variance:  # eps taken for a part of the deviation
            jacobian -= np.outer(want, want) / len(values)
        np.testing.assert_allclose(dx[place].ravel(), jacobian @ slopes / deviation, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("shape", [(3,), (2, 3), (2, 3, 4)])
def test_mvn_makes_four_axes(shape):
    x = RNG.normal(size=shape)
    four = shape + (1,) * (4 - len(shape))
    for options in ("", "mvn_param { across_channels: true normalize_variance: false }"):
        alone = build("MVN", [x], options)
        (y,) = alone.forward()
        assert y.shape == four
        np.testing.assert_array_equal(y, build("MVN", [x.reshape(four)], options).forward()[0])
        assert alone.backward([y], [True])[0].shape == shape


def test_mvn_in_place_loses_its_gradient():
    x, dy = np.array([[[[1.0, 2, 6]]]]), np.array([[[[1.0, 0, 2]]]])
    alone = build("MVN", [x], tops="x0")
    (y,) = alone.forward()
    deviation = (14 / 3) ** 0.5
    np.testing.assert_allclose(y.ravel(), np.array([-2, -1, 3]) / deviation)
    np.testing.assert_allclose(alone.backward([dy], [True])[0].ravel(),
                               -2 / 3 * y.ravel() * (4 / deviation) / deviation, atol=1e-12)


def test_mvn_of_nothing_and_of_too_much():
    alone = build("MVN", [np.ones((2, 3, 0, 4))])
    assert alone.forward()[0].shape == (2, 3, 0, 4)
    assert alone.backward([np.ones((2, 3, 0, 4))], [True])[0].shape == (2, 3, 0, 4)
    with pytest.raises(ShapeError, match=r"'it' \(MVN\): expected at most 4 axes .*got \(1, 2, 3, 4, 5\)"):
        build("MVN", [np.ones((1, 2, 3, 4, 5))])
