"""Layers for segmentation against figures."""

import numpy as np
import pytest
from layer_rows import build

from blobnet.errors import DataError


def test_upsample_keeps_the_last_of_equal_places_and_gives_each_the_gradient():
    alone = build("Upsample", [[[[[1.0, 2], [3, 4]]]], [[[[5, 0], [5, 15]]]]])
    expected = np.zeros(16)
    expected[[0, 5, 15]] = 2, 3, 4
    np.testing.assert_array_equal(alone.forward()[0], expected.reshape(1, 1, 4, 4))
    dx, dmask = alone.backward([np.arange(16.0).reshape(1, 1, 4, 4)], [True, True])
    assert dx.tolist() == [[[[5, 0], [5, 15]]]]
    assert not dmask.any()


@pytest.mark.parametrize("place", [-1, 16])
def test_upsample_refuses_places_outside_of_the_plane(place):
    alone = build("Upsample", [np.ones((1, 1, 2, 2)), [[[[0, 1], [2, place]]]]])
    with pytest.raises(DataError, match=rf"'x1' names a place outside of a plane \(4, 4\).*0 ... 15, got {place}"):
        alone.forward()
