"""Reading of HDF5 files: as the HDF5 library reads them, and nothing that strangers' files should not get."""

from __future__ import annotations

import random
import struct
import tracemalloc

import h5py
import numpy as np
import pytest

from blobnet.errors import BlobnetError, DataError
from blobnet.proto import hdf5

VERSIONS = ["earliest", "v108", "v110", "latest"]
FILTERS = [{}, {"compression": "gzip"}, {"compression": 9, "shuffle": True, "fletcher32": True}, {"fletcher32": True}]
CUT = [((10, 6), (4, 6), None), ((5,), (5,), None), ((100, 7), (3, 2), (None, 7)), ((7, 100), (2, 3), (7, None)),
       ((50, 60), (3, 4), (None, None)), ((3000,), (1,), None), ((5000,), (1,), (None,)), ((2000,), (1,), (3000,)),
       ((30, 20, 10), (7, 6, 5), (None, 20, 10))]  # shape, chunks, what it may become


def read_all(path):
    """Every dataset of numbers by its path."""
    where, found = hdf5.hdf5_where(path), {}

    def walk(group, prefix):
        for name in hdf5.names(group, where):
            item = hdf5.find(group, name, where)
            if isinstance(item, hdf5.Group) and prefix.count("/") < 5:  # damaged ones may hold themselves
                walk(item, f"{prefix}{name}/")
            elif not isinstance(item, hdf5.Group):
                found[prefix + name] = hdf5.read_numbers(item, name, where)

    with hdf5.reading(path) as file:
        walk(file, "")
    return found


def assert_as_the_library(path):
    expected = {}
    with h5py.File(path) as file:
        file.visititems(lambda name, item: expected.update({name: item[()]} if isinstance(item, h5py.Dataset) else {}))
    found = read_all(path)
    assert list(found) == sorted(found, key=lambda name: name.split("/")) and set(found) == set(expected)
    for name, values in expected.items():
        assert found[name].dtype == values.dtype and np.array_equal(found[name], values), name


@pytest.mark.parametrize("version", VERSIONS)
def test_chunks_as_the_library_reads_them(tmp_path, version):
    rng = np.random.default_rng(0)
    with h5py.File(tmp_path / "f.h5", "w", libver=version) as file:
        for i, (shape, chunks, most) in enumerate(CUT):
            for k, filters in enumerate(FILTERS):
                file.create_dataset(f"{i}_{k}", data=rng.integers(-9, 9, shape).astype(np.float32), chunks=chunks,
                                    maxshape=most, **filters)
        file.create_dataset("holes", (40, 5), "f4", chunks=(4, 5), fillvalue=7)[8:12] = 1
        file.create_dataset("growing holes", (40, 5), "f4", chunks=(4, 5), maxshape=(None, 5), fillvalue=7)[8:12] = 1
    assert_as_the_library(tmp_path / "f.h5")


@pytest.mark.parametrize("version", VERSIONS)
def test_types_groups_and_layouts_as_the_library_reads_them(tmp_path, version):
    with h5py.File(tmp_path / "f.h5", "w", libver=version, userblock_size=1024) as file:
        for kind in "b B h H i I l L e f d >f4 >i2 >f8".split():
            file[f"type {kind}"] = np.arange(12).reshape(3, 4).astype(kind)
        file["scalar"], file["empty"] = 3.5, np.zeros((0, 3))
        for i in range(700):
            file[f"many/name number {i}"] = i
        for i in range(12):
            file[f"deep/{i}/of/{i % 3}"] = np.arange(i)
        file.create_dataset("unwritten", (4, 5), "f4", fillvalue=3)
        for name, set_layout in (("compact", lambda plan: plan.set_layout(h5py.h5d.COMPACT)),
                                 ("early", lambda plan: (plan.set_chunk((2, 3)), plan.set_alloc_time(
                                     h5py.h5d.ALLOC_TIME_EARLY)))):
            plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            set_layout(plan)
            space = h5py.h5s.create_simple((4, 5))
            h5py.h5d.create(file.id, name.encode(), h5py.h5t.NATIVE_FLOAT, space, plan).write(
                h5py.h5s.ALL, h5py.h5s.ALL, np.arange(20, dtype=np.float32).reshape(4, 5))
    assert_as_the_library(tmp_path / "f.h5")


def other_file(folder):
    """A secret file, as raw numbers and as HDF5."""
    (folder / "secret").write_bytes(b"12345678" * 4)
    with h5py.File(folder / "secret.h5", "w") as file:
        file["x"] = np.arange(4.0)
    return folder / "secret", folder / "secret.h5"


def external_storage(file, raw, other):
    file.create_dataset("x", (4,), "f8", external=[(str(raw), 0, 32)])


def virtual(file, raw, other):
    layout = h5py.VirtualLayout((4,), "f8")
    layout[:] = h5py.VirtualSource(str(other), "x", (4,))
    file.create_virtual_dataset("x", layout)


def external_link(file, raw, other):
    file["x"] = h5py.ExternalLink(str(other), "x")


def soft_link(file, raw, other):
    file["y"] = np.arange(4.0)
    file["x"] = h5py.SoftLink("/y")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("make, words", [
    (external_storage, "numbers are in other files"), (virtual, "numbers are in other files"),
    (external_link, "is a external link"), (soft_link, "is a soft link")])
