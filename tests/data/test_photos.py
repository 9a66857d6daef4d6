"""Photos: large ones averaged, turned ones upright, found in folders and lists."""

import io

import numpy as np
import pytest
from PIL import Image, ImageOps

from blobnet.data.images.encode import encode_image
from blobnet.data.images.files import read_image
from blobnet.data.images.photos import find_photos, read_photo, shrink, upright
from blobnet.data.images.resize import resize
from blobnet.errors import DataError


def image(*shape, seed=1):
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def test_a_large_photo_is_averaged():
    """Stripes of one pixel become gray, where the pixels in the middle alone would not see them."""
    stripes = np.zeros((1, 60, 90), np.uint8)
    stripes[:, :, ::3] = 210
    assert set(shrink(stripes, 10, 30).ravel().tolist()) == {70}
    assert set(shrink(stripes.swapaxes(1, 2), 30, 10).ravel().tolist()) == {70}
    assert set(resize(stripes, 10, 30).ravel().tolist()) == {0}


@pytest.mark.parametrize("rows, columns", [(3, 4), (1, 5), (2, 3), (7, 1)])
def test_means_of_whole_pixels(rows, columns):
    pixels = image(3, 4 * rows, 5 * columns)
    means = pixels.reshape(3, 4, rows, 5, columns).mean(axis=(2, 4))
    assert np.abs(shrink(pixels, 4, 5) - means).max() <= 1  # rounded along each of the two axes


def test_what_is_left_over_at_the_end_counts():
    """Seven pixels for three: two means of three, and the last one of a single pixel."""
    row = np.array([[[0, 30, 60, 100, 110, 120, 250]]], np.uint8)
    means = np.array([[[30, 110, 250]]], np.uint8)
    np.testing.assert_array_equal(shrink(row, 1, 2), resize(means, 1, 2))


@pytest.mark.parametrize("height, width", [(16, 24), (15, 20), (8, 12), (9, 40)])
def test_sides_of_less_than_twice_the_size_are_as_image_data_reads_them(height, width, tmp_path):
    (tmp_path / "a.png").write_bytes(encode_image(image(3, 16, 24), "png"))
    np.testing.assert_array_equal(read_photo(tmp_path / "a.png", size=(height, width)),
                                  read_image(tmp_path / "a.png", size=(height, width)))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_turned_as_pillow_turns_it(orientation, tmp_path):
    file, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(image(8, 16, 3)).save(file, "JPEG", quality=95, exif=exif.tobytes(), subsampling=0)
    (tmp_path / "photo.jpg").write_bytes(file.getvalue())
    expected = np.asarray(ImageOps.exif_transpose(Image.open(file))).transpose(2, 0, 1)[::-1]
    np.testing.assert_array_equal(read_photo(tmp_path / "photo.jpg"), expected)


@pytest.mark.parametrize("note", [b"Exif\0\0", b"Exif\0\0II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\x2a\0\0\0\0\0\0\0"])
def test_a_damaged_note_on_a_photo_leaves_it_as_it_is(note, tmp_path):
    file = io.BytesIO()
    Image.fromarray(image(8, 16, 3)).save(file, "JPEG", exif=note)
    (tmp_path / "photo.jpg").write_bytes(file.getvalue())
    np.testing.assert_array_equal(read_photo(tmp_path / "photo.jpg"), read_image(tmp_path / "photo.jpg"))


def test_upright_keeps_the_pixels():
    pixels = image(1, 2, 3)
    for orientation in range(1, 9):
        assert sorted(upright(pixels, orientation).ravel()) == sorted(pixels.ravel())


def test_photos_folders_and_lists(tmp_path):
    folder = tmp_path / "holiday"
    for name in ("b.png", "a.JPG", "sub/c.jpeg", ".hidden.png", ".cache/d.png", "notes.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")
    found = [f"{folder}/{name}" for name in ("a.JPG", "b.png", "sub/c.jpeg")]
    assert find_photos([folder]) == found
    assert find_photos([found[1], folder]) == [found[1], *found]
    (folder / "list.txt").write_text("sub/c.jpeg 3\nb.png\n")
    assert find_photos([folder / "list.txt"]) == [found[2], found[1]]


@pytest.mark.parametrize("name, says", [("no.png", "no.png: no such file"), ("empty", "no image in this folder"),
                                        ("hidden", "no image in this folder"), ("no.txt", "no.txt: no such file"),
                                        ("empty.txt", "expected paths of images")])
def test_paths_without_photos(name, says, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden" / ".a.png").write_bytes(b"")
    (tmp_path / "empty.txt").write_text("")
    with pytest.raises(DataError, match=says):
        find_photos([tmp_path / name])
