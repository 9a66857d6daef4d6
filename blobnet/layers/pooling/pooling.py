"""Pooling layer."""

from __future__ import annotations

from blobnet.core.layer import Layer
from blobnet.core.registry import register
from blobnet.errors import NetError, ShapeError
from blobnet.ops.im2col import Axis
from blobnet.ops.windows import MaxPool, average_matrices, average_pool, pooled_size


@register
class Pooling(Layer):
    """Take the maximum or the average of each window of each channel.

    MAX  y[n, c, p, q] = max of x[n, c, h, w] over the window's h, w;   dx[n, c, h, w] = sum of dy whose maximum it is
    AVE  y[n, c, p, q] = sum of x[n, c, h, w] over the window's h, w / divisor;   dx = sum of dy / divisor
    The window of p starts at p * stride - pad and has `kernel` rows, less those outside x.
    P = (H + 2 pad - R) / stride + 1, rounded up (round_mode FLOOR: down)

    Bottoms: x (N, C, H, W)    Tops: y (N, C, P, Q)[, MAX only: where each maximum lies, h * W + w]    Params: none
    Options: pool (MAX), kernel_size or kernel_h and kernel_w, stride (1), pad (0) or their _h and _w fields,
    round_mode (CEIL), global_pooling (the window is the whole plane); engine is accepted, without effect
    Paper: LeCun et al., Gradient-based learning applied to document recognition, Proceedings of the IEEE 1998 (AVE);
    Ranzato et al., Unsupervised learning of invariant feature hierarchies, CVPR 2007 (MAX).
    Quirks: with padding, a last window that would start beyond x and its near padding is dropped. The divisor of AVE
    counts padding, but not beyond H + pad. The first of equal maxima takes the gradient. Without padding, a stride
    above the kernel can leave a last window beyond x: its maximum is the lowest number, its average 0, and it passes no
    gradient.
    """

    options_field = "pooling_param"
    num_bottoms, num_tops = 1, (1, 2)

    def setup(self, bottom, top):
        options = self.options
        if options.pool not in (options.MAX, options.AVE):
            raise NetError(self.where, expected="pool: MAX or AVE", got="pool: STOCHASTIC", hint="it needs a plug-in")
        self.is_max = options.pool == options.MAX
        if len(top) == 2 and not self.is_max:
            raise NetError(self.where, "the second top is for pool: MAX", expected="1 top", got="2 tops")
        self.kernel = None if options.global_pooling else self._pair("kernel", "kernel_size", None, least=1)
        self.pad, self.stride = self._pair("pad", "pad", 0), self._pair("stride", "stride", 1, least=1)
        if options.global_pooling:
            given = [field for field in ("kernel_size", "kernel_h", "kernel_w") if options.HasField(field)]
            if given or (self.pad, self.stride) != ((0, 0), (1, 1)):
                raise NetError(self.where, expected="no kernel, pad 0 and stride 1 with global_pooling",
                               got=", ".join([*given, f"pad {self.pad}", f"stride {self.stride}"]))
        elif any(pad >= kernel for pad, kernel in zip(self.pad, self.kernel)):
            raise NetError(self.where, expected=f"pad below the kernel {self.kernel}", got=f"pad {self.pad}")

    def _pair(self, prefix, field, default, least=0):
        """(h, w) of an option given once, or in two fields."""
        options, names = self.options, (f"{prefix}_h", f"{prefix}_w")
        given = [name for name in (field, *names) if options.HasField(name)]
        if given not in ([field], [*names], [] if default is not None else [field]):
            expected = f"{field}, or {names[0]} and {names[1]}"
            raise NetError(self.where, expected=expected, got=" and ".join(given) or "neither")
        pair = tuple(getattr(options, name) for name in (names if len(given) == 2 else (field, field)))
        if min(pair) < least:
            raise NetError(self.where, expected=f"{field} at least {least}", got=pair)
        return pair

    def reshape(self, bottom, top):
        shape = bottom[0].shape
        if len(shape) != 4:
            raise ShapeError(self.where, expected="4 axes (N, C, H, W)", got=shape)
        kernel, ceil = self.kernel or shape[2:], self.options.round_mode == self.options.CEIL
        sizes = list(zip(shape[2:], kernel, self.stride, self.pad))
        axes = [Axis(size, pooled_size(size, k, s, p, ceil), k, s, 1, p) for size, k, s, p in sizes]
        if any(axis.out < 1 for axis in axes):
            raise ShapeError(self.where, expected=f"a plane that fits a {kernel} window", got=shape, hint="raise pad")
        for blob in top:
            blob.reshape((*shape[:2], *(axis.out for axis in axes)))
        if self.is_max:
            self.windows = MaxPool(self.xp, self.dtype, *shape[:2], axes)
        else:
            self.matrices = average_matrices(self.xp, self.dtype, axes)

    def forward(self, bottom, top):
        if self.is_max:
            self.windows.forward(bottom[0].data, top[0].data)
            if len(top) == 2:
                self.windows.places(top[1].data)
        else:
            average_pool(bottom[0].data, self.matrices, top[0].data)

    def backward(self, top, propagate_down, bottom):
        if not propagate_down[0]:
            return
        if self.is_max:
            self.windows.backward(top[0].diff, bottom[0].diff)
        else:
            average_pool(top[0].diff, [matrix.T for matrix in self.matrices], bottom[0].diff)
