"""Data layers that read lists of label images, films, numbers and triplets, in nets."""

from __future__ import annotations

import re
from itertools import product

import numpy as np
import pytest
from cases_lists import CASES, fill
from layer_rows import build
from PIL import Image
from test_file_layers import forward

from blobnet.core.blob import Blob
from blobnet.core.context import TEST, TRAIN, Context
from blobnet.core.net import Net
from blobnet.core.registry import class_of
from blobnet.core.without_data import without_data
from blobnet.data.images.resize import resize, resize_nearest
from blobnet.errors import BlobnetError, DataError, NetError
from blobnet.netdef.upgrade import upgrade_net
from blobnet.proto.blobs import write_blob
from blobnet.proto.text import parse

RNG = np.random.default_rng(8)
SIZES = [(8, 11), (10, 7), (9, 9)]
IMAGES = [RNG.integers(0, 256, (3, *size), np.uint8) for size in SIZES]
LABELS = [np.arange(size[0] * size[1], dtype=np.uint8).reshape(1, *size) for size in SIZES]
FRAMES = RNG.integers(0, 256, (2, 6, 3, 5, 6), np.uint8)  # of two films


def make(text, phase=TEST, seed=7, dtype="float32", index=0):
    param = upgrade_net(parse(f"layer {{ name: 'd' {text} }}", "NetParameter")).layer[0]
    param.phase = phase
    layer = class_of(param)(param, Context(dtype=np.dtype(dtype), seed=seed), index)
    blobs = [Blob((), dtype=dtype) for _ in param.top]
    layer.initialize([], blobs)
    return layer, blobs


def save(image, path):
    image = image[::-1].transpose(1, 2, 0) if len(image) == 3 else image[0]
    Image.fromarray(np.ascontiguousarray(image)).save(path, "PNG")


@pytest.fixture
def folder(tmp_path):
    for i, (image, labels) in enumerate(zip(IMAGES, LABELS)):
        save(image, tmp_path / f"{i}.png")
        save(labels, tmp_path / f"l{i}.png")
    for name, rest in (("pixels", "l{0}.png"), ("labels", "{0}"), ("none", ""), ("numbers", "{0} 0.5 -{0}"),
                       ("triplets", "1.png 2.png"), ("windows", "l{0}.png -2 1 6 12")):
        (tmp_path / f"{name}.txt").write_text("".join(f"{i}.png {rest.format(i)}\n" for i in range(3)))
    for film, frames in enumerate(FRAMES):
        (tmp_path / f"film{film}").mkdir()
        for number, frame in enumerate(frames, 1):
            save(frame, tmp_path / f"film{film}" / f"{number:06d}.jpg")
            save(frame[:1], tmp_path / f"film{film}" / f"flow_x_{number:04d}.jpg")
            save(frame[1:2], tmp_path / f"film{film}" / f"flow_y_{number:04d}.jpg")
    (tmp_path / "clips.txt").write_text("film0 1 3\nfilm1 2 5\n")
    (tmp_path / "films.txt").write_text("film0 6 3\nfilm1 6 5\n")
    return tmp_path


def pairs(folder, kind="ImageSegData", options="", transform="", source="pixels", tops="x y"):
    field = "dense_image_data_param" if kind == "DenseImageData" else "image_data_param"
    if kind != "DenseImageData" and source in ("pixels", "windows"):
        options += " label_type: PIXEL"
    batch = "" if "batch_size" in options else "batch_size: 2"
    return (f"type: '{kind}' {' '.join(f'top: {top!r}' for top in tops.split())} transform_param {{ {transform} }} "
            f"{field} {{ source: '{folder}/{source}.txt' root_folder: '{folder}/' {batch} {options} }}")


def films(folder, options="", transform="", source="clips", tops="x y"):
    return (f"type: 'VideoData' {' '.join(f'top: {top!r}' for top in tops.split())} transform_param {{ {transform} }} "
            f"video_data_param {{ source: '{folder}/{source}.txt' root_folder: '{folder}/' batch_size: 2 {options} }}")


# Label images

