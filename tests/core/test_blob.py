import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blobnet.core.blob import Blob
from blobnet.errors import ShapeError

SHAPES = st.lists(st.integers(0, 4), max_size=5).map(tuple)


@given(SHAPES, st.sampled_from(["float32", "float64"]))
def test_data_and_diff_are_zeros_of_the_shape(shape, dtype):
    blob = Blob(shape, dtype=dtype)
    for array in (blob.data, blob.diff):
        assert array.shape == shape == blob.shape and array.dtype == dtype and not array.any()
    assert blob.count == math.prod(shape) and blob.num_axes == len(shape)
    assert blob.data is blob.data and not np.shares_memory(blob.data, blob.diff)


@given(st.lists(SHAPES, min_size=2, max_size=6))
def test_reshape_keeps_the_memory_until_it_grows(shapes):
    blob, numbers = Blob(shapes[0]), np.arange(1, 4 ** 5 + 1)
    capacity = 0
    for shape in shapes:
        blob.reshape(shape)
        kept = blob.data.reshape(-1).copy()
        if blob.count <= capacity:
            np.testing.assert_array_equal(kept, numbers[:blob.count])
        else:
            assert not kept.any()
            capacity = blob.count
        blob.reshape(capacity)
        blob.data[...] = numbers[:capacity]


def test_reshape_takes_a_sequence_or_numbers():
    blob = Blob((6,))
    for arguments in ((2, 3), ((2, 3),), ([2, 3],), (np.array([2, 3]),), (np.int64(2), 3)):
        blob.reshape(6)
        blob.reshape(*arguments)
        assert blob.shape == (2, 3) and all(type(size) is int for size in blob.shape)
    blob.reshape()
    assert blob.shape == () and blob.count == 1


def test_a_negative_size_is_refused_and_changes_nothing():
    blob = Blob((2, 3))
    with pytest.raises(ShapeError, match=r"no negative dimension, got \(3, -1\)"):
        blob.reshape(3, -1)
    assert blob.shape == (2, 3) and blob.count == 6


@pytest.mark.parametrize("given, words", [
    (("2", 3), r"expected whole numbers, got \('2', 3\)"), (("23",), "expected whole numbers, got '23'"),
    ((2.5,), "expected whole numbers, got 2.5"), ((2.0, 3), r"got \(2.0, 3\)"), (([2, None],), "whole numbers"),
    ((None,), "got None"), ([1] * 33, "expected at most 32 axes, got 33"),
    ((2 ** 31, 2 ** 31, 4), "expected at most 9223372036854775807 elements, got .2147483648"),
    ((0, 2 ** 31, 2 ** 32), "expected at most 9223372036854775807 elements, got .0")])
def test_what_is_no_shape(given, words):
    blob = Blob((2, 3))
    with pytest.raises(ShapeError, match=words):
        blob.reshape(*given)
    assert blob.shape == (2, 3)
    blob.reshape([1] * 32)
    assert blob.data.ndim == 32


@pytest.mark.parametrize("shape, size", [((1 << 30, 1 << 24), "6.71089e.07"), ((1 << 31, 1 << 31), "1.71799e.10")])
def test_more_than_the_memory_has(shape, size):
    blob = Blob((2,))
    blob.data[...] = 1
    blob.reshape(shape)
    with pytest.raises(ShapeError, match=f"no memory for {shape[0] * shape[1]} numbers, {size} GiB"):
        blob.data  # noqa: B018
    blob.reshape(2)
    assert blob.data.tolist() == [1, 1]


def test_the_arrays_cannot_be_replaced():
    with pytest.raises(AttributeError, match=r"write into it, blob.data\[...\] = x"):
        Blob((2,)).data = np.ones(2)
    with pytest.raises(AttributeError, match=r"blob.diff\[...\]"):
        Blob((2,)).diff = np.ones(2)


@pytest.mark.parametrize("which", ["data", "diff"])
def test_sharing(which):
    owner, other = Blob((2, 3)), Blob((6,))
    getattr(other, f"share_{which}")(owner)
    getattr(owner, which)[...] = np.arange(6).reshape(2, 3)
    np.testing.assert_array_equal(getattr(other, which), np.arange(6))
    rest = "diff" if which == "data" else "data"
    getattr(owner, rest)[...] = 1
    assert not getattr(other, rest).any()


@pytest.mark.parametrize("grower", [0, 1])
def test_sharing_outlives_growth(grower):
    """Whichever of two sharers grows first, both find the larger memory."""
    blobs = [Blob((2, 3)), Blob((3, 2))]
    blobs[1].share_data(blobs[0])
    blobs[0].data[...] = 1
    blobs[grower].reshape(5, 4)
    blobs[grower].data[...] = 7
    assert (blobs[1 - grower].data == 7).all()  # it still has 6 elements, in the new memory
    blobs[1 - grower].reshape(4, 5)
    blobs[1 - grower].data[0, 0] = 9
    assert blobs[grower].data[0, 0] == 9


@pytest.mark.parametrize("other, words", [
    (Blob((4,)), [r"6 elements (2, 3)", "4 (4,)"]), (Blob((6,), dtype="float64"), ["of float32", "of float64"])])
def test_sharing_what_does_not_fit(other, words):
    with pytest.raises(ShapeError) as error:
        Blob((2, 3)).share_data(other)
    assert all(word in str(error.value) for word in words)


@pytest.mark.parametrize("shape, legacy", [
    ((), (1, 1, 1, 1)), ((5,), (5, 1, 1, 1)), ((5, 2), (5, 2, 1, 1)), ((5, 2, 3, 4), (5, 2, 3, 4))])
def test_legacy_shape(shape, legacy):
    blob = Blob(shape)
    assert (blob.num, blob.channels, blob.height, blob.width) == legacy


def test_legacy_shape_of_five_axes():
    with pytest.raises(ShapeError, match=r"at most 4 axes, got \(1, 2, 3, 4, 5\); use shape"):
        _ = Blob((1, 2, 3, 4, 5)).num


@given(st.lists(st.just(2), min_size=1, max_size=5), st.data())
def test_canonical_axis_names_the_same_axis_as_numpy(shape, data):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    blob = Blob(shape)
    found = blob.canonical_axis(axis)
    assert 0 <= found < len(shape) and np.arange(len(shape))[axis] == found


@pytest.mark.parametrize("axis", [-3, 2, 7])
def test_canonical_axis_out_of_range(axis):
    with pytest.raises(ShapeError) as error:
        Blob((4, 5)).canonical_axis(axis, "layer 'a' (Concat)")
    assert str(error.value) == (f"layer 'a' (Concat): expected an axis in [-2, 2) of a blob of shape (4, 5), "
                                f"got axis {axis}")


def test_a_scalar_has_no_axis():
    with pytest.raises(ShapeError, match=r"a blob of shape \(\), got axis 0"):
        Blob().canonical_axis(0)
