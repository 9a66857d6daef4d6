"""What element-wise layers share: one bottom, one top of its shape, in place if both are one blob."""

from __future__ import annotations

from blobnet.core.layer import Layer


class Elementwise(Layer):
    """top[i] = f(bottom[i]). A subclass writes forward and backward."""

    in_place = True

    def reshape(self, bottom, top):
        top[0].reshape(bottom[0].shape)
