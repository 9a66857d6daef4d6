"""caffe.io: arrays to and from messages, image files, and the preparation of images for a net.

Images are (H, W, K) floats, 0 to 1, colours in the order red, green, blue; nets want (K, H, W).
Differences from pycaffe: `Transformer.preprocess` never changes the array it is given; `datum_to_array` decodes
compressed images too; a Transformer's shapes may be lists.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence

import numpy as np
from google.protobuf.message import Message

from blobnet.data.images.decode import decoded
from blobnet.data.stores import datum as datums
from blobnet.errors import DataError, ShapeError, close_matches
from blobnet.proto.blobs import blob_array, blob_shape, set_blob
from blobnet.proto.messages import new
from blobnet.proto.storage import require_file
from blobnet.pycaffe.proto import caffe_pb2
from blobnet.pycaffe.resize import resize_image

__all__ = ["ArrayError", "Transformer", "array_to_blobproto", "array_to_datum", "arraylist_to_blobprotovector_str",
           "blobproto_to_array", "blobprotovector_str_to_arraylist", "caffe_pb2", "datum_to_array", "load_image",
           "oversample", "resize_image"]


def __getattr__(name: str) -> object:
    """skimage, and its resize and scipy's zoom, where scikit-image is installed: scripts borrow them from caffe.io."""
    if name in ("skimage", "resize", "zoom"):
        try:
            import skimage.io
            import skimage.transform
            from scipy.ndimage import zoom

            return {"skimage": skimage, "resize": skimage.transform.resize, "zoom": zoom}[name]
        except ImportError:
            pass
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class ArrayError(ShapeError, ValueError):
    """A ShapeError for scripts that catch ValueError, as pycaffe raises it."""


# Messages.

def blobproto_to_array(blob: Message, return_diff: bool = False) -> np.ndarray:
    """The values of a BlobProto in its shape, or its gradients, as float64. ArrayError if they do not fit the shape."""
    values, shape = blob_array(blob, which="diff" if return_diff else "data"), blob_shape(blob)
    if values.size != math.prod(shape):
        raise ArrayError("blobproto_to_array", expected=f"{math.prod(shape)} numbers for the shape {shape}",
                         got=values.size)
    return values.astype(np.float64).reshape(shape)


def array_to_blobproto(arr: np.ndarray, diff: np.ndarray | None = None) -> Message:
    """A BlobProto of the array `arr`, with the gradients `diff` if given; both become floats of 32 bits."""
    blob = new("BlobProto")
    arr = np.asarray(arr)
    if diff is not None and np.shape(diff) != arr.shape:
        raise ArrayError("array_to_blobproto", expected=f"diff of shape {arr.shape}", got=np.shape(diff))
    set_blob(blob, arr.astype(np.float32))
    if diff is not None:
        set_blob(blob, np.asarray(diff, np.float32), which="diff")
    return blob


def arraylist_to_blobprotovector_str(arraylist: Sequence[np.ndarray]) -> bytes:
    """The arrays as the bytes of a BlobProtoVector."""
    return new("BlobProtoVector", blobs=map(array_to_blobproto, arraylist)).SerializeToString()


def blobprotovector_str_to_arraylist(str: bytes) -> list[np.ndarray]:
    """The arrays in the bytes of a BlobProtoVector."""
    return [blobproto_to_array(blob) for blob in type(new("BlobProtoVector")).FromString(str).blobs]


def array_to_datum(arr: np.ndarray, label: int | None = None) -> Message:
    """A Datum of `arr` (K, H, W): uint8 as bytes, anything else as floats. ArrayError for other than three axes."""
    if np.ndim(arr) != 3:
        raise ArrayError("array_to_datum", expected="an array of three axes (K, H, W)", got=np.shape(arr))
    return datums.array_to_datum(arr, label)


