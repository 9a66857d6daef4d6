"""HDF5Data."""

from __future__ import annotations

from blobnet.core.registry import register
from blobnet.data.batches.first_record import hdf5_row
from blobnet.data.batches.hdf5 import HDF5Batches
from blobnet.data.stores.hdf5 import read_file_list
from blobnet.errors import NetError
from blobnet.layers.data._base import BatchSource


@register
class HDF5Data(BatchSource):
    """Rows of the datasets in HDF5 files.

    x[i] = dataset[(n * N + i) mod R] in forward n, of the R rows of all files one after another

    Bottoms: none   Tops: any number, each (N, …) with the rows of the dataset of its name   Params: none
    Options: source, a text file with names of HDF5 files, which start from the current folder; batch_size N; shuffle
    (false): files in a new order each epoch, and the rows of each file; data_param.prefetch (4 batches read ahead)
    Paper: none.
    Quirks: names of files have no spaces. Rows are shuffled in their file only. Whole files are read into memory, one
    at a time. transform_param is refused.
    """

    options_field = batch_field = "hdf5_data_param"
    more_options = ("data_param",)

    @classmethod
    def read_shape(cls, layer, top, batch):
        row = hdf5_row(layer.hdf5_data_param.source, layer.top[top])
        return None if row is None else (batch, *row)

    def setup(self, bottom, top):
        self.at_least_one(self.options, "batch_size")
        if self.param.HasField("transform_param"):
            raise NetError(self.where, "data of HDF5 files are not transformed", hint="remove transform_param")
        source = self.source("hdf5_data_param")
        batches = HDF5Batches(read_file_list(source), self.param.top, self.options.batch_size, self.dtype,
                              self.options.shuffle, self.streams(), origin=source)
        self.read_ahead(batches, top)
