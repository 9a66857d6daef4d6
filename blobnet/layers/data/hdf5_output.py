"""HDF5Output."""

from __future__ import annotations

from pathlib import Path

from blobnet.backend import to_host
from blobnet.core.layer import Layer
from blobnet.core.registry import register
from blobnet.data.stores.hdf5 import write_datasets
from blobnet.errors import DataError, NetError, ShapeError

NAMES = ("data", "label")


@register
class HDF5Output(Layer):
    """Write two blobs to an HDF5 file.

    file["data"] = x,   file["label"] = labels,   dx = 0,   dlabels = 0

    Bottoms: x (N, C, H, W) and labels (N, C', H', W'), of at most four axes
    Tops: none
    Params: none
    Options: file_name
    Paper: none.
    Quirks: both datasets have four axes, missing ones being 1. Every forward writes the file anew, atomically, so it
    holds the last batch: Caffe 1.0 stops at the second forward, versions before it wrote anew too.
    """

    options_field = "hdf5_output_param"
    num_bottoms = 2
    num_tops = 0

    def setup(self, bottom, top):
        name = self.options.file_name
        if not name:
            raise NetError(self.where, "no file_name", hint='write hdf5_output_param { file_name: "out.h5" }')
        if not Path(name).parent.is_dir():
            raise DataError(self.where, f"there is no folder {str(Path(name).parent)!r}", hint="create it first")

    def reshape(self, bottom, top):
        self.shapes = [(blob.num, blob.channels, blob.height, blob.width) for blob in bottom]
        if self.shapes[0][0] != self.shapes[1][0]:
            raise ShapeError(self.where, "bottoms of unlike batch size", expected=f"{self.shapes[0][0]} rows in both",
                             got=f"{bottom[0].shape} and {bottom[1].shape}")

    def forward(self, bottom, top):
        write_datasets(self.options.file_name, {name: to_host(blob.data).reshape(shape) for name, blob, shape
                                                in zip(NAMES, bottom, self.shapes)})

    def backward(self, top, propagate_down, bottom):
        for blob, wanted in zip(bottom, propagate_down):
            if wanted:
                blob.diff.fill(0)
