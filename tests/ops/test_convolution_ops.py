"""Convolution, its gradients and im2col against loops written from the definition."""

from __future__ import annotations

import numpy as np
import pytest
from convolution_loops import check
from hypothesis import given, settings
from hypothesis import strategies as st

from blobnet.backend.pieces import longest
from blobnet.ops import correlation, depthwise
from blobnet.ops.axes import Axis, output_size
from blobnet.ops.convolution import Convolution, bias_gradient
from blobnet.ops.correlation import Correlation
from blobnet.ops.depthwise import Depthwise
from blobnet.ops.elementwise import copy_rows
from blobnet.ops.im2col import col2im, im2col

CASES = {  # shape, outputs, kernel, stride, pad, dilation, groups
    "plain": ((3, 4, 9, 8), 6, (3, 3), (1, 1), (0, 0), (1, 1)),
    "walked": ((40, 9, 9, 8), 6, (3, 3), (1, 1), (1, 1), (1, 1)),
    "walked, strided": ((41, 9, 9, 10), 4, (4, 5), (3, 2), (1, 2), (1, 1)),
    "walked, groups": ((40, 4, 9, 10), 4, (3, 2), (2, 1), (1, 0), (1, 1), 2),
    "walked, dilated columns": ((40, 9, 9, 10), 4, (3, 2), (1, 1), (1, 2), (1, 3)),
    "long columns": ((4, 2, 40, 40), 130, (3, 3), (1, 1), (1, 1), (1, 1), 2),
    "walked, much padding": ((40, 9, 5, 8), 6, (5, 3), (1, 1), (6, 1), (1, 1)),
    "walked, taps beyond every row": ((40, 9, 2, 8), 6, (5, 3), (2, 1), (3, 1), (1, 1)),
    "dilated": ((5, 9, 12, 12), 2, (3, 3), (1, 1), (2, 2), (2, 2)),
    "stride and dilation share a factor": ((3, 9, 15, 14), 2, (3, 3), (4, 2), (3, 1), (2, 2)),
    "stride beyond the kernel": ((3, 9, 11, 11), 2, (2, 1), (4, 3), (0, 0), (1, 1)),
    "pad beyond the kernel": ((3, 9, 5, 5), 2, (2, 2), (1, 3), (3, 4), (1, 1)),
    "pointwise": ((3, 8, 9, 8), 6, (1, 1), (1, 1), (0, 0), (1, 1)),
    "pointwise, small planes": ((30, 8, 2, 3), 6, (1, 1), (1, 1), (0, 0), (1, 1), 2),
    "pointwise, strided": ((3, 8, 9, 8), 6, (1, 1), (2, 2), (0, 0), (1, 1)),
    "depthwise": ((3, 9, 9, 8), 9, (3, 3), (2, 2), (1, 1), (1, 1), 9),
    "many outputs": ((4, 3, 9, 9), 130, (3, 3), (1, 1), (1, 1), (1, 1)),
    "whole plane": ((4, 9, 5, 4), 3, (5, 4), (1, 1), (0, 0), (1, 1)),
    "one axis": ((7, 9, 20), 5, (4,), (3,), (2,), (1,)),
    "three axes": ((5, 8, 4, 7, 5), 4, (2, 3, 2), (1, 2, 1), (1, 0, 1), (1, 1, 1), 2),
    "no axis": ((5, 3), 4, (), (), (), ()),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
@pytest.mark.parametrize("size", [0, correlation.ROWS_BYTES], ids=["row by row", "all rows"])
def test_against_loops(case, size, monkeypatch):
    monkeypatch.setattr(correlation, "ROWS_BYTES", size)
    check(*case)


class Device:
    """Stands for CuPy: another module with NumPy's functions, so that the plan for GPUs is taken."""

    def __getattr__(self, name):
        return getattr(np, name)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_plan_for_gpus_against_loops(case):
    check(*case, xp=Device())


def test_one_image_is_shared_by_its_outputs(monkeypatch):
    monkeypatch.setattr(correlation, "SHARED_WORK", 0)
    monkeypatch.setattr(correlation, "SHARED_OUTPUTS", 2)
    check((1, 9, 6, 5), 5, (3, 3), (1, 1), (1, 1), (1, 1))


def test_the_cases_take_every_path():
    def engine(name):
        return Convolution(np, np.float64, *CASES[name])._forward

    assert engine("walked").walk and engine("walked, strided").walk
    assert len(engine("walked, much padding").lowering.spans) == 12
    assert len(engine("walked, taps beyond every row").lowering.spans) == 1
    assert not any(engine(name).walk for name in ("plain", "dilated", "many outputs"))
    lengths = [piece.stop - piece.start for piece in engine("walked, strided").pieces]
    assert len(set(lengths)) > 1  # buffers that are not full
    assert engine("plain").few and engine("pointwise, small planes").few and not engine("long columns").few
    assert engine("pointwise").lowering.pointwise
    assert longest(engine("pointwise").pieces) == 1 < longest(engine("pointwise, small planes").pieces)
    assert isinstance(engine("depthwise"), Depthwise) and not isinstance(engine("walked, groups"), Depthwise)


axis = st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(0, 4), st.integers(1, 3), st.integers(0, 6))