def datum_to_array(datum: Message) -> np.ndarray:
    """The array (K, H, W) in a Datum: uint8 from bytes, else float64."""
    values = datums.datum_to_array(datum)
    return values.astype(np.uint8 if values.dtype == np.uint8 else np.float64)


# Images.

LUMINANCE = np.array([0.2125, 0.7154, 0.0721])  # of red, green, blue: ITU-R BT.709


def load_image(filename: str | os.PathLike, color: bool = True) -> np.ndarray:
    """The image file as float32 in 0 to 1: (H, W, 3), red, green, blue; or with `color` False (H, W, 1), luminance.

    Transparency is dropped, 16 bits a channel keep their precision, EXIF orientation is not applied. DataError if
    there is no such file or it is no image. Difference from pycaffe: CMYK is turned into red, green, blue; there its
    first three channels are taken for these.
    """
    image = decoded(require_file(filename).read_bytes(), f"image {os.fspath(filename)!r}")
    if image.mode not in ("1", "L", "I", "I;16", "I;16B", "F", "RGB"):
        image = image.convert("L" if image.mode in ("LA", "La") else "RGB")
    pixels, scale = np.asarray(image), {"1": 1, "F": 1, "L": 255, "RGB": 255}.get(image.mode, 65535)
    pixels = pixels / np.float64(scale)
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[:, :, np.newaxis], 3 if color else 1, axis=2)
    elif not color:
        pixels = (pixels @ LUMINANCE)[:, :, np.newaxis]
    return pixels.astype(np.float32)


