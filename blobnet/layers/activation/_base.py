"""What element-wise layers share: one bottom, one top of its shape, in place if both are one blob; bases of powers."""

from __future__ import annotations

import numpy as np

from blobnet.core.layer import Layer
from blobnet.errors import NetError
from blobnet.layers.activation._scalar import scalar_terms


class Elementwise(Layer):
    """top[i] = f(bottom[i]). A subclass writes forward and backward."""

    in_place = keeps_coordinates = True

    def reshape(self, bottom, top):
        top[0].reshape(bottom[0].shape)

    def scalar(self) -> tuple[str, str] | None:
        """f(x), and its slope by x and y = f(x), in the words of _scalar; None for what is no function of x alone."""
        return None

    def terms(self, place, bottom, top):
        scalar = self.scalar()
        return scalar_terms(scalar, place, bottom, top) if scalar else super().terms(place, bottom, top)

    def arithmetic(self):
        scalar = self.scalar()
        return {"kind": "scalar", "y": scalar[0], "slope": scalar[1]} if scalar else None


def log_of_base(layer: Layer) -> np.floating:
    """The logarithm of options.base in the layer's dtype; -1 stands for e. NetError if it has no finite logarithm."""
    base = layer.options.base
    if base == -1:
        return layer.dtype.type(1)
    if not 0 < base < np.inf:
        raise NetError(layer.where, expected="base above 0 and finite, or -1 for e", got=base)
    return np.log(layer.dtype.type(base))
