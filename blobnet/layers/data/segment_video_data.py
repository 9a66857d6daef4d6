"""SegmentVideoData."""

from __future__ import annotations

import re

from blobnet.core.context import TRAIN
from blobnet.core.registry import register
from blobnet.data.batches.frames import SnippetBatches
from blobnet.data.images.action_transformer import ActionTransformer
from blobnet.errors import NetError
from blobnet.layers.data._films import FilmSource, listed_films

FIELDS = {  # of this type alone
    "video_data_param": ("num_segments", "modality", "name_pattern", "grayscale", "encoded"),
    "transform_param": ("fix_crop", "more_fix_crop", "multi_scale", "max_distort", "is_flow"),
}
NUMBER = r"%(0?[1-9])?d"
PATTERNS = {"RGB": ("image_%04d.jpg", rf"[^%/]*{NUMBER}[^%/]*"),
            "FLOW": ("flow_%c_%04d.jpg", rf"[^%/]*%c[^%/]*{NUMBER}[^%/]*")}


@register
class SegmentVideoData(FilmSource):
    """Snippets of films, one of each of several equal parts, and the labels of the films.

    x[i] = transform(resize(frames s_k + 1 ... s_k + L of part k, k = 1 ... K)), stacked along the channels, of film
    r = (skip + n * N + i) mod R in forward n, of R lines in their order, or in a new order each epoch with shuffle; all
    frames of a film are cut at one place and mirrored or none

    Bottoms: none   Tops: x (N, C * L * K, H, W) with C = 3, blue, green, red, or 1, or 2 for flow, x before y; labels
    (N,), may be left out   Params: none
    Options: of video_data_param source, a list with "folder frames label" a line, frames F being how many there are;
    num_segments K (1), each of F / K frames, rounded down; new_length L (1); modality (FLOW; RGB); name_pattern of the
    frames, which count from 1 (image_%04d.jpg, for flow flow_%c_%04d.jpg with x and y for %c); grayscale (false);
    batch_size N (1); root_folder, put before the folders; new_height, new_width (0 = as they are), bilinear; shuffle
    (false); rand_skip, skip is below it (0). Of transform_param crop_size; multi_scale (false): in TRAIN sides are
    drawn from scale_ratios of the shorter side (1, 0.875, 0.75, 0.66), at most max_distort (1) apart in that list, and
    the part is resized to crop_size; fix_crop (false), more_fix_crop (false): it lies at one of 5 or 13 places;
    is_flow (false): mirrored flow in x becomes 255 - x; mirror, scale; mean_value, also a group that comes again.
    data_param.prefetch (4 batches read ahead)
    Paper: Wang, Xiong, Wang, Qiao, Lin, Tang, Van Gool, Temporal Segment Networks: Towards Good Practices for Deep
    Action Recognition, ECCV 2016.
    Quirks: s_k is drawn in TRAIN, else the middle of a part; where a part is shorter than L, every snippet begins with
    frame 1. A drawn side within 2 of crop_size counts as crop_size. mirror draws in both phases. mean_file is refused.
    The published program calls the type VideoData, and goes on with old numbers where it cannot read frames; here they
    are errors.
    """

    variant_of = "VideoData"

    @classmethod
    def claims(cls, param):
        return any(getattr(param, options).HasField(name) for options, names in FIELDS.items() for name in names)

    @classmethod
    def frame_shape(cls, layer, sides):
        options = layer.video_data_param
        channels = 2 if _modality(options) == "FLOW" else 1 if options.grayscale else 3
        return channels * options.new_length * options.num_segments, *sides

    @classmethod
    def first_frame(cls, options):
        folder = listed_films(options).folders[0]
        return f"{folder}/{_pattern(options, 'name_pattern')(1)[0]}"

    def setup(self, bottom, top):
        options = self.options
        self.at_least_one(options, "num_segments")
        flow, train = _modality(options) == "FLOW", self.phase == TRAIN
        transformer = ActionTransformer(self.param.transform_param, train, f"{self.where} transform_param")
        self.read_films(SnippetBatches, transformer, options.new_length * options.num_segments, top,
                        color=not flow and not options.grayscale, pattern=_pattern(options, self.where),
                        segments=options.num_segments, anywhere=train)


def _modality(options) -> str:
    return type(options).Modality.Name(options.modality)


def _pattern(options, where: str):
    """The names of the files of a frame by its number."""
    modality = _modality(options)
    usual, allowed = PATTERNS[modality]
    pattern = options.name_pattern or usual
    if not re.fullmatch(allowed, pattern):
        raise NetError(where, expected=f"name_pattern as {usual!r}", got=repr(pattern[:80]))
    if modality == "FLOW":
        return lambda number: [pattern % (axis, number) for axis in "xy"]
    return lambda number: [pattern % number]
