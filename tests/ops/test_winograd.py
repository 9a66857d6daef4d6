"""Correlation by Winograd's minimal filtering, against loops written from the definition and plain products."""

from __future__ import annotations

import numpy as np
import pytest
from convolution_loops import check
from hypothesis import given
from hypothesis import strategies as st

from blobnet.ops import winograd
from blobnet.ops.axes import Axis
from blobnet.ops.convolution import Convolution, correlation
from blobnet.ops.correlation import Correlation
from blobnet.ops.squares import cut_squares
from blobnet.ops.winograd import Winograd

PAYS = Winograd.pays


@pytest.fixture(scope="module", autouse=True)
def always():
    """It is taken wherever it fits, in chunks and pieces of all sizes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Winograd, "pays", lambda self: True)
        patch.setattr(winograd, "CHUNK_BYTES", 1 << 16)
        patch.setattr(winograd, "PIECE_BYTES", 1 << 12)
        yield


@given(taps=st.sampled_from([3, 5]), pads=st.tuples(*[st.integers(0, 6)] * 2),
       sizes=st.tuples(*[st.integers(1, 14)] * 2), num=st.integers(1, 5), channels=st.integers(1, 9),
       outputs=st.integers(1, 5), groups=st.sampled_from([1, 3]), seed=st.integers(0, 9))
def test_any_geometry(taps, pads, sizes, num, channels, outputs, groups, seed):
    sizes = [max(size, taps - 2 * pad) for size, pad in zip(sizes, pads)]
    geometry = (taps, taps), (1, 1), pads, (1, 1), groups
    shape = num, channels * groups, *sizes
    depthwise = channels == outputs == 1 < groups
    assert depthwise or isinstance(Convolution(np, np.float64, shape, outputs * groups, *geometry)._forward, Winograd)
    check(shape, outputs * groups, *geometry, seed)


@pytest.mark.parametrize("corner", [(-2, -1), (0, 0), (1, 2), (4, 0), (7, -9), (-30, 40)])
def test_squares_that_reach_beyond(corner):
    planes = np.random.default_rng(0).normal(size=(2, 3, 4, 5))
    padded, squares = np.empty((3, 2, 10, 14)), np.empty((3, 2, 2, 3, 6, 6))
    cut_squares(planes, corner, 4, padded, squares)
    around = np.pad(planes, [(0, 0), (0, 0), (50, 50), (50, 50)])
    for p, q in np.ndindex(2, 3):
        h, w = 50 + corner[0] + 4 * p, 50 + corner[1] + 4 * q
        np.testing.assert_array_equal(squares[:, :, p, q], around[:, :, h:h + 6, w:w + 6].swapaxes(0, 1))


@pytest.mark.parametrize(("kernel", "stride", "dilation"),
                         [((3, 5), 1, 1), ((4, 4), 1, 1), ((3, 3), 2, 1), ((3, 3), 1, 2)])
def test_other_kernels_take_plain_products(kernel, stride, dilation):
    axes = [Axis(20, 8, taps, stride, dilation) for taps in kernel]
    assert isinstance(correlation(np, np.float32, 2, 1, 64, 64, axes), Correlation)


@pytest.mark.parametrize("taps", [3, 5])
@pytest.mark.parametrize("chunk", [1 << 16, 1 << 24])
def test_digits_of_float32(taps, chunk, monkeypatch):
    monkeypatch.setattr(winograd, "CHUNK_BYTES", chunk)
    rng, pad = np.random.default_rng(0), taps // 2
    x, weight = rng.standard_normal((3, 64, 21, 18)), rng.standard_normal((48, 64, taps, taps))
    axes = [Axis(21, 21, taps, pad=pad), Axis(18, 18, taps, pad=pad)]
    results, slopes = {}, {}
    for dtype, kind in ((np.float64, Correlation), (np.float32, Winograd)):
        given_x, given_weight = x.astype(dtype), weight.astype(dtype)
        engine = kind(np, dtype, 3, 1, 64, 48, axes) if kind is Correlation else kind(dtype, 3, 1, 64, 48, axes)
        results[kind], slopes[kind] = np.empty((3, 48, 21, 18), dtype), np.zeros_like(given_weight)
        engine.run(given_x, given_weight, results[kind])
        engine.weight_gradient(given_x, results[kind].astype(dtype), slopes[kind])
    for found in (results, slopes):
        error = found[Winograd] - found[Correlation]
        assert error.std() < 3e-6 * found[Correlation].std()
        assert abs(error).max() < 4e-5 * found[Correlation].std()


def test_it_pays_for_many_channels_and_squares():
    def engine(num, channels, outputs, size):
        return Winograd(np.float32, num, 1, channels, outputs, [Axis(size, size, 3, pad=1)] * 2)

    assert PAYS(engine(2, 64, 64, 56))
    assert not PAYS(engine(2, 3, 64, 56)) and not PAYS(engine(1, 512, 512, 4))



def test_a_plan_takes_no_time_however_large_the_batch():
    plan = Winograd(np.float32, 10 ** 12, 1, 3, 2, [Axis(9, 7, 3)] * 2)
    assert plan.pays() and "chunks" not in vars(plan)
