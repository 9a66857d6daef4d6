"""What goes into Lstm and comes out: sequences of one length, their parameters, the states that are carried."""

from __future__ import annotations

from math import prod

from blobnet.core.blob import Blob
from blobnet.core.layer import Layer
from blobnet.errors import NetError, ShapeError
from blobnet.ops.recurrence import Recurrence


class OneLength(Layer):
    """T steps of N sequences side by side, over states of H numbers: `shape` is (T, N, H)."""

    options_field = "lstm_param"
    param_names = ("W", "U", "b")
    key_options = {"num_output": ""}
    published_gradient = True
    num_bottoms = (1, 2)
    unforced_bottoms = (1,)

    def setup(self, bottom, top):
        options, rows = self.options, 4 * self.options.num_output
        if not rows or not options.batch_size:
            raise NetError(self.where, expected="num_output and batch_size above 0",
                           got=f"{options.num_output} and {options.batch_size}",
                           hint="write num_output, the size of the state, in lstm_param")
        self.add_param((rows, self._layout(bottom[0])[2]), options.weight_filler)
        self.add_param((rows, options.num_output), options.weight_filler)
        self.add_param((rows,), options.bias_filler)
        self.states = [Blob((), self.xp, self.dtype) for _ in range(2)]

    def _layout(self, x) -> tuple[int, ...]:
        """T, N, I of an input."""
        n, shape = self.options.batch_size, x.shape
        if x.num_axes == 3 and (shape[1] == n or not self.options.HasField("batch_size")):
            return shape
        if x.num_axes in (0, 3) or shape[0] % n:
            raise ShapeError(self.where, expected=f"x (T, {n}, I) or (T * {n}, I), by batch_size", got=shape)
        return shape[0] // n, n, prod(shape[1:])

    def reshape(self, bottom, top):
        self.steps, num, inputs = self._layout(bottom[0])
        rows, wanted = self.param_data(0).shape
        if inputs != wanted or not self.steps:
            raise ShapeError(self.where, expected=f"a step at least, of {wanted} numbers a row", got=bottom[0].shape)
        if any(blob.count != self.steps * num for blob in bottom[1:]):
            raise ShapeError(self.where, expected=f"{self.steps * num} numbers in clip, one a row", got=bottom[1].shape)
        self.shape = self.steps, num, rows // 4
        top[0].reshape(self.shape if bottom[0].num_axes == 3 else (self.steps * num, rows // 4))
        for blob in self.states:
            blob.reshape(self.shape[1:])
        self.recurrence = Recurrence(self.xp, self.dtype, *self.shape, rows)
        self.gates, self.cont = (self.xp.empty(shape, self.dtype) for shape in ((4, *self.shape), (self.steps, num, 1)))
        self.before, self.squashed = (self.xp.empty(self.shape, self.dtype) for _ in range(2))  # before: h[t-1]
        self.cells = self.xp.empty((self.steps + 1, *self.shape[1:]), self.dtype)

    def seek(self, step):
        self.states = [Blob(blob.shape, self.xp, self.dtype) for blob in self.states]

    def multiply_adds(self, bottom, top):
        return self.steps * self.shape[1] * (self.blobs[0].count + self.blobs[1].count)
