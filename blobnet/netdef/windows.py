"""Windows that slide over the places of a blob, as convolution_param and pooling_param write them.

Source of the maps: Long, Shelhamer, Darrell, Fully convolutional networks for semantic segmentation, CVPR 2015.
"""

from __future__ import annotations

import numpy as np
from google.protobuf.message import Message

CoordinateMap = tuple[int | None, int | float | np.ndarray, int | float | np.ndarray]


def window(options: Message) -> dict[str, str]:
    """Kernel, stride and pad in words: "3", or "3x5" of height and width; the kernel is "global" with global_pooling.

    The kernel is "" if it is not given; stride and pad have their defaults, "1" and "0".

    >>> from blobnet.proto.messages import new
    >>> window(new("ConvolutionParameter", kernel_h=3, kernel_w=5, stride=[2, 2]))
    {'kernel': '3x5', 'stride': '2', 'pad': '0'}
    """
    kernel = "global" if getattr(options, "global_pooling", False) else _sizes(options, "kernel", "kernel_size", "")
    return {"kernel": kernel, "stride": _sizes(options, "stride", "stride", "1"),
            "pad": _sizes(options, "pad", "pad", "0")}


def window_line(options: Message) -> str:
    """The same on one line, such as "kernel 3, stride 1, pad 0"."""
    return ", ".join(f"{name} {size}" for name, size in window(options).items() if size)


def places_under(options: Message) -> CoordinateMap | None:
    """Where the centre of the window over coordinate x lies in the output: (axis, scale, shift) of scale * x + shift.

    Scale and shift hold one number for all axes after `axis`, or one for each of them. None without a kernel.
    """
    if not _array(options, "kernel_size", "kernel").size:
        return None
    axis, stride, reach, pad = _numbers(options)
    return axis, 1 / stride, (pad - (reach - 1) / 2) / stride


def places_above(options: Message) -> CoordinateMap | None:
    """As `places_under`, for a window that is spread over the output instead of being read from the input."""
    if not _array(options, "kernel_size", "kernel").size:
        return None
    axis, stride, reach, pad = _numbers(options)
    return axis, stride, (reach - 1) / 2 - pad


def _numbers(options: Message) -> tuple[int, np.ndarray, np.ndarray, np.ndarray]:
    """The axis before the places, stride, places from the first to the last of the kernel, pad."""
    stride, pad = _array(options, "stride", "stride", 1), _array(options, "pad", "pad", 0)
    reach = (_array(options, "kernel_size", "kernel") - 1) * _array(options, "dilation", default=1) + 1
    return getattr(options, "axis", 1), stride, reach, pad


def _sides(options: Message, stem: str) -> list[int]:
    """`stem`_h and `stem`_w if one of them is given, else nothing."""
    names = (stem + "_h", stem + "_w")
    return [getattr(options, name) for name in names] if any(map(options.HasField, names)) else []


def _sizes(options: Message, stem: str, field: str, default: str) -> str:
    sizes = _sides(options, stem)
    if not sizes:
        value = getattr(options, field)
        sizes = [value] if isinstance(value, int) else list(value)
    return "x".join(map(str, sizes if len(set(sizes)) > 1 else sizes[:1])) or default


def _array(options: Message, field: str, stem: str = "", default: int | None = None) -> np.ndarray:
    """The numbers of a field, repeated or not, or those of `stem`_h and `stem`_w if one of them is given, or the
    default; an empty array if there is nothing."""
    known = options.DESCRIPTOR.fields_by_name.get(field)
    given = _sides(options, stem) if stem else []
    if not given and known is not None and (known.is_repeated or options.HasField(field)):
        given = list(getattr(options, field)) if known.is_repeated else [getattr(options, field)]
    return np.array(given or ([] if default is None else [default]))