@pytest.mark.parametrize("kind", ["DenseImageData", "ImageSegData"])
def test_pairs_in_order(folder, kind):
    layer, blobs = make(pairs(folder, kind, "new_height: 6 new_width: 5", "mean_value: 100 scale: 0.5"))
    assert [blob.shape for blob in blobs] == [(2, 3, 6, 5), (2, 1, 6, 5)]
    for n, (x, y) in enumerate(forward(layer, blobs, 4)):
        numbers = [(2 * n + i) % 3 for i in range(2)]
        np.testing.assert_array_equal(x, [(resize(IMAGES[i], 6, 5) - 100.0) / 2 for i in numbers])
        np.testing.assert_array_equal(y, [resize_nearest(LABELS[i], 6, 5) for i in numbers])


@pytest.mark.parametrize("phase", [TRAIN, TEST])
def test_dense_crops_and_mirrors_are_random_in_both_phases(folder, phase):
    text = pairs(folder, "DenseImageData", "crop_height: 4 crop_width: 5 mirror: true batch_size: 3")
    seen = set()
    for x, y in forward(*make(text, phase), 60):
        assert x.shape == (3, 3, 4, 5) and y.shape == (3, 1, 4, 5)
        for image, labels, a, b in zip(IMAGES, LABELS, x, y):
            places = [(top, left, flip) for top, left, flip in product(range(7), range(8), (1, -1))
                      if np.array_equal(labels[:, top:top + 4, left:left + 5][:, :, ::flip], b)]
            (top, left, flip), = places
            np.testing.assert_array_equal(image[:, top:top + 4, left:left + 5][:, :, ::flip], a)
            seen.add((image.shape, top, left, flip))
    assert len(seen) > 60


def test_crop_size_of_transform_param(folder):
    layer, blobs = make(pairs(folder, "DenseImageData", "", "crop_size: 6"))
    x, y = forward(layer, blobs)[0]
    np.testing.assert_array_equal(x[0], IMAGES[0][:, 1:7, 2:8])
    np.testing.assert_array_equal(y[0], LABELS[0][:, 1:7, 2:8])


def test_mean_file_of_the_size_of_the_crop(folder):
    mean = RNG.uniform(0, 200, (1, 3, 4, 5)).astype(np.float32)
    write_blob(folder / "mean.binaryproto", mean)
    text = pairs(folder, "DenseImageData", "crop_height: 4 crop_width: 5", f"mean_file: '{folder}/mean.binaryproto'")
    plain = pairs(folder, "DenseImageData", "crop_height: 4 crop_width: 5")
    np.testing.assert_array_equal(forward(*make(text))[0][0], forward(*make(plain))[0][0] - mean)


def test_padding_and_sizes(folder):
    transform = "crop_height: 9 crop_width: 10 mean_value: 1 mean_value: 2 mean_value: 3"
    layer, blobs = make(pairs(folder, "ImageSegData", "ignore_label: 9 batch_size: 3", transform, tops="x y s"))
    assert [blob.shape for blob in blobs] == [(3, 3, 9, 10), (3, 1, 9, 10), (3, 1, 1, 2)]
    x, y, sizes = forward(layer, blobs)[0]
    assert sizes.reshape(3, 2).tolist() == [[8, 10], [9, 7], [9, 9]]
    mean = np.reshape([1, 2, 3], (3, 1, 1))
    np.testing.assert_array_equal(x[0, :, :8], (IMAGES[0] - mean)[:, :, :10])  # (11 - 10) // 2 columns are left out
    assert not x[0, :, 8:].any() and (y[0, :, 8:] == 9).all()
    np.testing.assert_array_equal(y[1, :, :, :7], LABELS[1][:, :9])
    assert not x[1, :, :, 7:].any() and (y[1, :, :, 7:] == 9).all()


def test_one_label_for_all_pixels_or_none(folder):
    _, y = forward(*make(pairs(folder, source="labels", transform="crop_size: 5")), 2)[1]
    assert [np.unique(labels).tolist() for labels in y] == [[2], [0]]
    _, y = forward(*make(pairs(folder, options="label_type: NONE ignore_label: 77", source="labels",
                               transform="crop_size: 5")))[0]
    assert np.unique(y).tolist() == [77]


