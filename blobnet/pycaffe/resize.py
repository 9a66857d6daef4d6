"""Resizing of images of floats as pycaffe does it through scikit-image and SciPy, in NumPy; splines by SciPy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from blobnet.errors import BlobnetError, ShapeError


def resize_image(im: np.ndarray, new_dims: Sequence[int], interp_order: int = 1) -> np.ndarray:
    """The image `im` (H, W, K) as float32 (*new_dims, K): bilinear, or the nearest pixels with `interp_order` 0.

    Orders 2 to 5 are splines and need SciPy. With 1 or 3 channels they keep within the range of the values of `im`.

    Nothing is smoothed before it is made smaller. With 1 or 3 channels, centres of pixels lie at one half, and outside
    of the image is its darkest value, which shows at the edges of an enlarged image. With other numbers of channels
    the corner pixels stay at the corners.
    Differences from pycaffe: with 1 or 3 channels orders 2 and 3 are splines too, where scikit-image takes polynomials
    through the next 3 or 4 pixels; scikit-image from 0.15 smooths what is made smaller; SciPy's zoom, for other numbers
    of channels, may by rounding leave the last row or column 0, which is not so here.

    >>> resize_image(np.array([[[1.0], [5.0]]]), (1, 3))[0, :, 0]
    array([1.       , 3.       , 4.3333335], dtype=float32)
    """
    im, sides = np.asarray(im), tuple(map(int, new_dims))
    if im.ndim != 3 or len(sides) != 2 or min(*im.shape, *sides) < 1:
        raise ShapeError("resize_image", expected="an image (H, W, K) and two sides of at least 1",
                         got=f"{im.shape} and {new_dims}")
    if interp_order not in range(6):
        raise BlobnetError("resize_image", expected="interp_order 0 to 5", got=interp_order)
    if im.shape[:2] == sides:
        return im.astype(np.float32)
    by_corners = im.shape[2] not in (1, 3)
    darkest = float(im.min())
    out = im.astype(np.float64)
    if interp_order > 1:
        return _spline(out, sides, interp_order, by_corners).astype(np.float32)
    for axis, new in enumerate(sides):
        old = out.shape[axis]
        if by_corners:
            places = np.arange(new) * ((old - 1) / max(new - 1, 1))
        else:
            places = (np.arange(new) + 0.5) * (old / new) - 0.5
        out = _sample(out, places, axis, darkest, interp_order)
    return out.astype(np.float32)


def _spline(im: np.ndarray, sides: tuple[int, int], order: int, by_corners: bool) -> np.ndarray:
    try:
        from scipy.ndimage import zoom
    except ImportError:
        raise BlobnetError("resize_image", expected="interp_order 0 or 1", got=order,
                           hint="orders 2 to 5 need the package scipy: pip install scipy") from None
    factors = (sides[0] / im.shape[0], sides[1] / im.shape[1], 1)
    if by_corners:
        return zoom(im, factors, order=order, mode="mirror")
    darkest, brightest = im.min(), im.max()
    return zoom(im, factors, order=order, mode="grid-constant", cval=darkest, grid_mode=True).clip(darkest, brightest)


def _sample(im: np.ndarray, places: np.ndarray, axis: int, outside: float, order: int) -> np.ndarray:
    """`im` at the `places` between its pixels along `axis`."""
    if order == 0:
        return im.take(np.floor(places + 0.5).astype(int).clip(0, im.shape[axis] - 1), axis)
    before = np.floor(places).astype(int)
    far = (places - before).reshape([-1 if i == axis else 1 for i in range(im.ndim)])
    padding = [(1, 1) if i == axis else (0, 0) for i in range(im.ndim)]
    padded = np.pad(im, padding, constant_values=outside)
    return padded.take(before + 1, axis) * (1 - far) + padded.take(before + 2, axis, mode="clip") * far
