"""Upsample: the reverse of max pooling."""

from __future__ import annotations

from blobnet.core.layer import Layer
from blobnet.core.registry import register
from blobnet.errors import NetError, ShapeError
from blobnet.ops.indices import numbers_below


@register
class Upsample(Layer):
    """Put every value back where max pooling found it, in a plane of zeros.

    y[n, c, m] = x[n, c, h, w],   m = mask[n, c, h, w] = p * Q + q,   0 elsewhere
    dx[n, c, h, w] = dy[n, c, m],   dmask = 0

    Bottoms: x (N, C, H, W); mask (N, C, H, W), the second top of a Pooling layer with pool: MAX
    Tops: y (N, C, P, Q)
    Params: none
    Options: upsample_h P and upsample_w Q; or scale (2), or scale_h and scale_w, which multiply H and W, less 1 with
    pad_out_h, pad_out_w (false; for a scale of 2, where the pooled plane had an odd size)
    Paper: Badrinarayanan, Kendall and Cipolla, SegNet: A deep convolutional encoder-decoder architecture for image
    segmentation, PAMI 2017, section 3.
    Quirks: with one bottom an Upsample is that of forks for YOLO, UpsampleNearest. Of values with one place in a
    channel y keeps the last (on a GPU, any of them), and each of them takes the whole dy. upsample_h and upsample_w
    win over scales; one of them alone is ignored. In the fork y keeps its first size when x is reshaped; here it
    follows x.
    """

    options_field = "upsample_param"
    num_bottoms = 2
    unforced_bottoms = (1,)

    def setup(self, bottom, top):
        options = self.options
        given = {name for name in ("scale", "scale_h", "scale_w", "upsample_h", "upsample_w") if options.HasField(name)}
        self.size, self.scale = (), (options.scale, options.scale)
        if given >= {"upsample_h", "upsample_w"}:
            self.size = options.upsample_h, options.upsample_w
        elif given & {"scale_h", "scale_w"}:
            if given - {"upsample_h", "upsample_w"} != {"scale_h", "scale_w"}:
                raise NetError(self.where, expected="scale, or scale_h and scale_w, or upsample_h and upsample_w",
                               got=" and ".join(sorted(given)))
            self.scale = options.scale_h, options.scale_w
        if min(self.size or self.scale) < 2:
            raise NetError(self.where, expected="sizes and scales above 1", got=self.size or self.scale)
        self.cut = (0, 0) if self.size else (int(options.pad_out_h), int(options.pad_out_w))
        if any(cut and scale != 2 for cut, scale in zip(self.cut, self.scale)):
            raise NetError(self.where, expected="a scale of 2 where pad_out_h or pad_out_w is true", got=self.scale,
                           hint="write upsample_h and upsample_w instead")

    def reshape(self, bottom, top):
        shape = bottom[0].shape
        if len(shape) != 4 or bottom[1].shape != shape:
            raise ShapeError(self.where, expected="x and its mask, both of one shape (N, C, H, W)",
                             got=f"{shape} and {bottom[1].shape}")
        sizes = self.size or [size * scale - cut for size, scale, cut in zip(shape[2:], self.scale, self.cut)]
        top[0].reshape((*shape[:2], *sizes))

    def forward(self, bottom, top):
        (num, channels, *plane), name = top[0].shape, self.param.bottom[1]
        places = plane[0] * plane[1]
        mask, _ = numbers_below(bottom[1].data, places, self.where, name, f"places {name!r} of a plane {tuple(plane)}",
                                "let upsample_h and upsample_w be the size that Pooling had before it")
        mask += places * self.xp.arange(num * channels).reshape(num, channels, 1, 1)
        self.places = mask.reshape(-1)
        top[0].data.fill(0)
        top[0].data.reshape(-1)[self.places] = bottom[0].data.reshape(-1)

    def backward(self, top, propagate_down, bottom):
        if propagate_down[0]:
            bottom[0].diff[...] = top[0].diff.reshape(-1)[self.places].reshape(bottom[0].shape)
        if propagate_down[1]:
            bottom[1].diff.fill(0)
