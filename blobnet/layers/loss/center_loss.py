"""Centre loss."""

from __future__ import annotations

from blobnet.core.loss_layer import LossLayer
from blobnet.core.registry import register
from blobnet.errors import NetError, ShapeError
from blobnet.ops.indices import numbers_below, scatter_add, tally


@register
class CenterLoss(LossLayer):
    """Pull the features of every class towards its centre, which follows them.

    loss = 1/(2 N) * sum_n ||x_n - c_{y_n}||^2

    dx_n = weight/N * (x_n - c_{y_n});   the centre of class k with M_k samples in the batch gets
    dc_k += 1/(1 + M_k) * sum_{n: y_n = k} (c_k - x_n)

    Bottoms: x (N, ...); labels y (N,), integers in 0 ... num_output - 1
    Tops: loss ()
    Params: centres c (num_output, D), D the numbers of a sample
    Options: center_loss_param.num_output, center_filler, axis (1): from it on the axes make up D; gradient;
    distance_type (L2, the only one here)
    Paper: Wen et al., A Discriminative Feature Learning Approach for Deep Face Recognition, ECCV 2016.
    Quirks: has no default loss_weight: without one the value is reported and nothing learns from it. The published
    gradient of the centres, shown above, is almost the mean difference, and ignores loss_weight; gradient: EXACT is the
    derivative, weight/N * sum (c_k - x_n).
    """

    options_field = "center_loss_param"
    param_names = ("centres",)
    published_gradient = True
    default_loss_weight = False

    def setup(self, bottom, top):
        if not self.options.num_output:
            raise NetError(self.where, expected="num_output, the number of classes, above 0", got=0)
        if self.options.distance_type != "L2":
            raise NetError(self.where, expected="distance_type 'L2'", got=repr(self.options.distance_type))
        self.add_param((self.options.num_output, self._rows(bottom[0])[1]), self.options.center_filler)

    def _rows(self, blob):
        """(samples, numbers of a sample)."""
        axis = blob.canonical_axis(self.options.axis, self.where)
        size = 1
        for length in blob.shape[axis:]:
            size *= length
        if size * blob.shape[0] != blob.count:
            raise ShapeError(self.where, expected=f"one feature a sample from axis {axis} on", got=blob.shape,
                             hint="axis: 1 takes all but the first axis")
        return blob.shape[0], size

    def reshape(self, bottom, top):
        self.rows = self._rows(bottom[0])
        wanted = self.param_data(0).shape[1]
        if self.rows[1] != wanted:
            raise ShapeError(self.where, expected=f"{wanted} numbers a sample, as the centres have",
                             got=bottom[0].shape)
        if bottom[1].count != self.rows[0]:
            raise ShapeError(self.where, expected=f"one label a row, {self.rows[0]}", got=bottom[1].shape)
        top[0].reshape(())

    def formula(self, x, y, c):
        return ((x.reshape(self.rows) - c[y.astype(int).ravel()]) ** 2).sum() / (2 * len(x))

    def forward(self, bottom, top):
        self.labels = numbers_below(bottom[1].data, self.options.num_output, self.where, self.param.bottom[1],
                                    hint="num_output must cover all classes")[0].reshape(-1)
        self.difference = bottom[0].data.reshape(self.rows) - self.param_data(0)[self.labels]
        flat = self.difference.reshape(-1)
        top[0].data[...] = flat @ flat / max(1, len(self.labels)) / 2

    def backward(self, top, propagate_down, bottom):
        self.refuse_targets(propagate_down)
        scale = self.weight(top) / max(1, len(self.labels))
        if self.param_propagate_down[0]:
            pull = self.xp.zeros_like(self.param_data(0))
            scatter_add(pull, self.labels, self.difference)
            exact = self.options.gradient == self.options.EXACT
            count = tally(self.labels, len(pull))[:, None]
            self.param_diff(0)[...] -= pull * (scale if exact else (1 / (1 + count)).astype(self.dtype))
        if propagate_down[0]:
            self.xp.multiply(self.difference, scale, out=bottom[0].diff.reshape(self.rows))
