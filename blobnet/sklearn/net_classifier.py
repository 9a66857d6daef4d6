"""NetClassifier."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from blobnet.errors import EstimatorError
from blobnet.hashing.encode import require_blob
from blobnet.sklearn.arrays import features, item_shape
from blobnet.sklearn.definitions import Source, perceptron, scores_blob
from blobnet.sklearn.learned_net import LearnedNet
from blobnet.sklearn.learning import Learning


class NetClassifier(ClassifierMixin, BaseEstimator):
    """A net that tells classes, as an estimator of scikit-learn.

    net: a file of prototxt, or its text, that reads X and y in its data layer or inputs; without one, the net that
    `solver` names, or else a perceptron with `hidden_layer_sizes`. Only arrays are read, whatever its data layer says.
    solver: a solver file, or its text; without one Adam, 500 iterations. It neither tests nor takes snapshots.
    max_iter: iterations, if not the solver's. batch_size: items of a batch, if not the data layer's, or 200 where it
    says nothing; never more than there are. input_shape: of an item in the net, such as (1, 28, 28), if X holds vectors
    and the net wants images. blob: the scores of the classes, whose softmax are the probabilities; without one the
    first bottom of the last loss that reads the labels. device: "cpu", "gpu" or "gpu:1". random_state: as everywhere.

    The net computes in float64 for an X of float64, in float32 for one of float32. A data layer's transform_param does
    not apply.

    After fit: classes_ (C,) sorted; n_features_in_; n_iter_, the iterations that were made; loss_curve_, the loss of
    each (of every 2nd, 4th … where they are more than 2,000); learned_, the trained net.

    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> classifier = NetClassifier(max_iter=100, random_state=0).fit(X, y)
    >>> classifier.predict_proba(X).shape, bool(classifier.score(X, y) > 0.9)
    ((150, 3), True)
    """

    classes_: np.ndarray
    learned_: LearnedNet
    n_iter_: int
    loss_curve_: np.ndarray

    def __init__(self, net: Source | None = None, solver: Source | None = None, *,
                 hidden_layer_sizes: Sequence[int] = (100,), max_iter: int | None = None,
                 batch_size: int | None = None, input_shape: Sequence[int] | None = None, blob: str | None = None,
                 device: str = "cpu", random_state: int | np.random.RandomState | None = None):
        self.net = net
        self.solver = solver
        self.hidden_layer_sizes = hidden_layer_sizes
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.input_shape = input_shape
        self.blob = blob
        self.device = device
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> NetClassifier:
        """Learn from X (n, features) or images (n, C, H, W), and y, n classes of any kind. ValueError for others."""
        data, labels = features(self, X, y, reset=True)
        check_classification_targets(labels)
        self.classes_, numbers = np.unique(labels, return_inverse=True)
        learning = self._begin(X, data)
        learning.feed(data, numbers)
        self._learning: Learning | None = None  # of partial_fit, which goes on with it
        self._learn(learning, learning.solver.param.max_iter)
        return self

    def partial_fit(self, X: Any, y: Any, classes: Any = None) -> NetClassifier:
        """Go once over X and y, in batches, from the weights that there are.

        classes: all that there will be, in the first call. Momentum is kept from call to call, but not in pickles.
        """
        first = not hasattr(self, "classes_")
        data, labels = features(self, X, y, reset=first)
        if first:
            if classes is None:
                raise EstimatorError("NetClassifier.partial_fit", "needs the classes in its first call")
            check_classification_targets(labels)
            self.classes_ = np.unique(classes)
        unknown = np.setdiff1d(labels, self.classes_)
        if len(unknown):
            raise EstimatorError("NetClassifier.partial_fit", expected=f"classes among {self.classes_.tolist()}",
                                 got=unknown.tolist())
        learning = getattr(self, "_learning", None) or self._begin(X, data, first)
        self._learn(learning, learning.feed(data, np.searchsorted(self.classes_, labels)))
        self._learning = learning
        return self

    def _begin(self, X: Any, data: np.ndarray, first: bool = True) -> Learning:
        """A training from the start, or from the weights that there are."""
        shape = item_shape(self, X, self.input_shape)
        learning = Learning(self, perceptron(self.hidden_layer_sizes, len(self.classes_)), data.dtype, shape)
        if len(learning.tops) < 2:
            raise EstimatorError("NetClassifier", expected="a net that reads X and y", got=learning.tops[0])
        net = learning.solver.net
        blob = scores_blob(learning.in_training, learning.tops[1], "NetClassifier") if self.blob is None else self.blob
        require_blob(net, blob, "of scores")
        count = math.prod(net.blobs[blob].shape[1:])
        if count != len(self.classes_):
            raise EstimatorError("NetClassifier", expected=f"{len(self.classes_)} scores in blob {blob!r}, one a class",
                                 got=count, hint="change num_output of its layer")
        if not first:
            self.learned_.give_weights(net)
            learning.solver.iter = self.n_iter_
        self._blob = blob
        return learning

    def _learn(self, learning: Learning, iterations: int) -> None:
        solver = learning.solver
        solver.step(iterations)
        self.n_iter_, self.loss_curve_ = solver.iter, solver.losses.points()[1]
        self.learned_ = learning.learned(self._blob)

    def predict_proba(self, X: Any) -> np.ndarray:
        """The probabilities (n, C) of the classes, float64, in the order of classes_."""
        check_is_fitted(self)
        scores = self.learned_.encode(features(self, X)).astype(np.float64)
        scores -= scores.max(axis=1, keepdims=True)
        np.exp(scores, out=scores)
        return scores / scores.sum(axis=1, keepdims=True)

    def predict(self, X: Any) -> np.ndarray:
        """The most probable class of each item, (n,)."""
        probabilities = self.predict_proba(X)
        return self.classes_[probabilities.argmax(axis=1)]

    def __getstate__(self) -> dict:
        return super().__getstate__() | {"_learning": None}
