"""ImageData."""

from __future__ import annotations

from blobnet.core.registry import register
from blobnet.layers.data._images import ImageSource


@register
class ImageData(ImageSource):
    """Images and labels from the files of a list.

    x[i] = transform(resize(image[(skip + n * N + i) mod R])) in forward n, of R lines in their order, or in a new order
    each epoch with shuffle

    Bottoms: none   Tops: x (N, C, H, W), blue, green, red, or gray; labels (N,), or (N, label_num) if that is above 1
    Params: none
    Options: source, a list with "path label" a line; batch_size N (1); root_folder, put before the paths; new_height,
    new_width (0 = as they are), bilinear; is_color (true); shuffle (false); rand_skip, skip is below it (0);
    label_num labels a line (1), in forks label_dim; all of transform_param; data_param.prefetch (4 batches read ahead)
    Paper: none.
    Quirks: root_folder needs its own slash at the end. Of a single label only leading digits count, and without any it
    is 0. mirror is random in the TEST phase too; crops are random in TRAIN only. The first image of a batch decides its
    shape. scale, mean_file, crop_size and mirror of image_data_param, and force_color and force_gray, have no effect;
    nor have cache, cat_per_iter, which belongs to HashingImageData, what belongs to ImageSegData and VideoData, and
    distort_param, expand_param and emit_constraint of transform_param, which AnnotatedData takes. The published fork
    gives labels two more axes of 1.
    """

    def setup(self, bottom, top):
        self.read_ahead(self.images(shuffle=self.options.shuffle, rand_skip=self.options.rand_skip), top)
