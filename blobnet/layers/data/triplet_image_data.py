"""TripletImageData."""

from __future__ import annotations

import os

from blobnet.core.context import TRAIN
from blobnet.core.registry import register
from blobnet.data.batches.first_record import listed_image
from blobnet.data.batches.image_triplets import ImageTripletBatches
from blobnet.data.images.lists import read_columns
from blobnet.data.images.transformer import Transformer
from blobnet.layers.data._base import BatchSource
from blobnet.layers.data._images import both_sides, check_skip, image_shape, transform_where

THREE = 3


@register
class TripletImageData(BatchSource):
    """Image files, three for each triplet of a list: queries, then similar images, then dissimilar ones.

    x[i], x[K + i], x[2K + i] = transform(resize(image of path 1, 2, 3 of line r)), r = (skip + n * K + i) mod R in
    forward n, of R lines in their order, or in a new order each epoch with shuffle

    Bottoms: none   Tops: x (3K, C, H, W), blue, green, red, or gray   Params: none
    Options: of image_data_param source, a list with "query similar dissimilar" a line; batch_size K, triplets (1);
    root_folder, put before the paths; new_height, new_width (0 = as they are), bilinear; is_color (true); shuffle
    (false); rand_skip, skip is below it (0); all of transform_param; data_param.prefetch (4 batches read ahead)
    Paper: none; the type is of the fork for similarity learning that NaiveTripletLoss is of. Slice with axis: 0 and
    three tops takes the batch apart.
    Quirks: every image has a crop and a mirror of its own. mirror is random in the TEST phase too. Paths have no
    spaces. The first image of a batch decides its shape. A layer of this name in another fork draws classes, as
    HashingImageData does.
    """

    options_field = source_field = "image_data_param"  # no batch_field: a batch has three times as many rows
    more_options = ("transform_param", "data_param")

    @classmethod
    def needs_data(cls, layer):
        return True

    @classmethod
    def declared_shapes(cls, layer, batch):
        options = layer.image_data_param
        return [image_shape(layer, THREE * options.batch_size, 3 if options.is_color else 1, options.new_height,
                            options.new_width)]

    @classmethod
    def read_shape(cls, layer, top, batch):
        options = layer.image_data_param
        if not os.path.isfile(options.source):
            return None
        image = listed_image(options, _rows(options.source)[0][0], layer.transform_param, transform_where(layer))
        return image and (THREE * options.batch_size, *image)

    @classmethod
    def count_records(cls, layer):
        return len(_rows(layer.image_data_param.source))

    def setup(self, bottom, top):
        options = self.options
        self.at_least_one(options, "batch_size")
        size, source = both_sides(options, "new_height", "new_width", self.where), self.source("image_data_param")
        rows = _rows(source)
        self.records = len(rows)
        check_skip(options.rand_skip, len(rows), self.where)
        transformer = Transformer(self.param.transform_param, self.phase == TRAIN, f"{self.where} transform_param")
        paths = [path for row in rows for path in row]
        self.read_ahead(ImageTripletBatches(paths, transformer, options.batch_size, self.dtype, self.streams(),
                                            color=options.is_color, image_size=size, shuffle=options.shuffle,
                                            rand_skip=options.rand_skip, origin=source,
                                            root_folder=options.root_folder), top)


def _rows(source: str) -> list[list[str]]:
    return read_columns(source, "query similar dissimilar")
