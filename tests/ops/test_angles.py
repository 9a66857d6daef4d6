"""Multiples of angles against figures."""

import numpy as np
import pytest

from blobnet.ops.angles import multiplied_angle


@pytest.mark.parametrize("m, ends", [(1, [1, -1]), (2, [1, -3]), (3, [1, -5]), (4, [1, -7])])
def test_falls_all_the_way(m, ends):
    angles = np.linspace(0, np.pi, 1001)
    values, slopes = multiplied_angle(np.cos(angles), m)
    inner = np.abs(angles * m / np.pi % 1 - 0.5) < 0.49  # away from the borders, where it jumps
    np.testing.assert_allclose(values[[0, -1]], ends, rtol=1e-12)
    assert (np.diff(values[inner]) < 0).all()
    numeric = np.gradient(values, angles) / -np.sin(np.maximum(angles, 1e-3))
    np.testing.assert_allclose(slopes[inner], numeric[inner], rtol=2e-3, atol=2e-3)


def test_figures():
    thirds = np.cos(np.pi * np.array([1, 2]) / 3)
    assert multiplied_angle(thirds, 2)[0] == pytest.approx([-0.5, -1.5])
    assert multiplied_angle(np.array([0.0]), 2)[0] == -1
    assert multiplied_angle(thirds, 4)[0] == pytest.approx([0.5 - 2, -0.5 - 4])
    assert multiplied_angle(np.cos(np.pi * np.array([0.5, 0.75])), 3)[0] == pytest.approx([-2, np.sqrt(0.5) - 4])
