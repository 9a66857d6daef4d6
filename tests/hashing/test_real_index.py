"""Search by real values, and by real values among binary codes, against loops that follow the definitions."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blobnet.errors import DataError, ShapeError
from blobnet.hashing import real_index
from blobnet.hashing.codes import Codes
from blobnet.hashing.engines import INDEXES, build_index
from blobnet.hashing.packing import unpack
from blobnet.hashing.real_index import RealIndex

REAL = ("l2", "cosine", "inner-product", "asymmetric")


def make(count, seed, width=9, **rest) -> Codes:
    """Codes of small whole numbers, so that sums are exact and many distances equal."""
    return Codes.from_values(np.random.default_rng(seed).integers(-2, 3, (count, width)), **rest)


def distance(metric, query, item, bits, codes) -> float:
    if metric == "asymmetric":
        if codes.block_size:
            return -sum(q for q, bit in zip(query, bits) if bit)
        return -sum(q - codes.threshold if bit else codes.threshold - q for q, bit in zip(query, bits))
    product = sum(q * x for q, x in zip(query, item))
    if metric == "l2":
        return math.dist(query, item)
    return -product if metric == "inner-product" else 1 - product / (math.hypot(*query) * math.hypot(*item) or 1)


def slow_search(metric, queries, base, top=None, radius=math.inf):
    """(query, place, distance) of the results."""
    for q, query in enumerate(queries.values.tolist()):
        rows = zip(base.values.tolist(), unpack(base.packed, base.bits).tolist())
        found = [(round(distance(metric, query, *row, base), 6) + 0, place) for place, row in enumerate(rows)]
        for far, place in sorted(item for item in found if item[0] <= radius)[:top]:
            yield q, place, far


def rows(found):
    queries = np.repeat(np.arange(len(found.offsets) - 1), np.diff(found.offsets))
    return list(zip(queries.tolist(), found.indices.tolist(), [round(far, 6) + 0 for far in found.distances.tolist()]))


@pytest.mark.parametrize("rest", [{}, {"threshold": 0.5}, {"block_size": 3}], ids=str)
@pytest.mark.parametrize("metric", REAL)
def test_search_ranks_as_a_loop_does(metric, rest):
    base, queries = make(60, 1, **rest), make(7, 2, **rest)
    index = build_index(base, metric)
    for limits in ({"top": 60}, {"top": 7}, {"top": 1}, {"radius": 2}, {"top": 4, "radius": 1}):
        got, expected = rows(index.search(queries, **limits)), list(slow_search(metric, queries, base, **limits))
        assert [row[:2] for row in got] == [row[:2] for row in expected]
        assert [row[2] for row in got] == pytest.approx([row[2] for row in expected], abs=2e-6)


@pytest.mark.parametrize("width", [1, 8, 13, 64, 65])
def test_asymmetric_search_goes_with_any_code_length(width):
    base, queries = make(30, 3, width), make(4, 4, width)
    expected = list(slow_search("asymmetric", queries, base, 10))
    assert rows(build_index(base, "asymmetric").search(queries, 10)) == expected


@pytest.mark.parametrize("metric", REAL)
def test_equal_items_are_equally_far_in_every_chunk_and_block(monkeypatch, metric):
    rng = np.random.default_rng(5)
    values = np.repeat(rng.normal(size=(20, 33)), 3, axis=0)
    base, queries = Codes.from_values(values), Codes.from_values(np.vstack([values[::7], rng.normal(size=(5, 33))]))
    expected = build_index(base, metric).search(queries, 60)
    assert (expected.distances.reshape(-1, 20, 3) == expected.distances.reshape(-1, 20, 3)[:, :, :1]).all()
    assert (np.diff(expected.indices.reshape(-1, 20, 3)) == 1).all()
    if metric == "l2":
        assert (expected.distances.reshape(-1, 60)[:9, :3] == 0).all()
    monkeypatch.setattr(real_index, "_TILE", 7)
    for chunk in (60, 25, 4):
        monkeypatch.setattr(INDEXES[metric], "chunk", chunk)
        monkeypatch.setattr(INDEXES[metric], "block", 2 * chunk)
        for got, wanted in zip(build_index(base, metric).search(queries, 60), expected):
            np.testing.assert_array_equal(got, wanted)


def noise(monkeypatch, seed):
    """Lets products be off by some units of the last place of the lengths, differently at every call and place."""
    rng, exact = np.random.default_rng(seed), real_index._products

    def products(asked, items):
        lengths = np.linalg.norm(asked, axis=1)[:, None] * np.linalg.norm(items, axis=1)
        return exact(asked, items) + lengths * 2.0 ** -52 * rng.integers(-4, 5, lengths.shape)

    monkeypatch.setattr(real_index, "_products", products)


@settings(max_examples=40)
@given(metric=st.sampled_from(REAL), kind=st.sampled_from(["whole", "repeated", "near", "zeros", "tiny", "huge"]),
       width=st.sampled_from([1, 2, 7, 33]), seed=st.integers(0, 999), tile=st.integers(1, 30),
       chunk=st.integers(1, 50), block=st.integers(1, 300))
def test_neither_kernels_nor_chunks_change_a_bit(metric, kind, width, seed, tile, chunk, block):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(40, width)) if kind != "whole" else rng.integers(-2, 3, (40, width))
    if kind == "near":
        values = values[:1] + values * 1e-6
    elif kind == "zeros":
        values *= rng.random(values.shape) < 0.3
    elif kind in ("tiny", "huge"):
        values *= 1e-20 if kind == "tiny" else 1e17
    values = values[rng.integers(0, 20, 40)] if kind == "repeated" else values
    base, queries = Codes.from_values(values), Codes.from_values(np.vstack([values[:5], values[:3] * 3, -values[:2]]))
    expected = build_index(base, metric).search(queries, 40)
    with pytest.MonkeyPatch.context() as patch:
        noise(patch, seed)
        patch.setattr(real_index, "_TILE", tile)
        patch.setattr(INDEXES[metric], "chunk", chunk)
        patch.setattr(INDEXES[metric], "block", block)
        for got, wanted in zip(build_index(base, metric).search(queries, 40), expected):
            np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("size", [1e-20, 1, 1e16])
def test_distances_of_any_size_are_right(size):
    values = np.random.default_rng(4).normal(size=(6, 5)).astype("float32") * np.float32(size)
    found = build_index(Codes.from_values(values), "l2").search(Codes.from_values(values), 6)
    wanted = np.sort([[math.dist(a, b) for b in values.tolist()] for a in values.tolist()])
    np.testing.assert_allclose(found.distances.reshape(6, 6), wanted, rtol=2e-7)


@pytest.mark.parametrize("metric", INDEXES)
def test_a_mapped_base_gives_the_same_results(tmp_path, monkeypatch, metric):
    base, queries = make(50, 6), make(5, 7)
    base.save(tmp_path / "base.npz")
    expected = build_index(base, metric).search(queries, 11)
    monkeypatch.setattr(INDEXES[metric], "chunk", 8)
    for got, wanted in zip(build_index(Codes.load(tmp_path / "base.npz", mmap=True), metric).search(queries, 11),
                           expected):
        assert np.array_equal(got, wanted)


def test_blocks_that_agree_order_symmetric_and_asymmetric_search():
    base, queries = make(40, 8, 12, block_size=4), make(6, 9, 12, block_size=4)
    found = build_index(base).search(queries, 40)
    ones = [np.flatnonzero(unpack(codes.packed, 12).reshape(-1, 4)).reshape(-1, 3) % 4 for codes in (queries, base)]
    for q in range(6):
        place = slice(40 * q, 40 * q + 40)
        differing = (ones[0][q] != ones[1][found.indices[place]]).sum(axis=1)
        assert np.array_equal(found.distances[place], 2 * differing)
    sharp = Codes.from_values(unpack(queries.packed, 12), block_size=4)  # one-hot queries: both searches agree
    for got, wanted in zip(build_index(base, "asymmetric").search(sharp, 40).indices, found.indices):
        assert np.array_equal(got, wanted)


@pytest.mark.parametrize("rest", [{}, {"block_size": 3}], ids=str)
@pytest.mark.parametrize("metric", INDEXES)
def test_no_queries_have_no_neighbours(metric, rest):
    found = build_index(make(4, 1, **rest), metric).search(make(0, 1, **rest), 2)
    assert found.offsets.tolist() == [0] and not len(found.indices) and not len(found.distances)


def test_large_rows_are_searched_in_smaller_chunks():
    assert RealIndex.chunk.fget(build_index(make(5, 1), "l2")) > (1 << 20) > \
        RealIndex.chunk.fget(build_index(make(5, 1, 512), "l2"))


BITS = Codes.from_bits(np.eye(9))


@pytest.mark.parametrize("call, error, words", [
    (lambda: build_index(make(3, 1), "euclidean"), DataError, "no metric 'euclidean'.*l2"),
    (lambda: build_index(make(3, 1), engine="fais"), DataError, "no engine 'fais'; did you mean 'faiss'"),
    (lambda: build_index(make(3, 1), "l2").search(make(2, 2, 8), 1), ShapeError, "queries of 9 bits.*got 8"),
    (lambda: build_index(make(3, 1), "asymmetric").search(make(2, 2, 8), 1), ShapeError, "queries of 9 bits.*got 8"),
    (lambda: build_index(BITS, "l2"), DataError, "the base have no real values; .*hamming"),
    (lambda: build_index(BITS, "asymmetric").search(BITS, 1), DataError, "the queries have no real values"),
    (lambda: build_index(make(0, 1), "cosine"), DataError, "CosineIndex: no codes"),
    (lambda: build_index(make(3, 1), "l2").search(make(2, 2), radius=-1), DataError, "radius of 0 or more"),
    (lambda: build_index(make(3, 1), "l2").search(make(2, 2), 4), DataError, "top from 1 to 3"),
])
def test_errors_say_what_was_expected(call, error, words):
    with pytest.raises(error, match=words):
        call()
