"""The terms of standardising: a number less the mean of its channel, divided by the deviation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from blobnet.backend import to_host
from blobnet.core.layer import Layer
from blobnet.core.terms import Factor, Place, Term, Terms, reindexed


class Channel:
    """The channel of a place of a bottom's or a top's array, read as `grouped` (N, C, places); `at` in it."""

    def __init__(self, place: Place, blob, grouped: Sequence[int]):
        self.index, self.grouped = place.index, grouped
        self.at = _, self.c, _ = reindexed(place.index, blob.shape, grouped)
        self.words = f"the {grouped[0] * grouped[2]} numbers of channel {self.c}"

    def of(self, array) -> np.ndarray:
        """The numbers (N, places) of the channel in an array of the blob's count."""
        return np.asarray(array.reshape(self.grouped)[:, self.c], float)

    def factor(self, kind: str, which: str, blob, words: str = "") -> Factor:
        """The number at the same index of another blob of this shape."""
        return Factor(float(getattr(blob, which)[self.index]), Place(kind, 0, which, self.index), words)


def standardized(channel: Channel, place: Place, x, mean: Sequence[Factor], deviation: float, words: str,
                 scale: Term = (), shift: Sequence[Term] = ()) -> Terms:
    """The terms of y = (x - mean) / deviation * scale + shift. `mean` is a product."""
    divided = (Factor(1 / deviation, None, "1 / deviation"), *scale)
    terms: list[Term] = [(channel.factor("bottom", "data", x), *divided), (Factor(-1.0, None, "less"), *mean, *divided),
                         *shift]
    return Terms(place, terms, words)


def standardized_diff(channel: Channel, place: Place, top, normalized, deviation: float, scale: Term = ()) -> Terms:
    """The terms of dx where mean and deviation are those of the batch; `normalized` is (x - mean) / deviation."""
    dy, xhat = channel.of(top.diff), channel.of(normalized)
    n, _, i = channel.at
    divided = (Factor(1 / deviation, None, "1 / deviation"), *scale)
    terms: list[Term] = [
        (channel.factor("top", "diff", top, "straight"), *divided),
        (Factor(-float(dy.mean()), None, "through the mean: less the mean of dy"), *divided),
        (Factor(-float((dy * xhat).mean()), None, "through the variance: less the mean of dy * xhat"),
         Factor(float(xhat[n, i]), None, "xhat"), *divided)]
    return Terms(place, terms, "three ways lead to the loss: straight to y, and through the mean and the variance, "
                 f"which {channel.words} share")


def stored_diff(channel: Channel, place: Place, top, deviation: float, scale: Term = ()) -> Terms:
    """The terms of dx where mean and deviation were given."""
    return Terms(place, [(channel.factor("top", "diff", top), Factor(1 / deviation, None, "1 / deviation"), *scale)],
                 "mean and deviation were there before, so dy comes back straight")


class BatchNormTerms(Layer):
    """What a layer explains by `use_global`, `grouped` and its statistics."""

    use_global: bool
    grouped: tuple[int, int, int]

    def terms(self, place, bottom, top):
        return batch_norm_terms(self, place, bottom, top)

    def arithmetic(self):
        numbers = {"kind": "standardize", "eps": self.options.eps, "grouped": list(self.grouped)}
        if self.use_global:
            return numbers | {"mode": "stored"}
        mean, variance = (to_host(array).tolist() for array in (self.mean, self.variance))
        return numbers | {"mode": "batch", "mean": mean, "variance": variance}  # a file may lack a part of the batch


def batch_norm_terms(layer, place: Place, bottom, top) -> Terms:
    """The terms of BatchNorm: one number of the top's data or of a diff."""
    if place.kind == "param":
        return Terms(place, [], "a running statistic: forward counts it, no gradient goes to it")
    channel = Channel(place, bottom[0], layer.grouped)
    c, deviation, eps = channel.c, float(layer.deviation[channel.c]), layer.options.eps
    if place.kind == "bottom":
        if layer.use_global:
            return stored_diff(channel, place, top[0], deviation)
        return standardized_diff(channel, place, top[0], layer.normalized, deviation)
    variance, value = float(layer.variance[c]), float(layer.mean[c])
    spread = f"deviation = sqrt({variance:.6g} + {eps:.3g})"
    if not layer.use_global:
        return standardized(channel, place, bottom[0], [Factor(value, None, "mean")], deviation,
                            f"the statistics of {channel.words}; {spread}")
    total, (factor,) = layer.param_data(0), layer.param_data(2)
    mean = [Factor(float(total[c]), Place("param", 0, "data", (c,)), "sum of means"),
            Factor(float(1 / factor if factor else 0), Place("param", 2, "data", (0,)), "1 / running factor")]
    return standardized(channel, place, bottom[0], mean, deviation, f"the running statistics: sums divided by the "
                        f"running factor {float(factor):.6g}; {spread}")
