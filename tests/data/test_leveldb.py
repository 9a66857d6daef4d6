"""Reading and writing LevelDBs, and the pieces of their format."""

from __future__ import annotations

import random
import struct

import cramjam
import numpy as np
import pytest
from databases import packed_leveldb
from hypothesis import example, given, settings
from hypothesis import strategies as st

from blobnet.core.net import Net
from blobnet.data.stores import leveldb_table, leveldb_writer
from blobnet.data.stores.database import database_kind, open_database
from blobnet.data.stores.datum import array_to_datum
from blobnet.data.stores.leveldb_block import Block, write_block
from blobnet.data.stores.leveldb_format import TAG, checksum
from blobnet.data.stores.leveldb_log import BLOCK, log_bytes, read_log
from blobnet.data.stores.leveldb_reader import LevelDbReader
from blobnet.data.stores.leveldb_table import read_table, write_table
from blobnet.data.stores.leveldb_writer import LevelDbWriter
from blobnet.data.stores.summary import summarize
from blobnet.errors import DataError
from blobnet.proto.text import parse
from blobnet.proto.wire import varint


def write(path, values):
    with LevelDbWriter(path) as writer:
        for i, value in enumerate(values):
            writer.put(b"%08d" % i, value)


def take(reader, count):
    return [int(bytes(reader.read())) for _ in range(count)]


@pytest.fixture
def ten(tmp_path):
    write(tmp_path / "ten_leveldb", [b"%d" % i for i in range(10)])
    return tmp_path / "ten_leveldb"


# The reader and the writer.

def test_wraps_around(ten):
    reader = LevelDbReader(ten)
    assert take(reader, 23) == [*range(10), *range(10), 0, 1, 2]
    assert reader.position == 3 and len(reader) == 10


@pytest.mark.parametrize("counted", [False, True])
@pytest.mark.parametrize("before", [0, 4, 9, 10])
@pytest.mark.parametrize("target", [0, 3, 9, 10, 137])
def test_seek(ten, counted, before, target):
    reader = LevelDbReader(ten)
    assert not counted or len(reader) == 10
    take(reader, before)
    reader.seek(target)
    assert take(reader, 3) == [target % 10, (target + 1) % 10, (target + 2) % 10]


def test_order_is_that_of_keys_and_the_last_value_counts(tmp_path, monkeypatch):
    """Tables whose keys overlap, since the writer keeps next to nothing."""
    monkeypatch.setattr(leveldb_writer, "FLUSH", 5)
    with LevelDbWriter(tmp_path / "db") as writer:
        for key in (b"b", b"c", b"a", b"b", b"", b"\xff", b"aa"):
            writer.put(key, key * 2 + b"%d" % writer._sequence)
    assert len(list((tmp_path / "db").glob("*.ldb"))) > 1
    reader = LevelDbReader(tmp_path / "db")
    assert [reader.read() for _ in range(len(reader))] == [b"4", b"aa2", b"aaaa6", b"bb3", b"cc1", b"\xff\xff5"]
    assert [*reader.keys()] == [b"", b"a", b"aa", b"b", b"c", b"\xff"]


@settings(max_examples=40, deadline=None)
@example([(b"", b"first"), (b"\0", b"second")], 1)  # in a file, their keys compare the other way round
@given(st.lists(st.tuples(st.binary(max_size=20), st.binary(max_size=3000)), min_size=1, max_size=40),
       st.sampled_from([1, 300, 1 << 25]))
def test_any_records_come_back(tmp_path_factory, records, flush):
    path = tmp_path_factory.mktemp("db") / "db"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(leveldb_writer, "FLUSH", flush)
        with LevelDbWriter(path) as writer:
            for key, value in records:
                writer.put(key, value)
    reader = LevelDbReader(path)
    assert [reader.read() for _ in range(len(reader))] == [value for _, value in sorted(dict(records).items())]


