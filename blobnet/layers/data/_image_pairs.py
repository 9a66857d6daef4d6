"""What the data layers share that read images with a label for every pixel."""

from __future__ import annotations

import os

from google.protobuf.message import Message

from blobnet.core.context import TRAIN
from blobnet.core.layer_type import Arity
from blobnet.data.batches.first_record import Shape, image_file
from blobnet.data.batches.image_pairs import GRAYS, ImagePairBatches, ImagePairs
from blobnet.data.images.lists import read_columns
from blobnet.data.images.pair_transformer import PairTransformer
from blobnet.data.images.transformer import Transformer
from blobnet.errors import NetError
from blobnet.layers.data._base import BatchSource
from blobnet.layers.data._images import both_sides, check_skip

MOST_FACTOR = 100  # an image may be resized by
COLUMNS = {"NONE": "image", "IMAGE": "image label", "PIXEL": "image label-image"}


class ImagePairSource(BatchSource):
    """A source that reads a list of images and of the labels of their pixels. A subclass says in `rows` how."""

    more_options = ("transform_param", "data_param")
    num_tops: Arity = 2
    label_tops: tuple[int, ...] = (1,)

    @classmethod
    def rows(cls, options: Message) -> list[list[str]]:
        """The words in the lines of the list; the first is the path of an image."""
        return read_columns(options.source, "image label-image")

    @classmethod
    def crop(cls, layer: Message, where: str) -> tuple[int, int] | None:
        """Height and width of the part that is cut out, None for all."""
        transform = layer.transform_param
        sides = both_sides(transform, "crop_height", "crop_width", where)
        if sides and transform.crop_size:
            raise NetError(where, "crop_size beside crop_height and crop_width", hint="keep one or the other")
        return (transform.crop_size, transform.crop_size) if transform.crop_size else sides

    @classmethod
    def declared_shapes(cls, layer, batch):
        options = getattr(layer, cls.batch_field)
        return cls._shapes(layer, batch, (3 if options.is_color else 1, options.new_height, options.new_width))

    @classmethod
    def read_shape(cls, layer, top, batch):
        options = getattr(layer, cls.batch_field)
        image = image_file(options, cls.rows(options)[0][0]) if os.path.isfile(options.source) else None
        return image and cls._shapes(layer, batch, image)[top]

    @classmethod
    def count_records(cls, layer):
        return len(cls.rows(getattr(layer, cls.source_field)))

    @classmethod
    def _shapes(cls, layer: Message, batch: int, image: Shape) -> list[Shape]:
        """Of the tops, for images of this shape, where 0 is an unknown number."""
        sides = cls.crop(layer, f"layer {layer.name!r} ({layer.type})") or image[1:]
        tops: list[Shape] = [(batch, image[0], *sides), (batch, 1, *sides), (batch, 1, 1, 2)]
        return tops[:len(layer.top)]

    def pairs(self, kind: type[ImagePairs] = ImagePairs, **labels) -> ImagePairs:
        """The pairs of the list in the options; further arguments of this kind of pairs say what their labels are."""
        options = self.options
        self.at_least_one(options, "batch_size")
        source, size = self.source(self.source_field), both_sides(options, "new_height", "new_width", self.where)
        rows = self.rows(options)
        self.records = len(rows)
        check_skip(options.rand_skip, len(rows), self.where)
        if not options.shuffle and not options.rand_skip:
            self.record_names = [row[0] for row in rows].__iter__
        return kind(rows, color=options.is_color, size=size, origin=source, root_folder=options.root_folder, **labels)

    def read_pairs(self, pairs: ImagePairs, top, kind: type[ImagePairBatches] = ImagePairBatches, **transform) -> None:
        """Read ahead batches of this kind; further arguments of PairTransformer say what is done with the pairs."""
        options, param, crop = self.options, self.param.transform_param, self.crop(self.param, self.where)
        if param.scale_factors and not crop:
            raise NetError(self.where, "scale_factors without a crop, so images of several sizes", hint="set crop_size")
        transform = {"mirror": param.mirror, "random_crop": self.phase == TRAIN, **transform}
        transformer = PairTransformer(self._plain(), crop, scale_factors=param.scale_factors, **transform)
        self.read_ahead(kind(pairs, transformer, options.batch_size, self.dtype, self.streams(),
                             shuffle=options.shuffle, rand_skip=options.rand_skip), top)

    def _plain(self) -> Transformer:
        """What is done with the images alone."""
        plain = type(self.param.transform_param)()
        plain.CopyFrom(self.param.transform_param)
        if plain.HasField("resize_param"):
            raise NetError(self.where, "resize_param in transform_param", hint="write new_height and new_width")
        if any(not 0 < factor <= MOST_FACTOR for factor in plain.scale_factors):
            raise NetError(self.where, expected=f"scale_factors above 0, at most {MOST_FACTOR}",
                           got=", ".join(f"{factor:g}" for factor in plain.scale_factors))
        for field in ("crop_size", "crop_height", "crop_width", "mirror", "scale_factors"):
            plain.ClearField(field)
        return Transformer(plain, False, f"{self.where} transform_param")


class LabelTypeSource(ImagePairSource):
    """Such a source whose image_data_param says by label_type what a label is."""

    options_field = batch_field = source_field = "image_data_param"
    more_columns = ""  # behind path and label

    @classmethod
    def rows(cls, options):
        columns, more = COLUMNS[_label_type(options)], _label_type(options) == "NONE" and not cls.more_columns
        return read_columns(options.source, columns + cls.more_columns, more)

    def labels(self) -> dict:
        """What `pairs` has to know of the labels."""
        blank = self.options.ignore_label
        if not 0 <= blank < GRAYS:
            raise NetError(self.where, expected=f"ignore_label from 0 to {GRAYS - 1}", got=blank)
        if self.param.transform_param.mean_file:
            raise NetError(self.where, "mean_file in transform_param", hint="write mean_value")
        return {"pixels": _label_type(self.options) == "PIXEL", "blank": blank}


def _label_type(options: Message) -> str:
    field = options.DESCRIPTOR.fields_by_name["label_type"]
    return field.enum_type.values_by_number[options.label_type].name
