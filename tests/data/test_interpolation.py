"""The ways to resize against figures by hand, and against OpenCV where it is there."""

from __future__ import annotations

import numpy as np
import pytest

from blobnet.data.images.interpolation import RESIZE, resize_by
from blobnet.errors import ShapeError

RAMP = np.array([[[0, 100, 200]]], np.uint8)
SPOT = np.array([[[0, 0, 0, 128, 0, 0, 0, 0]]], np.uint8)


@pytest.mark.parametrize("image, size, interpolation, expected", [
    (RAMP, (1, 6), "NEAREST", [[0, 0, 100, 100, 200, 200]]),
    (RAMP, (2, 2), "NEAREST", [[0, 100]] * 2),
    (RAMP, (1, 1), "AREA", [[100]]),                           # the mean of three
    (RAMP, (1, 2), "AREA", [[33, 167]]),                       # 0 + 100 / 2 over 1.5, and 100 / 2 + 200 over 1.5
    (RAMP, (1, 4), "AREA", [[0, 67, 133, 200]]),               # 2 / 3 and 1 / 3 of the second
    (RAMP, (2, 2), "LINEAR", [[25, 175]] * 2),
    (SPOT, (1, 16), "CUBIC", [[0] * 5 + [34, 112, 112, 34] + [0] * 7]),  # 128 * ((5 t - 9) t^2 / 4 + 1) at 3/4, 1/4
])
def test_figures(image, size, interpolation, expected):
    assert resize_by(image, *size, interpolation).tolist() == [expected]


@pytest.mark.parametrize("interpolation", RESIZE)
def test_a_flat_image_stays_flat(interpolation):
    for size in ((1, 1), (3, 4), (20, 30), (7, 40)):
        assert (resize_by(np.full((2, 9, 11), 77, np.uint8), *size, interpolation) == 77).all()


@pytest.mark.parametrize("interpolation", RESIZE)
def test_no_pixel(interpolation):
    with pytest.raises(ShapeError, match="at least one pixel"):
        resize_by(RAMP, 0, 3, interpolation)


@pytest.mark.parametrize("interpolation", RESIZE)
@pytest.mark.parametrize("multiple", [False, True])
def test_as_opencv(interpolation, multiple):
    cv2 = pytest.importorskip("cv2")
    rng = np.random.default_rng(4)
    before = cv2.ipp.useIPP()
    cv2.ipp.setUseIPP(False)  # which differs from OpenCV's own code by 1 in some pixels
    seen = wrong = 0
    try:
        for _ in range(40):
            height, width, *old = map(int, rng.integers(1, 40, 4))
            if multiple:
                old = [height * int(rng.integers(1, 4)), width * int(rng.integers(1, 4))]
            image = rng.integers(0, 256, (*old, 3)).astype(np.uint8)
            expected = cv2.resize(image, (width, height), interpolation=getattr(cv2, f"INTER_{interpolation}"))
            found = resize_by(image.transpose(2, 0, 1), height, width, interpolation).transpose(1, 2, 0)
            differences = np.abs(found.astype(int) - expected)
            assert differences.max() <= (interpolation in ("CUBIC", "LANCZOS4"))
            seen, wrong = seen + differences.size, wrong + np.count_nonzero(differences)
        assert wrong < seen / 1000
    finally:
        cv2.ipp.setUseIPP(before)
