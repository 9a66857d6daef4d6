"""Codes of photos are those that the net's data layer would give, whatever it reads."""

from pathlib import Path

import numpy as np
import pytest

from blobnet.core.context import TEST
from blobnet.core.net import Net
from blobnet.data.images.encode import encode_image
from blobnet.data.images.files import read_image
from blobnet.data.stores.datum import array_to_datum, image_record
from blobnet.data.stores.lmdb_writer import LmdbWriter
from blobnet.errors import DataError, NetError, ShapeError
from blobnet.hashing.codes import Codes
from blobnet.hashing.encode import encode, set_source
from blobnet.hashing.photos import encode_photos
from blobnet.netdef.load import load
from blobnet.proto.blobs import write_blob

NAMES = ["red/a b.png", "red/c.jpg", "blue/d.png", "blue/ä.png", "blue/f.png"]
LISTED = ('type: "ImageData" image_data_param {{ source: "list.txt" root_folder: "photos/" batch_size: 2 '
          'new_height: 8 new_width: 10 {} }}')
STORED = 'type: "Data" data_param {{ source: "{}" backend: LMDB batch_size: 2 }}'
NET = """
layer {{ name: "data" top: "data" top: "label" include {{ phase: TEST }} {reader}
  transform_param {{ scale: 0.01 {transform} }} }}
layer {{ name: "other" type: "Input" top: "unused" input_param {{ shape {{ dim: 2 }} }} }}
layer {{ name: "conv" type: "Convolution" bottom: "data" top: "conv"
  convolution_param {{ num_output: 4 kernel_size: 3 weight_filler {{ type: "xavier" }} }} }}
layer {{ name: "relu" type: "ReLU" bottom: "conv" top: "conv" }}
layer {{ name: "ip" type: "InnerProduct" bottom: "conv" top: "ip"
  inner_product_param {{ num_output: 6 weight_filler {{ type: "xavier" }} }} }}
layer {{ name: "code" type: "TanH" bottom: "ip" top: "ip" }}
layer {{ name: "loss" type: "HashingLoss" bottom: "ip" bottom: "label" top: "loss"
  hashing_loss_param {{ bi_margin: 12 }} }}
layer {{ name: "sum" type: "Eltwise" bottom: "ip" bottom: "labels" top: "sum" include {{ stage: "odd" }} }}
"""


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """Five photos of several sizes in photos/, none twice as large as the nets want, and their list."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(3)
    for i, name in enumerate(NAMES):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_image(rng.integers(0, 256, (3 if i else 1, 9 + i, 14 - i), np.uint8), path.suffix[1:]))
    (tmp_path / "list.txt").write_text("".join(f"{name} {i}\n" for i, name in enumerate(NAMES)), "utf-8")
    return tmp_path


def write_net(reader, transform=""):
    """The net, its weights, and the codes of its own source."""
    text = NET.format(reader=reader, transform=transform)
    Path("net.prototxt").write_text(text)
    net = Net("net.prototxt", TEST, random_seed=1)
    net.save("net.caffemodel")
    count = set_source(load("net.prototxt", TEST), "net")[1]
    return encode(net, "ip", count)


def photos_codes(**options):
    return encode_photos("net.prototxt", "net.caffemodel", "ip", NAMES, root="photos", **options)


@pytest.mark.parametrize("more, transform", [
    ("", ""), ("", "crop_size: 6"), ("is_color: false", "mean_value: 100"), ("", "mean_value: [10, 20, 30]"),
    ("", 'mean_file: "mean.binaryproto"'), ("", "resize_param { height: 6 width: 7 interp_mode: NEAREST }")])
def test_as_the_list_of_the_net(photos, more, transform):
    write_blob("mean.binaryproto", np.random.default_rng(1).random((1, 3, 8, 10)).astype(np.float32))
    expected, steps = write_net(LISTED.format(more), transform), []
    codes = photos_codes(progress=steps.append)
    np.testing.assert_allclose(codes.values, expected.values, rtol=1e-5, atol=1e-6)
    assert codes.ids.tolist() == NAMES == expected.ids.tolist() and steps == [2, 2, 1]
    assert codes.labels is None and (codes.net, codes.weights, codes.blob) == ("net.prototxt", "net.caffemodel", "ip")


def test_the_size_of_the_mean(photos):
    """A list without a size, whose mean has one: photos of any size get it."""
    write_blob("mean.binaryproto", np.zeros((1, 3, 8, 10), np.float32))
    expected = write_net(LISTED.format(""), 'mean_file: "mean.binaryproto"')
    path = Path("net.prototxt")
    path.write_text(path.read_text().replace("new_height: 8 new_width: 10", ""))
    np.testing.assert_allclose(photos_codes().values, expected.values, rtol=1e-5, atol=1e-6)


def test_a_resize_param_takes_the_photo_as_it_is(photos):
    reader = LISTED.format("").replace("new_height: 8 new_width: 10", "")
    expected = write_net(reader, "resize_param { height: 7 width: 7 interp_mode: NEAREST }")
    np.testing.assert_allclose(photos_codes().values, expected.values, rtol=1e-5, atol=1e-6)


def write_database(name, **how):
    """The photos as `convert_imageset` stores them, 8 x 10."""
    with LmdbWriter(name) as writer:
        for i, file in enumerate(NAMES):
            record, _ = image_record(f"photos/{file}", i, True, (8, 10), **how)
            writer.put(b"%04d" % i, record.SerializeToString())


@pytest.mark.parametrize("order", ["bgr", "rgb"])
def test_raw_records_do_not_say_the_order_of_their_colours(photos, order):
    with LmdbWriter("images_lmdb") as writer:
        for i, file in enumerate(NAMES):
            image = read_image(f"photos/{file}", size=(8, 10))[::-1 if order == "rgb" else 1]
            writer.put(b"%04d" % i, array_to_datum(image, i).SerializeToString())
    expected = write_net(STORED.format("images_lmdb"), "mean_value: [10, 20, 30]")
    np.testing.assert_allclose(photos_codes(channels=order).values, expected.values, rtol=1e-5, atol=1e-6)
    with pytest.raises(NetError, match="order of the colours in 'images_lmdb' is not known; give it: --channels rgb"):
        photos_codes()


def test_compressed_and_gray_records_say_it(photos):
    write_database("png_lmdb", encoding="png")
    expected = write_net(STORED.format("png_lmdb"))
    np.testing.assert_allclose(photos_codes().values, expected.values, rtol=1e-5, atol=1e-6)
    with LmdbWriter("gray_lmdb") as writer:
        for i, file in enumerate(NAMES):
            image = read_image(f"photos/{file}", False, (8, 10))
            writer.put(b"%04d" % i, array_to_datum(image, i).SerializeToString())
    expected = write_net(STORED.format("gray_lmdb"))
    np.testing.assert_allclose(photos_codes().values, expected.values, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("transform", ['mean_file: "mean.binaryproto"', "crop_h: 8 crop_w: 10"])
def test_the_database_need_not_be_there(photos, transform):
    write_database("images_lmdb")
    write_blob("mean.binaryproto", np.zeros((1, 3, 8, 10), np.float32))
    expected = write_net(STORED.format("images_lmdb"), transform)
    (photos / "images_lmdb").rename(photos / "elsewhere")
    np.testing.assert_allclose(photos_codes(channels="bgr").values, expected.values, rtol=1e-5, atol=1e-6)


def test_bits(photos):
    write_net(LISTED.format(""))
    values = photos_codes().values
    for options in ({"threshold": 0.1}, {"block_size": 3}):
        expected = Codes.from_values(values, **options)
        np.testing.assert_array_equal(photos_codes(**options).packed, expected.packed)


def test_what_is_refused(photos):
    write_net(LISTED.format(""))
    for name, content in (("no.png", None), ("torn.png", (photos / "photos" / NAMES[0]).read_bytes()[:60])):
        if content:
            (photos / "photos" / name).write_bytes(content)
        with pytest.raises(DataError, match=f"photos/{name}"):
            encode_photos("net.prototxt", "net.caffemodel", "ip", [NAMES[0], name], root="photos")
    with pytest.raises(DataError, match="expected at least one, got none"):
        encode_photos("net.prototxt", "net.caffemodel", "ip", [])
    for blob, error in (("ipp", "no blob 'ipp' to encode; did you mean 'ip'"), ("loss", "'loss' needs label")):
        with pytest.raises(NetError, match=error):
            encode_photos("net.prototxt", "net.caffemodel", blob, NAMES, root="photos")


def test_a_blob_needs_a_row_for_each_photo(photos):
    write_net(LISTED.format(""))
    with open("net.prototxt", "a") as file:
        file.write('layer { name: "r" type: "Reshape" bottom: "ip" top: "flat" reshape_param { shape { dim: -1 } } }')
    with pytest.raises(ShapeError, match="a row for each of 2 photos"):
        encode_photos("net.prototxt", "net.caffemodel", "flat", NAMES, root="photos")


@pytest.mark.parametrize("reader, says", [
    ('type: "VideoData" video_data_param { source: "list.txt" }', "such as Data or ImageData, got VideoData"),
    ('type: "Input" input_param { shape { dim: 1 dim: 3 dim: 8 dim: 8 } }', "expected one layer that reads images")])
def test_a_layer_that_reads_no_images(photos, reader, says):
    Path("net.prototxt").write_text(f'layer {{ name: "data" top: "data" top: "label" {reader} }}')
    with pytest.raises(NetError, match=says):
        photos_codes()
