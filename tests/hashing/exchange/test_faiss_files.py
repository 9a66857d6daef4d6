"""Indexes of FAISS that it reads and searches."""

import sys

import numpy as np
import pytest

from blobnet.errors import BlobnetError, DataError
from blobnet.hashing.codes import Codes
from blobnet.hashing.exchange.faiss_files import read_ids, write_faiss
from blobnet.hashing.index import HammingIndex


@pytest.fixture
def faiss():
    faiss = pytest.importorskip("faiss", reason="FAISS is not installed: pip install 'blobnet[faiss]'")
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)  # they wait by spinning, for which tests that run side by side have no time
    yield faiss
    faiss.omp_set_num_threads(threads)


def make(count, bits, seed, **rest):
    return Codes.from_bits(np.random.default_rng(seed).integers(0, 2, (count, bits)), **rest)


@pytest.mark.parametrize("bits", [1, 12, 48, 65])
@pytest.mark.parametrize("options", [{}, {"kind": "ivf"}, {"kind": "ivf", "nlist": 7}, {"kind": "hnsw", "links": 16}],
                         ids=str)
def test_faiss_finds_what_blobnet_finds(faiss, tmp_path, bits, options):
    base, queries = make(500, bits, 1), make(20, bits, 2)
    write_faiss(base, tmp_path / "a.faiss", **options)
    index = faiss.read_index_binary(str(tmp_path / "a.faiss"))
    kind = options.get("kind", "flat")
    assert type(index) is {"flat": faiss.IndexBinaryFlat, "ivf": faiss.IndexBinaryIVF,
                           "hnsw": faiss.IndexBinaryHNSW}[kind]
    if kind == "ivf":
        assert index.nlist == options.get("nlist", 88)  # 4 * 22
        index.nprobe = index.nlist
    if kind == "hnsw":
        index.hnsw.efSearch = 100
    exact = HammingIndex(base).search(queries, top=10).distances.reshape(20, 10)
    distances, items = index.search(queries.packed, 10)
    if kind == "hnsw":
        assert bits == 1 or (distances == exact).mean() > 0.95  # its graph falls apart where most codes are the same
    else:
        assert np.array_equal(distances, exact)
    bits_of = np.unpackbits(base.packed[items] ^ queries.packed[:, None], axis=2).sum(axis=2)
    assert np.array_equal(distances, bits_of)  # the items are the rows
    assert [path.name for path in tmp_path.iterdir()] == ["a.faiss"]


@pytest.mark.usefixtures("faiss")
@pytest.mark.parametrize("ids", [["a\nb", "ü\u2028\r", "\udcff", '"'], [7, -1, 2, 0]])
def test_ids_lie_beside_the_index(tmp_path, ids):
    write_faiss(make(4, 8, 1, ids=np.array(ids)), tmp_path / "a.faiss")
    assert read_ids(tmp_path / "a.faiss") == ids
    write_faiss(make(4, 8, 1), tmp_path / "a.faiss")  # without ids: those of the old index must not stay
    with pytest.raises(DataError, match="a.faiss.ids: no such file"):
        read_ids(tmp_path / "a.faiss")
    (tmp_path / "a.faiss.ids").write_text("a\n")
    with pytest.raises(DataError, match="a.faiss.ids: not a file of ids"):
        read_ids(tmp_path / "a.faiss")


@pytest.mark.usefixtures("faiss")
@pytest.mark.parametrize("count, options, words", [
    (5, {"kind": "hsnw"}, "did you mean 'hnsw'"), (0, {}, "no codes to write"),
    (5, {"kind": "ivf", "nlist": 6}, "from 1 to 5 lists, for so many items, got 6"),
    (5, {"kind": "ivf", "nlist": 0}, "from 1 to 5 lists"), (5, {"kind": "hnsw", "links": 0}, "at least 1 link"),
])
def test_errors(tmp_path, count, options, words):
    with pytest.raises(DataError, match=words):
        write_faiss(make(count, 8, 1), tmp_path / "a.faiss", **options)
    assert not list(tmp_path.iterdir())


def test_without_faiss_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(BlobnetError, match=r"writing its index needs FAISS .*; pip install 'blobnet\[faiss\]'$"):
        write_faiss(make(5, 8, 1), tmp_path / "a.faiss")
