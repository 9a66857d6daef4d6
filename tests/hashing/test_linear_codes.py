import numpy as np
import pytest

from blobnet.errors import ShapeError
from blobnet.hashing.linear_codes import METHODS, fit_itq, fit_lsh, fit_pcah

RNG = np.random.default_rng(5)
DATA = RNG.normal(size=(400, 6)) @ np.diag([5, 3, 2, 1, 0.5, 0.1]) @ np.linalg.qr(RNG.normal(size=(6, 6)))[0] + 3


def quantization_error(model):
    values = model.encode(DATA)
    return ((values - np.sign(values)) ** 2).sum()


def test_pcah_values_are_uncorrelated_and_fall():
    values = fit_pcah(DATA, 6).encode(DATA)
    covariance = values.T @ values / len(DATA)
    np.testing.assert_allclose(covariance, np.diag(np.diag(covariance)), atol=1e-10)
    assert np.all(np.diff(np.diag(covariance)) < 0)


@pytest.mark.parametrize("seed", range(3))
def test_itq_is_a_rotation_that_fits_the_cube_better(seed):
    components, itq = fit_pcah(DATA, 4), fit_itq(DATA, 4, seed)
    rotation = components.projection.T @ itq.projection
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(4), atol=1e-10)
    errors = [quantization_error(fit_itq(DATA, 4, seed, rounds=n)) for n in (0, 1, 2, 5, 50)]
    assert errors == sorted(errors, reverse=True) and errors[-1] < errors[0]
    assert errors[-1] < quantization_error(components)


def test_lsh_bits_differ_as_often_as_the_angle_says():
    bits, angle = 20000, 1.0
    points = np.array([[1, 0], [np.cos(angle), np.sin(angle)]])
    data = np.concatenate([points, -points])  # mean 0
    values = fit_lsh(data, bits, seed=1).encode(points)
    assert np.mean(np.sign(values[0]) != np.sign(values[1])) == pytest.approx(angle / np.pi, abs=0.01)


@pytest.mark.parametrize("name", METHODS)
def test_what_all_have_in_common(name):
    data = DATA.astype(np.float32)
    model = METHODS[name](data, 5, 1)
    values = model.encode(data)
    assert values.shape == (400, 5) and values.dtype == np.float32
    np.testing.assert_allclose(values.mean(axis=0), 0, atol=1e-3)
    np.testing.assert_array_equal(METHODS[name](data, 5, 1).encode(data), values)
    same = np.array_equal(METHODS[name](data, 5, 2).encode(data), values)
    assert same == (name == "pcah")


@pytest.mark.parametrize("name", ["pcah", "itq"])
def test_more_bits_than_numbers(name):
    with pytest.raises(ShapeError, match=r"got values \(400, 6\) and 7 dimensions"):
        METHODS[name](DATA, 7, 1)
