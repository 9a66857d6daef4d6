"""MultiLabelImageData."""

from __future__ import annotations

import os

from blobnet.core.registry import register
from blobnet.data.images.lists import read_number_list
from blobnet.layers.data._images import ImageSource


@register
class MultiLabelImageData(ImageSource):
    """Images, and several numbers for each, such as labels or the places of points, from the files of a list.

    x[i], y[i] = transform(resize(image[r])), numbers[r] with r = (skip + n * N + i) mod R in forward n, of R lines in
    their order, or in a new order each epoch with shuffle

    Bottoms: none   Tops: x (N, C, H, W), blue, green, red, or gray; y (N, L)   Params: none
    Options: source, a list with "path number number …" a line, L numbers in each; label_num L (as many as the first
    line has), which a net needs that is looked at without its data; batch_size N (1); root_folder, put before the
    paths; new_height, new_width (0 = as they are), bilinear; is_color (true); shuffle (false); rand_skip, skip is below
    it (0); all of transform_param; data_param.prefetch (4 batches read ahead)
    Paper: none; the type is of the Windows fork of Caffe.
    Quirks: numbers may have fractions; neither crop nor mirror changes them, so mirror does not go with points. Without
    label_num a path has no spaces. face_transform and balance_class of the fork are not here. The rest is as of
    ImageData.
    """

    label_tops = ()  # they need not be whole numbers

    @classmethod
    def read_list(cls, options):
        return read_number_list(options.source, options.label_num if options.HasField("label_num") else 0)

    @classmethod
    def declared_shapes(cls, layer, batch):
        options = layer.image_data_param
        image = super().declared_shapes(layer, batch)[0]
        return [image, (batch, options.label_num)] if options.HasField("label_num") else [image]

    @classmethod
    def read_shape(cls, layer, top, batch):
        if top and os.path.isfile(layer.image_data_param.source):
            return batch, cls.read_list(layer.image_data_param)[1].shape[1]
        return super().read_shape(layer, top, batch)

    def setup(self, bottom, top):
        self.read_ahead(self.images(shuffle=self.options.shuffle, rand_skip=self.options.rand_skip), top)
