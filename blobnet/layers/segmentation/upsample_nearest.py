"""UpsampleNearest: every place becomes a block."""

from __future__ import annotations

from blobnet.core.moving_layer import MovingLayer
from blobnet.core.registry import register
from blobnet.errors import NetError, ShapeError


@register
class UpsampleNearest(MovingLayer):
    """Repeat every row and every column so many times.

    y[n, c, p, q] = x[n, c, p // s_h, q // s_w],   dx[n, c, h, w] = sum of dy over its block of s_h x s_w places

    Bottoms: x (N, C, H, W)    Tops: y (N, C, H s_h, W s_w)    Params: none
    Options: scale (2) for both axes, or scale_h and scale_w
    Paper: Redmon and Farhadi, YOLOv3: An incremental improvement, 2018.
    Quirks: forks for YOLO call it Upsample, as SegNet calls the reverse of max pooling, Upsample here; in a net, an
    Upsample of one bottom without pad_out and upsample_h or _w is this one. They have `scale` alone.
    """

    options_field = "upsample_param"
    variant_of = "Upsample"

    @classmethod
    def claims(cls, param):
        given = {field.name for field, _ in param.upsample_param.ListFields()}
        return len(param.bottom) == 1 and given <= {"scale", "scale_h", "scale_w"}

    def setup(self, bottom, top):
        options = self.options
        given = [name for name in ("scale", "scale_h", "scale_w") if options.HasField(name)]
        if given not in ([], ["scale"], ["scale_h", "scale_w"]):
            raise NetError(self.where, expected="scale, or scale_h and scale_w", got=" and ".join(given))
        self.scale = (options.scale_h, options.scale_w) if len(given) == 2 else (options.scale, options.scale)
        if min(self.scale) < 1:
            raise NetError(self.where, expected="scales of at least 1", got=self.scale)

    def reshape(self, bottom, top):
        if bottom[0].num_axes != 4:
            raise ShapeError(self.where, expected="axes (N, C, H, W)", got=bottom[0].shape)
        num, channels, height, width = bottom[0].shape
        self.blocks = num, channels, height, self.scale[0], width, self.scale[1]
        top[0].reshape((num, channels, height * self.scale[0], width * self.scale[1]))

    def forward(self, bottom, top):
        top[0].data.reshape(self.blocks)[...] = bottom[0].data[:, :, :, None, :, None]

    def backward(self, top, propagate_down, bottom):
        if propagate_down[0]:
            top[0].diff.reshape(self.blocks).sum(axis=(3, 5), out=bottom[0].diff)
