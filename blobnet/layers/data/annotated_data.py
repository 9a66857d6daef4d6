"""AnnotatedData."""

from __future__ import annotations

from blobnet.core.context import TRAIN
from blobnet.core.registry import register
from blobnet.data.batches.annotated import LIST, ROW, AnnotatedBatches
from blobnet.data.batches.first_record import annotated_batch
from blobnet.data.images.augmentation import Augmentation
from blobnet.data.images.transformer import Transformer
from blobnet.data.stores.database import open_database
from blobnet.errors import NetError
from blobnet.layers.data._images import DatabaseSource, image_shape, transform_where
from blobnet.proto.files import read_message


@register
class AnnotatedData(DatabaseSource):
    """Images and the boxes of their objects from a database of AnnotatedDatum records.

    x[i] = transform(sample(expand(distort(record[(n * N + i) mod R])))) in forward n, of R records in the order of
    their keys; a box follows what is done to its image, is clipped by it, and is left out where nothing of it is left

    Bottoms: none   Tops: x (N, C, H, W); objects (1, 1, G, 8), rows [i, label, instance, x1, y1, x2, y2, difficult]
    with corners as parts of width and height, or one row of -1 if the batch has none; it may be left out   Params: none
    With yolo_data_type: 1, as MobileNet-YOLO's fork has it, objects (N, 1, 300, 5), rows [label - 1, x, y, w, h] around
    middles, without those that are difficult if train_diffcult is false, then 0
    Options: source, backend, batch_size N, prefetch of data_param; batch_sampler, parts of the image of which one takes
    its place, or without any yolo_data_jitter (0), how much of a side such a part lacks at most; anno_type, as which
    records are read; label_map_file, names of the labels, which is only checked; all of transform_param but random
    aspect ratios, center_object and max_angle; of several ways to resize the first
    Paper: Liu et al., SSD: Single Shot MultiBox Detector, ECCV 2016.
    Quirks: G changes from batch to batch. Where neither the first record nor anno_type says what an object has, the
    second top is the labels of the records (N,). resize_mode: FIT_SMALL_SIZE needs batch_size: 1. The default backend
    is LEVELDB. mirror, and all but crops, is random in the TEST phase too. prob of resize_param and of noise_param,
    rand_skip and what else data_param has have no effect. Of several kinds of bounds in a sample_constraint only the
    first counts: jaccard_overlap, sample_coverage, object_coverage. The program of SSD compresses a compressed image
    anew after each change, and changes no others; here images stay as they are, and all are changed.
    """

    options_field = "annotated_data_param"
    more_options = ("data_param", "transform_param")
    num_tops = (1, 2)

    @classmethod
    def declared_shapes(cls, layer, batch):
        labels = (batch, 1, *LIST) if layer.annotated_data_param.yolo_data_type == 1 else (1, 1, 1, ROW)
        return [image_shape(layer, batch, channels=1 if layer.transform_param.force_gray else 3), labels]

    @classmethod
    def read_shape(cls, layer, top, batch):
        boxed = layer.annotated_data_param.HasField("anno_type")
        shapes = annotated_batch(layer.data_param, layer.transform_param, boxed, transform_where(layer))
        if shapes and top == 1 and len(shapes[1]) > 1 and layer.annotated_data_param.yolo_data_type == 1:
            return batch, 1, *LIST
        return shapes and ((batch, *shapes[top][1:]) if top == 0 or len(shapes[top]) == 1 else shapes[top])

    def setup(self, bottom, top):
        data, transform, where = self.param.data_param, self.param.transform_param, f"{self.where} transform_param"
        self.at_least_one(data, "batch_size")
        if transform.resize_param.resize_mode == transform.resize_param.FIT_SMALL_SIZE and data.batch_size > 1:
            raise NetError(where, expected="batch_size 1 with resize_mode FIT_SMALL_SIZE", got=data.batch_size)
        resized = transform.resize_param
        for name, there in (("random_aspect_ratio_param", transform.HasField("random_aspect_ratio_param")),
                            ("center_object", resized.center_object), ("max_angle", resized.max_angle)):
            if there:
                raise NetError(where, name, hint="remove it: boxes do not follow")
        if self.options.label_map_file:
            read_message(self.options.label_map_file, "LabelMap")
        listed = {1: "all" if self.options.train_diffcult else "easy"}.get(self.options.yolo_data_type, "")
        reader = open_database(self.source("data_param"), type(data).DB.Name(data.backend))
        self.records, self.record_names = len(reader), reader.keys
        self.read_ahead(AnnotatedBatches(
            reader, Transformer(transform, self.phase == TRAIN, where), data.batch_size, self.dtype, self.streams(),
            self.options.HasField("anno_type"), Augmentation(
                transform, self.options.batch_sampler, where, self.options.yolo_data_jitter), listed), top)
