"""HDF5 files, and batches of their rows."""

from __future__ import annotations

import sys

import h5py
import numpy as np
import pytest

from blobnet.data.batches import hdf5 as hdf5_batches
from blobnet.data.batches.hdf5 import HDF5Batches
from blobnet.data.stores.hdf5 import dataset_shapes, read_datasets, read_file_list, write_datasets
from blobnet.errors import DataError, MissingLibrary

X = np.random.default_rng(0).normal(size=(9, 2, 3))


@pytest.fixture
def files(tmp_path):
    """Three files of 2, 4 and 3 rows of X, and the numbers of the rows."""
    paths, edges = [], [0, 2, 6, 9]
    for i, (start, stop) in enumerate(zip(edges, edges[1:])):
        paths.append(str(tmp_path / f"{i}.h5"))
        write_datasets(paths[-1], {"x": X[start:stop], "row": np.arange(start, stop)})
    return paths


def streams(seed):
    return lambda *key: np.random.default_rng((seed, *key))


def rows(batches, count):
    return np.concatenate([batches(n)[0].copy() for n in range(count)]).astype(int).tolist()


def test_written_and_read(tmp_path):
    arrays = {"a": X.astype(np.float32), "b": np.zeros((0, 3)), "c": np.arange(3)}
    write_datasets(tmp_path / "f.h5", arrays)
    write_datasets(tmp_path / "f.h5", arrays)  # over it
    with h5py.File(tmp_path / "f.h5") as file:
        assert {name: (data.shape, data.dtype) for name, data in file.items()} == {
            name: (array.shape, array.dtype) for name, array in arrays.items()}
        np.testing.assert_array_equal(file["a"], arrays["a"])
    got = read_datasets(tmp_path / "f.h5", ["c", "a"], np.float64)
    assert [array.dtype for array in got] == [np.float64] * 2
    np.testing.assert_array_equal(got[1], arrays["a"])
    assert dataset_shapes(tmp_path / "f.h5", ["b"]) == [(0, 3)]
    assert [path.name for path in tmp_path.iterdir()] == ["f.h5"]


@pytest.mark.parametrize("size", [1, 4, 9, 20])
def test_rows_in_order(files, size):
    batches = HDF5Batches(files, ["row", "x"], size)
    assert batches.shapes() == [(size,), (size, 2, 3)]
    for n in (0, 1, 2, 7, 3):
        wanted = [(n * size + i) % 9 for i in range(size)]
        row, x = batches(n)
        assert row.tolist() == wanted and x.dtype == np.float32
        np.testing.assert_array_equal(x, X[wanted].astype(np.float32))


def test_arrays_are_reused(files):
    batches = HDF5Batches(files, ["row"], 4)
    first = batches(0)
    assert batches(1, first)[0] is first[0]


def test_shuffled(files):
    def make(seed):
        return HDF5Batches(files, ["row"], 3, shuffle=True, random=streams(seed))

    run = rows(make(0), 30)
    epochs = [run[i:i + 9] for i in range(0, 90, 9)]
    assert all(sorted(epoch) == list(range(9)) for epoch in epochs)
    blocks = [{0, 1}, {2, 3, 4, 5}, {6, 7, 8}]
    for epoch in epochs:  # whole files, one after another
        sequence = [next(i for i, block in enumerate(blocks) if row in block) for row in epoch]
        assert sum(a != b for a, b in zip(sequence, sequence[1:])) == 2
    assert len(set(map(tuple, epochs))) > 5
    assert len({tuple(row for row in epoch if row in blocks[1]) for epoch in epochs}) > 3
    assert rows(make(0), 30) == run != rows(make(1), 30)
    again = make(0)
    assert [again(n)[0].tolist() for n in (17, 3, 4)] == [run[3 * n:3 * n + 3] for n in (17, 3, 4)]


