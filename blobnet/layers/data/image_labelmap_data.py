"""ImageLabelmapData."""

from __future__ import annotations

from blobnet.core.registry import register
from blobnet.data.batches.image_pairs import EdgeBatches
from blobnet.layers.data._image_pairs import ImagePairSource


@register
class ImageLabelmapData(ImagePairSource):
    """Images, and label images that say how sure an edge is at every pixel, from the files of a list.

    x[i] = transform(resize(image[r])), y[i] = 1 where e > 1/2, else e, with e = resize(edges[r]) / 255 and
    r = (skip + n * N + i) mod R in forward n, of R lines in their order, or in a new order each epoch with shuffle

    Bottoms: none   Tops: x (N, C, H, W), blue, green, red, or gray; y (N, 1, H, W), from 0 to 1   Params: none
    Options: of image_data_param source, a list with "image edge-image" a line; batch_size N (1); root_folder, put
    before the paths; new_height, new_width (0 = as they are), bilinear for both; is_color (true); shuffle (false);
    rand_skip, skip is below it (0). Of transform_param mean_value, scale; crop_size and mirror, the same for both.
    data_param.prefetch (4 batches read ahead)
    Paper: Liu, Cheng, Hu, Wang, Bai, Richer Convolutional Features for Edge Detection, CVPR 2017; the type is older, of
    Xie and Tu, Holistically-Nested Edge Detection, ICCV 2015, where y is 0 where e is at most 1/2.
    Quirks: the published programs cut at the top left and do not mirror. Edge images are read in gray. Paths have no
    spaces. The first image of a batch decides its shape.
    """

    options_field = batch_field = source_field = "image_data_param"
    label_tops = ()  # they are no whole numbers

    def setup(self, bottom, top):
        self.read_pairs(self.pairs(nearest=False), top, EdgeBatches)
