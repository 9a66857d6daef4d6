"""ImageSegData."""

from __future__ import annotations

from blobnet.core.registry import register
from blobnet.layers.data._image_pairs import LabelTypeSource


@register
class ImageSegData(LabelTypeSource):
    """Images and the labels of their pixels from the files of a list, resized by random factors, padded and cut alike.

    x[i], y[i] = transform(crop(pad(scale(image[r])))), crop(pad(scale(labels[r]))) with r = (skip + n * N + i) mod R in
    forward n, of R lines in their order, or in a new order each epoch with shuffle; factor, place and mirror are the
    same for both

    Bottoms: none   Tops: x (N, C, H, W), blue, green, red, or gray; y (N, 1, H, W), whole numbers 0 ... 255; height and
    width of the image before it was scaled and padded, or of x if that is less, (N, 1, 1, 2), may be left out
    Params: none
    Options: of image_data_param source, a list; label_type, which says what stands behind the path in a line: PIXEL, a
    label image; IMAGE, one label for all pixels (IMAGE); NONE, nothing, and all have the ignore_label; ignore_label, of
    pixels that are padded (255); batch_size N (1); root_folder, put before the paths; new_height, new_width (0 = as
    they are); is_color (true); shuffle (false); rand_skip, skip is below it (0). Of transform_param scale_factors, one
    of which is drawn for each image (1); crop_size, or crop_height and crop_width, at random in TRAIN, else the middle;
    mirror (false), mean_value, scale. data_param.prefetch (4 batches read ahead)
    Paper: the data layer of Chen et al., Semantic Image Segmentation with Deep Convolutional Nets and Fully Connected
    CRFs, ICLR 2015, and of Zhao et al., Pyramid Scene Parsing Network, CVPR 2017, which added scale_factors.
    Quirks: padding is on the right and below, and 0 in x. new_height and new_width take the nearest label, as
    DeconvNet's program; PSPNet's mixes the labels of neighbours there. Label images are read in gray, as OpenCV does
    it: in one with a palette the colours count, not the numbers of the palette. mirror draws in the TEST phase too.
    mean_file is refused. The heights and widths do not know of the factors. Paths have no spaces. Without a crop, the
    first image of a batch decides its shape.
    """

    num_tops = (2, 3)

    def setup(self, bottom, top):
        self.read_pairs(self.pairs(**self.labels()), top, fill=self.options.ignore_label)
