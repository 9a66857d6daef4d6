"""Data."""

from __future__ import annotations

from blobnet.core.context import TRAIN
from blobnet.core.registry import register
from blobnet.data.batches.chosen import ChosenBatches
from blobnet.data.batches.class_draws import ClassDraws
from blobnet.data.batches.datums import DatumBatches
from blobnet.data.images.transformer import Transformer
from blobnet.data.stores.database import open_database
from blobnet.data.stores.records import Records
from blobnet.errors import NetError
from blobnet.layers.data._images import DatabaseSource


@register
class Data(DatabaseSource):
    """Images and labels from a database of Datum records.

    x[i] = transform(record[(n * N + i) mod R]) in forward n, of R records in the order of their keys, or with shuffle
    in a new order each epoch; with cat_per_iter in the TRAIN phase every batch is of so many classes, drawn at random,
    and N / cat_per_iter records of each

    Bottoms: none   Tops: x (N, C, H, W); labels (N,), or (N, label_num) if that is above 1, may be left out
    Params: none
    Options: source, backend, batch_size N, prefetch (batches read ahead), shuffle (false), label_num (1), cat_per_iter
    (0: records in order), all of transform_param
    Paper: none; cat_per_iter draws as HashingImageData does.
    Quirks: the default backend is LEVELDB. mirror is random in the TEST phase too; crops are random in TRAIN only. The
    first image of a batch decides its shape, so batch_size: 1 reads images of any size. With cat_per_iter the records
    of a class stand together; where it does not divide N, the classes drawn first have one record more. scale,
    mean_file, crop_size and mirror of data_param are the old places of these fields of transform_param: here they have
    no effect, but the upgrade of a net of the old `layers` moves them. force_encoded_color, rand_skip, cache, precache,
    threads and parser_threads have none, nor have distort_param, expand_param and emit_constraint of transform_param,
    which AnnotatedData takes. shuffle is of two forks: in NVIDIA's it asks for cache and begins with the
    second epoch, in Intel's it asks for an LMDB. Several labels are those of a Datum whose field label a fork repeats,
    or numbers in float_data beside the bytes of the image.
    """

    options_field = "data_param"
    more_options = ("transform_param",)
    num_tops = (1, 2)
    label_tops = (1,)

    @classmethod
    def declared_shapes(cls, layer, batch):
        image, labels = super().declared_shapes(layer, batch)
        count = layer.data_param.label_num
        return [image, (batch, count) if count > 1 else labels]

    def setup(self, bottom, top):
        options = self.options
        self.at_least_one(options, "batch_size", "label_num")
        reader = open_database(self.source("data_param"), type(options).DB.Name(options.backend))
        self.records = len(reader)
        train, streams = self.phase == TRAIN, self.streams()
        transformer = Transformer(self.param.transform_param, train, f"{self.where} transform_param")
        if train and options.cat_per_iter:
            if options.shuffle or options.label_num > 1:
                raise NetError(self.where, "cat_per_iter beside shuffle or label_num",
                               hint="it draws at random, by one label a record")
            records = Records(reader)
            draws = ClassDraws(records.labels(), options.cat_per_iter, streams, self.where)
            batches = ChosenBatches(records, draws, transformer, options.batch_size, self.dtype, streams,
                                    len(top) > 1)
        else:
            batches = DatumBatches(reader, transformer, options.batch_size, self.dtype, streams, len(top) > 1,
                                   label_num=options.label_num, shuffle=options.shuffle)
            self.record_names = None if options.shuffle else reader.keys
        self.read_ahead(batches, top)
