"""PairData."""

from __future__ import annotations

from blobnet.core.context import TRAIN
from blobnet.core.registry import register
from blobnet.data.batches.pairs import PairBatches, draw_pairs, read_pairs
from blobnet.data.images.transformer import Transformer
from blobnet.data.stores.database import open_database
from blobnet.data.stores.records import Records
from blobnet.errors import NetError
from blobnet.layers.data._images import DatabaseSource


@register
class PairData(DatabaseSource):
    """Pairs of images of a database, fixed beforehand, and whether they are similar.

    a[i], b[i], s[i] = transform(record[i_p]), transform(record[j_p]), s_p with p = (n * N + i) mod P in forward n,
    of P pairs (i_p, j_p, s_p)

    Bottoms: none   Tops: a (N, C, H, W), b (as a), s (N,), 1 for similar and 0 for other pairs   Params: none
    Options: source, backend, batch_size N of data_param; of pair_data_param either source, a list with "i j similar" a
    line, i and j being numbers of records from 0 on; or count P pairs drawn among all records, with similar = equal
    labels, by NumPy's RandomState(seed); all of transform_param; data_param.prefetch (4 batches read ahead)
    Paper: the pairs of a Siamese net, against which Liu et al., Deep Supervised Hashing for Fast Image Retrieval, CVPR
    2016, set the pairs of all images of a batch.
    Quirks: the default backend is LEVELDB; its records are kept in memory. mirror is random in both phases.
    """

    options_field = "pair_data_param"
    more_options = ("data_param", "transform_param")
    num_tops = 3
    label_tops = (2,)

    @classmethod
    def declared_shapes(cls, layer, batch):
        images, labels = super().declared_shapes(layer, batch)
        return [images, images, labels]

    def setup(self, bottom, top):
        options, data = self.options, self.param.data_param
        self.at_least_one(data, "batch_size")
        if bool(options.source) == bool(options.count):
            raise NetError(self.where, expected="either source or count in pair_data_param",
                           got="both" if options.count else "neither")
        records = Records(open_database(self.source("data_param"), type(data).DB.Name(data.backend)))
        if options.count and len(records) < 2:
            raise NetError(self.where, expected="two records at least, to draw pairs of", got=len(records))
        pairs = (read_pairs(options.source, len(records)) if options.source
                 else draw_pairs(records.labels(), options.count, options.seed))
        transformer = Transformer(self.param.transform_param, self.phase == TRAIN, f"{self.where} transform_param")
        batches = PairBatches(records, pairs, transformer, data.batch_size, self.dtype, self.streams())
        self.read_ahead(batches, top)
