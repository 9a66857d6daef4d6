"""Principal components against scikit-learn's, and what any of them has to keep."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.decomposition import PCA

from blobnet.errors import ShapeError
from blobnet.hashing.principal_components import principal_components


def features(count, width, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(count, width)) @ rng.normal(size=(width, width)) + rng.normal(size=width)


@pytest.mark.parametrize("count, width, dimensions", [(50, 6, 3), (9000, 5, 5), (7, 20, 6), (2, 1, 1)])
def test_as_scikit_learn(count, width, dimensions):
    values = features(count, width)
    ours, theirs = principal_components(values, dimensions), PCA(dimensions, svd_solver="full").fit(values)
    signs = np.sign((ours.directions.T * theirs.components_).sum(axis=1))
    np.testing.assert_allclose(ours.directions.T, theirs.components_ * signs[:, None], atol=1e-9)
    np.testing.assert_allclose(ours.variances, theirs.explained_variance_, rtol=1e-9)
    np.testing.assert_allclose(ours.project(values[:4]), theirs.transform(values[:4]) * signs, atol=1e-4)


@given(st.integers(1, 6), st.integers(7, 30), st.integers(0, 99))
def test_all_components_keep_distances_and_the_first_varies_most(width, count, seed):
    values = features(count, width, seed).astype(np.float32)
    found = principal_components(values, width)
    projected = found.project(values)
    apart = np.linalg.norm(values[:, None] - values, axis=2)
    np.testing.assert_allclose(np.linalg.norm(projected[:, None] - projected, axis=2), apart, atol=1e-3)
    assert (np.diff(found.variances) <= 0).all()
    assert (found.directions.max(axis=0) >= -found.directions.min(axis=0)).all()
    np.testing.assert_allclose(principal_components(values, 1).project(values), projected[:, :1], atol=1e-5)


def test_constant_values_have_no_variance():
    assert principal_components(np.full((5, 3), 0.1, np.float32), 2).variances.tolist() == [0, 0]


@pytest.mark.parametrize("shape, dimensions", [((5, 3), 4), ((3, 5), 3), ((5, 3), 0), ((5,), 1), ((0, 3), 1)])
def test_impossible_dimensions_are_refused(shape, dimensions):
    with pytest.raises(ShapeError, match="1 <= dimensions"):
        principal_components(np.zeros(shape), dimensions)


def test_other_features_are_refused():
    found = principal_components(features(9, 4), 2)
    with pytest.raises(ShapeError, match=r"values \(N, 4\).*\(3, 5\)"):
        found.project(np.zeros((3, 5)))