@settings(deadline=None, max_examples=60)
@given(axes=st.lists(axis, min_size=1, max_size=2), num=st.integers(1, 9), channels=st.sampled_from([1, 2, 9]),
       outputs=st.integers(1, 3), groups=st.sampled_from([1, 2]), seed=st.integers(0, 9))
def test_any_geometry(axes, num, channels, outputs, groups, seed):
    kernel, stride, pad, dilation, extra = zip(*axes)
    spatial = [max(1, d * (k - 1) + 1 - 2 * p) + e for k, p, d, e in zip(kernel, pad, dilation, extra)]
    check((num, channels * groups, *spatial), outputs * groups, kernel, stride, pad, dilation, groups, seed)


@settings(deadline=None, max_examples=60)
@given(axes=st.lists(st.tuples(st.integers(1, 5), st.integers(1, 3), st.integers(0, 3), st.integers(1, 2),
                               st.integers(0, 6)), min_size=1, max_size=3),
       num=st.integers(0, 5), channels=st.integers(2, 5), columns=st.sampled_from([1, 24, 1000]),
       size=st.sampled_from([1, 1 << 10, 1 << 21]), seed=st.integers(0, 9))
def test_any_depthwise_geometry(axes, num, channels, columns, size, seed):
    """Walking and not, in pieces of one plane, of some images, of some channels, and in one."""
    kernel, stride, pad, dilation, extra = zip(*axes)
    spatial = [max(1, d * (k - 1) + 1 - 2 * p) + e for k, p, d, e in zip(kernel, pad, dilation, extra)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(depthwise, "WALK_COLUMNS", columns)
        patch.setattr(depthwise, "PIECE_BYTES", size)
        check((num, channels, *spatial), channels, kernel, stride, pad, dilation, channels, seed)


def test_the_bits_of_a_depthwise_convolution_do_not_depend_on_the_threads(monkeypatch):
    monkeypatch.setattr(depthwise, "PIECE_BYTES", 1 << 12)
    rng = np.random.default_rng(0)
    x, weight = rng.standard_normal((3, 20, 9, 9), np.float32), rng.standard_normal((20, 1, 3, 3), np.float32)
    results = []
    for threads in "15":
        monkeypatch.setenv("BLOBNET_NUM_THREADS", threads)
        convolution = Convolution(np, np.float32, x.shape, 20, (3, 3), (2, 2), (1, 1), (1, 1), 20)
        y, dweight, dx = np.empty((3, 20, 5, 5), np.float32), np.zeros_like(weight), np.empty_like(x)
        convolution.forward(x, weight, None, y)
        convolution.backward_weight(x, y, dweight)
        convolution.backward_data(y, weight, dx)
        results.append((y, dweight, dx))
    assert len(convolution._forward.pieces) > 1
    assert all((one == many).all() for one, many in zip(*results))


def test_scipy_agrees():
    signal = pytest.importorskip("scipy.signal")
    rng = np.random.default_rng(0)
    x, weight = rng.standard_normal((6, 3, 16, 16)), rng.standard_normal((4, 3, 5, 5))
    y = np.empty((6, 4, 16, 16))
    Convolution(np, np.float64, x.shape, 4, (5, 5), (1, 1), (2, 2), (1, 1)).forward(x, weight, None, y)
    for n, k in np.ndindex(6, 4):
        want = sum(signal.correlate2d(x[n, c], weight[k, c], mode="same") for c in range(3))
        np.testing.assert_allclose(y[n, k], want, atol=1e-10)


def test_weight_gradient_repeats_to_the_bit():
    rng = np.random.default_rng(0)
    x, dy = rng.standard_normal((33, 8, 9, 9), dtype=np.float32), rng.standard_normal((33, 8, 9, 9), dtype=np.float32)
    results = []
    for _ in range(3):
        convolution = Convolution(np, np.float32, x.shape, 8, (3, 3), (1, 1), (1, 1), (1, 1))
        results.append(np.zeros((8, 8, 3, 3), np.float32))
        convolution.backward_weight(x, dy, results[-1])
    assert results[0].any() and all((result == results[0]).all() for result in results)


def test_correlation_writes_into_strided_memory_only_where_told():
    rng = np.random.default_rng(0)
    x, weight = rng.standard_normal((2, 3, 6, 6)), rng.standard_normal((4, 3, 1, 1))
    engine = Correlation(np, np.float64, 2, 1, 3, 4, [Axis(6, 6, 1), Axis(6, 6, 1)])
    memory = np.full((2, 4, 12, 12), 7.0)
    engine.run(x, weight, memory[:, :, ::2, 1::2])
    np.testing.assert_allclose(memory[:, :, ::2, 1::2], np.einsum("kc,ncpq->nkpq", weight[:, :, 0, 0], x), atol=1e-12)
    assert (memory[:, :, 1::2] == 7).all() and (memory[:, :, :, ::2] == 7).all()


def test_bias_gradient_accumulates():
    dy, dbias = np.random.default_rng(0).standard_normal((5, 3, 4, 2)), np.ones(3)
    bias_gradient(dy, dbias)
    np.testing.assert_allclose(dbias, [1 + dy[:, k].sum() for k in range(3)])


@pytest.mark.parametrize("shape, kernel, stride, pad, dilation", [
    ((2, 3, 6, 7), (3, 2), (2, 1), (1, 0), (1, 2)), ((2, 2, 9), (3,), (2,), (1,), (2,)),
    ((1, 2, 4, 5, 3), (2, 1, 2), (1, 2, 1), (0, 0, 1), (1, 1, 1))])
def test_im2col_and_its_transpose(shape, kernel, stride, pad, dilation):
    rng = np.random.default_rng(0)
    x = rng.standard_normal(shape)
    out_shape = tuple(map(output_size, shape[2:], kernel, stride, pad, dilation))
    columns = np.full((shape[0], shape[1] * int(np.prod(kernel)), *out_shape), np.nan)
    im2col(x, kernel, stride, pad, dilation, columns)
    padded = np.pad(x, [(0, 0), (0, 0), *((p, p) for p in pad)])
    row = 0
    for c in range(shape[1]):
        for taps in np.ndindex(*kernel):
            for place in np.ndindex(*out_shape):
                where = tuple(p * s + t * d for p, s, t, d in zip(place, stride, taps, dilation))
                np.testing.assert_array_equal(columns[(slice(None), row, *place)], padded[(slice(None), c, *where)])
            row += 1
    other, back = rng.standard_normal(columns.shape), np.full_like(x, np.nan)
    col2im(other, kernel, stride, pad, dilation, back)
    np.testing.assert_allclose((back * x).sum(), (other * columns).sum())


@pytest.mark.parametrize("source", [
    np.arange(24.0).reshape(2, 3, 4)[:, :, 1:], np.arange(24.0).reshape(2, 3, 4).transpose(1, 0, 2),
    np.arange(24.0).reshape(2, 3, 4)[:, :, ::2], np.arange(24).reshape(2, 3, 4), np.zeros((2, 3, 0))])
def test_copy_rows_is_assignment(source):
    target = np.full((*source.shape[:-1], source.shape[-1] + 1), -1.0)
    copy_rows(target[..., 1:], source)
    np.testing.assert_array_equal(target[..., 1:], source)
    assert (target[..., 0] == -1).all()
