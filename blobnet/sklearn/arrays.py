"""What estimators are given: arrays of features or images, checked as scikit-learn does."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import validate_data

from blobnet.errors import EstimatorError


def features(estimator: BaseEstimator, X: Any, y: Any = "no_validation", reset: bool = False, **check: Any) -> Any:
    """X as (n, D) float32 or float64, images (n, C, H, W) as rows; with y, both. ValueError for what cannot be.

    reset: whether it is what the estimator learns from; otherwise the D of that is asked for. check: as for
    validate_data of scikit-learn.
    """
    if getattr(X, "ndim", 2) > 2:
        X = np.asarray(X).reshape(len(X), -1)
    return validate_data(estimator, X, y, reset=reset, dtype=(np.float64, np.float32), **check)


def item_shape(estimator: BaseEstimator, X: Any, given: Sequence[int] | None) -> tuple[int, ...]:
    """The shape in which a net gets each item of X: `given`, or as it is. EstimatorError for one of another size."""
    count = estimator.n_features_in_
    if given is None:
        return tuple(X.shape[1:]) if getattr(X, "ndim", 2) > 2 else (count,)
    if math.prod(given) != count:
        raise EstimatorError(type(estimator).__name__, expected=f"an input_shape of {count} numbers, the features of X",
                             got=tuple(given))
    return tuple(given)
