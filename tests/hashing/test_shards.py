"""Shards give what the index in memory gives."""

import contextlib
import io
import json
import re
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blobnet.cli import main
from blobnet.errors import BlobnetError, DataError, ShapeError
from blobnet.hashing.codes import Codes
from blobnet.hashing.index import HammingIndex
from blobnet.hashing.shards import search as shards_search
from blobnet.hashing.shards.build import build_shards
from blobnet.hashing.shards.manifest import Manifest
from blobnet.hashing.shards.search import ShardedIndex

faiss = pytest.importorskip("faiss", reason="FAISS is not installed: pip install 'blobnet[faiss]'")


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Threads of FAISS wait by spinning, for which tests that run side by side have no time."""
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    yield
    faiss.omp_set_num_threads(threads)


def make(count, bits, seed=1, **rest):
    return Codes.from_bits(np.random.default_rng(seed).integers(0, 2, (count, bits)), **rest)


def built(folder, codes, *items_and_lists):
    folder.mkdir(exist_ok=True)
    codes.save(folder / "codes.npz")
    number = len(list(folder.iterdir()))
    build_shards([folder / "codes.npz"], folder / f"shards{number}", *items_and_lists)
    return folder / f"shards{number}"


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_all_lists_give_the_exact_result_with_its_ties(tmp_path_factory, data):
    count, bits = data.draw(st.integers(1, 60)), data.draw(st.integers(1, 10))
    items, nlist = data.draw(st.integers(1, 70)), data.draw(st.integers(1, min(5, count)))
    base, queries = make(count, bits, data.draw(st.integers(0, 99))), make(4, bits, 7)
    index = ShardedIndex(built(tmp_path_factory.mktemp("base"), base, items, nlist))
    exact = HammingIndex(base)
    top, radius = st.integers(1, count), st.floats(0, bits + 1)
    limits = data.draw(st.fixed_dictionaries({"top": top}, optional={"radius": radius})
                       | st.fixed_dictionaries({"radius": radius}))
    for got, expected in zip(index.search(queries, nprobe=nlist, **limits), exact.search(queries, **limits)):
        assert got.tolist() == expected.tolist() and got.dtype == expected.dtype


def test_ties_across_shards_and_blocks_of_queries(tmp_path, monkeypatch):
    monkeypatch.setattr(shards_search, "_QUERIES", 3)
    base = Codes.from_bits(np.repeat(np.eye(4), 250, axis=0)[np.random.default_rng(2).permutation(1000)])
    index, exact = ShardedIndex(built(tmp_path, base, 300, 2)), HammingIndex(base)
    for top in (1, 100, 299, 300, 301, 1000):
        for got, expected in zip(index.search(make(10, 4), top, nprobe=2), exact.search(make(10, 4), top)):
            assert np.array_equal(got, expected)
    for limits in ({"top": 5}, {"radius": 2}):
        assert index.search(make(0, 4), **limits).offsets.tolist() == [0]


def test_fewer_lists_compare_with_the_items_of_these_alone(tmp_path):
    base, queries = make(600, 12), make(20, 12, 2)
    index = ShardedIndex(built(tmp_path, base, 250, 9))
    probed = index._indexes[0].quantizer.search(queries.packed, 3)[1]
    centre = index._indexes[0].quantizer.search(base.packed, 1)[1][:, 0]
    found = index.search(queries, top=10, nprobe=3)
    for query in range(20):
        near = np.flatnonzero(np.isin(centre, probed[query]))
        expected = HammingIndex(Codes(base.packed[near], 12)).search(Codes(queries.packed[query:query + 1], 12), top=10)
        places = slice(*found.offsets[query:query + 2])
        assert found.indices[places].tolist() == near[expected.indices].tolist()
        assert found.distances[places].tolist() == expected.distances.tolist()
    assert index.search(queries, top=10).indices.tolist() == index.search(queries, top=10, nprobe=9).indices.tolist()


def test_several_files_are_one_base(tmp_path):
    rest = [{"ids": np.array(ids), "labels": labels, "classes": ["x", "y"]} for ids, labels in (
        (["a", "b", "c"], [0, 1, 0]), (["long name", "e"], [1, 1]))]
    first, second = make(3, 9, 1, **rest[0]), make(2, 9, 2, **rest[1])
    first.save(tmp_path / "1.npz")
    second.save(tmp_path / "2.npz")
    manifest = build_shards([tmp_path / "1.npz", tmp_path / "2.npz"], tmp_path / "s", 2, 1)
    assert [(shard.start, shard.count) for shard in manifest.shards] == [(0, 2), (2, 2), (4, 1)]
    index = ShardedIndex(tmp_path / "s")
    items = index.items(np.array([4, 0, 3, 0]))
    assert items.ids.tolist() == ["e", "a", "long name", "a"] and items.labels.tolist() == [1, 0, 1, 0]
    assert items.packed.tolist() == np.concatenate([first.packed, second.packed])[[4, 0, 3, 0]].tolist()
    assert (len(index), index.codes.bits, index.codes.classes) == (5, 9, ("x", "y"))
    assert not items.mapped and sorted(path.name for path in tmp_path.iterdir()) == ["1.npz", "2.npz", "s"]


@pytest.mark.parametrize("damage, words", [
    (lambda folder: (folder / "00001.faiss").unlink(), "00001.faiss: no such file"),
    (lambda folder: (folder / "00001.npz").unlink(), "00001.npz: no such file"),
    (lambda folder: (folder / "shards.json").unlink(), "shards.json: no such file"),
    (lambda folder: (folder / "shards.json").write_text("{}"), "shards.json: a damaged manifest"),
    (lambda folder: (folder / "shards.json").write_text('{"format": "blobnet shards", "version": 2}'), "got .*2"),
    (lambda folder: changed(folder, '"nlist": 3', '"nlist": 4'), "faiss: expected bits, items and lists"),
    (lambda folder: changed(folder, '"start": 40', '"start": 41'), "a damaged manifest.*shard 1 starts at 41"),
    (lambda folder: changed(folder, '"bits": 10', '"bits": "ten"'), "a damaged manifest"),
    (lambda folder: changed(folder, '"00001.faiss"', '"../codes.faiss"'), "a damaged manifest"),
    (lambda folder: cut(folder / "00000.faiss"), "00000.faiss: damaged, or not of these shards.*bytes"),
    (lambda folder: flip(folder / "00000.faiss", 30), "00000.faiss: damaged, or not of these shards.*CRC-32"),
    (lambda folder: flip(folder / "00001.npz", 900), "00001.npz: damaged"),
])
def test_folders_that_are_not_whole(tmp_path, damage, words):
    folder = built(tmp_path, make(100, 10), 40, 3)
    ShardedIndex(folder)
    damage(folder)
    with pytest.raises(DataError, match=words):
        ShardedIndex(folder)


def changed(folder, old, new):
    text = (folder / "shards.json").read_text()
    assert old in text
    (folder / "shards.json").write_text(text.replace(old, new))


def cut(path):
    path.write_bytes(path.read_bytes()[:-1])


def flip(path, place):
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


def test_a_damaged_list_is_noticed_behind_the_checked_part(tmp_path, monkeypatch):
    monkeypatch.setattr("blobnet.hashing.shards.manifest._HEAD", 100)
    folder = built(tmp_path, make(100, 10), 100, 1)
    data = bytearray((folder / "00000.faiss").read_bytes())
    data[-1] = 1  # the number of the last item, little-endian
    (folder / "00000.faiss").write_bytes(data)
    with pytest.raises(DataError, match="00000.faiss: a damaged list, expected items from 0 to 99, got 7205"):
        ShardedIndex(folder).search(make(1, 10), top=100)


@pytest.mark.parametrize("call, error, words", [
    (lambda index: index.search(make(1, 9), top=1), ShapeError, "10 bits, as the base, got 9"),
    (lambda index: index.search(make(1, 10)), DataError, "top, radius or both"),
    (lambda index: index.search(make(1, 10), top=101), DataError, "top from 1 to 100"),
    (lambda index: index.search(make(1, 10), top=1, nprobe=4), DataError, "nprobe from 1 to 3.*got 4"),
    (lambda index: build_shards([index.folder.parent / "codes.npz"], index.folder), DataError, "is there already"),
    (lambda index: build_shards([index.folder.parent / "codes.npz"], "no/such"), DataError, "there is no folder 'no'"),
    (lambda index: build_shards([index.folder.parent / "codes.npz"], index.folder / "s", 50, 101), DataError,
     "from 1 to 100 lists"),
])
def test_errors(tmp_path, call, error, words):
    index = ShardedIndex(built(tmp_path, make(100, 10), 40, 3))
    with pytest.raises(error, match=words):
        call(index)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["codes.npz", index.folder.name]


@pytest.mark.parametrize("other, words", [
    (make(2, 9), "made in another way.*got bits 9"),
    (make(2, 10, ids=["a", "b"]), "ids as those of the first file, none, got text"),
    (make(2, 10, labels=np.eye(2)), "labels as those of the first file, none, got rows of 2 numbers"),
    (make(2, 10, classes=["a"]), "classes as those of the first file, None"),
])
def test_files_of_other_kinds(tmp_path, other, words):
    make(5, 10).save(tmp_path / "a.npz")
    other.save(tmp_path / "b.npz")
    with pytest.raises(DataError, match=f"b.npz: .*{words}"):
        build_shards([tmp_path / "a.npz", tmp_path / "b.npz"], tmp_path / "s")
    make(0, 10).save(tmp_path / "a.npz")
    with pytest.raises(DataError, match="at least 1 item, and 1 a shard, got 0 items"):
        build_shards([tmp_path / "a.npz"], tmp_path / "s")


def test_a_build_that_fails_leaves_nothing(tmp_path):
    codes = make(100, 10)
    codes.packed[70, 1] = 255  # behind the last bit, where a mapped file is not looked at
    np.savez(tmp_path / "a.npz", **dict(np.load(saved(tmp_path, make(100, 10)))) | {"packed": codes.packed})
    with pytest.raises(DataError, match="ones after the last of 10 bits"):
        build_shards([tmp_path / "a.npz"], tmp_path / "s", 50)
    assert not [path for path in tmp_path.iterdir() if path.is_dir()]


def saved(folder, codes):
    codes.save(folder / "whole.npz")
    return folder / "whole.npz"


@pytest.mark.parametrize("rest", [{}, {"ids": [f"photo{n}" for n in range(100)], "labels": np.arange(100) % 3}])
def test_commands(tmp_path, monkeypatch, capsys, rest):
    monkeypatch.chdir(tmp_path)
    make(100, 10, **rest).save("base.npz")
    make(5, 10, 2).save("queries.npz")
    assert main("index shard base.npz --out shards --items-per-shard 30 --nlist 4".split()) == 0
    assert re.fullmatch(r"shards: 100 items of 10 bits in 4 shards of 4 lists, [\d,]+ bytes\n", capsys.readouterr().out)
    for limits in ("--top 7", "--radius 2", "--radius 0", ""):
        printed = []
        for base in ("--base base.npz", "--shards shards --nprobe 4"):
            assert main(f"search {base} --queries queries.npz {limits}".split()) == 0
            printed.append(capsys.readouterr().out)
        assert printed[0] == printed[1]
    written = "--out found.npz --html found.html"
    assert main(f"search --shards shards --nprobe 4 --queries queries.npz {written}".split()) == 0
    assert main("search --base base.npz --queries queries.npz --out exact.npz".split()) == 0
    with np.load("found.npz") as found, np.load("exact.npz") as exact:
        assert all(np.array_equal(found[name], exact[name]) for name in ("offsets", "indices", "distances"))
        assert json.loads(str(found["header"]))["codes"] == "shards"
    assert "10 bits" in (tmp_path / "found.html").read_text()


def test_without_faiss_it_says_what_to_install(tmp_path, monkeypatch):
    folder = built(tmp_path, make(10, 10), 5, 1)
    assert len(Manifest.load(folder)) == 10
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(BlobnetError, match=r"search in shards needs FAISS .*; pip install 'blobnet\[faiss\]'"):
        ShardedIndex(folder)


def test_learning_few_centres_warns_of_nothing(tmp_path, capfd):
    with contextlib.redirect_stdout(io.StringIO()):
        built(tmp_path, make(50, 10), 20, 10)
    assert capfd.readouterr() == ("", "")
