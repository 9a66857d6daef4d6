"""caffe.io: messages and arrays, image files, Transformer."""

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from blobnet.errors import BlobnetError, DataError
from blobnet.pycaffe import io
from blobnet.pycaffe.proto import caffe_pb2

RNG = np.random.default_rng(3)


@given(st.lists(st.integers(0, 3), max_size=4), st.booleans())
def test_blobs_come_back(shape, with_diff):
    array, diff = RNG.random(shape).astype(np.float32), RNG.random(shape).astype(np.float32)
    blob = io.array_to_blobproto(array, diff if with_diff else None)
    back = caffe_pb2.BlobProto.FromString(blob.SerializeToString())
    assert np.array_equal(io.blobproto_to_array(back), array)
    assert io.blobproto_to_array(back).dtype == np.float64
    if with_diff:
        assert np.array_equal(io.blobproto_to_array(back, return_diff=True), diff)


def test_vectors_of_blobs_come_back():
    arrays = [np.ones((2, 3), np.float32), np.zeros(4, np.float32)]
    back = io.blobprotovector_str_to_arraylist(io.arraylist_to_blobprotovector_str(arrays))
    assert [(a.shape, a.sum()) for a in back] == [((2, 3), 6), ((4,), 0)]


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.int64])
def test_datums_come_back(dtype):
    array = RNG.integers(0, 255, (3, 2, 4)).astype(dtype)
    datum = io.array_to_datum(array, label=7)
    assert datum.label == 7 and bool(datum.data) == (dtype == np.uint8)
    back = io.datum_to_array(datum)
    assert np.array_equal(back, array) and back.dtype == (np.uint8 if dtype == np.uint8 else np.float64)
    back[0] = 0  # an array of its own


@pytest.mark.parametrize("call", [
    lambda: io.array_to_datum(np.zeros((2, 2))),
    lambda: io.blobproto_to_array(caffe_pb2.BlobProto(num=2, channels=1, height=1, width=1, data=[1, 2, 3])),
    lambda: io.array_to_blobproto(np.zeros(2), diff=np.zeros(3)),
    lambda: io.oversample([np.zeros((4, 4, 1))], (5, 4)),
    lambda: io.Transformer({"data": (1, 3, 4, 4)}).set_mean("data", np.zeros(2)),
    lambda: io.Transformer({"data": (1, 3, 4, 4)}).set_transpose("data", (1, 0)),
    lambda: io.Transformer({"data": (1, 3, 4, 4)}).set_channel_swap("data", (1, 0)),
])
def test_wrong_arrays_are_value_errors_and_ours(call):
    with pytest.raises(ValueError) as info:
        call()
    assert isinstance(info.value, BlobnetError)


# Resizing: SciPy's functions are what scikit-image and pycaffe call.

@pytest.mark.parametrize("old, new, channels", [((5, 7), (9, 4), 3), ((6, 6), (13, 13), 1), ((8, 5), (3, 3), 3),
                                                ((1, 4), (3, 8), 3), ((5, 7), (9, 4), 2), ((6, 6), (1, 13), 4)])
def test_resizing_is_that_of_scipy(old, new, channels):
    ndimage = pytest.importorskip("scipy.ndimage")
    image = RNG.random((*old, channels))
    grid = dict(mode="grid-constant", cval=image.min(), grid_mode=True) if channels in (1, 3) else {}
    want = ndimage.zoom(image, (new[0] / old[0], new[1] / old[1], 1), order=1, **grid)
    got = io.resize_image(image, new)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, want, atol=1e-6)


def test_nearest_pixels():
    image = np.arange(4.0).reshape(2, 2, 1)
    assert io.resize_image(image, (4, 4), interp_order=0)[..., 0].tolist() == np.kron([[0, 1], [2, 3]],
                                                                                     np.ones((2, 2))).tolist()


