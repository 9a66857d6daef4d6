"""Embedding layer."""

from __future__ import annotations

from blobnet.core.layer import Layer
from blobnet.core.registry import register
from blobnet.errors import NetError
from blobnet.ops.indices import numbers_below, scatter_add


@register
class Embed(Layer):
    """Replace every index by its row of a table.

    y[n, k] = weight[x[n], k] + bias[k],   dweight[x[n], k] += dy[n, k],   dbias[k] += sum over n of dy[n, k]

    Bottoms: x (N, T), or any shape: integers in 0 ... I-1
    Tops: y (N, T, K), the axes of x and one more
    Params: weight (I, K), bias (K)
    Options: num_output K, input_dim I, bias_term (true), weight_filler, bias_filler
    Paper: Bengio et al., A neural probabilistic language model, JMLR 2003.
    Quirks: x has no gradient: asking for one is an error, and force_backward does not ask for it.
    """

    options_field = "embed_param"
    param_names = ("weight", "bias")
    key_options = {"num_output": ""}
    unforced_bottoms = (0,)

    def setup(self, bottom, top):
        options = self.options
        for field in ("num_output", "input_dim"):
            if not getattr(options, field):
                raise NetError(self.where, expected=f"{field} above 0", got=getattr(options, field))
        self.add_param((options.input_dim, options.num_output), options.weight_filler)
        if options.bias_term:
            self.add_param((options.num_output,), options.bias_filler)

    def reshape(self, bottom, top):
        top[0].reshape((*bottom[0].shape, self.options.num_output))

    def _indices(self, blob):
        """The indices, flat; DataError if one has no row."""
        return numbers_below(blob.data, self.options.input_dim, self.where, self.param.bottom[0], "indices",
                             "input_dim must cover all indices")[0].reshape(-1)

    def formula(self, x, weight, bias=0):
        return weight[x.astype(int)] + bias

    def forward(self, bottom, top):
        self.indices = self._indices(bottom[0])
        y = top[0].data.reshape(-1, self.options.num_output)
        self.xp.take(self.param_data(0), self.indices, axis=0, out=y)
        if self.options.bias_term:
            y += self.param_data(1)

    def backward(self, top, propagate_down, bottom):
        if propagate_down[0]:
            raise NetError(self.where, "indices have no gradient", hint="nothing below may learn")
        dy = top[0].diff.reshape(-1, self.options.num_output)
        if self.param_propagate_down[0]:
            scatter_add(self.param_diff(0), self.indices, dy)
        if self.options.bias_term and self.param_propagate_down[1]:
            self.param_diff(1)[...] += dy.sum(axis=0)
