"""Thumbnails of pages: found below a folder or in a database, once each, and a reason where there is none."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from blobnet.data.images.encode import encode_image
from blobnet.data.stores.datum import array_to_datum
from blobnet.data.stores.lmdb_writer import LmdbWriter
from blobnet.proto.messages import new
from blobnet.view.web.album import SIDE, Album


def pictures(album):
    """The pictures that the album defines: number -> Pillow image."""
    found = re.findall(r'<image id="p(\d+)" width="(\d+)" height="(\d+)" href="data:image/\w+;base64,([^"]*)"/>',
                       album.definitions())
    images = {int(number): Image.open(io.BytesIO(base64.b64decode(data))) for number, _, _, data in found}
    assert [(int(w), int(h)) for _, w, h, _ in found] == [image.size for image in images.values()]
    return images


def test_pictures_are_made_small_and_kept_once(tmp_path):
    rng = np.random.default_rng(0)
    tiny = rng.integers(0, 256, (3, 8, 6), np.uint8)
    (tmp_path / "tiny.png").write_bytes(encode_image(tiny, "png"))
    large = np.zeros((3, 200, 400), np.uint8)
    large[2] = 250  # red
    (tmp_path / "large.jpg").write_bytes(encode_image(large, "jpg"))
    album = Album()
    album.read(str(tmp_path), ["tiny.png", "large.jpg", "tiny.png"])
    album.read(str(tmp_path), ["large.jpg"])
    (tmp_path / "more.png").write_bytes(encode_image(tiny[:1], "png"))
    album.read(str(tmp_path), ["more.png", "tiny.png"])
    small, big, more = (pictures(album)[number] for number in range(3))
    np.testing.assert_array_equal(np.asarray(more), tiny[0])
    np.testing.assert_array_equal(np.asarray(small), tiny[::-1].transpose(1, 2, 0))
    assert big.size == (SIDE, SIDE // 2)
    assert np.abs(np.asarray(big, int) - [250, 0, 0]).max() < 8
    shown = album.show(str(tmp_path), "tiny.png")
    assert 'href="#p0"' in shown and 'aria-label="tiny.png"' in shown and album.notes() == []


def test_photos_are_upright(tmp_path):
    photo = Image.fromarray(np.repeat(np.array([[[255, 0, 0]], [[0, 0, 255]]], np.uint8), 40, 1).repeat(20, 0))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rows become columns, the first one right
    photo.save(tmp_path / "turned.jpg", exif=exif, quality=95)
    album = Album()
    album.read(str(tmp_path), ["turned.jpg"])
    pixels = np.asarray(pictures(album)[0], int)
    assert np.abs(pixels[20, -5] - [255, 0, 0]).max() < 20 and np.abs(pixels[20, 5] - [0, 0, 255]).max() < 20


def test_pictures_of_a_database_are_found_by_key(tmp_path):
    rng = np.random.default_rng(1)
    gray, colour = rng.integers(0, 256, (1, 4, 5), np.uint8), rng.integers(0, 256, (3, 4, 5), np.uint8)
    with LmdbWriter(tmp_path / "db") as writer:
        writer.put(b"a", array_to_datum(gray).SerializeToString())
        writer.put(b"b", new("Datum", data=encode_image(colour, "png"), encoded=True).SerializeToString())
        writer.put(b"c", array_to_datum(np.ones((2, 4, 5), np.float32)).SerializeToString())
        writer.put(b"d", array_to_datum(colour).SerializeToString())
    album, root = Album(), str(tmp_path / "db")
    album.read(root, ["d"])
    album.read(root, ["d", "b", "zz", "a", "c"])
    found = pictures(album)
    for name, image in (("a", gray[0]), ("b", colour[::-1].transpose(1, 2, 0)), ("d", colour[::-1].transpose(1, 2, 0))):
        number = int(re.search(r'href="#p(\d+)"', album.show(root, name))[1])
        np.testing.assert_array_equal(np.asarray(found[number]), image)
    assert "no picture" in album.show(root, "zz") and "has no key" in album.show(root, "zz")
    assert "1 or 3 channels" in album.show(root, "c")
    note, = album.notes()
    assert note.startswith("2 of 5 pictures are not there: ")


@pytest.mark.parametrize("data, said", [(None, "there is no file"), (b"no image", "cannot be decoded"),
                                        (encode_image(np.zeros((3, 90, 90), np.uint8), "png")[:80], "cannot be")])
def test_what_is_no_picture_has_a_place_with_the_reason(tmp_path, data, said):
    name = '<b>"&.png'
    if data:
        (tmp_path / name).write_bytes(data)
    album = Album()
    album.read(str(tmp_path), [name])
    assert said in album.show(str(tmp_path), name) and "<b>" not in album.show(str(tmp_path), name)
    assert album.definitions() == "" and album.notes()[0].startswith("1 of 1 pictures are not there")