def test_windows(folder):
    """From column -2 to 6 and from row 1 to 12: the image ends at row 7."""
    layer, blobs = make(pairs(folder, "WindowSegData", "ignore_label: 200 batch_size: 1", source="windows"))
    x, y = forward(layer, blobs)[0]
    assert x.shape == (1, 3, 12, 9) and y.shape == (1, 1, 12, 9)
    np.testing.assert_array_equal(x[0, :, :7, 2:], IMAGES[0][:, 1:, :7])
    np.testing.assert_array_equal(y[0, :, :7, 2:], LABELS[0][:, 1:, :7])
    for blob, value in ((x, 0), (y, 200)):
        assert (blob[0, :, :, :2] == value).all() and (blob[0, :, 7:] == value).all()
    text = pairs(folder, "WindowSegData", "ignore_label: 200 new_height: 6 new_width: 4", source="windows")
    small, labels = forward(*make(text))[0]
    np.testing.assert_array_equal(small[0], resize(x[0].astype(np.uint8), 6, 4))
    np.testing.assert_array_equal(labels[0], resize_nearest(y[0], 6, 4))


@pytest.mark.parametrize("window, shape", [("3 2 3 2", (1, 1)), ("20 20 22 21", (2, 3)), ("-5 -4 -3 -4", (1, 3))])
def test_windows_of_a_pixel_and_outside(folder, window, shape):
    (folder / "windows.txt").write_text(f"0.png l0.png {window}\n")
    x, y = forward(*make(pairs(folder, "WindowSegData", "batch_size: 1", source="windows")))[0]
    assert x.shape == (1, 3, *shape)
    if window[0] == "3":
        assert x.ravel().tolist() == IMAGES[0][:, 2, 3].tolist() and y.item() == LABELS[0][0, 2, 3]
    else:
        assert not x.any() and (y == 255).all()


def test_edges(folder):
    edges = np.array([[[0, 51, 127, 128, 255]]], np.uint8)
    save(edges, folder / "l0.png")
    save(np.repeat(edges, 3, 0), folder / "0.png")
    _, y = forward(*make(pairs(folder, "ImageLabelmapData", "batch_size: 1")))[0]
    np.testing.assert_allclose(y.ravel(), [0, 0.2, 127 / 255, 1, 1], rtol=1e-6)
    _, y = forward(*make(pairs(folder, "ImageLabelmapData", "batch_size: 1 new_height: 3 new_width: 4")))[0]
    wanted = resize(edges, 3, 4) / 255  # between the labels, as they are no classes
    np.testing.assert_allclose(y[0], np.where(wanted > 0.5, 1, wanted), rtol=1e-6)


# Films

def test_clips(folder):
    layer, blobs = make(films(folder, "use_image: true new_length: 4 new_height: 4 new_width: 3",
                              "mean_value: 10 mean_value: 20 mean_value: 30 scale: 0.25"))
    assert [blob.shape for blob in blobs] == [(2, 3, 4, 4, 3), (2,)]
    x, y = forward(layer, blobs)[0]
    mean = np.reshape([10.0, 20, 30], (3, 1, 1))
    for i, first in enumerate((0, 1)):
        for j in range(4):
            np.testing.assert_array_equal(x[i, :, j], (resize(FRAMES[i, first + j], 4, 3) - mean) / 4)
    assert y.tolist() == [3, 5]


def test_all_frames_of_a_clip_are_cut_alike(folder):
    seen = set()
    for x, _ in forward(*make(films(folder, "use_image: true new_length: 5", "crop_size: 3 mirror: true"), TRAIN), 40):
        for i, first in enumerate((0, 1)):
            clip = FRAMES[i, first:first + 5].transpose(1, 0, 2, 3)
            (place,) = [(top, left, flip) for top, left, flip in product(range(3), range(4), (1, -1))
                        if np.array_equal(clip[:, :, top:top + 3, left:left + 3][..., ::flip], x[i])]
            seen.add(place)
    assert len(seen) == 24


def test_mean_of_clips(folder):
    mean = RNG.uniform(0, 200, (1, 3, 4, 5, 6)).astype(np.float32)
    write_blob(folder / "mean.binaryproto", mean)
    text = films(folder, "use_image: true new_length: 4", f"mean_file: '{folder}/mean.binaryproto' crop_size: 3")
    x, _ = forward(*make(text))[0]
    clip = FRAMES[0, :4].transpose(1, 0, 2, 3)
    np.testing.assert_array_equal(x[0], (clip - mean[0])[:, :, 1:4, 1:4])


def test_several_labels_of_a_film(folder):
    (folder / "clips.txt").write_text("film0 1 3,0\nfilm1 2 1\n")
    text = films(folder, "use_image: true use_multiple_label: true num_of_labels: 4")
    assert forward(*make(text))[0][1].tolist() == [[1, 0, 0, 1], [0, 1, 0, 0]]


