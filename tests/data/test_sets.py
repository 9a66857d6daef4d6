"""Import of known data sets from small stand-ins of their files, and downloads from a server on this machine."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import struct
import tarfile
import threading
from collections import Counter
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import array_shapes, arrays

from blobnet.data.images.mean import read_mean
from blobnet.data.sets import cifar10, digits, import_set, mnist
from blobnet.data.sets.files import download_file
from blobnet.data.stores.datum import datum_to_array, parse_datum
from blobnet.data.stores.lmdb_reader import LmdbReader
from blobnet.data.stores.summary import summarize
from blobnet.errors import DataError, MissingLibrary

RNG = np.random.default_rng(8)


def read_all(path):
    reader = LmdbReader(path)
    records = [parse_datum(reader.read()) for _ in range(len(reader))]
    return np.stack([datum_to_array(datum) for datum in records]), [datum.label for datum in records]


def check(out, name, splits):
    for split, (images, labels) in splits.items():
        stored, stored_labels = read_all(out / f"{name}_{split}_lmdb")
        np.testing.assert_array_equal(stored, images)
        assert stored_labels == list(labels)
    np.testing.assert_allclose(read_mean(out / f"{name}_mean.binaryproto"), splits["train"][0].mean(axis=0), rtol=1e-6)


# CIFAR-10.

@pytest.fixture
def cifar(monkeypatch):
    """Five files of 4 records and one of 3: their bytes by name, and what is in them."""
    monkeypatch.setattr(cifar10, "COUNTS", {"train": 20, "test": 3})
    pixels = {split: RNG.integers(0, 256, (count, 3, 32, 32), np.uint8) for split, count in cifar10.COUNTS.items()}
    labels = {"train": [i % 10 for i in range(20)], "test": [9, 0, 4]}
    records = {split: [bytes([label]) + image.tobytes() for label, image in zip(labels[split], images)]
               for split, images in pixels.items()}
    files = {f"data_batch_{i + 1}.bin": b"".join(records["train"][4 * i:4 * i + 4]) for i in range(5)}
    files["test_batch.bin"] = b"".join(records["test"])
    return files, {split: (pixels[split], labels[split]) for split in pixels}


def save(folder, files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def pack(files) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in reversed(files.items()):
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


@pytest.mark.parametrize("inside", [".", "cifar-10-batches-bin"])
def test_cifar10_files(cifar, tmp_path, inside):
    files, splits = cifar
    save(tmp_path / "from" / inside, files)
    paths = import_set("cifar10", tmp_path / "out", tmp_path / "from")
    assert [path.name for path in paths] == ["cifar10_train_lmdb", "cifar10_test_lmdb", "cifar10_mean.binaryproto"]
    assert sorted(os.listdir(tmp_path / "out")) == sorted(path.name for path in paths)
    check(tmp_path / "out", "cifar10", splits)


def test_cifar10_archive_of_another_checksum_warns(cifar, tmp_path):
    files, splits = cifar
    save(tmp_path, {cifar10.ARCHIVE: pack(files)})
    with pytest.warns(UserWarning, match="not the published file"):
        import_set("cifar10", tmp_path, tmp_path)
    check(tmp_path, "cifar10", splits)


@pytest.mark.parametrize("name, change, message", [
    ("data_batch_3.bin", lambda content: None, "no data_batch_3.bin in .*--download"),
    ("data_batch_3.bin", lambda content: content[:-1], "data_batch_3.bin: expected 4 records"),
    ("test_batch.bin", lambda content: b"\x0a" + content[1:], "labels from 0 to 9, got 10")])
def test_cifar10_damaged(cifar, tmp_path, name, change, message):
    files = {**cifar[0], name: change(cifar[0][name])}
    save(tmp_path / "from", {name: content for name, content in files.items() if content is not None})
    with pytest.raises(DataError, match=message):
        import_set("cifar10", tmp_path / "out", tmp_path / "from")
    assert os.listdir(tmp_path / "out") == []


@pytest.mark.filterwarnings("ignore:.*not the published file")
@pytest.mark.parametrize("cut", [10, 400])
def test_cifar10_broken_archive(cifar, tmp_path, cut):
    save(tmp_path, {cifar10.ARCHIVE: pack(cifar[0])[:cut]})
    with pytest.raises(DataError, match="cannot be read"):
        import_set("cifar10", tmp_path, tmp_path)


@pytest.mark.filterwarnings("ignore:.*not the published file")
def test_cifar10_archives_of_strangers(cifar, tmp_path, monkeypatch):
    """Links are not followed, nothing is unpacked outside, and what unpacks to too much is left."""
    def link(archive):
        for name in cifar[0]:
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            member.type, member.linkname = tarfile.SYMTYPE, "/etc/hostname"
            archive.addfile(member)

    def bomb(archive):
        member = tarfile.TarInfo("../../elsewhere")
        member.size = 60 << 20
        archive.addfile(member, io.BytesIO(bytes(member.size)))

    monkeypatch.setenv("BLOBNET_MAX_MEMORY", "50M")
    for fill, message in ((link, "has no file cifar-10-batches-bin/data_batch_1.bin"), (bomb, "more than a file may")):
        with tarfile.open(tmp_path / cifar10.ARCHIVE, "w:gz") as archive:
            fill(archive)
        with pytest.raises(DataError, match=message):
            import_set("cifar10", tmp_path, tmp_path)
    assert os.listdir(tmp_path) == [cifar10.ARCHIVE] and not (tmp_path.parent.parent / "elsewhere").exists()


@pytest.mark.filterwarnings("ignore:.*not the published file")
def test_mnist_that_unpacks_to_too_much(digit_files, tmp_path, monkeypatch):
    monkeypatch.setenv("BLOBNET_MAX_MEMORY", "5M")
    save(tmp_path, {**digit_files[0], "train-images-idx3-ubyte.gz": gzip.compress(bytes(6 << 20))})
    (tmp_path / "train-images-idx3-ubyte").unlink()
    with pytest.raises(DataError, match="idx3-ubyte.gz: what it unpacks to, at least, expected at most 5.0 MiB"):
        import_set("mnist", tmp_path, tmp_path)


def test_results_are_not_overwritten(cifar, tmp_path):
    save(tmp_path, {**cifar[0], "cifar10_mean.binaryproto": b"mine"})
    with pytest.raises(DataError, match="cifar10_mean.binaryproto already there"):
        import_set("cifar10", tmp_path, tmp_path)
    assert (tmp_path / "cifar10_mean.binaryproto").read_bytes() == b"mine"


def test_interrupted_import_leaves_nothing(cifar, tmp_path, monkeypatch):
    save(tmp_path / "from", cifar[0])
    read = cifar10.read

    def interrupted(folder, split):
        if split == "test":
            raise KeyboardInterrupt
        return read(folder, split)

    monkeypatch.setattr(cifar10, "read", interrupted)
    with pytest.raises(KeyboardInterrupt):
        import_set("cifar10", tmp_path / "out", tmp_path / "from")
    assert os.listdir(tmp_path / "out") == []


def test_unknown_set(tmp_path):
    with pytest.raises(DataError, match="did you mean 'cifar10'"):
        import_set("cifar", tmp_path)


# MNIST.

def idx(array) -> bytes:
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


@pytest.fixture
def digit_files(monkeypatch):
    monkeypatch.setattr(mnist, "COUNTS", {"train": 6, "test": 2})
    images = {split: RNG.integers(0, 256, (count, 28, 28), np.uint8) for split, count in mnist.COUNTS.items()}
    labels = {"train": np.arange(6, dtype=np.uint8), "test": np.array([9, 3], np.uint8)}
    files = {}
    for split, prefix in mnist.PREFIX.items():
        files[f"{prefix}-images-idx3-ubyte"] = idx(images[split])
        files[f"{prefix}-labels-idx1-ubyte"] = idx(labels[split])
    return files, {split: (images[split][:, np.newaxis], labels[split]) for split in images}


def test_mnist_plain(digit_files, tmp_path):
    files, splits = digit_files
    save(tmp_path, {name.replace("labels-idx", "labels.idx"): content for name, content in files.items()})
    import_set("mnist", tmp_path, tmp_path)
    check(tmp_path, "mnist", splits)


def test_mnist_compressed(digit_files, tmp_path, monkeypatch, recwarn):
    files, splits = digit_files
    packed = save(tmp_path, {f"{name}.gz": gzip.compress(content) for name, content in files.items()})
    sums = {path.name: hashlib.md5(path.read_bytes()).hexdigest() for path in packed.iterdir()}
    monkeypatch.setattr(mnist, "MD5", sums)
    import_set("mnist", tmp_path, tmp_path)
    assert not recwarn.list
    check(tmp_path, "mnist", splits)


@pytest.mark.parametrize("name, content, message", [
    ("train-images-idx3-ubyte", idx(np.zeros((5, 28, 28), np.uint8)), "expected 5 labels, one an image, got 6"),
    ("train-images-idx3-ubyte", idx(np.zeros((6, 28), np.uint8)), "starting 00 00 08 03, got 00 00 08 02"),
    ("t10k-labels-idx1-ubyte", idx(np.zeros(2, np.uint8))[:-1], "expected 2 values, got 1"),
    ("t10k-labels-idx1-ubyte", b"", "got nothing")])
def test_mnist_damaged(digit_files, tmp_path, name, content, message):
    save(tmp_path, {**digit_files[0], name: content})
    with pytest.raises(DataError, match=message):
        import_set("mnist", tmp_path, tmp_path)


def test_mnist_of_another_size(digit_files, tmp_path, monkeypatch):
    save(tmp_path, digit_files[0])
    monkeypatch.setattr(mnist, "COUNTS", {"train": 60000, "test": 10000})
    with pytest.raises(DataError, match="train split, expected 60000, got 6"):
        import_set("mnist", tmp_path, tmp_path)


@given(arrays(np.uint8, array_shapes(max_dims=4)))
def test_idx_round_trip(array):
    np.testing.assert_array_equal(mnist.parse_idx(idx(array), array.ndim), array)


# Digits.

def test_digits(tmp_path):
    import_set("digits", tmp_path)
    train, test = summarize(tmp_path / "digits_train_lmdb"), summarize(tmp_path / "digits_test_lmdb")
    assert (train.records, test.records) == (1437, 360) and train.shape == (1, 8, 8)
    assert train.labels + test.labels == Counter(dict(enumerate([178, 182, 177, 183, 181, 182, 181, 179, 174, 180])))
    images, labels = read_all(tmp_path / "digits_test_lmdb")
    assert images.min() == 0 and images.max() == 255
    assert labels[:12] == [7, 9, 4, 7, 0, 2, 6, 1, 3, 1, 3, 7]  # the split is the same everywhere, for ever


def test_digits_need_scikit_learn(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "sklearn.datasets", None)
    with pytest.raises(MissingLibrary, match="comes with scikit-learn .*pip install scikit-learn"):
        digits.read(tmp_path, "train")


# Downloads.

class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def do_GET(self):
        if "cut" in self.path:  # promises more than it sends
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"x" * 10)
            self.close_connection = True
        else:
            super().do_GET()


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    folder = tmp_path / "served"
    folder.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield folder, f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_download_tries_mirrors_until_one_is_right(server, tmp_path):
    folder, address = server
    save(folder, {"good": b"content", "bad": b"other"})
    target = tmp_path / "file"
    urls = [address + name for name in ("missing", "bad", "cut", "good")]
    download_file(urls, target, hashlib.md5(b"content").hexdigest())
    assert target.read_bytes() == b"content"
    target.unlink()
    with pytest.raises(DataError, match=r"missing: HTTP Error 404.*bad.*expected MD5 .*cut.*import with --from"):
        download_file(urls[:3], target, hashlib.md5(b"content").hexdigest())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["served"]


def test_download_and_import(cifar, server, tmp_path, monkeypatch):
    (files, splits), (folder, address) = cifar, server
    archive = pack(files)
    save(folder, {"a.tar.gz": archive})
    monkeypatch.setattr(cifar10, "MD5", hashlib.md5(archive).hexdigest())
    monkeypatch.setattr(cifar10, "DOWNLOADS", {cifar10.ARCHIVE: (cifar10.MD5, [address + "a.tar.gz"])})
    import_set("cifar10", tmp_path / "out", download=True)
    assert (tmp_path / "out" / "cifar10" / cifar10.ARCHIVE).read_bytes() == archive
    check(tmp_path / "out", "cifar10", splits)


def test_nothing_is_downloaded_if_the_files_are_there(cifar, tmp_path, monkeypatch):
    monkeypatch.setattr(cifar10, "DOWNLOADS", {cifar10.ARCHIVE: ("", ["http://127.0.0.1:9/none"])})
    import_set("cifar10", tmp_path / "out", save(tmp_path / "from", cifar[0]), download=True)
