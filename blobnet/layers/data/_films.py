"""What the data layers share that read films, whose frames are image files."""

from __future__ import annotations

import os
from collections.abc import Callable

from google.protobuf.message import Message

from blobnet.data.batches.first_record import Shape, image_file
from blobnet.data.batches.frames import Films, FrameBatches, read_films
from blobnet.errors import NetError
from blobnet.layers.data._base import BatchSource
from blobnet.layers.data._images import both_sides, check_skip, image_shape

MOST_FRAMES = 1 << 16  # of a clip


def listed_films(options: Message) -> Films:
    """What the list in a VideoDataParameter says."""
    return read_films(options.source, options.num_of_labels if options.use_multiple_label else 0)


class FilmSource(BatchSource):
    """A source that reads a list of folders with frames. A subclass says in `frame_shape` and `first_frame` of what."""

    options_field = batch_field = source_field = "video_data_param"
    more_options = ("transform_param", "data_param")
    num_tops = (1, 2)
    label_tops = (1,)

    @classmethod
    def frame_shape(cls, layer: Message, sides: Shape) -> Shape:
        """The shape of a row of the first top, where its frames have these sides."""
        raise NotImplementedError

    @classmethod
    def first_frame(cls, options: Message) -> str:
        """The path of a frame in the first line of the list, without root_folder."""
        raise NotImplementedError

    @classmethod
    def declared_shapes(cls, layer, batch):
        options = layer.video_data_param
        return [cls._first_shape(layer, batch, options.new_height, options.new_width),
                (batch, options.num_of_labels) if options.use_multiple_label else (batch,)]

    @classmethod
    def read_shape(cls, layer, top, batch):
        options = layer.video_data_param
        if top or not os.path.isfile(options.source):
            return None
        frame = image_file(options, cls.first_frame(options))
        return frame and cls._first_shape(layer, batch, *frame[1:])

    @classmethod
    def _first_shape(cls, layer: Message, batch: int, height: int, width: int) -> Shape:
        """Of the first top, for frames of these sides, where 0 is an unknown number."""
        return batch, *cls.frame_shape(layer, image_shape(layer, batch, 1, height, width)[2:])

    @classmethod
    def count_records(cls, layer):
        return len(listed_films(layer.video_data_param).folders)

    def read_films(self, kind: Callable[..., FrameBatches], transformer, frames: int, top, **more) -> None:
        """Read ahead batches of this kind, of so many `frames` each; with further arguments of it."""
        options = self.options
        self.at_least_one(options, "batch_size", "new_length", "num_of_labels")
        if frames > MOST_FRAMES:
            raise NetError(self.where, expected=f"at most {MOST_FRAMES} frames in a row of the batch", got=frames)
        self.source("video_data_param")
        size = both_sides(options, "new_height", "new_width", self.where)
        films = listed_films(options)
        self.records = len(films.folders)
        check_skip(options.rand_skip, self.records, self.where)
        if not options.shuffle and not options.rand_skip:
            self.record_names = films.folders.__iter__
        self.read_ahead(kind(films, transformer, options.batch_size, self.dtype, self.streams(), image_size=size,
                             shuffle=options.shuffle, rand_skip=options.rand_skip, root_folder=options.root_folder,
                             length=options.new_length, **more), top)
