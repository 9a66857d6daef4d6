"""What data layers share."""

from __future__ import annotations

from blobnet.core.layer import Layer
from blobnet.data.prefetch import Prefetch


class Source(Layer):
    """A layer without bottoms. Setup gives the tops their shapes, and a user may change them later."""

    num_bottoms = 0
    num_tops = (1, None)

    def reshape(self, bottom, top):
        pass

    def backward(self, top, propagate_down, bottom):
        pass  # nothing lies below


class BatchSource(Source):
    """A source that reads batches ahead. A subclass makes `self.batches`, a Prefetch, in setup.

    Forward number n copies batch n, whatever its shape, into the tops.
    """

    batches: Prefetch

    def forward(self, bottom, top):
        for blob, values in zip(top, self.batches.take()):  # a batch may hold labels that nobody asked for
            blob.reshape(values.shape)
            blob.data[...] = self.xp.asarray(values)

    def seek(self, step):
        self.batches.seek(step)