@pytest.mark.parametrize("order", [-1, 6, 1.5])
def test_orders_that_are_none(order):
    with pytest.raises(BlobnetError, match="interp_order 0 to 5"):
        io.resize_image(np.ones((2, 2, 1)), (4, 4), interp_order=order)


@pytest.mark.parametrize("order", [2, 3, 4, 5])
@pytest.mark.parametrize("channels", [1, 2, 3])
def test_splines(channels, order):
    pytest.importorskip("scipy.ndimage")
    def picture(rows, columns):
        return np.stack([np.sin(rows / 8 + k) + columns ** 2 / 400 for k in range(channels)], axis=2)

    image = picture(*np.mgrid[:40, :50])
    big = io.resize_image(image, (80, 100), order)
    assert big.dtype == np.float32 and big.shape == (80, 100, channels)
    if channels == 2:  # the corners stay at the corners
        want = picture(np.linspace(0, 39, 80)[:, None], np.linspace(0, 49, 100)[None])
        np.testing.assert_allclose(big[::79, ::99], image[::39, ::49], atol=1e-6)
    else:
        want = picture(np.arange(80)[:, None] / 2 - 0.25, np.arange(100)[None] / 2 - 0.25)
    np.testing.assert_allclose(big[25:-25, 25:-25], want[25:-25, 25:-25], atol=1e-3)
    checks = np.indices((6, 6)).sum(axis=0)[..., None].repeat(channels, axis=2) % 2
    beyond = io.resize_image(checks, (17, 17), order)
    assert channels == 2 or beyond.min() >= 0 and beyond.max() <= 1
    plain = np.full((5, 4, channels), 0.25)
    np.testing.assert_allclose(io.resize_image(plain, (9, 3), order), 0.25, rtol=1e-6)


