"""Datum messages and arrays."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from blobnet.data.stores.datum import array_to_datum, datum_to_array, parse_datum
from blobnet.errors import DataError, ShapeError
from blobnet.proto.messages import new

SHAPES = array_shapes(min_dims=3, max_dims=3, max_side=5)


@given(arrays(np.uint8, SHAPES), st.integers(-2**31, 2**31 - 1))
def test_bytes_survive_the_wire(image, label):
    datum = parse_datum(array_to_datum(image, label).SerializeToString())
    back = datum_to_array(datum)
    assert back.dtype == np.uint8 and back.shape == image.shape and datum.label == label
    np.testing.assert_array_equal(back, image)


@given(arrays(np.float32, SHAPES, elements=st.floats(width=32)))
def test_floats_survive_the_wire(image):
    datum = parse_datum(array_to_datum(image).SerializeToString())
    assert not datum.HasField("label") and not datum.data
    np.testing.assert_array_equal(datum_to_array(datum), image)


def test_layout_is_channel_row_column():
    image = datum_to_array(new("Datum", channels=2, height=1, width=3, data=bytes([1, 2, 3, 4, 5, 6])))
    assert image[1, 0].tolist() == [4, 5, 6]


@pytest.mark.parametrize("fields", [
    dict(channels=3, height=2, width=2, data=b"\0" * 11), dict(channels=1, height=1, width=1),
    dict(data=b"\0"), dict(channels=-1, height=-1, width=1, data=b"\0"),
    dict(channels=1, height=2, width=2, float_data=[1.0])])
def test_wrong_number_of_values(fields):
    with pytest.raises(DataError, match="record 7: expected .* values, got"):
        datum_to_array(new("Datum", **fields), where="record 7")


def test_other_bytes_are_no_datum():
    with pytest.raises(DataError, match="record 7: expected a Datum message, got 5 other bytes"):
        parse_datum(b"\x0a\xff\xff\xff\xff", "record 7")


def test_axes():
    with pytest.raises(ShapeError, match=r"\(C, H, W\).*\(2, 2\)"):
        array_to_datum(np.zeros((2, 2), np.uint8))