@pytest.mark.parametrize("kept, reads", [(1 << 26, 3), (0, 9)])
def test_small_files_stay_in_memory(files, kept, reads, monkeypatch):
    read = []
    monkeypatch.setattr(hdf5_batches, "KEPT", kept)
    monkeypatch.setattr(hdf5_batches, "read_datasets", lambda *of: read.append(of[0]) or read_datasets(*of))
    assert rows(HDF5Batches(files, ["row", "x"], 9), 3) == [*range(9)] * 3 and len(read) == reads


def test_one_file_is_shuffled_anew_each_epoch(files):
    run = rows(HDF5Batches(files[1:2], ["row"], 4, shuffle=True, random=streams(0)), 12)
    assert len({tuple(run[i:i + 4]) for i in range(0, 48, 4)}) > 3


def test_file_list(tmp_path):
    (tmp_path / "list.txt").write_text("a.h5 b.h5\n\n  c.h5\n")
    assert read_file_list(tmp_path / "list.txt") == ["a.h5", "b.h5", "c.h5"]
    (tmp_path / "list.txt").write_text(" \n")
    with pytest.raises(DataError, match="at least one name"):
        read_file_list(tmp_path / "list.txt")


@pytest.mark.parametrize("arrays, names, message", [
    ({"data": X}, ["dta"], "bad.h5'.*no dataset 'dta'; did you mean 'data'"),
    ({"x": np.array([b"a", b"b"])}, ["x"], "dataset 'x', expected integers or floats, got .S1"),
    ({"x": np.array([True])}, ["x"], "expected integers or floats, got enumerations"),
    ({"x": np.float32(1)}, ["x"], r"expected at least one row, got shape \(\)"),
    ({"x": X[:0]}, ["x"], r"expected at least one row, got shape \(0, 2, 3\)"),
    ({"x": X, "y": X[1:]}, ["x", "y"], "dataset 'y', expected as many rows as 'x' has, 9, got 8 rows")])
def test_bad_files(tmp_path, arrays, names, message):
    write_datasets(tmp_path / "bad.h5", arrays)
    with pytest.raises(DataError, match=message):
        HDF5Batches([str(tmp_path / "bad.h5")], names, 2)


def test_more_numbers_than_the_file_has_room_for(tmp_path):
    """As a damaged file may claim; here the numbers are none that were written."""
    with h5py.File(tmp_path / "f.h5", "w") as file:
        file.create_dataset("x", (1 << 20, 1 << 20), "float32", chunks=(4, 4))
    with pytest.raises(DataError, match=r"dataset 'x': shape \(1048576, 1048576\), expected at most 1.0 GiB"):
        read_datasets(tmp_path / "f.h5", ["x"], np.float32)


@pytest.mark.filterwarnings("error")
def test_doubles_that_no_float_holds(tmp_path):
    write_datasets(tmp_path / "f.h5", {"x": np.array([1e300, 1.0])})
    assert read_datasets(tmp_path / "f.h5", ["x"], np.float32)[0].tolist() == [np.inf, 1]


def test_files_that_do_not_fit(files, tmp_path):
    write_datasets(tmp_path / "other.h5", {"x": X[:, :1]})
    with pytest.raises(DataError, match=r"other.h5': dataset 'x', expected rows of shape \(2, 3\) as in '.*0.h5'"):
        HDF5Batches([*files, str(tmp_path / "other.h5")], ["x"], 2)


def test_not_hdf5(tmp_path):
    (tmp_path / "f.h5").write_text("no such thing")
    with pytest.raises(DataError, match="f.h5': cannot be opened"):
        dataset_shapes(tmp_path / "f.h5", ["x"])
    with pytest.raises(DataError, match="no such file.*did you mean 'f.h5'"):
        dataset_shapes(tmp_path / "g.h5", ["x"])


def test_without_h5py(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(MissingLibrary, match="HDF5: needs h5py .*pip install h5py"):
        write_datasets(tmp_path / "f.h5", {"x": X})
