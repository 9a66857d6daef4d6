"""DenseImageData."""

from __future__ import annotations

from blobnet.core.registry import register
from blobnet.errors import NetError
from blobnet.layers.data._image_pairs import ImagePairSource
from blobnet.layers.data._images import both_sides


@register
class DenseImageData(ImagePairSource):
    """Images, and label images that say the class of every pixel, from the files of a list.

    x[i], y[i] = transform(crop(resize(image[r]))), crop(resize(labels[r])) with r = (skip + n * N + i) mod R in
    forward n, of R lines in their order, or in a new order each epoch with shuffle; both crops are at one place, and
    both are mirrored or none

    Bottoms: none   Tops: x (N, C, H, W), blue, green, red, or gray; y (N, 1, H, W), whole numbers 0 ... 255
    Params: none
    Options: source, a list with "image label-image" a line; batch_size N; root_folder, put before the paths;
    new_height, new_width (0 = as they are), bilinear for images, the nearest pixel for labels; crop_height, crop_width
    (0 = all), at random; mirror (false); is_color (true); shuffle (false); rand_skip, skip is below it (0); of
    transform_param mean_value, mean_file, scale, crop_size and mirror; data_param.prefetch (4 batches read ahead)
    Paper: Badrinarayanan, Kendall, Cipolla, SegNet: A Deep Convolutional Encoder-Decoder Architecture for Image
    Segmentation, PAMI 2017.
    Quirks: label images are read in gray, as OpenCV does it: in one with a palette the colours count, not the numbers
    of the palette. crop_height and crop_width cut at random in the TEST phase too, and mirror draws in both. A
    mean_file has the size of the crop and is not mirrored. crop_size (at random in TRAIN only) and mirror of
    transform_param end the published program; here they work alike on both images. mean_file of dense_image_data_param
    has no effect. Paths have no spaces. The first image of a batch decides its shape.
    """

    options_field = batch_field = source_field = "dense_image_data_param"

    @classmethod
    def crop(cls, layer, where):
        own = both_sides(layer.dense_image_data_param, "crop_height", "crop_width", where)
        other = super().crop(layer, where)
        if own and other:
            raise NetError(where, "crops in dense_image_data_param and in transform_param", hint="keep one of them")
        return own or other

    def setup(self, bottom, top):
        options = self.options
        more = {"random_crop": True} if options.crop_height else {}
        self.read_pairs(self.pairs(), top, mirror=options.mirror or self.param.transform_param.mirror, **more)