def test_splines_without_scipy(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy.ndimage", None)
    with pytest.raises(BlobnetError, match="interp_order 0 or 1, got 3; .*pip install scipy"):
        io.resize_image(np.ones((2, 2, 1)), (4, 4), interp_order=3)


def test_a_plain_image_stays_plain():
    assert np.all(io.resize_image(np.full((3, 3, 3), 0.25), (7, 2)) == 0.25)


# Image files.

@pytest.fixture
def save(tmp_path):
    def write(array, mode=None, name="a.png"):
        Image.fromarray(array, mode).save(tmp_path / name) if mode is None else \
            Image.fromarray(array).convert(mode).save(tmp_path / name)
        return str(tmp_path / name)
    return write


@pytest.mark.parametrize("color, channels", [(True, 3), (False, 1)])
def test_colour_and_gray_files(save, color, channels):
    rgb = np.zeros((2, 3, 3), np.uint8)
    rgb[..., 1] = 255
    assert io.load_image(save(rgb), color).shape == (2, 3, channels)
    image = io.load_image(save(rgb), color)
    assert image.dtype == np.float32
    np.testing.assert_allclose(image[0, 0], [0, 1, 0] if color else [0.7154])
    gray = io.load_image(save(np.full((2, 3), 51, np.uint8)), color)
    assert gray.shape == (2, 3, channels)
    np.testing.assert_allclose(gray, 0.2)


def test_transparency_palettes_bits_and_depth(save):
    rgba = np.full((2, 2, 4), 255, np.uint8)
    rgba[..., 3] = 0
    assert io.load_image(save(rgba)).tolist() == np.ones((2, 2, 3)).tolist()
    assert io.load_image(save(rgba[..., :3] // 255 * 128, "P")).shape == (2, 2, 3)
    assert io.load_image(save(np.full((2, 2), 255, np.uint8), "1"), color=False).max() == 1
    deep = io.load_image(save(np.full((2, 2), 257, np.uint16)), color=False)
    np.testing.assert_allclose(deep, 257 / 65535, rtol=1e-6)


def test_no_image(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"no image")
    for name in ("a.jpg", "none.jpg"):
        with pytest.raises(DataError, match=name):
            io.load_image(tmp_path / name)


def test_oversample():
    image = np.arange(5 * 7, dtype=float).reshape(5, 7, 1)
    crops = io.oversample([image, -image], (3, 4))
    assert crops.shape == (20, 3, 4, 1) and crops.dtype == np.float32
    assert crops[:5, 0, 0, 0].tolist() == [0, 3, 14, 17, 8]       # where the corners and the centre begin
    assert crops[5:10, 0, -1, 0].tolist() == [0, 3, 14, 17, 8]    # mirrored
    assert np.array_equal(crops[10:], -crops[:10])


# Transformer.

def transformer(shape=(1, 3, 4, 5)):
    made = io.Transformer({"data": shape})
    made.set_transpose("data", (2, 0, 1))
    return made


def test_preprocessing_in_its_order():
    made = transformer([10, 3, 4, 5])
    made.set_channel_swap("data", (2, 1, 0))
    made.set_raw_scale("data", 255)
    made.set_mean("data", np.array([100.0, 110, 120]))
    made.set_input_scale("data", 0.5)
    image = np.full((4, 5, 3), (0.2, 0.4, 0.6), np.float32)
    before = image.copy()
    out = made.preprocess("data", image)
    assert out.shape == (3, 4, 5) and out.dtype == np.float32
    np.testing.assert_allclose(out[:, 0, 0], [(153 - 100) / 2, (102 - 110) / 2, (51 - 120) / 2], rtol=1e-5)
    assert np.array_equal(image, before)
    for shown in (out, out[np.newaxis]):
        np.testing.assert_allclose(made.deprocess("data", shown), image, rtol=1e-5)


def test_other_sizes_are_resized():
    assert transformer().preprocess("data", RNG.random((9, 9, 3))).shape == (3, 4, 5)
    assert transformer().deprocess("data", np.zeros((3, 8, 8))).shape == (8, 8, 3)


@pytest.mark.parametrize("mean, shape", [(np.ones(3), (3, 1, 1)), (np.ones((3, 4, 5)), (3, 4, 5)),
                                         (np.ones((3, 9, 9)), (3, 4, 5)), (np.ones((3, 1, 1)), (3, 1, 1)),
                                         (np.ones((1, 4, 5)), (1, 4, 5)), (np.ones((1, 9, 9)), (1, 4, 5))])
def test_means(mean, shape):
    made = transformer()
    made.set_mean("data", mean)
    assert made.mean["data"].shape == shape and made.mean["data"].max() == 1
    assert (made.preprocess("data", np.ones((4, 5, 3))) == 0).all()


@pytest.mark.parametrize("given", [2, 4])
def test_means_of_other_channels(given):
    for mean in (np.ones(given), np.ones((given, 4, 5)), np.ones(1)):
        with pytest.raises(io.ArrayError, match="mean of 'data': expected .3,. or .3, H, W."):
            transformer().set_mean("data", mean)


def test_none_is_as_good_as_not_set():
    image, plain, made = RNG.random((4, 5, 3)).astype("float32"), transformer(), transformer()
    for name in ("channel_swap", "raw_scale", "mean", "input_scale"):
        getattr(made, f"set_{name}")("data", None)
        assert getattr(made, name) == {"data": None}
    out = made.preprocess("data", image)
    np.testing.assert_array_equal(out, plain.preprocess("data", image))
    np.testing.assert_array_equal(made.deprocess("data", out), image)
    made.set_transpose("data", None)
    np.testing.assert_array_equal(made.preprocess("data", image), image)
    np.testing.assert_array_equal(made.deprocess("data", image), image)


def test_gray_input():
    made = io.Transformer({"data": (1, 1, 4, 5)})
    made.set_mean("data", np.full((4, 5), 0.5))
    out = made.preprocess("data", np.ones((4, 5)))
    assert out.shape[-2:] == (4, 5) and made.deprocess("data", out.reshape(1, 1, 4, 5)).shape == (4, 5)


def test_unknown_input():
    with pytest.raises(DataError, match="did you mean 'data'"):
        transformer().set_raw_scale("dta", 255)