def test_snippets_by_their_fields(folder):
    layer, blobs = make(films(folder, 'modality: RGB name_pattern: "%06d.jpg" num_segments: 2', source="films"))
    assert type(layer).__name__ == "SegmentVideoData" and [blob.shape for blob in blobs] == [(2, 6, 5, 6), (2,)]
    x, y = forward(layer, blobs)[0]
    for i in range(2):  # parts of 3 frames, of which the middle has (3 - 1 + 1) // 2 before it
        np.testing.assert_array_equal(x[i], np.concatenate(FRAMES[i, [1, 4]]))
    assert y.tolist() == [3, 5]


def test_snippets_of_flow(folder):
    x, _ = forward(*make(films(folder, "modality: FLOW new_length: 2 num_segments: 3", source="films")))[0]
    np.testing.assert_array_equal(x[1], FRAMES[1, :, :2].reshape(12, 5, 6))  # x, y of every frame
    gray, _ = forward(*make(films(folder, 'modality: RGB grayscale: true name_pattern: "flow_y_%04d.jpg"',
                                  source="films")))[0]
    np.testing.assert_array_equal(gray[0], FRAMES[0, 3, 1:2])


@pytest.mark.parametrize("video, transform, kind", [
    ("use_image: true", "", "VideoData"), ("", "crop_size: 3", "VideoData"),
    ("num_segments: 1", "", "SegmentVideoData"), ("grayscale: false", "", "SegmentVideoData"),
    ("", "multi_scale: true", "SegmentVideoData"),
    ("", "is_flow: false", "SegmentVideoData")])
def test_which_program_is_meant(folder, video, transform, kind):
    layer, = parse(f"layer {{ name: 'd' {films(folder, video, transform)} }}", "NetParameter").layer
    assert class_of(layer).__name__ == kind


def test_options_of_the_first_c3d(folder):
    net = upgrade_net(parse(f"""layers {{ name: 'd' type: VIDEO_DATA top: 'x' top: 'y' image_data_param {{
        source: '{folder}/clips.txt' use_image: true batch_size: 2 new_length: 3 crop_size: 4 mean_value: 5
        shuffle: false show_data: 0 }} }}""", "NetParameter"))
    layer = net.layer[0]
    assert layer.type == "VideoData" and not layer.HasField("image_data_param")
    assert layer.transform_param.crop_size == 4 and layer.transform_param.mean_value == [5]
    layer.video_data_param.root_folder = f"{folder}/"
    x = Net(net, TEST).forward()["x"]
    np.testing.assert_array_equal(x[0], FRAMES[0, :3].transpose(1, 0, 2, 3)[:, :, :4, 1:5] - 5.0)


# Numbers and triplets

def test_numbers(folder):
    layer, blobs = make(pairs(folder, "MultiLabelImageData", "", "crop_size: 3", "numbers"))
    assert blobs[1].shape == (2, 3)
    assert forward(layer, blobs, 2)[1][1].tolist() == [[2, 0.5, -2], [0, 0.5, 0]]


def test_triplets(folder):
    layer, blobs = make(pairs(folder, "TripletImageData", "new_height: 4 new_width: 4", source="triplets", tops="x"))
    assert blobs[0].shape == (6, 3, 4, 4)
    small = [resize(image, 4, 4) for image in IMAGES]
    for n, (x,) in enumerate(forward(layer, blobs, 4)):
        np.testing.assert_array_equal(x, [small[i] for i in ((2 * n) % 3, (2 * n + 1) % 3, 1, 1, 2, 2)])


# All of them

@pytest.mark.parametrize("name", CASES)
def test_a_resumed_run_reads_on(name, tmp_path, data_folder):
    fill(tmp_path)
    text = CASES[name].source.replace("FOLDER/lmdb", f"{data_folder}/lmdb").replace("FOLDER", str(tmp_path))
    text = text.split('"it"', 1)[1].rstrip()[:-1]
    whole = forward(*make(text, TRAIN), 8)
    layer, blobs = make(text, TRAIN, seed=8)
    forward(layer, blobs, 3)
    layer.context.seed = 7  # as a restored run gives it
    for step in (5, 1):
        layer.seek(step)
        for got, wanted in zip(forward(layer, blobs, 3), whole[step:]):
            for a, b in zip(got, wanted):
                np.testing.assert_array_equal(a, b)
    random = re.search("shuffle|mirror|crop|rand_skip|jitter|modality", text)
    others = forward(*make(text, TRAIN, seed=9), 8)
    assert all(np.array_equal(a[0], b[0]) for a, b in zip(whole, others)) == (not random)