def test_a_net_reads_a_leveldb_by_default(tmp_path):
    """backend: LEVELDB is the default of the schema."""
    images = np.random.default_rng(0).integers(0, 256, (5, 3, 4, 6)).astype(np.uint8)
    write(tmp_path / "db", [array_to_datum(image, i).SerializeToString() for i, image in enumerate(images)])
    assert database_kind(tmp_path / "db") == "LEVELDB"
    net = Net(parse(f'layer {{ name: "d" type: "Data" top: "x" top: "y" data_param {{ source: "{tmp_path}/db" '
                    'batch_size: 3 } }', "NetParameter"))
    for n in range(4):
        net.forward()
        records = [(3 * n + i) % 5 for i in range(3)]
        np.testing.assert_array_equal(net.blobs["x"].data, images[records])
        assert net.blobs["y"].data.tolist() == records
    summary = summarize(tmp_path / "db")
    assert (summary.backend, summary.records, summary.shape) == ("LEVELDB", 5, (3, 4, 6))


def test_other_backend(ten):
    with pytest.raises(DataError, match="expected a database of backend LMDB, got LEVELDB; write backend: LEVELDB"):
        open_database(ten, "LMDB")


def test_nothing_is_left_of_a_failed_write(tmp_path):
    with pytest.raises(KeyboardInterrupt), LevelDbWriter(tmp_path / "db") as writer:
        writer.put(b"0", b"x")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_where_it_writes(ten):
    with pytest.raises(DataError, match="there already.*remove it"):
        write(ten, [b"x"])
    with pytest.raises(DataError, match="no folder .*missing"):
        write(ten / "missing" / "db", [b"x"])
    assert len(LevelDbReader(ten)) == 10


def test_empty(tmp_path):
    write(tmp_path / "db", [])
    with pytest.raises(DataError, match="db.*holds no record"):
        LevelDbReader(tmp_path / "db")


# Databases as LevelDB itself leaves them: logs, deletions, several levels, compressed blocks.

def batch(sequence, *entries):
    """A write: (key, value), or (key, None) to delete."""
    data = struct.pack("<QI", sequence, len(entries))
    for key, value in entries:
        data += bytes([value is not None]) + varint(len(key)) + key
        data += b"" if value is None else varint(len(value)) + value
    return data


def manifest(folder, *records, number=7):
    (folder / f"MANIFEST-{number:06}").write_bytes(log_bytes(records))
    (folder / "CURRENT").write_text(f"MANIFEST-{number:06}\n")


def numbers(**fields):
    codes = {"log": 2, "next_file": 3, "sequence": 4, "former_log": 9}
    return b"".join(bytes([codes[name]]) + varint(value) for name, value in fields.items())


def table(folder, level, number, entries, suffix="ldb"):
    """Write a table of (key, sequence, value or None); return the record that adds it."""
    entries = [(key, sequence << 8 | (value is not None), value or b"") for key, sequence, value in entries]
    size, first, last = write_table(folder / f"{number:06}.{suffix}", entries)
    text = b"".join(varint(len(key)) + key for key in (first, last))
    return bytes([7, level]) + varint(number) + varint(size) + text


def values(folder):
    reader = LevelDbReader(folder)
    return [reader.read() for _ in range(len(reader))]


def test_logs_tables_and_levels(tmp_path):
    added = [table(tmp_path, 2, 3, [(b"a", 1, b"old"), (b"b", 2, b"old"), (b"c", 3, b"kept")], suffix="sst"),
             table(tmp_path, 2, 4, [(b"d", 4, b"later in the level")]),
             table(tmp_path, 1, 5, [(b"b", 5, None)]),
             table(tmp_path, 0, 6, [(b"e", 6, b"of level 0")]),
             table(tmp_path, 0, 8, [(b"e", 8, b"newer"), (b"f", 9, b"gone")])]
    removed = table(tmp_path, 1, 9, [(b"x", 7, b"not there any more")])
    (tmp_path / "000009.ldb").unlink()
    manifest(tmp_path, b"\x01\x1aleveldb.BytewiseComparator" + numbers(log=3, former_log=0, next_file=4, sequence=0),
             b"".join(added) + removed,
             b"\x06\x01\x09" + b"\x05\x01\x01k" + numbers(log=11, former_log=10, sequence=12))
    (tmp_path / "000002.log").write_bytes(log_bytes([batch(1, (b"old", b"log"))]))
    (tmp_path / "000010.log").write_bytes(log_bytes([batch(10, (b"a", b"of the former log"))]))
    (tmp_path / "000011.log").write_bytes(log_bytes([batch(11, (b"f", None), (b"g", b"x")),
                                                     batch(13, (b"g", b"last"))]))
    assert values(tmp_path) == [b"of the former log", b"kept", b"later in the level", b"newer", b"last"]


