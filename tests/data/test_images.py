"""Decoding of compressed images."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import blobnet
from blobnet.data.images.decode import decode_image
from blobnet.data.stores.datum import datum_to_array
from blobnet.errors import DataError
from blobnet.proto.messages import new


def encode(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


RED = Image.new("RGB", (3, 2), (250, 20, 5))
CLEAR = Image.new("RGBA", (3, 2), (250, 20, 5, 99))
GRAY = Image.new("L", (3, 2), 77)


@pytest.mark.parametrize("image, color, pixel", [
    (RED, None, (5, 20, 250)), (RED, True, (5, 20, 250)), (GRAY, None, (77,)), (GRAY, True, (77, 77, 77)),
    (GRAY, False, (77,)), (CLEAR, None, (5, 20, 250, 99)), (CLEAR, True, (5, 20, 250)),
    (RED.convert("P", palette=Image.Palette.ADAPTIVE), None, (5, 20, 250)), (Image.new("1", (3, 2), 1), None, (255,)),
    (Image.new("LA", (3, 2), (77, 9)), None, (77, 77, 77, 9))])
def test_channels(image, color, pixel):
    array = decode_image(encode(image), color)
    assert array.dtype == np.uint8 and array.shape == (len(pixel), 2, 3)
    assert array[:, 1, 2].tolist() == list(pixel)


def test_rows_and_columns():
    pixels = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)  # height 2, width 4
    np.testing.assert_array_equal(decode_image(encode(Image.fromarray(pixels)))[::-1], pixels.transpose(2, 0, 1))


@pytest.mark.parametrize("rgb, gray", [
    ((10, 143, 24), 89), ((160, 17, 45), 62), ((191, 94, 208), 136), ((90, 152, 218), 140)])
def test_gray_of_png(rgb, gray):
    """Figures measured on Caffe 1.0 with OpenCV; Pillow's own conversion gives most of them 1 higher."""
    assert decode_image(encode(Image.new("RGB", (1, 1), rgb)), color=False).tolist() == [[[gray]]]


def test_gray_of_jpeg_is_its_luminance():
    blue, red = Image.new("L", (256, 256), 90), Image.new("L", (256, 256), 170)
    gradient = Image.merge("YCbCr", [Image.linear_gradient("L"), blue, red])
    array = decode_image(encode(gradient.convert("RGB"), "JPEG", quality=95), color=False).astype(int)
    ramp = np.arange(256)
    inside = slice(60, 200)  # where no colour is clipped
    assert np.abs(array[0, inside, 128] - ramp[inside]).max() <= 3


@pytest.mark.parametrize("data", [b"", b"no image", encode(RED)[:50], encode(RED, "JPEG")[:300]])
def test_broken(data):
    with pytest.raises(DataError, match="record 3: .* cannot be decoded"):
        decode_image(data, where="record 3")


def test_sixteen_bits():
    with pytest.raises(DataError, match="8 bits"):
        decode_image(encode(Image.new("I;16", (2, 2))))


def test_sixteen_bits_of_colour():
    """Pillow reads them as 8."""
    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    row = b"\0" + bytes([200, 1, 100, 2, 50, 3])
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 16, 2, 0, 0, 0))
    png += chunk(b"IDAT", zlib.compress(row)) + chunk(b"IEND", b"")
    assert decode_image(png, color=True).ravel().tolist() == [50, 100, 200]
    with pytest.raises(DataError, match="8 bits a channel, got 16 bits"):
        decode_image(png)


def test_gray_png_with_a_transparent_shade():
    assert decode_image(encode(GRAY, transparency=7)).shape == (1, 2, 3)


@pytest.mark.parametrize("kind", ["BMP", "TIFF", "PPM"])
@pytest.mark.parametrize("rgb, gray", [((100, 50, 25), 62), ((13, 201, 77), 131), ((250, 20, 5), 87), ((3, 3, 4), 3)])
def test_gray_of_other_formats(kind, rgb, gray):
    """(4899 R + 9617 G + 1868 B + 8192) >> 14, as OpenCV has it."""
    assert decode_image(encode(Image.new("RGB", (2, 2), rgb), kind), color=False)[0, 0, 0] == gray


def test_encoded_datum():
    datum = new("Datum", encoded=True, data=encode(RED), label=1)
    assert datum_to_array(datum).shape == (3, 2, 3)
    assert datum_to_array(datum, color=False).shape == (1, 2, 3)


def png_of(width: int, height: int) -> bytes:
    """The beginning of a PNG file of that size."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header)) \
        + struct.pack(">I", 9) + b"IDAT"


WEBP_CANVAS = b"RIFF" + struct.pack("<I", 100) + b"WEBPVP8X" + struct.pack("<II", 10, 0) + b"\xff\xff\xff" * 2


@pytest.mark.parametrize("data, message", [
    (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "expected JPEG, .*begins with b'%!PS-Ado'"),
    (b"\xc5\xd0\xd3\xc6" + bytes(40), "expected JPEG"),  # EPS with a preview
    (b"", "got nothing"), (b"%PDF-1.4", "expected JPEG"),
    (png_of(1 << 20, 1 << 20), r"1048576 x 1048576 pixels, .*got 4.0 TiB; .*BLOBNET_MAX_MEMORY=4096G"),
    (png_of(20000, 20000), r"20000 x 20000 pixels, expected at most 1.0 GiB in memory, got 1.5 GiB"),
    (WEBP_CANVAS, "16777216 x 16777216 pixels"),
    (encode(Image.new("1", (30000, 30000)), "PNG"), "30000 x 30000 pixels")], ids=range(8))
def test_what_no_image_may_do(data, message, monkeypatch):
    """Formats for which Pillow starts a program are refused, and sizes before memory is taken for them."""
    monkeypatch.setattr("subprocess.Popen", lambda *_, **__: pytest.fail("a program was started"))
    with pytest.raises(DataError, match=f"record 3.*{message}"):
        decode_image(data, where="record 3")


def test_larger_images_if_asked_for(monkeypatch):
    """Also where Pillow itself would warn."""
    large = encode(Image.new("1", (10000, 10000)))
    assert decode_image(large).shape == (1, 10000, 10000)
    monkeypatch.setenv("BLOBNET_MAX_MEMORY", "300M")
    with pytest.raises(DataError, match="10000 x 10000 pixels, expected at most 300.0 MiB"):
        decode_image(large)


def test_the_first_of_several_pictures():
    frames = [Image.new("L", (3, 2), value) for value in (50, 150, 250)]
    for kind in ("GIF", "TIFF", "WEBP"):
        data = encode(frames[0], kind, save_all=True, append_images=frames[1:])
        assert abs(decode_image(data, False).astype(int) - 50).max() <= 3, kind


def test_one_function_opens_images():
    """Others would open every format that Pillow knows."""
    package = Path(blobnet.__file__).parent
    users = [path for path in package.rglob("*.py") if "Image.open(" in path.read_text("utf-8")]
    assert [path.name for path in users if "Pillow's Image.open would" not in path.read_text("utf-8")] == []
