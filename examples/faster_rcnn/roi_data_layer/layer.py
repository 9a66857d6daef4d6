"""RoIDataLayer: images and boxes for the training of a detector."""

import numpy as np

from blobnet.data.images.files import read_image
from blobnet.data.images.resize import resize
from blobnet.errors import DataError, NetError
from fast_rcnn.config import PIXEL_MEANS
from fast_rcnn.layer import SettingsLayer
from fast_rcnn.sample import by_class, sample_boxes
from roi_data_layer.roidb import read_list

RPN_TOPS, FAST_TOPS = 3, 6


class RoIDataLayer(SettingsLayer):
    """Images in random order, as they are and mirrored, with their true boxes, or with a sample of their boxes.

    An image is scaled so that its shorter side has one of SCALES pixels, or its longer side MAX_SIZE if it would have
    more, and comes without PIXEL_MEANS, its colours blue, green, red. Of several images, smaller ones are filled up
    with 0 at the right and at the bottom.

    Bottoms: none
    Tops, three for nets with proposals of their own: data (1, 3, H, W); im_info (1, 3) of H, W and the scale; true
    boxes (G, 5) of [x1, y1, x2, y2, label]
    Six for Fast R-CNN: data (IMS_PER_BATCH, 3, H, W), and the tops of ProposalTargetLayer for a sample of the boxes of
    the list, both true ones and proposals: BATCH_SIZE / IMS_PER_BATCH of each image
    param_str: num_classes, with the background; source, the list of images and boxes, see roidb.py
    (data/voc_2007_trainval.txt)
    Paper: Girshick, Fast R-CNN, ICCV 2015, section 2.3; Ren et al., Faster R-CNN, NIPS 2015, section 3.3.
    Quirks: the batch of a step depends on the net's random seed alone, so that a run goes on where it was. Means are
    subtracted after scaling. Wide and high images may share a batch. The published Fast R-CNN computes means and
    deviations of the offsets of each class; here BBOX_NORMALIZE_MEANS and _STDS are used.
    """

    num_bottoms, num_tops = 0, (RPN_TOPS, FAST_TOPS)
    needs = {"num_classes": None}

    def setup(self, bottom, top):
        super().setup(bottom, top)
        settings = self.settings
        if len(top) not in (RPN_TOPS, FAST_TOPS):
            raise NetError(self.where, expected="3 tops, data im_info gt_boxes, or 6, data rois labels bbox_targets "
                           "bbox_inside_weights bbox_outside_weights", got=len(top))
        if len(top) == RPN_TOPS:
            settings.IMS_PER_BATCH = 1
        if settings.num_classes < 2 or min(*settings.SCALES, settings.MAX_SIZE, settings.IMS_PER_BATCH) < 1:
            raise NetError(self.where, expected="num_classes of at least 2; scales, max_size and ims_per_batch of at "
                           "least 1")
        self.entries = None  # read when first needed: nets are also built without data

    def reshape(self, bottom, top):
        settings, columns = self.settings, 4 * self.settings.num_classes
        rows = [(1, 3), (1, 5)] if len(top) == RPN_TOPS else [(1, 5), (1,), (1, columns), (1, columns), (1, columns)]
        shape = settings.IMS_PER_BATCH, 3, int(max(settings.SCALES)), settings.MAX_SIZE
        for blob, other in zip(top, [shape, *rows]):
            blob.reshape(other)

    def forward(self, bottom, top):
        settings = self.settings
        if self.entries is None:
            self.entries = read_list(settings.SOURCE, settings.num_classes)
        rng, images, found = self.draws(0, self.context.step), [], []
        for number in self.numbers():
            image, scale, boxes = self.scaled(number, rng)
            images.append(image)
            found.append((scale, boxes))
        data = np.zeros((len(images), 3, *np.max([image.shape[1:] for image in images], axis=0)), np.float32)
        for row, image in zip(data, images):
            row[:, :image.shape[1], :image.shape[2]] = image - np.array(PIXEL_MEANS, np.float32)[:, None, None]
        if len(top) == RPN_TOPS:
            (scale, boxes), = found
            true = boxes[boxes[:, 4] > 0] * (scale, scale, scale, scale, 1)
            self.write(top, data, np.array([[*data.shape[2:], scale]]), true)
        else:
            self.write(top, data, *self.samples(found, rng))

    def numbers(self) -> list[int]:
        """The places in the list of the images of this step; a second list, of mirrored images, follows the first."""
        count, size = len(self.entries) * (1 + self.settings.USE_FLIPPED), self.settings.IMS_PER_BATCH
        places = self.context.step * size + np.arange(size)
        orders = {int(epoch): self.draws(1, int(epoch)).permutation(count) for epoch in places // count}
        return [int(orders[int(place // count)][place % count]) for place in places]

    def scaled(self, number: int, rng: np.random.Generator) -> tuple[np.ndarray, float, np.ndarray]:
        """An image (3, H, W) in its new size, its sides by those of the old one, and its boxes in the old one."""
        settings = self.settings
        path, boxes = self.entries[number % len(self.entries)]
        image = read_image(path)
        height, width = image.shape[1:]
        if (boxes[:, :2] < 0).any() or (boxes[:, 2:4] >= (width, height)).any():
            raise DataError(f"boxes of {str(path)!r}", expected=f"boxes in an image of {width} x {height}",
                            got=boxes[:, :4].tolist())
        if number >= len(self.entries):
            image, boxes = image[:, :, ::-1], boxes.copy()
            boxes[:, [0, 2]] = width - 1 - boxes[:, [2, 0]]
        shorter, longer = sorted((height, width))
        scale = settings.SCALES[rng.integers(len(settings.SCALES))] / shorter
        if np.round(scale * longer) > settings.MAX_SIZE:
            scale = settings.MAX_SIZE / longer
        sides = (max(1, int(np.round(scale * side))) for side in (height, width))
        return resize(np.ascontiguousarray(image), *sides), scale, boxes

    def samples(self, found: list[tuple[float, np.ndarray]], rng: np.random.Generator) -> list[np.ndarray]:
        """The tops of Fast R-CNN after the first."""
        settings, parts = self.settings, []
        for image, (scale, boxes) in enumerate(found):
            true = boxes[boxes[:, 4] > 0]
            drawn, labels, t = sample_boxes(boxes[:, :4], true, settings.BATCH_SIZE // len(found), settings, rng)
            t, inside = by_class(labels, t, settings.num_classes, settings.BBOX_INSIDE_WEIGHTS)
            rois = np.pad(boxes[drawn, :4] * scale, ((0, 0), (1, 0)), constant_values=image)
            parts.append((rois, labels, t, inside, inside > 0))
        return [np.concatenate(arrays) for arrays in zip(*parts)]
