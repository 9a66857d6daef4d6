"""TripletListData."""

from __future__ import annotations

from blobnet.core.context import TRAIN
from blobnet.core.registry import register
from blobnet.data.batches.triplet_list import TripletListBatches, read_triplet_list
from blobnet.data.images.transformer import Transformer
from blobnet.data.stores.database import open_database
from blobnet.data.stores.records import Records
from blobnet.errors import NetError
from blobnet.layers.data._images import DatabaseSource


@register
class TripletListData(DatabaseSource):
    """Images of a database, three for each triplet of a list: queries, then positives, then negatives.

    N = 3 k; for i < k in forward n, with triplet (q, p, o) = list[(n k + i) mod T]:
    x[i], x[k + i], x[2k + i] = transform(record[q]), transform(record[p]), transform(record[o])

    Bottoms: none   Tops: x (N, C, H, W); attributes (N, A) of those records, may be left out   Params: none
    Options: source, backend, batch_size N, prefetch (batches read ahead) of data_param; of triplet_list_param source,
    an HDF5 file, dataset, which has the list (T, 3) of record numbers there ("triplets"), and attributes A, the columns
    of its dataset "attributes", which has a row a record (0: none); all of transform_param
    Paper: the triplets and attributes of Song et al., Deep Multi-task Attribute-driven Ranking for Fine-grained
    Sketch-based Image Retrieval, BMVC 2016; Slice with axis: 0 and three tops takes the batch apart.
    Quirks: in the TRAIN phase every epoch has a new order. mirror turns all three images of a triplet or none, in
    either phase, and a mean_file is not turned with them. The default backend is LEVELDB; its records are kept in
    memory.
    """

    options_field = "triplet_list_param"
    more_options = ("data_param", "transform_param")
    num_tops = (1, 2)
    label_tops = (1,)

    @classmethod
    def declared_shapes(cls, layer, batch):
        return [super().declared_shapes(layer, batch)[0], (batch, layer.triplet_list_param.attributes)]

    def setup(self, bottom, top):
        options, data = self.options, self.param.data_param
        self.at_least_one(data, "batch_size")
        if data.batch_size % 3:
            raise NetError(self.where, expected="batch_size in three equal parts", got=data.batch_size)
        if len(top) > 1:
            self.at_least_one(options, "attributes")
        records = Records(open_database(self.source("data_param"), type(data).DB.Name(data.backend)))
        listed = read_triplet_list(self.source("triplet_list_param"), options.dataset, len(records), options.attributes)
        transformer = Transformer(self.param.transform_param, self.phase == TRAIN, f"{self.where} transform_param")
        batches = TripletListBatches(records, *listed, transformer, data.batch_size, self.dtype, self.streams(),
                                     shuffle=self.phase == TRAIN)
        self.read_ahead(batches, top)
