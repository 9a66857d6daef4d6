"""ImageData."""

from __future__ import annotations

from blobnet.core.context import TRAIN
from blobnet.core.registry import register
from blobnet.data.image_batches import ImageBatches
from blobnet.data.image_list import read_image_list
from blobnet.data.transformer import Transformer
from blobnet.errors import NetError
from blobnet.layers.data._base import BatchSource


@register
class ImageData(BatchSource):
    """Images and labels from the files of a list.

    x[i] = transform(resize(image[(skip + n * N + i) mod R])) in forward n, of R lines in their order, or in a new order
    each epoch with shuffle

    Bottoms: none   Tops: x (N, C, H, W), blue, green, red, or gray; labels (N,), or (N, label_num) if that is above 1
    Params: none
    Options: source, a list with "path label" a line; batch_size N (1); root_folder, put before the paths; new_height,
    new_width (0 = as they are), bilinear; is_color (true); shuffle (false); rand_skip, skip is below it (0);
    label_num labels a line (1); all of transform_param; data_param.prefetch (4 batches read ahead)
    Quirks: root_folder needs its own slash at the end. Of a single label only leading digits count, and without any it
    is 0. mirror is random in the TEST phase too; crops are random in TRAIN only. The first image of a batch decides its
    shape. scale, mean_file, crop_size and mirror of image_data_param, and force_color and force_gray, have no effect;
    nor has cat_per_iter, which belongs to HashingImageData. The published fork gives labels two more axes of 1.
    """

    options_field = "image_data_param"
    num_tops = 2

    def setup(self, bottom, top):
        options = self.options
        self.at_least_one(options, "batch_size", "label_num")
        if bool(options.new_height) != bool(options.new_width):
            raise NetError(self.where, expected="new_height and new_width, or neither",
                           got=f"{options.new_height} and {options.new_width}")
        paths, labels = read_image_list(options.source, options.label_num)
        if options.rand_skip > len(paths):
            raise NetError(self.where, expected=f"rand_skip of at most {len(paths)}, the number of images",
                           got=options.rand_skip)
        transformer = Transformer(self.param.transform_param, self.phase == TRAIN, f"{self.where} transform_param")
        size = (options.new_height, options.new_width) if options.new_height else None
        batches = ImageBatches([options.root_folder + path for path in paths], labels, transformer, options.batch_size,
                               self.dtype, self.streams(), color=options.is_color, size=size, shuffle=options.shuffle,
                               rand_skip=options.rand_skip)
        self.read_ahead(batches, top, batches.shapes())