def told(text):
    net = without_data(parse(f"layer {{ name: 'd' {text} }}", "NetParameter"))
    return [tuple(shape.dim) for shape in net.layer[0].input_param.shape]


@pytest.mark.parametrize("text, shapes", [
    ("type: 'DenseImageData' top: 'x' top: 'y' dense_image_data_param { batch_size: 4 crop_height: 3 crop_width: 5 }",
     [(4, 3, 3, 5), (4, 1, 3, 5)]),
    ("type: 'DenseImageData' top: 'x' top: 'y' dense_image_data_param { batch_size: 4 new_height: 3 new_width: 5 "
     "is_color: false }", [(4, 1, 3, 5), (4, 1, 3, 5)]),
    ("type: 'ImageSegData' top: 'x' top: 'y' top: 's' image_data_param { batch_size: 2 } "
     "transform_param { crop_size: 6 }", [(2, 3, 6, 6), (2, 1, 6, 6), (2, 1, 1, 2)]),
    ("type: 'VideoData' top: 'x' top: 'y' video_data_param { batch_size: 2 new_length: 16 new_height: 9 new_width: 8 }",
     [(2, 3, 16, 9, 8), (2,)]),
    ("type: 'VideoData' top: 'x' top: 'y' video_data_param { batch_size: 2 use_multiple_label: true num_of_labels: 7 }"
     " transform_param { crop_size: 5 }", [(2, 3, 1, 5, 5), (2, 7)]),
    ("type: 'VideoData' top: 'x' top: 'y' video_data_param { batch_size: 2 new_length: 5 num_segments: 3 }"
     " transform_param { crop_size: 5 }", [(2, 30, 5, 5), (2,)]),
    ("type: 'VideoData' top: 'x' video_data_param { video_type: WEBCAM } transform_param { resize_param { height: 5 "
     "width: 6 } }", [(1, 3, 5, 6)]),
    ("type: 'MultiLabelImageData' top: 'x' top: 'y' image_data_param { new_height: 5 new_width: 6 label_num: 4 }",
     [(1, 3, 5, 6), (1, 4)]),
    ("type: 'TripletImageData' top: 'x' image_data_param { new_height: 5 new_width: 6 batch_size: 4 }",
     [(12, 3, 5, 6)]),
    ("type: 'Data' top: 'x' top: 'y' data_param { batch_size: 3 label_num: 4 } transform_param { crop_size: 5 "
     "mean_value: 1 mean_value: 1 }", [(3, 2, 5, 5), (3, 4)])])
def test_shapes_without_data(text, shapes):
    assert told(text) == shapes


def test_shapes_that_nobody_tells(folder):
    text = pairs(folder, "DenseImageData")
    assert told(text) == [(2, 3, 8, 11), (2, 1, 8, 11)]
    with pytest.raises(NetError, match="no shape of top 'x' without its data; give it: --shape x=N,C,H,W"):
        told(text.replace("pixels.txt", "gone.txt"))
    net = parse(f"layer {{ name: 'd' {text.replace('pixels.txt', 'gone.txt')} }}", "NetParameter")
    given = without_data(net, {"x": (2, 3, 5, 7)}).layer[0].input_param.shape
    assert [tuple(shape.dim) for shape in given] == [(2, 3, 5, 7), (2, 1, 5, 7)]
    assert told(films(folder, "use_image: true new_length: 4")) == [(2, 3, 4, 5, 6), (2,)]


