"""A parameter as a blob."""

from __future__ import annotations

from blobnet.core.layer import Layer
from blobnet.core.registry import register
from blobnet.core.terms import Factor, Place, Terms
from blobnet.core.view_layer import hang_weight


@register
class Parameter(Layer):
    """Hand a learned parameter to other layers, as a blob.

    y = weight,   dweight = dy

    Bottoms: none
    Tops: y (of the shape given)
    Params: weight (as y)
    Options: parameter_param.shape; left out, y is one number without axes; blob_filler (0), what the weight starts from
    Paper: none.
    Quirks: the top shares data and diff of the parameter. The layer that reads it overwrites the diff, so gradients of
    several backward passes (iter_size) do not add up, as those of other layers do: only the last one counts. The same
    holds where several such layers share one parameter by name.
    """

    options_field = "parameter_param"
    param_names = ("weight",)
    num_bottoms = 0
    overwrites = True

    def setup(self, bottom, top):
        self.add_param(tuple(self.options.shape.dim), self.options.blob_filler)

    def reshape(self, bottom, top):
        top[0].reshape(self.blobs[0].shape)

    def terms(self, place, bottom, top):
        if place.kind == "top":
            return super().terms(place, bottom, top)
        return Terms(place, [(Factor(float(top[0].diff[place.index]), Place("top", 0, "diff", place.index)),)])

    def forward(self, bottom, top):
        top[0].share_data(self.blobs[0])
        top[0].share_diff(self.blobs[0])

    def backward(self, top, propagate_down, bottom):
        hang_weight(self, top)
