"""ImageData, HDF5Data, HDF5Output, MemoryData and WindowData in nets."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
from cases_data import CASES, fill
from layer_rows import build
from PIL import Image

from blobnet.core.blob import Blob
from blobnet.core.context import TEST, TRAIN, Context
from blobnet.core.net import Net
from blobnet.core.registry import layer_class
from blobnet.core.without_data import without_data
from blobnet.data.images.resize import resize
from blobnet.data.stores.datum import array_to_datum
from blobnet.data.stores.hdf5 import write_datasets
from blobnet.data.stores.lmdb_writer import LmdbWriter
from blobnet.errors import BlobnetError, DataError, NetError, ShapeError
from blobnet.proto.blobs import write_blob
from blobnet.proto.text import parse

RNG = np.random.default_rng(6)
IMAGES = [RNG.integers(0, 256, (3, 9 + i, 12 - i), np.uint8) for i in range(5)]  # blue, green, red


def make(text, phase=TEST, seed=7, dtype="float32", index=0):
    net = parse(f"layer {{ name: 'd' {text} }}", "NetParameter")
    param = net.layer[0]
    param.phase = phase
    layer = layer_class(param.type, "test")(param, Context(dtype=np.dtype(dtype), seed=seed), index)
    blobs = [Blob((), dtype=dtype) for _ in param.top]
    layer.initialize([], blobs)
    return layer, blobs


def forward(layer, blobs, times=1):
    results = []
    for _ in range(times):
        layer.forward([], blobs)
        layer.context.step += 1
        results.append([blob.data.copy() for blob in blobs])
    return results


@pytest.fixture
def folder(tmp_path):
    """Images with a list of their own numbers as labels, rows in two files, and windows in the images."""
    for i, image in enumerate(IMAGES):
        Image.fromarray(np.ascontiguousarray(image[::-1].transpose(1, 2, 0))).save(tmp_path / f"an image {i}.png")
        Image.fromarray(np.ascontiguousarray(image[::-1].transpose(1, 2, 0))).save(tmp_path / f"{i}.png")
    (tmp_path / "list.txt").write_text("".join(f"an image {i}.png {i}\n" for i in range(5)))
    (tmp_path / "many.txt").write_text("".join(f"an image {i}.png {i} {i % 2} -1\n" for i in range(5)))
    write_datasets(tmp_path / "0.h5", {"x": np.arange(12).reshape(3, 2, 2), "y": np.arange(3)})
    write_datasets(tmp_path / "1.h5", {"x": np.arange(12, 20).reshape(2, 2, 2), "y": np.arange(3, 5)})
    (tmp_path / "h5.txt").write_text(f"{tmp_path}/0.h5\n{tmp_path}/1.h5\n")
    (tmp_path / "windows.txt").write_text(
        "# 0 0.png 3 9 12 2  7 1 2 3 8 6  0 0.1 0 0 4 7  # 1 1.png 3 10 11 1  9 0.8 5 0 10 3")
    return tmp_path


def message(given, **fields):
    """The fields of a message: those in the text `given`, and of the others these."""
    return " ".join([f"{name}: {value!r}" for name, value in fields.items() if f"{name}:" not in given] + [given])


def images(folder, options="", transform="", source="list.txt"):
    fields = message(options, source=f"{folder}/{source}", root_folder=f"{folder}/", batch_size=2)
    return f"type: 'ImageData' top: 'x' top: 'l' transform_param {{ {transform} }} image_data_param {{ {fields} }}"


def windows(folder, options="", transform="crop_size: 8"):
    fields = message(options, source=f"{folder}/windows.txt", root_folder=f"{folder}/", batch_size=4)
    return f"type: 'WindowData' top: 'x' top: 'l' transform_param {{ {transform} }} window_data_param {{ {fields} }}"


def rows(folder, options="", more=""):
    fields = message(options, source=f"{folder}/h5.txt", batch_size=4)
    return f"type: 'HDF5Data' top: 'y' top: 'x' {more} hdf5_data_param {{ {fields} }}"


# ImageData

def test_images_in_order(folder):
    layer, blobs = make(images(folder, "new_height: 6 new_width: 5"))
    assert [blob.shape for blob in blobs] == [(2, 3, 6, 5), (2,)]
    for n, (x, labels) in enumerate(forward(layer, blobs, 6)):
        numbers = [(2 * n + i) % 5 for i in range(2)]
        assert labels.tolist() == numbers
        np.testing.assert_array_equal(x, [resize(IMAGES[i], 6, 5) for i in numbers])


def test_resize_comes_before_crop_mean_and_scale(folder):
    layer, blobs = make(images(folder, "new_height: 8 new_width: 7", "crop_size: 4 mean_value: 10 scale: 0.5"))
    wanted = (resize(IMAGES[0], 8, 7)[:, 2:6, 1:5] - np.float32(10)) / 2
    np.testing.assert_array_equal(forward(layer, blobs)[0][0][0], wanted)
    layer, blobs = make(images(folder, "", "resize_param { height: 8 width: 7 } crop_size: 4 mean_value: 10 scale: .5"))
    assert blobs[0].shape == (2, 3, 4, 4)
    np.testing.assert_array_equal(forward(layer, blobs)[0][0][0], wanted)


def test_gray(folder):
    layer, blobs = make(images(folder, "is_color: false", "crop_size: 9"))
    x = forward(layer, blobs)[0][0]
    gray = np.tensordot([0.114, 0.587, 0.299], IMAGES[0], 1)[:, 1:10]
    assert x.shape == (2, 1, 9, 9) and np.abs(x[0, 0] - gray).max() <= 1


def test_several_labels(folder):
    layer, blobs = make(images(folder, "label_num: 3", "crop_size: 4", "many.txt"))
    assert blobs[1].shape == (2, 3)
    assert forward(layer, blobs, 2)[1][1].tolist() == [[2, 0, -1], [3, 1, -1]]


def test_label_dim_is_another_name(folder):
    text = images(folder, "label_dim: 3", "crop_size: 4", "many.txt")
    net = Net(parse(f"layer {{ name: 'd' {text} }}", "NetParameter"), TRAIN)
    assert net.forward()["l"].tolist() == [[0, 0, -1], [1, 1, -1]]


def test_any_size_one_at_a_time(folder):
    layer, blobs = make(images(folder, "batch_size: 1"))
    assert [x.shape[1:] for x, _ in forward(layer, blobs, 6)] == [image.shape for image in IMAGES + IMAGES[:1]]
    layer, blobs = make(images(folder))
    with pytest.raises(ShapeError, match="all images of a batch as the first"):
        forward(layer, blobs)


def test_shuffle_and_skip(folder):
    def labels(options, seed=7):
        return np.concatenate([batch[1] for batch in forward(*make(images(folder, options, "crop_size: 3"), seed=seed),
                                                             10)]).astype(int).tolist()

    run = labels("shuffle: true")
    assert all(sorted(run[i:i + 5]) == list(range(5)) for i in range(0, 20, 5))
    assert len({tuple(run[i:i + 5]) for i in range(0, 20, 5)}) > 1
    assert labels("shuffle: true") == run != labels("shuffle: true", seed=8)
    starts = {labels("rand_skip: 4", seed)[0] for seed in range(30)}
    assert starts == {0, 1, 2, 3}
    skipped = labels("rand_skip: 4", 3)
    assert skipped == [(skipped[0] + i) % 5 for i in range(20)]


@pytest.mark.parametrize("options, message", [
    ("new_height: 3", "expected new_height and new_width, or neither, got 3 and 0"),
    ("rand_skip: 6", "expected rand_skip of at most 5, the number of images, got 6"),
    ("label_num: 0", "expected label_num of at least 1"), ("label_num: 2", "expected a path and 2 integers"),
    ("batch_size: 0", "layer 'd' .ImageData.: expected batch_size of at least 1, got 0"),
    ("batch_size: 2147483647", r"layer 'd' \(ImageData\): batch_size 2147483647, .* expected at most 4.0 GiB a batch"),
    ("root_folder: 'nowhere/'", r"layer 'd' \(ImageData\): .*list.txt:1: .*no such file: there is no folder "
     "'.*nowhere'; the list's paths stand behind root_folder, 'nowhere/'"),
    ("source: ''", r"layer 'd' \(ImageData\): no source; write image_data_param { source: "),
    ("source: 'lost.txt'", r"layer 'd' \(ImageData\): .*lost.txt: no such file")])
def test_image_options(folder, options, message):
    with pytest.raises(BlobnetError, match=message):
        make(images(folder, options))


def test_errors_of_image_files_reach_forward(folder):
    (folder / "an image 2.png").write_bytes(b"no image")
    (folder / "an image 4.png").unlink()
    layer, blobs = make(images(folder, transform="crop_size: 2"))
    forward(layer, blobs)
    with pytest.raises(DataError, match="layer 'd' .*list.txt:3: .*an image 2.png': 8 bytes that cannot be decoded"):
        forward(layer, blobs)
    layer.seek(2)
    with pytest.raises(DataError, match="an image 4.png: no such file"):
        forward(layer, blobs)


# All that read ahead

@pytest.mark.parametrize("name", [name for name in CASES if name.split()[0] in ("ImageData", "HDF5Data", "WindowData")])
def test_a_resumed_run_reads_on(name, tmp_path):
    fill(tmp_path)
    text = CASES[name].source.replace("FOLDER", str(tmp_path)).split('"it"', 1)[1].rstrip()[:-1]
    whole = forward(*make(text, TRAIN), 8)
    for other in ({"seed": 8}, {"index": 1}):
        same = all(np.array_equal(a[0], b[0]) for a, b in zip(whole, forward(*make(text, TRAIN, **other), 8)))
        assert same == (name in ("ImageData", "HDF5Data"))
    layer, blobs = make(text, TRAIN, seed=8)
    forward(layer, blobs, 3)
    layer.context.seed = 7  # as a restored run gives it
    for step in (5, 1):
        layer.seek(step)
        for got, wanted in zip(forward(layer, blobs, 3), whole[step:]):
            for a, b in zip(got, wanted):
                np.testing.assert_array_equal(a, b)


# HDF5

def test_rows_over_file_ends(folder):
    layer, blobs = make(rows(folder))
    assert [blob.shape for blob in blobs] == [(4,), (4, 2, 2)]
    for n, (y, x) in enumerate(forward(layer, blobs, 6)):
        assert y.tolist() == [(4 * n + i) % 5 for i in range(4)]
        np.testing.assert_array_equal(x.reshape(4, 4), y[:, None] * 4 + np.arange(4))


@pytest.mark.parametrize("options, more, message", [
    ("batch_size: 0", "", "expected batch_size of at least 1"), ("", "top: 'z'", "no dataset 'z'; known: x, y"),
    ("", "transform_param { scale: 2 }", "are not transformed; remove transform_param"),
    ("", "data_param { prefetch: 0 }", "expected prefetch of at least 1"),
    ("source: 'half.txt'", "", "'d' .HDF5Data.: half.txt, file 2: lost.h5: no such file"),
    ("source: ''", "", "'d' .HDF5Data.: no source; write hdf5_data_param { source")])
def test_hdf5_options(folder, monkeypatch, options, more, message):
    monkeypatch.chdir(folder)
    (folder / "half.txt").write_text("0.h5\nlost.h5\n")
    with pytest.raises(BlobnetError, match=message):
        make(rows(folder, options, more))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_hdf5_output(tmp_path, dtype):
    x = RNG.normal(size=(3, 2, 4)).astype(dtype)
    options = f'hdf5_output_param {{ file_name: "{tmp_path}/out.h5" }}'
    alone = build("HDF5Output", [x, np.arange(3)], options, tops="", dtype=dtype)
    assert not list(tmp_path.iterdir())
    for scale in (2, 1):  # the second forward replaces what the first wrote
        alone.values[0] = x * scale
        assert alone.forward() == []
        with h5py.File(tmp_path / "out.h5") as file:
            assert sorted(file) == ["data", "label"] and file["data"].dtype == dtype
            np.testing.assert_array_equal(file["data"], x[..., None] * scale)
            np.testing.assert_array_equal(file["label"], np.arange(3).reshape(3, 1, 1, 1))


@pytest.mark.parametrize("values, name, message", [
    ([(2, 3), (3,)], "out.h5", r"expected 2 rows in both, got \(2, 3\) and \(3,\)"),
    ([(2, 1, 1, 1, 1), (2,)], "out.h5", "at most 4 axes"), ([(2, 3), (2,)], "no/out.h5", "there is no folder '.*no'"),
    ([(2, 3), (2,)], "", "no file_name")])
def test_hdf5_output_errors(tmp_path, values, name, message):
    name = f"{tmp_path}/{name}" if name else ""
    with pytest.raises(BlobnetError, match=message):
        build("HDF5Output", list(map(np.zeros, values)), f'hdf5_output_param {{ file_name: "{name}" }}', tops="")


# MemoryData

MEMORY = "type: 'MemoryData' top: 'x' top: 'l' memory_data_param { batch_size: 2 channels: 1 height: 2 width: 3 } "
ARRAYS = np.arange(36, dtype=np.uint8).reshape(6, 1, 2, 3), np.arange(6)


def test_memory_goes_round():
    layer, blobs = make(MEMORY)
    assert [blob.shape for blob in blobs] == [(2, 1, 2, 3), (2,)]
    layer.reset(*ARRAYS)
    for n, (x, labels) in enumerate(forward(layer, blobs, 5)):
        wanted = [2 * n % 6, 2 * n % 6 + 1]
        assert labels.shape == (2, 1, 1, 1) and labels.ravel().tolist() == wanted
        np.testing.assert_array_equal(x, ARRAYS[0][wanted])
    layer.reset(*ARRAYS)  # from the first image on
    assert forward(layer, blobs)[0][1].ravel().tolist() == [0, 1]
    layer.seek(6)  # after one forward since
    assert forward(layer, blobs)[0][1].ravel().tolist() == [2, 3]


def test_memory_is_transformed_by_add_only():
    layer, blobs = make(MEMORY + "transform_param { scale: 2 mean_value: 1 }")
    layer.reset(*ARRAYS)
    np.testing.assert_array_equal(forward(layer, blobs)[0][0], ARRAYS[0][:2])
    layer.add(*ARRAYS)
    np.testing.assert_array_equal(forward(layer, blobs)[0][0], 2 * (ARRAYS[0][:2].astype(float) - 1))


@pytest.mark.parametrize("data, labels, message", [
    ((3, 1, 2, 3), (3,), "a multiple of batch_size 2, got 3"), ((0, 1, 2, 3), (0,), "batch_size 2, got 0"),
    ((2, 1, 3, 3), (2,), r"expected images \(R, 1, 2, 3\), got \(2, 1, 3, 3\)"), ((2, 1), (2,), "expected images"),
    ((4, 1, 2, 3), (2,), r"expected 4 labels, one an image, got shape \(2,\)"), ((2, 1, 2, 3), (2, 2), "2 labels")])
def test_memory_errors(data, labels, message):
    layer, _ = make(MEMORY)
    with pytest.raises(ShapeError, match=message):
        layer.reset(np.zeros(data), np.zeros(labels))


@pytest.mark.parametrize("data, labels, message", [
    ((3, 1, 2, 3), (3,), "a multiple of batch_size 2, got 3"), ((0, 1, 2, 3), (0,), "batch_size 2, got 0"),
    ((2, 1, 3, 3), (2,), r"images that become \(1, 2, 3\) by transform_param, got \(1, 3, 3\)")])
def test_memory_errors_of_add(data, labels, message):
    layer, _ = make(MEMORY)
    with pytest.raises(ShapeError, match=message):
        layer.add(np.zeros(data), np.zeros(labels))


@pytest.mark.parametrize("images", [[[1, 2], [3]], ["a", "b"]])
def test_memory_of_no_numbers(images):
    layer, _ = make(MEMORY)
    with pytest.raises(DataError, match="expected arrays of numbers, got a list"):
        layer.reset(images, np.zeros(2))


def test_memory_of_flat_images():
    layer, _ = make(MEMORY)
    with pytest.raises(ShapeError, match=r"expected images \(C, H, W\), got \(2, 3\)"):
        layer.add(np.zeros((2, 2, 3)), np.zeros(2))


def test_memory_without_data():
    layer, blobs = make(MEMORY)
    with pytest.raises(DataError, match="has no data yet; call its reset"):
        forward(layer, blobs)
    with pytest.raises(NetError, match="expected height of at least 1, got 0"):
        make(MEMORY.replace("height: 2", ""))


# WindowData

def window_reference(image, window, crop):
    """A warped window without context, as (3, crop, crop)."""
    x1, y1, x2, y2 = window
    return resize(image[:, y1:y2 + 1, x1:x2 + 1], crop, crop).astype(np.float32)


def test_windows_warped(folder):
    layer, blobs = make(windows(folder, "scale: 0.5", "crop_size: 8 mean_value: [1, 2, 3] scale: 9"))
    assert [blob.shape for blob in blobs] == [(4, 3, 8, 8), (4,)]
    shift = np.array([1, 2, 3], np.float32).reshape(3, 1, 1)
    wanted = {0: window_reference(IMAGES[0], (0, 0, 4, 7), 8), 7: window_reference(IMAGES[0], (2, 3, 8, 6), 8),
              9: window_reference(IMAGES[1], (5, 0, 10, 3), 8)}
    seen = set()
    for x, labels in forward(layer, blobs, 12):
        assert labels[:3].tolist() == [0, 0, 0] and labels[3] in (7, 9)  # a quarter of 4, background first
        seen.add(labels[3])
        for part, label in zip(x, labels):
            np.testing.assert_array_equal(part, (wanted[label] - shift) * np.float32(0.5))
    assert seen == {7, 9}


def test_windows_mirrored(folder):
    layer, blobs = make(windows(folder, transform="crop_size: 8 mirror: true"))
    plain = window_reference(IMAGES[0], (0, 0, 4, 7), 8)
    parts = [part for x, _ in forward(layer, blobs, 8) for part in x[:3]]
    flips = sum(np.array_equal(part, plain[:, :, ::-1]) for part in parts)
    assert 4 < flips < 20 and flips + sum(np.array_equal(part, plain) for part in parts) == 24


def test_context_outside_the_image_is_empty(folder):
    """Window x 0 … 4, y 0 … 7 in 12 x 9, crop 8, 2 pixels context: from -2.5 to 7.5 and from -4 to 12."""
    layer, blobs = make(windows(folder, "context_pad: 2", "crop_size: 8 mean_value: 100"))
    x = forward(layer, blobs)[0][0][0]
    part = resize(IMAGES[0][:, 0:9, 0:9], 4, 6).astype(np.float32) - 100  # 9 of 17 rows, 9 of 12 columns
    wanted = np.zeros((3, 8, 8), np.float32)
    wanted[:, 2:6, 2:8] = part
    np.testing.assert_array_equal(x, wanted)


def test_mean_image_of_windows(folder):
    mean = RNG.uniform(0, 255, (3, 13, 12)).astype(np.float32)
    write_blob(folder / "mean.binaryproto", mean)
    layer, blobs = make(windows(folder, transform=f"crop_size: 8 mean_file: '{folder}/mean.binaryproto'"))
    wanted = window_reference(IMAGES[0], (0, 0, 4, 7), 8) - mean[:, 2:10, 2:10]  # 2 on both axes
    np.testing.assert_array_equal(forward(layer, blobs)[0][0][0], wanted)


def test_the_share_of_foreground_is_rounded_down_in_float32(folder):
    for size, fraction, wanted in [(4, 0.5, 2), (10, 0.3, 3), (3, 0.9, 2), (4, 0, 0), (4, 1, 4)]:
        layer, blobs = make(windows(folder, f"fg_fraction: {fraction} batch_size: {size}"))
        assert (forward(layer, blobs)[0][1] > 0).sum() == wanted


def test_cached_files_are_read_once(folder):
    layer, blobs = make(windows(folder, "cache_images: true"))
    wanted = forward(*make(windows(folder)))[0][0]
    for path in folder.glob("*.png"):
        path.unlink()
    np.testing.assert_array_equal(forward(layer, blobs)[0][0], wanted)


@pytest.mark.parametrize("options, transform, message", [
    ("", "", "expected crop_size above 0 in transform_param, got 0"), ("batch_size: 0", "crop_size: 8", "batch_size"),
    ("crop_mode: 'sqare'", "crop_size: 8", "expected crop_mode warp or square, got 'sqare'"),
    ("context_pad: 4", "crop_size: 8", "expected context_pad below half of crop_size 8, got 4"),
    ("fg_fraction: 1.5", "crop_size: 8", "expected fg_fraction from 0 to 1"),
    ("fg_threshold: 2", "crop_size: 8", "got 0 and 1; see fg_threshold"),
    ("", "crop_size: 8 mean_value: 1 mean_value: 2", "expected one mean_value or 3, got 2"),
    ("", "crop_size: 8 resize_param { height: 9 }", "resize_param in transform_param; remove it"),
    ("", "crop_size: 8 mean_value: 1 mean_file: 'm'", "exclude each other"),
    ("source: 'lost.txt'", "crop_size: 8", "'d' .WindowData.: lost.txt: no such file"),
    ("source: ''", "crop_size: 8", "'d' .WindowData.: no source; write window_data_param"),
    ("", "crop_size: 8 mean_file: 'no.binaryproto'", "'d' .WindowData.: no.binaryproto: no such file"),
    ("cache_images: true root_folder: 'no/'", "crop_size: 8", "'d' .WindowData.: window file .* image 0: .*no such "
     "file.*; its paths stand behind root_folder")])
def test_window_options(folder, options, transform, message):
    with pytest.raises(BlobnetError, match=message):
        make(windows(folder, options, transform))


def test_a_mean_image_that_is_too_small(folder):
    write_blob(folder / "mean.binaryproto", np.zeros((3, 7, 9), np.float32))
    with pytest.raises(ShapeError, match=r"at least 8 x 8, got \(3, 7, 9\)"):
        make(windows(folder, transform=f"crop_size: 8 mean_file: '{folder}/mean.binaryproto'"))


# Shapes without data

@pytest.mark.parametrize("text, wanted", [
    (images, [(2, 3, 9, 12), (2,)]), (rows, [(4,), (4, 2, 2)]), (windows, [(4, 3, 8, 8), (4,)])])
def test_shapes_from_the_first_file(folder, text, wanted):
    net = without_data(parse(f"layer {{ name: 'd' {text(folder)} }}", "NetParameter"))
    assert [tuple(shape.dim) for shape in net.layer[0].input_param.shape] == wanted


def test_a_batch_larger_than_memory_is_refused_at_once(tmp_path):
    """By the layer, before the records are collected."""
    with LmdbWriter(tmp_path / "db") as writer:
        writer.put(b"0", array_to_datum(np.zeros((3, 8, 8), np.uint8), 1).SerializeToString())
    text = (f'layer {{ name: "in" type: "Data" top: "x" top: "y" data_param {{ source: "{tmp_path}/db" backend: LMDB '
            'batch_size: 2147483647 } }')
    with pytest.raises(DataError, match=r"layer 'in' \(Data\).*batch_size 2147483647, 77[26] bytes each, expected at "
                       r"most 4.0 GiB.*lower batch_size"):
        Net(parse(text, "NetParameter"), TRAIN)