def test_a_log_with_records_in_several_blocks(tmp_path):
    """And blocks whose end has no room for a piece, and one that was reserved and not written."""
    rng = random.Random(0)
    sizes = [0, 1, BLOCK - 7, BLOCK - 13, BLOCK, 3 * BLOCK + 5, *(rng.randrange(90000) for _ in range(20))]
    records = [rng.randbytes(size) for size in sizes]
    for left in range(12):  # bytes that the first record leaves in its block
        (tmp_path / "log").write_bytes(log_bytes([bytes(BLOCK - 7 - left), *records]) + bytes(5000))
        assert [record for _, record in read_log(tmp_path / "log")][1:] == records


def pack(folder, content, kind=b"\1"):
    """A table whose only block has these bytes, which are said to be packed; its file."""
    folder.mkdir()
    index = Block()
    with open(folder / "000005.ldb", "wb") as file:
        file.write(content + kind + struct.pack("<I", checksum(content + kind)))
        index.add(b"z" + TAG.pack(257), varint(0) + varint(len(content)))
        handles = write_block(file, Block()) + write_block(file, index)
        file.write(handles.ljust(40, b"\0") + leveldb_table.MAGIC)
    return folder / "000005.ldb"


def test_compressed_blocks(tmp_path):
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 3, 700).astype(np.uint8).repeat(rng.integers(1, 9, 700)).tobytes() for _ in range(30)]
    with packed_leveldb():
        write(tmp_path / "db", images)
    path, = (tmp_path / "db").glob("*.ldb")
    assert path.stat().st_size < sum(map(len, images)) / 1.5
    assert values(tmp_path / "db") == images


def entry(value):
    """The bytes of a block of one entry, not packed."""
    key = b"k" + TAG.pack(257)
    return bytes([0, len(key)]) + varint(len(value)) + key + value + struct.pack("<2I", 0, 1)


def literal(data):
    """Snappy's piece that holds up to 256 bytes as they are."""
    return bytes([60 << 2, len(data) - 1]) + data


START = entry(bytes(5))[:12]  # up to the value


@pytest.mark.parametrize("pieces, value", [
    (literal(START + b"abcde"), b"abcde"),
    (literal(START + b"a") + bytes([1, 1]), b"aaaaa"),                         # 4 bytes, from 1 byte before
    (literal(START + b"a") + bytes([3 << 2 | 2, 1, 0]), b"aaaaa"),             # its offset in two bytes
    (literal(START + b"ab") + bytes([2 << 2 | 3, 2, 0, 0, 0]), b"ababa"),      # and in four
    (bytes([61 << 2, 16, 0]) + START + b"abcde", b"abcde")])                   # a literal whose size has two bytes
def test_snappy_by_hand(tmp_path, pieces, value):
    packed = varint(len(entry(value))) + pieces + literal(entry(value)[-8:])
    assert list(read_table(pack(tmp_path / "db", packed))) == [(b"k", -257, value)]


