"""HashingImageData."""

from __future__ import annotations

from blobnet.core.context import TRAIN
from blobnet.core.registry import register
from blobnet.layers.data._images import ImageSource


@register
class HashingImageData(ImageSource):
    """Images and labels from the files of a list, of a few classes in every batch, so that it has many similar pairs.

    x[i] = transform(resize(image[r_i])), where r_1 … r_N are of cat_per_iter classes, drawn at random,
    N / cat_per_iter images of each; in the TEST phase r_i = (n * N + i) mod R in forward n, of R lines

    Bottoms: none   Tops: x (N, C, H, W), blue, green, red, or gray; labels (N,), or (N, label_num) if that is above 1
    Params: none
    Options: source, a list with "path label" a line; batch_size N (1); cat_per_iter (10); label_num labels a line (1),
    above 1 a row of 0 and 1 whose columns are the classes; root_folder, put before the paths; new_height, new_width (0
    = as they are), bilinear; is_color (true); all of transform_param; data_param.prefetch (4 batches read ahead)
    Paper: the data layer of Liu et al., Deep Supervised Hashing for Fast Image Retrieval, CVPR 2016.
    Quirks: classes are drawn anew for every batch, with equal chances however many images they have, and there are no
    epochs: some images come more often than others. No image of a class comes twice in a batch before all of the class
    have come. Where cat_per_iter does not divide N, the classes drawn first have one image more. The images of a class
    stand together. An image with several labels may come once for each of them. shuffle and rand_skip, and scale,
    mean_file, crop_size and mirror of image_data_param, have no effect. Paths, labels and sizes are as of ImageData.
    """

    def setup(self, bottom, top):
        self.at_least_one(self.options, "cat_per_iter")
        batches = self.images(classes=self.options.cat_per_iter if self.phase == TRAIN else 0)
        self.read_ahead(batches, top)
