"""VideoData."""

from __future__ import annotations

from google.protobuf.message import Message

from blobnet.core.context import TRAIN
from blobnet.core.registry import register
from blobnet.data.batches.frames import ClipBatches
from blobnet.data.images.transformer import Transformer
from blobnet.errors import NetError
from blobnet.layers.data._films import FilmSource, listed_films

CHANNELS = 3
OF_CAMERAS = ("video_type", "device_id", "video_file", "skip_frames")


@register
class VideoData(FilmSource):
    """Clips of films, whose frames are image files 000001.jpg … in a folder, and the labels of the films.

    x[i, :, j] = transform(resize(frame[s + j * rate])), j = 0 ... L - 1, of film r = (skip + n * N + i) mod R in
    forward n, of R lines in their order, or in a new order each epoch with shuffle; all frames of a clip are cut at one
    place and mirrored or none

    Bottoms: none   Tops: x (N, 3, L, H, W), blue, green, red; labels (N,), may be left out, or with use_multiple_label
    (N, num_of_labels), numbers 0 and 1   Params: none
    Options: of video_data_param source, a list with "folder s label" a line, s being the first frame of a clip;
    use_image, which must be true; new_length L (1); batch_size N (1); root_folder, put before the folders; new_height,
    new_width (0 = as they are), bilinear; sampling_rate (1), or with use_sampling_rate_jitter drawn from 1 ...
    max_sampling_rate; use_temporal_jitter (false): a line has the number of frames F, and s is drawn from 1 ...
    F - L * rate + 1; use_multiple_label (false): labels as 0,3,5; shuffle (false); rand_skip, skip is below it (0); all
    of transform_param, a mean_file being (1, 3, L, H, W); data_param.prefetch (4 batches read ahead)
    Paper: Tran, Bourdev, Fergus, Torresani, Paluri, Learning Spatiotemporal Features with 3D Convolutional Networks,
    ICCV 2015.
    Quirks: use_image is false unless it is said: films as files of their own need a decoder, and there is none here.
    With use_temporal_jitter s is drawn in TEST as well; the published program asks for frame 0 there. It leaves out
    clips that it cannot read while training; here they are errors. Its first version never cut at the last places, and
    had labels with four more axes of 1. mirror draws in both phases. show_data and is_color have no effect. A
    VideoData of SSD, which reads a camera or a film that is one file, is refused.
    """

    @classmethod
    def frame_shape(cls, layer, sides):
        options = layer.video_data_param
        if _of_camera(options):
            return CHANNELS, *sides
        return CHANNELS, options.new_length, *sides

    @classmethod
    def first_frame(cls, options):
        films = listed_films(options)
        return f"{films.folders[0]}/{1 if options.use_temporal_jitter else films.numbers[0]:06d}.jpg"

    def setup(self, bottom, top):
        options, transform = self.options, self.param.transform_param
        if _of_camera(options) or not options.use_image:
            raise NetError(self.where, expected="use_image: true and folders of frames",
                           got="a camera, or films as files of their own, which need a decoder",
                           hint="cut films into 000001.jpg … and write video_data_param { use_image: true }")
        self.at_least_one(options, "sampling_rate", "max_sampling_rate")
        rates = options.use_sampling_rate_jitter
        clips = type(transform)()
        clips.CopyFrom(transform)
        if len(transform.mean_value) > 1:  # a clip goes for an image of 3 * L channels
            clips.ClearField("mean_value")
            clips.mean_value.extend(value for value in transform.mean_value for _ in range(options.new_length))
        transformer = Transformer(clips, self.phase == TRAIN, f"{self.where} transform_param")
        self.read_films(ClipBatches, transformer, options.new_length, top, rates=rates,
                        rate=options.max_sampling_rate if rates else options.sampling_rate,
                        anywhere=options.use_temporal_jitter)


def _of_camera(options: Message) -> bool:
    """Whether they are those of SSD's layer of this name, which reads a camera or a film."""
    return any(options.HasField(name) for name in OF_CAMERAS)