@pytest.mark.parametrize("packed, reason", [
    (b"", "runs past the end"),
    (b"\xff\xff\xff\xff\x0f\0a", "7 packed bytes that claims to unpack to 4294967295"),
    (varint(23 * 4) + b"\0aa", "4 packed bytes that claims to unpack to 92"),
    (bytes([3, 8, 97]), "cannot be unpacked"), (bytes([9, 0, 97, 1, 2]), "cannot be unpacked"),
    (bytes([9, 0, 97, 1, 0]), "cannot be unpacked"), (bytes([2, 0, 97, 1, 1]), "cannot be unpacked"),
    (bytes([3, 0, 97]), "cannot be unpacked"), (bytes([9, 0, 97, 2, 1]), "cannot be unpacked"),
    (bytes([0]), "a block of 0 bytes with 0 keys")])
def test_damaged_snappy(tmp_path, packed, reason):
    path = pack(tmp_path / "db", packed)
    with pytest.raises(DataError, match="000005.ldb': byte 0: .*" + reason) as caught:
        list(read_table(path))
    assert "copy or make it again" in str(caught.value)


def test_a_block_that_would_unpack_to_too_much_memory(tmp_path, monkeypatch):
    monkeypatch.setenv("BLOBNET_MAX_MEMORY", "1M")
    plain = bytes(1 << 22)
    path = pack(tmp_path / "db", bytes(cramjam.snappy.compress_raw(plain)))
    with pytest.raises(DataError, match=r"000005.ldb': byte 0: an unpacked block, expected at most .* got 4.0 MiB"):
        list(read_table(path))


@settings(max_examples=50)
@given(st.binary(max_size=5000), st.integers(0, 5000))
def test_checksum_byte_by_byte(data, more):
    data += bytes(more)
    crc = 0xFFFFFFFF
    for octet in data:
        crc ^= octet
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    assert checksum(data) == masked(crc ^ 0xFFFFFFFF)


def masked(crc):
    return ((crc >> 15 | crc << 17 & 0xFFFFFFFF) + 0xA282EAD8) % 2**32


@pytest.mark.parametrize("data, crc", [(b"123456789", 0xE3069283), (bytes(32), 0x8A9136AA), (b"\xff" * 32, 0x62A8AB43),
                                       (bytes(range(32)), 0x46DD794E), (b"", 0)])
def test_checksums_of_the_rfc(data, crc):
    assert checksum(data) == checksum(memoryview(b"x" + data)[1:]) == masked(crc)


# Damages.

def change(path, offset, value):
    data = bytearray(path.read_bytes())
    data[offset] = value if isinstance(value, int) else data[offset] ^ 1
    path.write_bytes(data)


@pytest.mark.parametrize("spoil, words", [
    (lambda folder: change(folder / "000002.ldb", 5, None), ["000002.ldb': byte 0", "checksum of a block is wrong"]),
    (lambda folder: change(folder / "000002.ldb", -1, 0), ["000002.ldb': byte", "a table ends in 57fb808b247547db"]),
    (lambda folder: change(folder / "000002.ldb", -44, 255), ["000002.ldb': byte"]),
    (lambda folder: (folder / "000002.ldb").write_bytes((folder / "000002.ldb").read_bytes()[:-1]),
     ["000002.ldb'", "bytes, got"]),
    (lambda folder: (folder / "000002.ldb").unlink(), ["there is no file 000002.ldb"]),
    (lambda folder: change(folder / "MANIFEST-000001", 10, None), ["MANIFEST-000001': byte 0", "checksum of a record"]),
    (lambda folder: (folder / "MANIFEST-000001").write_bytes(b"123"), ["MANIFEST-000001': byte 0", "cut off"]),
    (lambda folder: (folder / "CURRENT").write_text("MANIFEST-000009\n"), ["CURRENT'", "'MANIFEST-000009'"]),
    (lambda folder: (folder / "CURRENT").write_text("../MANIFEST-000001\n"), ["CURRENT'"]),
    (lambda folder: manifest(folder, b"\x01\x03odd"), ["MANIFEST-000007': byte 0", "keys in the order b'odd'"]),
    (lambda folder: manifest(folder, b"\x08"), ["a field of number 8"]),
    (lambda folder: manifest(folder, numbers(log=3, next_file=4)), ["MANIFEST-000007': byte 11", "ends before"]),
    (lambda folder: manifest(folder, bytes([7, 9, 2, 50, 1, 65, 1, 65])), ["a table in level 9 of 7"]),
    (lambda folder: manifest(folder, b"\x07\x01\x02\x32\x40ab"), ["64 bytes, of which 2 are there"]),
    (lambda folder: (folder / "000003.log").write_bytes(log_bytes([bytes(40000)])[:-1]),
     ["000003.log': byte 32768", "a record of 7239 bytes, of which 7238 are there"]),
    (lambda folder: (folder / "000003.log").write_bytes(log_bytes([bytes(40000)])[:BLOCK]), ["cut off"]),
    (lambda folder: (folder / "000003.log").write_bytes(log_bytes([bytes(40000)])[BLOCK:]), ["of kind 4"]),
    (lambda folder: (folder / "000003.log").write_bytes(log_bytes([b"short"])), ["000003.log': byte 0", "no whole"]),
    (lambda folder: (folder / "000003.log").write_bytes(log_bytes([batch(1, (b"a", b"b"))[:-1]])), ["1 bytes, of"]),
    (lambda folder: (folder / "000003.log").write_bytes(log_bytes([struct.pack("<QI", 1, 5)])), ["of 5 entries"]),
])
def test_a_damaged_database(ten, spoil, words):
    spoil(ten)
    with pytest.raises(DataError) as caught:
        values(ten)
    assert all(word in str(caught.value) for word in words), caught.value
    assert "copy or make it again" in str(caught.value)