PIXELS = "image_data_param { source: '{0}/pixels.txt' root_folder: '{0}/' label_type: PIXEL batch_size: 3 "
DENSE = "dense_image_data_param { source: '{0}/pixels.txt' root_folder: '{0}/' batch_size: 3 "
FILMS = "video_data_param { source: '{0}/films.txt' root_folder: '{0}/' use_image: true "
SNIPPETS = "video_data_param { source: '{0}/films.txt' root_folder: '{0}/' modality: RGB "
REFUSED = [  # type, options, tops, parts of the message
    ("DenseImageData", "dense_image_data_param { source: '{0}/pixels.txt' }", "x y", "batch_size of at least 1, got 0"),
    ("DenseImageData", DENSE + "crop_height: 3 }", "x y", "crop_height and crop_width, or neither, got 3 and 0"),
    ("DenseImageData", DENSE + "new_width: 3 }", "x y", "new_height and new_width, or neither, got 0 and 3"),
    ("DenseImageData", DENSE + "crop_height: 3 crop_width: 2 } transform_param { crop_size: 3 }", "x y",
     "crops in dense_image_data_param and in transform_param; keep one of them"),
    ("DenseImageData", DENSE + "crop_height: 9 crop_width: 2 }", "x y", "images of at least 9 x 2 (the crop), got 8"),
    ("DenseImageData", DENSE + "rand_skip: 4 }", "x y", "rand_skip of at most 3, the number of images, got 4"),
    ("DenseImageData", DENSE + "} transform_param { resize_param { height: 3 width: 3 } }", "x y",
     "resize_param in transform_param; write new_height and new_width"),
    ("DenseImageData", DENSE.replace("3", "4294967295") + "new_height: 900 new_width: 900 }", "x y",
     "batch_size 4294967295, expected at most"),
    ("ImageSegData", PIXELS + "} transform_param { crop_size: 4 crop_width: 3 crop_height: 3 }", "x y",
     "crop_size beside crop_height and crop_width"),
    ("ImageSegData", PIXELS + "} transform_param { scale_factors: 2 }", "x y", "scale_factors without a crop"),
    ("ImageSegData", PIXELS + "} transform_param { crop_size: 4 scale_factors: 2 scale_factors: -1 }", "x y",
     "scale_factors above 0, at most 100, got 2, -1"),
    ("ImageSegData", PIXELS + "} transform_param { crop_size: 4 scale_factors: nan }", "x y", "got nan"),
    ("ImageSegData", PIXELS + "ignore_label: 256 }", "x y", "ignore_label from 0 to 255, got 256"),
    ("ImageSegData", PIXELS + "} transform_param { mean_file: 'm' }", "x y", "mean_file in transform_param; write"),
    ("ImageSegData", PIXELS.replace("PIXEL", "IMAGE") + "}", "x y",
     "{0}/pixels.txt:1: expected a whole number from 0 to 255, got 'l0.png'"),
    ("ImageSegData", PIXELS.replace("PIXEL", "IMAGE").replace("pixels", "above") + "}", "x y",
     "{0}/above.txt:2: expected a whole number from 0 to 255, got '256'"),
    ("ImageSegData", PIXELS.replace("pixels", "windows") + "}", "x y",
     '{0}/windows.txt:1: expected "image label-image", without spaces'),
    ("WindowSegData", PIXELS + "}", "x y", '{0}/pixels.txt:1: expected "image label-image x1 y1 x2 y2"'),
    ("WindowSegData", PIXELS.replace("pixels", "backwards") + "}", "x y",
     "{0}/backwards.txt:1: expected a window x1 y1 x2 y2, whole numbers, got '3 2 1 4'"),
    ("WindowSegData", PIXELS.replace("pixels", "vast") + "}", "x y", "{0}/vast.txt:1: the window, expected at most"),
    ("WindowSegData", PIXELS.replace("pixels", "words") + "}", "x y", "{0}/words.txt:1: expected got '1 2 3 x'"),
    ("ImageLabelmapData", PIXELS + "} transform_param { crop_size: 12 }", "x y", "images of at least 12 x 12"),
    ("ImageData", "image_data_param { source: '{0}/labels.txt' } transform_param { scale_factors: 2 }", "x y",
     "scale_factors is for layers that read label images, such as ImageSegData; remove it"),
    ("ImageData", "image_data_param { source: '{0}/labels.txt' } transform_param { fix_crop: true }", "x y",
     "fix_crop is for SegmentVideoData; remove it"),
    ("VideoData", "video_data_param { source: '{0}/films.txt' }", "x y",
     "use_image: true and folders of frames, got a camera, or films as files of their own, which need a decoder"),
    ("VideoData", FILMS + "video_file: 'a.avi' }", "x", "got a camera, or films"),
    ("VideoData", FILMS + "new_length: 0 }", "x y", "new_length of at least 1, got 0"),
    ("VideoData", FILMS + "new_length: 4000000000 }", "x y",
     "at most 65536 frames in a row of the batch, got 4000000000"),
    ("VideoData", FILMS + "sampling_rate: 0 }", "x y", "sampling_rate of at least 1"),
    ("VideoData", FILMS + "use_temporal_jitter: true new_length: 4 sampling_rate: 2 }", "x y",
     "{0}/films.txt:1: expected at least 8 frames, got 6"),
    ("VideoData", FILMS + "use_multiple_label: true num_of_labels: 4 }", "x y",
     "{0}/films.txt:2: expected a whole number from 0 to 3, got '5'"),
    ("VideoData", FILMS + "new_length: 2 }", "x y", "{0}/films.txt:1: {0}/film0/000007.jpg: no such file"),
    ("VideoData", FILMS + "} transform_param { mean_file: '{0}/gone' }", "x y", "{0}/gone: no such file"),
    ("SegmentVideoData", SNIPPETS + "num_segments: 0 }", "x y", "num_segments of at least 1, got 0"),
    ("SegmentVideoData", SNIPPETS + "num_segments: 4000000000 }", "x y", "at most 65536 frames"),
    ("SegmentVideoData", SNIPPETS + "}", "x y", "{0}/films.txt:1: {0}/film0/image_000 .jpg: no such file"),
    ("SegmentVideoData", SNIPPETS + "name_pattern: '%s.jpg' }", "x y",
     "name_pattern as 'image_%04d.jpg', got '%s.jpg'"),
    ("SegmentVideoData", SNIPPETS + "name_pattern: '%0999999999d' }", "x y", "got '%0999999999d'"),
    ("SegmentVideoData", SNIPPETS + "name_pattern: 'a' }", "x y", "got 'a'"),
    ("SegmentVideoData", SNIPPETS.replace("RGB", "FLOW") + "name_pattern: '%04d' }", "x y", "as 'flow_%c_%04d.jpg'"),
    ("MultiLabelImageData", "image_data_param { source: '{0}/none.txt' }", "x y", "lines of a path and numbers"),
    ("MultiLabelImageData", "image_data_param { source: '{0}/numbers.txt' label_num: 5 }", "x y",
     "{0}/numbers.txt:1: expected a path and 5 numbers"),
    ("TripletImageData", "image_data_param { source: '{0}/pixels.txt' }", "x",
     '{0}/pixels.txt:1: expected "query similar dissimilar"'),
    ("TripletImageData", "image_data_param { source: '{0}/triplets.txt' }", "x", "{0}/triplets.txt:1: 0.png: no such"),
    ("TripletImageData", "image_data_param { source: '{0}/triplets.txt' batch_size: 0 }", "x", "batch_size of at"),
]