def oversample(images: Sequence[np.ndarray] | np.ndarray, crop_dims: Sequence[int] | np.ndarray) -> np.ndarray:
    """Ten crops of every image (H, W, K), as (10 N, *crop_dims, K): four corners and the centre, then these mirrored.

    The corners are in reading order. All images have the shape of the first.
    """
    height, width = images[0].shape[:2]
    rows, columns = map(int, crop_dims)
    check_crop("oversample", images[0], crop_dims)
    bottom, right = height - rows, width - columns
    corners = [(0, 0), (0, right), (bottom, 0), (bottom, right), (bottom // 2, right // 2)]
    crops = np.empty((len(images), 10, rows, columns, images[0].shape[2]), np.float32)
    for image, out in zip(images, crops):
        for i, (y, x) in enumerate(corners):
            out[i] = image[y:y + rows, x:x + columns]
        out[5:] = out[:5, :, ::-1]
    return crops.reshape(-1, *crops.shape[2:])


def check_crop(where: str, image: np.ndarray, crop_dims: Sequence[int] | np.ndarray) -> None:
    """ArrayError if an image (H, W, K) is smaller than crops of it."""
    (height, width), (rows, columns) = image.shape[:2], map(int, crop_dims)
    if rows > height or columns > width:
        raise ArrayError(where, expected=f"crops within the image of {height} x {width}", got=(rows, columns))


class Transformer:
    """Turns images into what a net wants, and back; everything is set for each input by its name.

    `inputs` gives the shape (N, K, H, W) of every input blob. `preprocess` does, in this order and as far as it was
    set: resize to (H, W), transpose, channel_swap, raw_scale (multiplied), mean (subtracted), input_scale (multiplied).
    None is as good as not set.
    """

    def __init__(self, inputs: Mapping[str, Sequence[int]]):
        self.inputs = {name: tuple(shape) for name, shape in inputs.items()}
        self.transpose: dict[str, Sequence[int]] = {}
        self.channel_swap: dict[str, Sequence[int]] = {}
        self.raw_scale: dict[str, float] = {}
        self.mean: dict[str, np.ndarray] = {}
        self.input_scale: dict[str, float] = {}

    def preprocess(self, in_: str, data: np.ndarray) -> np.ndarray:
        """The image `data` (H', W', K) as float32 for one place (K, H, W) of the input `in_`."""
        sides = self._shape(in_)[2:]
        out = np.array(data, np.float32)
        if out.shape[:2] != sides:
            out = resize_image(out, sides)
        transpose, channel_swap, raw_scale, mean, input_scale = self._settings(in_)
        if transpose is not None:
            out = out.transpose(transpose)
        if channel_swap is not None:
            out = out[list(channel_swap)]
        if raw_scale is not None:
            out *= raw_scale
        if mean is not None:
            out -= mean
        if input_scale is not None:
            out *= input_scale
        return out

    def deprocess(self, in_: str, data: np.ndarray) -> np.ndarray:
        """What `preprocess` made, (K, H, W) or (1, K, H, W), back as an image of that size and of the same type.

        Without a transpose, axes of length 1 are dropped.
        """
        transpose, channel_swap, raw_scale, mean, input_scale = self._settings(in_)
        out = np.array(data)
        out = out.reshape(out.shape[-3:])
        if input_scale is not None:
            out /= input_scale
        if mean is not None:
            out += mean
        if raw_scale is not None:
            out /= raw_scale
        if channel_swap is not None:
            out = out[np.argsort(channel_swap)]
        if transpose is not None:
            return out.transpose(np.argsort(transpose))
        return out.squeeze()

    def set_transpose(self, in_: str, order: Sequence[int] | None) -> None:
        """The order of the axes: (2, 0, 1) turns (H, W, K) into (K, H, W)."""
        axes = len(self._shape(in_)) - 1
        if order is not None and len(order) != axes:
            raise ArrayError(f"transpose of {in_!r}", expected=f"{axes} axes", got=order)
        self.transpose[in_] = order

    def set_channel_swap(self, in_: str, order: Sequence[int] | None) -> None:
        """The order of the channels, the first axis after the transpose: (2, 1, 0) turns RGB into BGR."""
        channels = self._shape(in_)[1]
        if order is not None and len(order) != channels:
            raise ArrayError(f"channel_swap of {in_!r}", expected=f"{channels} channels", got=order)
        self.channel_swap[in_] = order

    def set_raw_scale(self, in_: str, scale: float | None) -> None:
        """A factor before the mean: 255 for nets that were trained on bytes."""
        self._shape(in_)
        self.raw_scale[in_] = scale

    def set_mean(self, in_: str, mean: np.ndarray | None) -> None:
        """The mean to subtract: one number a channel (K,), or an image (K, H', W') or (H', W') that is resized.

        An image with one channel serves all. Difference from pycaffe: (K, 1, 1) is one number a channel too, and is
        not made into an image with darker edges.
        """
        shape = self._shape(in_)
        if mean is None:
            self.mean[in_] = None
            return
        given = np.asarray(mean)
        mean = given[:, np.newaxis, np.newaxis] if given.ndim == 1 else np.array(given, ndmin=3)
        if mean.ndim != 3 or len(mean) not in ({shape[1]} if given.ndim == 1 else {1, shape[1]}):
            raise ArrayError(f"mean of {in_!r}", expected=f"({shape[1]},) or ({shape[1]}, H, W)", got=given.shape)
        if mean.shape[1:] not in ((1, 1), shape[2:]):
            mean = resize_image(mean.transpose(1, 2, 0), shape[2:]).transpose(2, 0, 1)
        self.mean[in_] = mean[0] if given.ndim == 2 else mean

    def set_input_scale(self, in_: str, scale: float | None) -> None:
        """A factor after everything else."""
        self._shape(in_)
        self.input_scale[in_] = scale

    def _settings(self, in_: str) -> list:
        """transpose, channel_swap, raw_scale, mean and input_scale of an input; None for what was not set."""
        self._shape(in_)
        return [setting.get(in_) for setting in (self.transpose, self.channel_swap, self.raw_scale, self.mean,
                                                 self.input_scale)]

    def _shape(self, in_: str) -> tuple[int, ...]:
        if in_ not in self.inputs:
            raise DataError("Transformer", f"{in_!r} is no input", hint=close_matches(in_, self.inputs))
        return self.inputs[in_]
