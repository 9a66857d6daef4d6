"""What the layers have in common."""

import numpy as np

import blobnet
from blobnet.backend import random_stream, to_host
from blobnet.errors import ShapeError
from fast_rcnn import config


class SettingsLayer(blobnet.Layer):
    """A layer with settings, whose tops depend on the numbers in its bottoms, and which hands down no gradient.

    A subclass names its own `needs` with their defaults, and settings that it has otherwise than published, `instead`.
    """

    needs: dict = {}
    instead: dict = {}

    def setup(self, bottom, top):
        defaults = config.TRAIN if self.phase == blobnet.TRAIN else config.TEST
        defaults = type(defaults)(**{**vars(defaults), **self.instead})
        self.settings = config.settings(defaults, self.needs, self.param_str, self.where)

    def reshape(self, bottom, top):
        """Forward shapes the tops."""

    def backward(self, top, propagate_down, bottom):
        for blob, wanted in zip(bottom, propagate_down):
            if wanted:
                blob.diff[...] = 0

    def draws(self, *key: int) -> np.random.Generator:
        """The random stream of the net's seed, this layer and `key`; without a key, of this forward pass."""
        return random_stream(self.context.seed, self.index, *(key or (self.context.step,)))

    def values(self, blob, axes: int, width: int, what: str) -> np.ndarray:
        """The numbers of a bottom with rows of `width`; ShapeError for another shape."""
        values = to_host(blob.data)
        if values.ndim != axes or values.shape[-1] != width:
            raise ShapeError(self.where, expected=f"{what} (N, {width})", got=values.shape)
        return values.astype(np.float64)

    def write(self, top, *arrays: np.ndarray) -> None:
        """Shape the tops as the arrays, and fill them."""
        for blob, values in zip(top, arrays):
            blob.reshape(values.shape)
            blob.data[...] = self.xp.asarray(values)
