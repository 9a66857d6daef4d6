"""Reading and writing LMDBs."""

from __future__ import annotations

import gc
import struct
import subprocess
import sys

import lmdb
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from blobnet.data.stores.database import database_kind, open_database
from blobnet.data.stores.datum import array_to_datum
from blobnet.data.stores.leveldb_writer import LevelDbWriter
from blobnet.data.stores.lmdb_reader import LmdbReader
from blobnet.data.stores.lmdb_writer import LmdbWriter
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
    assert [*reader.keys()] == [b"a", b"b", b"c"]


@pytest.mark.parametrize("before", [0, 4, 9, 10])
@pytest.mark.parametrize("target", [0, 3, 9, 10, 137])
def test_seek(ten, before, target):
    reader = LmdbReader(ten)
    take(reader, before)
    reader.seek(target)
    assert take(reader, 3) == [target % 10, (target + 1) % 10, (target + 2) % 10]


def test_several_readers_and_the_library_at_once(ten):
    with lmdb.open(str(ten), readonly=True, lock=False):
        first, second = LmdbReader(ten), LmdbReader(f"{ten}/../ten_lmdb")
        assert take(first, 2) == [0, 1] and take(second, 1) == [0]
        value = first.read()
        del first
        gc.collect()
        assert take(second, 1) == [1] and bytes(value) == b"2"
    assert sorted(path.name for path in ten.iterdir()) == ["data.mdb"]


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
    with pytest.raises(DataError, match="no such folder; paths start from"):
        open_database("nowhere/at/all", "LMDB")


def test_missing_says_how_to_import_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("digits_train_lmdb", "digits_test_lmdb"):
        (tmp_path / "data" / name).mkdir(parents=True)
    with pytest.raises(DataError) as error:
        open_database("data/cifar10_train_lmdb", "LMDB")
    assert str(error.value) == ("database 'data/cifar10_train_lmdb': no such folder; import it: blobnet data import "
                                f"cifar10 --out data --from FOLDER; paths start from {str(tmp_path)!r}")


def test_file_instead_of_folder(ten):
    with pytest.raises(DataError, match="expected a folder.*data.mdb"):
        open_database(ten / "data.mdb", "LMDB")


def test_other_backend(ten):
    with pytest.raises(DataError, match="expected a database of backend LEVELDB, got LMDB; write backend: LMDB"):
        open_database(ten, "LEVELDB")


def test_leveldb(tmp_path):
    for name in ("CURRENT", "LOG", "MANIFEST-000004", "000005.ldb"):
        (tmp_path / name).write_bytes(b"")
    assert database_kind(tmp_path) == "LEVELDB"
    with pytest.raises(DataError, match="got LEVELDB; write backend: LEVELDB"):
        open_database(tmp_path, "LMDB")


@pytest.mark.parametrize("files, got", [
    ([], "an empty folder"), (["a.png", "b.png"], "a.png, b.png"), ("abcdef", "a, b, c, d, e, …")])
def test_folder_of_something_else(tmp_path, files, got):
    for name in files:
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(DataError, match=f"data.mdb.*got {got}"):
        open_database(tmp_path, "LMDB")


# What the library wrote, and what became of it.

@settings(max_examples=60, deadline=None)
@example({b"only": b"1"}, [b"only"])
@given(st.dictionaries(st.binary(min_size=1, max_size=60), st.binary(max_size=9000), min_size=1, max_size=60),
       st.lists(st.binary(min_size=1, max_size=60), max_size=20))
def test_reads_what_the_library_reads(tmp_path_factory, records, removed):
    """Small values in leaves, large ones in pages of their own, several transactions, pages that became free."""
    path = tmp_path_factory.mktemp("db")
    with lmdb.open(str(path), map_size=1 << 24, sync=False, lock=False) as environment:
        for part in (records, {key: value * 2 for key, value in records.items() if len(key) % 2}):
            with environment.begin(write=True) as transaction:
                for key, value in part.items():
                    transaction.put(key, value)
        with environment.begin(write=True) as transaction:
            for key in [*removed, *list(records)[1:9]]:
                transaction.delete(key)
        with environment.begin() as transaction:
            wanted = [value for _, value in transaction.cursor()]
    if not wanted:
        with pytest.raises(DataError, match="holds no record"):
            LmdbReader(path)
        return
    reader = LmdbReader(path)
    assert [bytes(reader.read()) for _ in range(len(reader))] == wanted


def test_thousands_of_records(tmp_path):
    """A tree of three levels."""
    write(tmp_path / "db", [b"%d" % i * (1 + i % 700) for i in range(9000)])
    with lmdb.open(str(tmp_path / "db"), readonly=True, lock=False) as environment:
        assert environment.stat()["depth"] == 3
    reader = LmdbReader(tmp_path / "db")
    reader.seek(8500)
    assert all(reader.read() == b"%d" % (i % 9000) * (1 + i % 9000 % 700) for i in range(8500, 9600))


