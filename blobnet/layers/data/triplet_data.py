"""TripletData."""

from __future__ import annotations

from blobnet.core.context import TRAIN
from blobnet.core.registry import register
from blobnet.data.batches.chosen import ChosenBatches
from blobnet.data.batches.datums import DatumBatches
from blobnet.data.batches.triplets import Triplets
from blobnet.data.images.transformer import Transformer
from blobnet.data.stores.database import open_database
from blobnet.data.stores.records import Records
from blobnet.errors import NetError
from blobnet.layers.data._images import DatabaseSource


@register
class TripletData(DatabaseSource):
    """Images and labels from a database of Datum records: queries, then similar images, then dissimilar ones.

    N = 3 n; for i < n, at random in every forward:
    x[i] = transform(any record), x[n + i] = transform(another record of its class),
    x[2n + i] = transform(a record of another class)

    Bottoms: none   Tops: x (N, C, H, W); labels (N,), may be left out   Params: none
    Options: source, backend, batch_size N, prefetch (batches read ahead) of data_param, and all of transform_param
    Paper: Lai et al., Simultaneous Feature Learning and Hash Coding with Deep Neural Networks, CVPR 2015, learns from
    such triplets; Slice with axis: 0 and three tops takes the batch apart.
    Quirks: in the TEST phase the records come one after the other, as from Data, and N may be any number. A class of
    one image gives no query. The default backend is LEVELDB; its records are kept in memory. cat_per_iter, shuffle,
    label_num, rand_skip, force_encoded_color, and scale, mean_file, crop_size and mirror of data_param have no effect.
    """

    options_field = "data_param"
    more_options = ("transform_param",)
    num_tops = (1, 2)
    label_tops = (1,)

    def setup(self, bottom, top):
        options = self.options
        self.at_least_one(options, "batch_size")
        train, streams = self.phase == TRAIN, self.streams()
        if train and options.batch_size % 3:
            raise NetError(self.where, expected="batch_size in three equal parts", got=options.batch_size)
        reader = open_database(self.source("data_param"), type(options).DB.Name(options.backend))
        transformer = Transformer(self.param.transform_param, train, f"{self.where} transform_param")
        if train:
            records = Records(reader)
            triplets = Triplets(records.labels(), streams, reader.where)
            batches = ChosenBatches(records, triplets, transformer, options.batch_size, self.dtype, streams,
                                    len(top) > 1)
        else:
            batches = DatumBatches(reader, transformer, options.batch_size, self.dtype, streams, len(top) > 1)
        self.read_ahead(batches, top)