def test_nothing_outside_of_the_file_is_read(tmp_path, make, words, version):
    with h5py.File(tmp_path / "f.h5", "w", libver=version) as file:
        make(file, *other_file(tmp_path))
        assert file["x"][0] is not None  # the library follows it
    where = hdf5.hdf5_where(tmp_path / "f.h5")
    with hdf5.reading(tmp_path / "f.h5") as file, pytest.raises(DataError, match=f"f.h5'.*'x'.*{words}"):
        hdf5.read_numbers(hdf5.find(file, "x", where), "x", where)


def write(folder, shape=(8, 6), **options):
    with h5py.File(folder / "f.h5", "w") as file:
        file.create_dataset("x", data=np.arange(np.prod(shape), dtype=np.float64).reshape(shape), **options)
    return bytearray((folder / "f.h5").read_bytes())


@pytest.mark.parametrize("options, old, new, words", [
    (dict(chunks=(4, 6), fletcher32=True), struct.pack("<II", 196, 0), struct.pack("<II", 0, 0), "checksum is wrong"),
    (dict(chunks=(4, 6), fletcher32=True), struct.pack("<d", 9), struct.pack("<d", 8), "checksum is wrong"),
    (dict(chunks=(4, 6)), struct.pack("<II", 192, 0), struct.pack("<II", 1 << 30, 0), "a chunk of 1073741824 bytes"),
    (dict(chunks=(4, 6)), struct.pack("<III", 4, 6, 8), struct.pack("<III", 4, 0, 8), "chunks of shape"),
    (dict(chunks=(4, 6)), struct.pack("<QQ", 8, 6), struct.pack("<QQ", 1 << 40, 6), "at most 1.0 GiB in memory"),
    (dict(chunks=(4, 6)), struct.pack("<III", 4, 6, 8), struct.pack("<III", 1 << 31, 6, 8), "1.0 GiB in memory"),
    (dict(), struct.pack("<QQ", 8, 6), struct.pack("<QQ", 1 << 40, 6), "where the file has"),
    (dict(), struct.pack("<QQ", 8, 6), struct.pack("<QQ", 8, 1 << 62), "where the file has|shape"),
    (dict(chunks=(4, 6), compression="lzf"), b"", b"", "the filter lzf, of which .*write the dataset with gzip"),
    (dict(chunks=(4, 6), compression="gzip"), b"\x78\x5e", b"\x78\x5f", "cannot be unpacked")])
def test_damaged_datasets(tmp_path, options, old, new, words):
    data = write(tmp_path, **options)
    assert old in data
    (tmp_path / "f.h5").write_bytes(data.replace(old, new))
    with pytest.raises(DataError, match=f"f.h5'.*dataset 'x'.*({words})"):
        read_all(tmp_path / "f.h5")


def test_gzip_that_unpacks_to_too_much(tmp_path, monkeypatch):
    monkeypatch.setenv("BLOBNET_MAX_MEMORY", "50M")
    with h5py.File(tmp_path / "f.h5", "w") as file:
        file.create_dataset("x", data=np.zeros((1 << 20, 8)), chunks=(1 << 16, 8), compression="gzip")
    tracemalloc.start()
    try:
        with pytest.raises(DataError,
                           match=r"dataset 'x'.*shape \(1048576, 8\), expected at most 50.0 MiB.*MAX_MEMORY=1G"):
            read_all(tmp_path / "f.h5")
        assert tracemalloc.get_traced_memory()[1] < 1 << 20  # nothing was unpacked
    finally:
        tracemalloc.stop()
    monkeypatch.setenv("BLOBNET_MAX_MEMORY", "1G")
    assert not read_all(tmp_path / "f.h5")["x"].any()


def test_a_group_in_itself(tmp_path):
    with h5py.File(tmp_path / "f.h5", "w") as file:
        file["a/x"] = np.arange(3)
        file["a/a"] = file["a"]  # a hard link
    where = hdf5.hdf5_where(tmp_path / "f.h5")
    with hdf5.reading(tmp_path / "f.h5") as file:
        group = hdf5.find(file, "a/a/a/a", where)
        assert hdf5.dataset_names(group, where) == ["x"]


@pytest.mark.parametrize("version", ["earliest", "v108", "latest"])
def test_some_changed_bytes(tmp_path, version):
    """Each is read or refused: the HDF5 library dies of some of them."""
    with h5py.File(tmp_path / "f.h5", "w", libver=version) as file:
        values = np.arange(60.0).reshape(10, 6)
        for name, options in (("plain", {}), ("packed", dict(chunks=(4, 6), compression="gzip", shuffle=True,
                              fletcher32=True)), ("growing", dict(chunks=(4, 6), maxshape=(None, 6)))):
            file.create_dataset(name, data=values, **options)
        for i in range(10):
            file[f"data/conv{i}/0"] = np.ones(2)
    whole = (tmp_path / "f.h5").read_bytes()
    rng, refused = random.Random(0), 0
    for _ in range(400):
        data, place = bytearray(whole), rng.randrange(len(whole))
        while not data[place]:
            place = rng.randrange(len(whole))
        data[place] = rng.choice([0, 255, rng.randrange(256)])
        (tmp_path / "f.h5").write_bytes(data)
        try:
            read_all(tmp_path / "f.h5")
        except BlobnetError as error:
            assert "f.h5" in str(error)
            refused += 1
    assert refused > 50
