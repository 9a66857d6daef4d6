"""Reading and writing LMDBs."""

from __future__ import annotations

import gc

import lmdb
import pytest

from blobnet.data.database import database_kind, open_database
from blobnet.data.lmdb_store import LmdbReader, LmdbWriter
from blobnet.errors import DataError


def write(path, values, **options):
    with LmdbWriter(path, **options) as writer:
        for i, value in enumerate(values):
            writer.put(b"%08d" % i, value)


@pytest.fixture
def ten(tmp_path):
    write(tmp_path / "ten_lmdb", [b"%d" % i for i in range(10)], commit_every=3)
    return tmp_path / "ten_lmdb"


def take(reader, count):
    return [int(bytes(reader.read())) for _ in range(count)]


def test_wraps_around(ten):
    reader = LmdbReader(ten)
    assert len(reader) == 10
    assert take(reader, 23) == [*range(10), *range(10), 0, 1, 2]
    assert reader.position == 3


def test_order_is_that_of_keys(tmp_path):
    with LmdbWriter(tmp_path / "db") as writer:
        for key in (b"b", b"c", b"a", b"b"):
            writer.put(key, key * 2)
    reader = LmdbReader(tmp_path / "db")
    assert [bytes(reader.read()) for _ in range(3)] == [b"aa", b"bb", b"cc"]


@pytest.mark.parametrize("before", [0, 4, 9, 10])
@pytest.mark.parametrize("target", [0, 3, 9, 10, 137])
def test_seek(ten, before, target):
    reader = LmdbReader(ten)
    take(reader, before)
    reader.seek(target)
    assert take(reader, 3) == [target % 10, (target + 1) % 10, (target + 2) % 10]


def test_readers_share_the_environment(ten):
    first, second = LmdbReader(ten), LmdbReader(f"{ten}/../ten_lmdb")
    assert take(first, 2) == [0, 1] and take(second, 1) == [0]
    del first
    gc.collect()
    assert take(second, 1) == [1]
    del second
    gc.collect()
    lmdb.open(str(ten), readonly=True, lock=False).close()  # LMDB itself would refuse if it were still open


def test_map_grows(tmp_path):
    values = [bytes([i]) * 1_000_000 for i in range(20)]  # 20 MB in a map that starts at 4 MiB
    write(tmp_path / "db", values, commit_every=15)
    reader = LmdbReader(tmp_path / "db")
    assert all(reader.read() == value for value in values)


def test_nothing_is_left_of_a_failed_write(tmp_path):
    with pytest.raises(KeyboardInterrupt), LmdbWriter(tmp_path / "db", commit_every=1) as writer:
        writer.put(b"0", b"x")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_refuses_to_overwrite(ten):
    with pytest.raises(DataError, match="there already.*remove it"):
        write(ten, [b"x"])
    assert len(LmdbReader(ten)) == 10


def test_writes_into_existing_folders_only(tmp_path):
    with pytest.raises(DataError, match="no folder .*missing"):
        write(tmp_path / "missing" / "db", [b"x"])


# Errors of opening.

def test_empty(tmp_path):
    write(tmp_path / "db", [])
    with pytest.raises(DataError, match="db.*holds no record"):
        LmdbReader(tmp_path / "db")


def test_not_an_lmdb(tmp_path):
    (tmp_path / "data.mdb").write_bytes(b"something else" * 1000)
    with pytest.raises(DataError, match="cannot be opened"):
        open_database(tmp_path, "LMDB")


def test_missing_names_close_ones(ten):
    with pytest.raises(DataError, match="no such folder; did you mean 'ten_lmdb'"):
        open_database(ten.parent / "tne_lmdb", "LMDB")
    with pytest.raises(DataError, match="no such folder; .* starts from"):
        open_database("nowhere/at/all", "LMDB")


def test_file_instead_of_folder(ten):
    with pytest.raises(DataError, match="expected a folder.*data.mdb"):
        open_database(ten / "data.mdb", "LMDB")


def test_other_backend(ten):
    with pytest.raises(DataError, match="expected a database of backend LEVELDB, got LMDB; write backend: LMDB"):
        open_database(ten, "LEVELDB")


@pytest.mark.parametrize("backend, message", [
    ("LMDB", "got LEVELDB; write backend: LEVELDB"), ("LEVELDB", "not read yet")])
def test_leveldb(tmp_path, backend, message):
    for name in ("CURRENT", "LOG", "MANIFEST-000004", "000005.ldb"):
        (tmp_path / name).write_bytes(b"")
    assert database_kind(tmp_path) == "LEVELDB"
    with pytest.raises(DataError, match=message):
        open_database(tmp_path, backend)


@pytest.mark.parametrize("files, got", [
    ([], "an empty folder"), (["a.png", "b.png"], "a.png, b.png"), ("abcdef", "a, b, c, d, e, …")])
def test_folder_of_something_else(tmp_path, files, got):
    for name in files:
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(DataError, match=f"data.mdb.*got {got}"):
        open_database(tmp_path, "LMDB")