def test_a_block_that_is_named_many_times(tmp_path):
    """An index of one block over and over would give as many records as it likes."""
    folder = tmp_path / "db"
    index, block = Block(), Block()
    block.add(b"a" + TAG.pack(257), b"value")
    folder.mkdir()
    with open(folder / "000005.ldb", "wb") as file:
        handle = write_block(file, block)
        for i in range(9):
            index.add(b"%d" % i + TAG.pack(257), handle)
        handles = write_block(file, Block()) + write_block(file, index)
        file.write(handles.ljust(40, b"\0") + leveldb_table.MAGIC)
    with pytest.raises(DataError, match="000005.ldb': byte 0: a block that begins before the end of another"):
        list(leveldb_table.read_table(folder / "000005.ldb"))


def test_keys_have_a_longest_length(tmp_path):
    """A key is copied for each entry that shares a part of it."""
    with pytest.raises(DataError, match="x.ldb': byte .*: byte 0 of the block: a key of 9008 bytes"):
        leveldb_table.write_table(tmp_path / "x.ldb", [(b"k" * 9000, 257, b"v")])
        list(leveldb_table.read_table(tmp_path / "x.ldb"))


def test_another_compression(ten):
    data = bytearray((ten / "000002.ldb").read_bytes())
    end = next(end for end in range(len(data)) if data[end] == 0
               and struct.pack("<I", checksum(bytes(data[:end + 1]))) == data[end + 1:end + 5])
    data[end] = 2
    data[end + 1:end + 5] = struct.pack("<I", checksum(bytes(data[:end + 1])))
    (ten / "000002.ldb").write_bytes(data)
    with pytest.raises(DataError, match=rf"byte {end}: a block of compression 2, not 0 \(none\) or 1 \(Snappy\)"):
        values(ten)


def test_a_table_reads_in_order(tmp_path):
    """Keys that share beginnings, over many blocks."""
    entries = [(b"key %05d" % i, i << 8 | 1, bytes(i % 300)) for i in range(3000)]
    size, first, last = write_table(tmp_path / "t.ldb", entries)
    assert (tmp_path / "t.ldb").stat().st_size == size and size < sum(len(v) + 16 for _, _, v in entries)
    assert (first[:-8], last[:-8]) == (b"key 00000", b"key 02999")
    assert list(read_table(tmp_path / "t.ldb")) == [(key, -number, value) for key, number, value in entries]
