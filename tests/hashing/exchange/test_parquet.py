"""Codes as Parquet, there and back, and in DuckDB."""

import json
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from any_codes import any_codes
from hypothesis import given, settings

from blobnet.errors import BlobnetError, DataError
from blobnet.hashing.codes import ARRAYS, FIELDS, Codes
from blobnet.hashing.exchange.parquet import KEY, read_parquet, write_parquet
from blobnet.hashing.index import HammingIndex


def example(count=40, bits=13, **rest):
    return Codes.from_values(np.random.default_rng(3).normal(size=(count, bits)), net="net.prototxt", **rest)


@settings(max_examples=60, deadline=None)
@given(any_codes())
def test_codes_come_back_as_they_were(tmp_path_factory, codes):
    path = tmp_path_factory.getbasetemp() / "codes.parquet"
    write_parquet(codes, path)
    back = read_parquet(path)
    assert [getattr(back, name) for name in FIELDS] == [getattr(codes, name) for name in FIELDS]
    for name in ARRAYS:
        one, other = getattr(codes, name), getattr(back, name)
        assert (one is None) == (other is None)
        assert one is None or (one.shape == other.shape and (one == other).all() and one.dtype.kind == other.dtype.kind)


def test_columns_are_what_others_expect(tmp_path):
    labels = np.array([[1, 0, 1], [0, 0, 0]])
    write_parquet(example(2, ids=["a", "ü\n"], labels=labels, classes=["x", "y", "z"]), tmp_path / "a.parquet")
    table = pq.read_table(tmp_path / "a.parquet")
    assert table.schema.field("code").type == pa.binary(2)
    assert table.drop_columns(["code", "values"]).to_pylist() == [
        {"id": "a", "labels": [0, 2], "classes": ["x", "z"]}, {"id": "ü\n", "labels": [], "classes": []}]
    header = json.loads(table.schema.metadata[KEY])
    assert (header["bits"], header["rule"], header["net"]) == (13, "bit = value >= 0", "net.prototxt")
    write_parquet(example(2, labels=[1, 0], classes=["x", "y"]), tmp_path / "b.parquet")
    table = pq.read_table(tmp_path / "b.parquet", columns=["label", "class"])
    assert table.to_pydict() == {"label": [1, 0], "class": ["y", "x"]}


@pytest.mark.parametrize("bits", [1, 8, 13, 48, 70])
def test_duckdb_orders_them_by_hamming_distance(tmp_path, bits):
    duckdb = pytest.importorskip("duckdb", reason="DuckDB is not installed: its search in Parquet is not tested")
    base, queries = example(200, bits, ids=[f"i{n:03}" for n in range(200)]), example(3, bits)
    write_parquet(base, tmp_path / "base.parquet")
    found = HammingIndex(base).search(queries, top=200)
    with duckdb.connect() as connection:
        for query, packed in enumerate(queries.packed):
            rows = connection.execute(
                "SELECT id, bit_count(xor(code::BIT, ?::BLOB::BIT)) AS distance FROM read_parquet(?) "
                "ORDER BY distance, id", [packed.tobytes(), str(tmp_path / "base.parquet")]).fetchall()
            places = slice(*found.offsets[query:query + 2])
            assert rows == list(zip(base.ids[found.indices[places]].tolist(), found.distances[places].tolist()))


def changed(tmp_path, **columns):
    """A file with other columns than blobnet wrote; None drops one."""
    write_parquet(example(labels=np.eye(40, 3)), tmp_path / "a.parquet")
    table = pq.read_table(tmp_path / "a.parquet")
    arrays = {name: table.column(name) for name in table.column_names} | columns
    there = {name: array for name, array in arrays.items() if array is not None}
    pq.write_table(pa.table(there, metadata=table.schema.metadata), tmp_path / "a.parquet")


@pytest.mark.parametrize("columns, words", [
    ({"code": None}, "not a whole Parquet file of codes"),
    ({"code": pa.array([b"abc"] * 40, pa.binary(3))}, r"column 'code', expected fixed_size_binary\[2\], got"),
    ({"code": pa.array([b"ab"] * 39 + [None], pa.binary(2))}, "column 'code'.*1 of them null"),
    ({"code": pa.array([b"\xff\xff"] * 40, pa.binary(2))}, "ones after the last of 13 bits"),
    ({"label": pa.array([0.5] * 40)}, "column 'label'.*got double"),
    ({"labels": pa.array([[3]] * 40)}, "numbers from 0 to 2, got 3 to 3"),
    ({"more": pa.array([1] * 40)}, "column 'more', expected no such column"),
])
def test_changed_files_are_refused(tmp_path, columns, words):
    changed(tmp_path, **columns)
    with pytest.raises(BlobnetError, match=f"a.parquet.*{words}"):
        read_parquet(tmp_path / "a.parquet")


def test_files_of_others_are_refused(tmp_path):
    pq.write_table(pa.table({"code": [b"a"]}), tmp_path / "a.parquet")
    with pytest.raises(DataError, match="a.parquet: expected blobnet codes, version 1.*got no such metadata"):
        read_parquet(tmp_path / "a.parquet")
    write_parquet(example(), tmp_path / "b.parquet")
    data = (tmp_path / "b.parquet").read_bytes()
    for cut in (0, 3, 100, len(data) - 1):
        (tmp_path / "b.parquet").write_bytes(data[:cut])
        with pytest.raises(DataError, match="b.parquet: not a whole Parquet file"):
            read_parquet(tmp_path / "b.parquet")
    write_parquet(example(ids=np.arange(40)), tmp_path / "b.parquet")
    table = pq.read_table(tmp_path / "b.parquet")
    pq.write_table(table, tmp_path / "b.parquet", use_dictionary=False, column_encoding={"id": "DELTA_BINARY_PACKED"})
    with pytest.raises(DataError, match="b.parquet: expected columns packed as .*DELTA_BINARY_PACKED"):
        read_parquet(tmp_path / "b.parquet")


def test_a_long_id_that_is_there_often_is_too_much(tmp_path, monkeypatch):
    write_parquet(example(), tmp_path / "a.parquet")
    table = pq.read_table(tmp_path / "a.parquet").append_column("id", pa.array(["x" * 10_000] * 40))
    pq.write_table(table, tmp_path / "a.parquet")
    assert read_parquet(tmp_path / "a.parquet").ids[39] == "x" * 10_000
    monkeypatch.setenv("BLOBNET_MAX_MEMORY", "1M")
    with pytest.raises(DataError, match="a.parquet: the ids, expected at most"):
        read_parquet(tmp_path / "a.parquet")


def test_what_cannot_be_written_says_so(tmp_path, monkeypatch):
    with pytest.raises(DataError, match=r"text in Unicode, got '\\udcff'"):
        write_parquet(example(1, ids=["\udcff"]), tmp_path / "a.parquet")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    path = tmp_path / "a.parquet"
    for call in (lambda: write_parquet(example(), path), lambda: read_parquet(path)):
        with pytest.raises(BlobnetError, match=r"pip install 'blobnet\[parquet\]'"):
            call()
    assert not list(tmp_path.iterdir())
