"""What goes into LSTM and RNN and comes out: sequences, the parameters of their inputs, the states that are carried."""

from __future__ import annotations

from math import prod

from blobnet.core.blob import Blob
from blobnet.core.layer import Layer
from blobnet.errors import NetError, ShapeError


def refuse_cont(where: str, wanted: bool) -> None:
    """NetError if the continuation indicators should get a gradient."""
    if wanted:
        raise NetError(where, "the continuation indicators (cont) have no gradient",
                       hint="let cont come from data, not from a layer that learns, or write propagate_down: false")


class Sequences(Layer):
    """T steps of N sequences side by side, over states of H = num_output numbers that start where cont is 0.

    A subclass sets `num_gates`, the rows of the parameters in units of H, and `num_states`. The states that are not
    exposed are kept from forward to forward, and get no gradient.
    """

    options_field = "recurrent_param"
    key_options = {"num_output": ""}
    unforced_bottoms = (1,)
    num_gates: int
    num_states: int

    @classmethod
    def parameter_names(cls, layer):
        static = len(layer.bottom) > 2 + cls.num_states * layer.recurrent_param.expose_hidden
        return tuple(name for name in cls.param_names if static or not name.endswith("_static"))

    def setup(self, bottom, top):
        options, exposed = self.options, self.num_states * self.options.expose_hidden
        self._check_arity("bottom", (2 + exposed, 3 + exposed), len(bottom))
        self._check_arity("top", 1 + exposed, len(top))
        if not options.num_output:
            raise NetError(self.where, expected="num_output above 0", got=options.num_output,
                           hint="write num_output, the size of the state, in recurrent_param")
        self.static = len(bottom) > 2 + exposed
        rows = self.num_gates * options.num_output
        self.add_param((rows, self._row_size(bottom[0], 2)), options.weight_filler)
        self.add_param((rows,), options.bias_filler)
        if self.static:
            self.add_param((rows, self._row_size(bottom[2], 1)), options.weight_filler)
        self.hidden = len(self.blobs)  # the position of W_h
        self.add_param((rows, options.num_output), options.weight_filler)
        self.states = [Blob((), self.xp, self.dtype) for _ in range(self.num_states)]

    def _row_size(self, blob, axes: int) -> int:
        """The numbers of one row of an input, whose first `axes` axes count the rows."""
        if blob.num_axes <= axes:
            raise ShapeError(self.where, expected=f"an input of more than {axes} axes", got=blob.shape,
                             hint="x is (T, N, ...), x_static (N, ...)")
        return prod(blob.shape[axes:])

    def reshape(self, bottom, top):
        for i, axes in [(0, 2), (2, 1)][:1 + self.static]:
            wanted = self.param_data(i).shape[1]
            if self._row_size(bottom[i], axes) != wanted:
                raise ShapeError(self.where, f"bottom {i} {self.param.bottom[i]!r}", got=bottom[i].shape,
                                 expected=f"{wanted} numbers a row, as the weights have")
        self.steps, self.num = bottom[0].shape[:2]
        size = self.options.num_output
        state = (1, self.num, size)
        if not self.steps:
            raise ShapeError(self.where, expected="at least one time step", got=bottom[0].shape)
        wanted = [(1, (self.steps, self.num))] + [(i, state) for i in range(2 + self.static, len(bottom))]
        for i, shape in wanted:
            if bottom[i].shape != shape:
                raise ShapeError(self.where, f"bottom {i} {self.param.bottom[i]!r}", expected=f"shape {shape}",
                                 got=bottom[i].shape, hint="" if i > 1 else "cont has one number a step and sequence")
        if self.static and bottom[2].shape[0] != self.num:
            raise ShapeError(self.where, expected=f"{self.num} rows of x_static, one a sequence", got=bottom[2].shape)
        top[0].reshape((self.steps, self.num, size))
        for blob in [*self.states, *top[1:]]:
            blob.reshape(state)

    def inputs(self, bottom) -> dict[str, Blob]:
        """The inputs of Caffe's net of single steps, by its names and in its order."""
        states = dict(zip(("h_0", "c_0"), bottom[2 + self.static:] or self.states))
        return dict(zip(("x", "cont", "x_static"), bottom[:2 + self.static])) | dict(sorted(states.items()))

    def seek(self, step):
        """Forget the carried states: after a restored snapshot they begin at 0."""
        self.states = [Blob(blob.shape, self.xp, self.dtype) for blob in self.states]

    def multiply_adds(self, bottom, top):
        total = self.steps * self.num * sum(blob.count for blob in self.blobs if blob.num_axes == 2)
        return total - (self.steps - 1) * self.num * self.blobs[2].count * self.static
