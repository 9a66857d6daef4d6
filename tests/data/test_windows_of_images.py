"""Window files, and how windows are placed."""

from __future__ import annotations

import re

import numpy as np
import pytest

from blobnet.data.batches.window_crop import Placement, place_window
from blobnet.data.batches.window_file import read_window_file
from blobnet.errors import DataError

TWO = """# 0
a.jpg
3
50
60
4
2 0.7 1 2 10 12
1 0.5 0 0 5 5
3 0.2 3 3 9 9
0 0 4 4 8 8
# 1
b.jpg 3 40 30 1
5 1 6 7 8 9
"""


@pytest.fixture
def read(tmp_path):
    def read(text, *args):
        (tmp_path / "windows.txt").write_text(text)
        return read_window_file(tmp_path / "windows.txt", *args)
    return read


def test_thresholds(read):
    found = read(TWO)
    assert found.paths == ["a.jpg", "b.jpg"]
    assert found.foreground.tolist() == [[0, 2, 1, 2, 10, 12], [0, 1, 0, 0, 5, 5], [1, 5, 6, 7, 8, 9]]
    assert found.background.tolist() == [[0, 0, 3, 3, 9, 9], [0, 0, 4, 4, 8, 8]]
    found = read(TWO, 0.7, 0.2, "root/")  # 0.7 and 0.2 as float32, on both sides
    assert found.paths == ["root/a.jpg", "root/b.jpg"]
    assert found.foreground[:, 1].tolist() == [2, 5] and found.background[:, 2].tolist() == [4]


@pytest.mark.parametrize("old, new, message", [
    (TWO, "", "expected windows of foreground and of background, got 0 and 0"),
    ("1 0.5 0 0", "0 0.5 0 0", "image 0: expected a class above 0 .*, got 0"),
    ("# 1", "# 2", "image 1: expected number 1: images are counted from 0, got 2"),
    ("# 1", "## 1", "image 1: expected # number path channels height width windows, got ## 1 b.jpg"),
    ("3 40 30 1", "1 40 30 1", "image 1: expected 3 channels, got 1"),
    ("3 40 30 1", "3 40 30 2", "image 1: expected 2 windows of 6 numbers, got 6 numbers"),
    ("3 40 30 1", "3 40", "image 1: expected 1 windows of 6 numbers, got 4"),
    ("b.jpg 3 40 30 1\n5 1 6 7 8 9", "b.jpg 3 40", "image 1: expected # number path .* got # 1 b.jpg 3 40"),
    ("6 7 8 9", "6 7 8.5 9", "expected integers as class"),
    ("6 7 8 9", "6 7 eight 9", "expected numbers: .*'eight'")])
def test_bad_files(read, old, new, message):
    with pytest.raises(DataError, match=message):
        read(TWO.replace(old, new))


@pytest.mark.parametrize("window, options, wanted", [
    # y1, y2, x1, x2 of the part; its size in the crop; its place there
    ((2, 3, 11, 7), {}, (3, 8, 2, 12, 20, 20, 0, 0)),
    # 10 x 10 with 5 of 20 pixels context: scale 2; from 6 - 10 to 6 + 10 and so 21 pixels
    ((1, 1, 10, 10), {"context_pad": 5}, (0, 17, 0, 17, 16, 16, 4, 4)),
    # 4 wide, 10 high, as a square of 10 round the middle; both ends round to a pixel, so 11
    ((10, 10, 13, 19), {"square": True}, (10, 21, 7, 18, 20, 20, 0, 0)),
    # on the right edge of a picture 40 wide
    ((34, 5, 39, 14), {"square": True}, (5, 16, 32, 40, 20, 15, 0, 0)),
    ((34, 5, 39, 14), {"square": True, "flip": True}, (5, 16, 32, 40, 20, 15, 0, 5)),
    # nothing of the context fits on the image: the part shrinks so that it and its place stay in the crop
    ((0, 0, 39, 29), {"context_pad": 4}, (0, 30, 0, 40, 12, 12, 4, 4)),
])
def test_placement(window, options, wanted):
    assert place_window(window, (30, 40), 20, **options) == Placement(*wanted)


@pytest.mark.parametrize("seed", range(200))
def test_the_part_stays_in_image_and_crop(seed):
    rng = np.random.default_rng(seed)
    rows, columns = rng.integers(8, 40, 2)
    x1, x2 = sorted(rng.integers(0, columns, 2))
    y1, y2 = sorted(rng.integers(0, rows, 2))
    crop = int(rng.integers(12, 30))
    options = {"context_pad": int(rng.integers(0, 5)), "square": bool(rng.integers(2)), "flip": bool(rng.integers(2))}
    place = place_window((x1, y1, x2, y2), (rows, columns), crop, **options)
    assert 0 <= place.y1 <= y1 and y2 < place.y2 <= rows and 0 <= place.x1 <= x1 and x2 < place.x2 <= columns
    assert place.pad_y + place.height <= crop and place.pad_x + place.width <= crop


@pytest.mark.parametrize("window, options", [
    ((3, 3, 40, 5), {}), ((5, 5, 4, 8), {}), ((50, 3, 60, 9), {"square": True}), ((-1, 0, 3, 3), {})])
def test_windows_outside(window, options):
    message = "expected a window in an image of 30 x 40, got x1 y1 x2 y2 = {} {} {} {}".format(*window)
    with pytest.raises(DataError, match=re.escape(message)):
        place_window(window, (30, 40), 20, **options)
