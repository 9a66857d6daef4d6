"""HashingTransformer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from blobnet.errors import EstimatorError, close_matches
from blobnet.hashing.encode import require_blob
from blobnet.hashing.learners import BY_COMPONENTS, SUPERVISED, UNSUPERVISED
from blobnet.sklearn.arrays import features, item_shape
from blobnet.sklearn.definitions import Source
from blobnet.sklearn.learning import NO_Y, Learning

BITS = 32


class Encoder(Protocol):
    """What was learned: it gives real values, whose signs are the bits."""

    def encode(self, data: np.ndarray) -> np.ndarray:
        """The values (N, K) of data (N, D)."""


class HashingTransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Hash codes of features or images, as a transformer of scikit-learn: a bit is 1 where a value is 0 or more.

    bits: how many; None for 32, or as many as the learner can make of the data, or as the blob of the net has.
    learner: lsh, pcah, itq or sh, which need no y; ksh or sdh, which learn from classes. anchors: of ksh and sdh, the
    items whose kernels are learned from; fewer if there are fewer.
    net, solver: in the place of a learner, a net and its solver, as NetClassifier takes them (here one of both is
    needed); blob: what has a value for each bit there. max_iter, batch_size, input_shape, device: as there, for nets.
    random_state: as everywhere.

    y of fit: classes (n,) of any kind, or label rows (n, L), which a net may read.

    After fit: n_features_in_; n_iter_, the iterations of the solver (1 for the learners, which have none); encoder_,
    what was learned.

    >>> from sklearn.datasets import load_digits
    >>> X, y = load_digits(return_X_y=True)
    >>> codes = HashingTransformer(bits=24, random_state=0).fit_transform(X)
    >>> codes.shape, codes.dtype.name, sorted(set(codes.ravel().tolist()))
    ((1797, 24), 'uint8', [0, 1])
    """

    encoder_: Encoder
    n_iter_: int

    def __init__(self, bits: int | None = None, learner: str = "itq", *, anchors: int = 300,
                 net: Source | None = None, solver: Source | None = None, blob: str = "code",
                 max_iter: int | None = None, batch_size: int | None = None,
                 input_shape: Sequence[int] | None = None, device: str = "cpu",
                 random_state: int | np.random.RandomState | None = None):
        self.bits = bits
        self.learner = learner
        self.anchors = anchors
        self.net = net
        self.solver = solver
        self.blob = blob
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.input_shape = input_shape
        self.device = device
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> HashingTransformer:
        """Learn from X (n, features) or images (n, C, H, W), n >= 2. ValueError for data that the learner cannot take.
        """
        data, labels = features(self, X, reset=True, ensure_min_samples=2), None
        if y is not None:
            data, labels = features(self, X, y, reset=True, ensure_min_samples=2, multi_output=True)
        learn = self._by_learner if self.net is None and self.solver is None else self._by_net
        self.encoder_, self._n_features_out = learn(X, data, labels)
        return self

    def transform(self, X: Any) -> np.ndarray:
        """The codes (n, bits) of X, uint8, 0 and 1."""
        check_is_fitted(self)
        return (self.encoder_.encode(features(self, X)) >= 0).astype(np.uint8)

    def _by_learner(self, X: Any, data: np.ndarray, labels: np.ndarray | None) -> tuple[Encoder, int]:
        name, where = self.learner, "HashingTransformer"
        if name not in UNSUPERVISED | SUPERVISED:
            raise EstimatorError(where, f"unknown learner {name!r}", hint=close_matches(str(name), [*UNSUPERVISED,
                                                                                                   *SUPERVISED]))
        most = min(data.shape[1], len(data) - 1) if name in BY_COMPONENTS else math.inf
        bits = int(min(BITS, most)) if self.bits is None else self.bits
        if not 1 <= bits <= most:
            raise EstimatorError(where, expected=f"1 to {most} bits of the learner {name!r}, for n_samples = "
                                 f"{len(data)} and n_features = {data.shape[1]}", got=bits)
        seed = int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
        self.n_iter_ = 1
        if name in UNSUPERVISED:
            return UNSUPERVISED[name](data, bits, seed), bits
        if labels is None:
            raise EstimatorError(where, f"{NO_Y}: the learner {name!r} learns from classes")
        if labels.ndim != 1:
            raise EstimatorError(where, expected=f"classes (n,) for the learner {name!r}", got=f"y {labels.shape}")
        return SUPERVISED[name](data, _numbers(labels), bits, seed, min(self.anchors, len(data))), bits

    def _by_net(self, X: Any, data: np.ndarray, labels: np.ndarray | None) -> tuple[Encoder, int]:
        targets = None if labels is None else _numbers(labels) if labels.ndim == 1 else labels
        learning = Learning(self, None, data.dtype, item_shape(self, X, self.input_shape),
                            () if targets is None else targets.shape[1:])
        net = learning.solver.net
        require_blob(net, self.blob)
        bits = math.prod(net.blobs[self.blob].shape[1:])
        if self.bits not in (None, bits):
            raise EstimatorError("HashingTransformer", f"blob {self.blob!r}", expected=f"{self.bits} bits", got=bits)
        learning.feed(data, targets)
        learning.solver.step(learning.solver.param.max_iter)
        self.n_iter_ = learning.solver.iter
        return learning.learned(self.blob), bits

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        tags.target_tags.required = self.net is None and self.solver is None and self.learner in SUPERVISED
        return tags


def _numbers(classes: np.ndarray) -> np.ndarray:
    """The numbers of the classes, from 0 on, in their order."""
    return np.unique(classes, return_inverse=True)[1]