def test_an_lmdb_that_is_cut_off(ten):
    path = ten / "data.mdb"
    size = path.stat().st_size
    with open(path, "rb+") as file:
        file.truncate(size - 1)
    with pytest.raises(DataError, match=rf"byte {size - 1} of data.mdb: .*ends here, and should have {size} bytes"):
        LmdbReader(ten)


@pytest.mark.parametrize("offset, value, message", [
    (16, b"x", "byte 0 of data.mdb: .*no head of an LMDB"), (20, b"\2", "version 2 of the format, not 1"),
    (4096 + 40, b"\0\1", "pages of 4096 and 256 bytes"), (8192, b"\x77", "byte 8192 of data.mdb: a page of number 119"),
])
def test_a_damaged_lmdb(ten, offset, value, message):
    data = bytearray((ten / "data.mdb").read_bytes())
    data[offset:offset + len(value)] = value
    (ten / "data.mdb").write_bytes(data)
    with pytest.raises(DataError, match=message):
        take(LmdbReader(ten), 10)


CUT = """
import os, sys
import numpy as np
from pathlib import Path
from blobnet.data.batches.datums import DatumBatches
from blobnet.data.stores.database import open_database
from blobnet.data.stores.records import Records
from blobnet.data.images.transformer import Transformer
from blobnet.errors import BlobnetError
from blobnet.proto.messages import new
path, file = Path(sys.argv[1]), Path(sys.argv[2])
reader, batches = open_database(path), DatumBatches(open_database(path), Transformer(new("TransformationParameter"),
                                                                                       False, "t"), 5)
reader.read(), batches(0)
records = Records(open_database(path)) if file.suffix == ".mdb" else None
os.truncate(file, 4096)
looks = [lambda: [reader.read() for _ in range(300)], lambda: [batches(n) for n in range(60)],
         lambda: list(reader.keys())] + [lambda: records.images([250])] * (records is not None)
for look in looks:
    try: look()
    except BlobnetError as error: print(error)
"""


@pytest.mark.parametrize("writer, name, count, words", [
    (LmdbWriter, "data.mdb", 4, "data.mdb: was cut off while it was read"),
    (LevelDbWriter, "000002.ldb", 3, "000002.ldb")])
def test_files_that_are_cut_off_while_they_are_read(tmp_path, writer, name, count, words):
    """The system would end the process at a look behind the end of a map."""
    with writer(tmp_path / "db") as database:
        for i in range(300):
            database.put(b"%08d" % i, array_to_datum(np.full((1, 40, 40), i % 256, np.uint8), i).SerializeToString())
    done = subprocess.run([sys.executable, "-c", CUT, tmp_path / "db", tmp_path / "db" / name], capture_output=True,
                          text=True)
    assert done.returncode == 0 and done.stdout.count(words) == count, done


@pytest.mark.parametrize("offset, value, message", [
    (4096 + 16 + 24 + 48 + 6, struct.pack("<H", 60), "10 records in 60 levels of pages"),
    (4096 + 16 + 24 + 48 + 32, struct.pack("<Q", 1 << 40), "1099511627776 records in 1 levels")])
def test_heads_that_claim_too_much(ten, offset, value, message):
    """More levels than any tree has would end only after 2^levels pages; records are counted on."""
    data = bytearray((ten / "data.mdb").read_bytes())
    data[offset:offset + len(value)] = data[offset - 4096:offset - 4096 + len(value)] = value
    (ten / "data.mdb").write_bytes(data)
    with pytest.raises(DataError, match=message):
        LmdbReader(ten)


def test_a_page_that_is_named_many_times(tmp_path):
    """All records have the one large value: reading them would take the square of the file's size."""
    write(tmp_path / "db", [b"x" * 60000, *[b"%060d" % i for i in range(9)]])
    path = tmp_path / "db" / "data.mdb"
    data = bytearray(path.read_bytes())
    large = data.index(struct.pack("<IHH", 60000, 1, 8))
    number = data[large + 16:large + 24]
    for start in (data.index(b"%08d" % i) - 8 for i in range(1, 10)):
        data[start:start + 8] = struct.pack("<IHH", 60000, 1, 8)
        data[start + 16:start + 24] = number
    path.write_bytes(data)
    reader = LmdbReader(tmp_path / "db")
    with pytest.raises(DataError, match="pages are named several times"):
        for _ in range(10):
            reader.read()


def test_several_values_for_a_key_are_refused(tmp_path):
    with lmdb.open(str(tmp_path), max_dbs=0, lock=False) as environment:
        with environment.begin(write=True) as transaction:
            transaction.put(b"a", b"b")
    data = bytearray((tmp_path / "data.mdb").read_bytes())
    for head in (0, 4096):
        data[head + 92] |= 4
    (tmp_path / "data.mdb").write_bytes(data)
    with pytest.raises(DataError, match="MDB_DUPSORT"):
        LmdbReader(tmp_path)
