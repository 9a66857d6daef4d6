"""Axpy: a sum of two blobs, one of them weighed by channels."""

from __future__ import annotations

from blobnet.backend import folded
from blobnet.core.layer import Layer
from blobnet.core.registry import register
from blobnet.errors import ShapeError
from blobnet.ops.elementwise import in_parts


@register
class Axpy(Layer):
    """Weigh the channels of every sample, and add another blob.

    y[n, c, h, w] = a[n, c] * x[n, c, h, w] + z[n, c, h, w]
    da[n, c] = sum over h, w of dy * x,   dx = a[n, c] * dy,   dz = dy

    Bottoms: a (N, C) or (N, C, 1, 1); x (N, C, H, W), any axes after C; z (as x)
    Tops: y (as x)
    Params: none
    Paper: Hu et al., Squeeze-and-Excitation Networks, CVPR 2018.
    Quirks: the factors come first. They are of single samples; Scale with two bottoms and axis: 0, and an Eltwise after
    it, compute the same.
    """

    num_bottoms = 3

    def reshape(self, bottom, top):
        a, x, z = (blob.shape for blob in bottom)
        if len(x) < 2 or x != z:
            raise ShapeError(self.where, expected="bottoms 1 and 2 of one shape (N, C, …)", got=f"{x} and {z}")
        if a[:2] != x[:2] or any(size != 1 for size in a[2:]):
            raise ShapeError(self.where, expected=f"factors {x[:2]}, further axes of size 1, in bottom 0", got=a,
                             hint="the order is factors, x, and what is added")
        self.grouped = folded(x, 2)
        top[0].reshape(x)

    def forward(self, bottom, top):
        def part(a, x, z, y):
            self.xp.multiply(x, a, out=y)
            y += z

        in_parts(part, bottom[0].data.reshape(-1, 1),
                 *(array.reshape(self.grouped) for array in (bottom[1].data, bottom[2].data, top[0].data)))

    def backward(self, top, propagate_down, bottom):
        def part(a, x, dy, da, dx):
            if propagate_down[0]:
                da[:, 0] = self.xp.einsum("rp,rp->r", x, dy)
            if propagate_down[1]:
                self.xp.multiply(dy, a, out=dx)

        x, dy, dx = (array.reshape(self.grouped) for array in (bottom[1].data, top[0].diff, bottom[1].diff))
        a, da = (array.reshape(-1, 1) for array in (bottom[0].data, bottom[0].diff))
        in_parts(part, a, x, dy, da, dx)
        if propagate_down[2]:
            bottom[2].diff[...] = top[0].diff
