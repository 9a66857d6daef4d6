"""DummyData."""

from __future__ import annotations

from blobnet.backend import random_stream
from blobnet.core.fillers import fill
from blobnet.core.registry import register
from blobnet.errors import NetError
from blobnet.layers.data._base import Source
from blobnet.proto.messages import new

LEGACY = ("num", "channels", "height", "width")


@register
class DummyData(Source):
    """Made-up values.

    y_i = value, or with a filler other than constant y_i = fill(), drawn anew in every forward

    Bottoms: none   Tops: y_0, y_1, ... of the shapes given   Params: none
    Options: data_filler (constant 0), shape or num, channels, height, width; each once for all tops or once a top
    Paper: none.
    Quirks: constants are written once, before the first forward, so what another layer or a user writes over them
    stays; other fillers draw new values in every forward.
    """

    options_field = "dummy_data_param"

    @classmethod
    def needs_data(cls, layer):
        return any(filler.type != "constant" for filler in layer.dummy_data_param.data_filler)

    @classmethod
    def declared_shapes(cls, layer, batch):
        options, count = layer.dummy_data_param, len(layer.top)
        sizes = [[*getattr(options, field)] for field in LEGACY]
        shapes = [tuple(shape.dim) for shape in options.shape] or list(zip(*(
            values * count if len(values) == 1 else values for values in sizes)))
        return shapes * count if len(shapes) == 1 else shapes

    def setup(self, bottom, top):
        fillers = [new("FillerParameter")] * len(top)
        if self.options.data_filler:
            fillers = self._one_a_top("data_filler", len(top))
        self._check_shapes(len(top))
        for blob, shape in zip(top, self.declared_shapes(self.param, 0)):
            blob.reshape(shape)
        for blob, filler in zip(top, fillers):
            constant = filler.type == "constant"  # others are tried only, so that forward meets no wrong one
            fill(blob.data if constant else self.xp.empty_like(blob.data), filler, self._fill_stream, self.where)
        self.refilled = [(i, filler) for i, filler in enumerate(fillers) if filler.type != "constant"]

    def _check_shapes(self, count: int) -> None:
        old = any(getattr(self.options, field) for field in LEGACY)
        if old and self.options.shape:
            raise NetError(self.where, "shape and num, channels, height, width exclude each other", hint="keep shape")
        for field in LEGACY if old else ["shape"]:
            self._one_a_top(field, count)

    def _one_a_top(self, field: str, count: int) -> list:
        values = list(getattr(self.options, field))
        if len(values) not in (1, count):
            raise NetError(self.where, expected=f"one {field}, or one a top ({count})", got=len(values))
        return values * count if len(values) == 1 else values

    def forward(self, bottom, top):
        batch = self.context.processes.batch(self.context.step)
        rng = random_stream(self.context.seed, self.index, batch)  # fillers draw on the host
        for i, filler in self.refilled:
            fill(top[i].data, filler, rng, self.where)