@pytest.mark.parametrize("kind, options, tops, parts", REFUSED)
def test_refused(folder, kind, options, tops, parts):
    for name, rows in (("above", "0.png 255\n1.png 256\n"), ("backwards", "0.png l0.png 3 2 1 4\n"),
                       ("vast", "0.png l0.png -9999999 -9999999 0 0\n"), ("words", "0.png l0.png 1 2 3 x\n")):
        (folder / f"{name}.txt").write_text(rows)
    with pytest.raises(BlobnetError) as caught:
        build(kind, [], options.replace("{0}", str(folder)), tops)
    message, position = str(caught.value), 0
    assert message.startswith(f"layer 'it' ({kind})") and "\n" not in message
    for part in parts.replace("{0}", str(folder)).split():
        position = message.index(part, position) + len(part)


def test_files_that_do_not_fit(folder):
    save(LABELS[0], folder / "l1.png")
    text = pairs(folder, "DenseImageData")
    layer, blobs = make(text)
    with pytest.raises(DataError, match=r"pixels.txt:2: label image, expected 10 x 7 as the image .height x width., "
                       "got 8 x 11"):
        forward(layer, blobs)
    assert forward(*make(pairs(folder, "DenseImageData", "new_height: 3 new_width: 3")))  # resized, they do
    (folder / "l1.png").unlink()
    with pytest.raises(DataError, match=r"layer 'd' .DenseImageData.: .*pixels.txt:2: .*l1.png: no such file"):
        forward(*make(text))
    with pytest.raises(BlobnetError, match="all images of a batch as the first"):
        save(LABELS[1], folder / "l1.png")
        forward(*make(text))


def test_images_of_any_size_one_at_a_time(folder):
    layer, blobs = make(pairs(folder, "DenseImageData", "batch_size: 1"))
    assert [x.shape[2:] for x, _ in forward(layer, blobs, 4)] == [*SIZES, SIZES[0]]
