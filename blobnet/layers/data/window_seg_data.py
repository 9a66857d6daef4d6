"""WindowSegData."""

from __future__ import annotations

from blobnet.core.registry import register
from blobnet.data.batches.image_pairs import WindowPairs
from blobnet.layers.data._image_pairs import LabelTypeSource


@register
class WindowSegData(LabelTypeSource):
    """Windows of images and the labels of their pixels, from the files and the boxes of a list.

    x[i], y[i] = transform(crop(resize(window of image[r]))), crop(resize(window of labels[r])) with
    r = (skip + n * N + i) mod R in forward n, of R lines in their order, or in a new order each epoch with shuffle

    Bottoms: none   Tops: x (N, C, H, W), blue, green, red, or gray; y (N, 1, H, W), whole numbers 0 ... 255
    Params: none
    Options: of image_data_param source, a list as of ImageSegData with x1 y1 x2 y2 at the end of every line, the first
    and the last column and row of the window; new_height, new_width of the window (0 = as it is); label_type (IMAGE),
    ignore_label (255), batch_size N (1), root_folder, is_color (true), shuffle (false), rand_skip (0) and all of
    transform_param as of ImageSegData; data_param.prefetch (4 batches read ahead)
    Paper: Noh, Hong, Han, Learning Deconvolution Network for Semantic Segmentation, ICCV 2015.
    Quirks: outside of the image x is that of black, not of the mean, and y is ignore_label. The third top of the
    published program, the size of the image, is not here. The rest is as of ImageSegData.
    """

    more_columns = " x1 y1 x2 y2"

    @classmethod
    def read_shape(cls, layer, top, batch):
        return None  # the options tell, or every window has a shape of its own

    def setup(self, bottom, top):
        blank = self.options.ignore_label
        self.read_pairs(self.pairs(WindowPairs, outside=blank, **self.labels()), top, fill=blank)
