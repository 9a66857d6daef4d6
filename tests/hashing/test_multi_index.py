"""Multi-index hashing finds what the flat index finds, in the same order, and looks at less."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blobnet.errors import BlobnetError, DataError
from blobnet.hashing import multi_index
from blobnet.hashing.codes import Codes
from blobnet.hashing.engines import build_index
from blobnet.hashing.index import HammingIndex
from blobnet.hashing.multi_index import MultiIndex
from blobnet.hashing.substrings import ring_of, substrings
from blobnet.hashing.upkeep import take


def codes(count: int, bits: int, seed: int, flipped: float = 0.5, centres: int = 3) -> Codes:
    """Codes around some centres (the same for every seed), from which so large a share of the bits differs."""
    around = np.random.default_rng(7).integers(0, 2, (centres, bits))
    rng = np.random.default_rng(seed)
    return Codes.from_bits(around[rng.integers(0, centres, count)] ^ (rng.random((count, bits)) < flipped))


def assert_same(got, expected):
    for name, one, other in zip(got._fields, got, expected):
        np.testing.assert_array_equal(one, other, name)
        assert one.dtype == other.dtype


@pytest.fixture
def no_flat_search(monkeypatch):
    """The tables must find everything themselves."""
    def refuse(*_):
        raise AssertionError("the flat search was asked")

    monkeypatch.setattr(HammingIndex, "_search", refuse)


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_results_are_those_of_the_flat_index(data):
    """Whatever the patience, the tile and the number of tables: all tables, all flat, and some of each."""
    bits, count = data.draw(st.integers(1, 140)), data.draw(st.integers(1, 400))
    flipped, seed = data.draw(st.sampled_from([0, 0.04, 0.15, 0.5])), data.draw(st.integers(0, 99))
    tables = data.draw(st.none() | st.integers(-(-bits // 20), min(bits, 12)))
    top = data.draw(st.none() | st.integers(1, count))
    radius = data.draw(st.integers(0, 6) if top is None else st.none() | st.floats(0, bits + 2))
    base, queries = codes(count, bits, seed, flipped), codes(data.draw(st.integers(1, 20)), bits, seed + 100, flipped)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(multi_index, "_PATIENCE", data.draw(st.sampled_from([0.5, 5, 60])))
        patch.setattr(multi_index, "_TILE", data.draw(st.sampled_from([1 << 16, 8])))
        assert_same(MultiIndex(base, tables).search(queries, top, radius),
                    HammingIndex(base).search(queries, top, radius))


@pytest.mark.parametrize("bits, tables", [(11, None), (32, 3), (64, 5), (65, None), (130, 7), (256, None)])
@pytest.mark.parametrize("limits", [{"top": 5}, {"radius": 3}, {"radius": 7}, {"top": 40, "radius": 6}])
def test_tables_alone_find_all(bits, tables, limits, monkeypatch):
    base, queries = codes(600, bits, 1, 0.03), codes(9, bits, 2, 0.03)
    expected = HammingIndex(base).search(queries, **limits)
    monkeypatch.setattr(multi_index, "_PATIENCE", 1e4)
    monkeypatch.setattr(HammingIndex, "_search", None)
    assert_same(MultiIndex(base, tables).search(queries, **limits), expected)


@pytest.mark.parametrize("bits, tables", [(1, 1), (4, 1), (4, 4), (5, 2), (6, 5)])
def test_every_code_is_found(bits, tables, monkeypatch):
    every = Codes.from_bits(np.arange(1 << bits)[:, None] >> np.arange(bits) & 1)
    monkeypatch.setattr(multi_index, "_PATIENCE", 1e6)
    for limits in [{"radius": radius} for radius in range(bits + 1)] + [{"top": len(every)}]:
        expected = HammingIndex(every).search(every, **limits)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(HammingIndex, "_search", None)
            assert_same(MultiIndex(every, tables).search(every, **limits), expected)


def test_a_search_ends_with_the_last_item_that_is_wanted(no_flat_search):
    """The next ones are far away."""
    base, queries = codes(3000, 64, 1), codes(4, 64, 2)
    base = Codes(np.concatenate([base.packed, np.tile(queries.packed, (5, 1))]), 64)
    assert MultiIndex(base).search(queries, top=5).distances.tolist() == [0] * 20


def test_full_buckets_are_left_alone(monkeypatch):
    base = Codes(np.tile(codes(1, 64, 1).packed, (2000, 1)), 64)
    monkeypatch.setattr(multi_index._Walk, "_look", None)
    assert MultiIndex(base).search(take(base, np.arange(3)), top=7).indices.tolist() == [*range(7)] * 3


def test_a_wide_radius_needs_no_look_at_tables(monkeypatch):
    monkeypatch.setattr(multi_index, "_Walk", None)
    assert len(MultiIndex(codes(500, 64, 1)).search(codes(3, 64, 2), radius=64).indices) == 1500


@pytest.mark.parametrize("limits", [{"top": 10}, {"top": 30}, {"radius": 2}, {"radius": 8}])
def test_near_codes_need_no_flat_search(limits, no_flat_search, monkeypatch):
    base, queries = codes(60_000, 64, 1, 0.06, 600), codes(50, 64, 2, 0.04, 600)
    seen = []
    look = multi_index._Walk._look
    monkeypatch.setattr(multi_index._Walk, "_look", lambda self, queries, items, *rest: (
        seen.append(len(items)), look(self, queries, items, *rest)))
    assert len(MultiIndex(base).search(queries, **limits).indices)
    assert sum(seen) < 50 * 60_000 / 20


@pytest.mark.parametrize("limits", [{"top": 5}, {"top": 5, "radius": 40}, {"radius": 40}])
def test_far_codes_are_left_to_the_flat_search(limits, monkeypatch):
    base, queries = codes(3000, 64, 1), codes(20, 64, 2)
    expected, asked = HammingIndex(base).search(queries, **limits), []
    flat = HammingIndex._search
    monkeypatch.setattr(HammingIndex, "_search", lambda self, some, *rest: asked.append(len(some)) or flat(
        self, some, *rest))
    assert_same(MultiIndex(base).search(queries, **limits), expected)
    assert asked == [20]


def test_after_costly_queries_no_others_go_through_the_tables(monkeypatch):
    base, queries = codes(3000, 64, 1), codes(60, 64, 2)
    expected, walks = HammingIndex(base).search(queries, top=5), []
    start = multi_index._Walk.__init__
    monkeypatch.setattr(multi_index._Walk, "__init__", lambda self, index, packed, *rest: (
        walks.append(len(packed)), start(self, index, packed, *rest))[1])
    assert_same(MultiIndex(base).search(queries, top=5), expected)
    assert walks == [16]


def test_only_costly_queries_go_to_the_flat_search(monkeypatch):
    base = codes(5000, 64, 1, 0.02, 500)
    near, far = codes(30, 64, 2, 0.02, 500), codes(30, 64, 3, 0.5)
    queries, asked = Codes(np.stack([near.packed, far.packed], 1).reshape(60, 8), 64), []
    flat = HammingIndex._search
    expected = HammingIndex(base).search(queries, top=2)
    monkeypatch.setattr(HammingIndex, "_search", lambda self, some, *rest: asked.append(some.packed) or flat(
        self, some, *rest))
    assert_same(MultiIndex(base).search(queries, top=2), expected)
    assert np.array_equal(np.concatenate(asked), far.packed)


def test_structured_codes_and_duplicates():
    values = np.random.default_rng(1).normal(size=(500, 48))
    base = Codes.from_values(np.repeat(values, 4, axis=0), block_size=8)
    queries = Codes.from_values(values[:30], block_size=8)
    for limits in ({"top": 9}, {"radius": 2}):
        assert_same(MultiIndex(base).search(queries, **limits), HammingIndex(base).search(queries, **limits))
    with pytest.raises(DataError, match="coded as the base is"):
        MultiIndex(base).search(Codes.from_values(values[:3]), top=1)


def test_codes_in_a_file(tmp_path):
    base, queries = codes(3000, 48, 1, 0.05), codes(40, 48, 2, 0.05)
    base.save(tmp_path / "base.npz")
    index = build_index(Codes.load(tmp_path / "base.npz", mmap=True), engine="multi-index")
    assert isinstance(index, MultiIndex)
    assert_same(index.search(queries, top=7), HammingIndex(base).search(queries, top=7))


def test_threads_find_the_same(monkeypatch):
    base, queries = codes(4000, 40, 1, 0.08), codes(150, 40, 2, 0.08)
    found = []
    for threads in ("1", "3"):
        monkeypatch.setenv("BLOBNET_NUM_THREADS", threads)
        found.append(MultiIndex(base).search(queries, top=12))
    assert_same(*found)


def test_no_queries_find_nothing():
    found = MultiIndex(codes(9, 12, 1)).search(codes(0, 12, 2), top=3)
    assert found.offsets.tolist() == [0] and len(found.indices) == 0


@given(st.integers(0, 12), st.data())
def test_a_ring_has_every_number_once(length, data):
    ones = data.draw(st.integers(0, length))
    ring = ring_of(length, ones).tolist()
    assert len(ring) == len(set(ring)) == math.comb(length, ones)
    assert all(0 <= number < 1 << length and number.bit_count() == ones for number in ring)


@given(st.integers(1, 60), st.data())
def test_substrings_are_the_bits_as_numbers(bits, data):
    first = data.draw(st.integers(0, bits - 1))
    length = data.draw(st.integers(1, min(20, bits - first)))
    rows = np.random.default_rng(bits).integers(0, 2, (5, bits))
    expected = [sum(int(bit) << k for k, bit in enumerate(row[first:first + length])) for row in rows]
    assert substrings(Codes.from_bits(rows).packed, first, length).tolist() == expected


@pytest.mark.parametrize("call, words", [
    (lambda: MultiIndex(codes(0, 8, 1)), "no codes to search in"),
    (lambda: MultiIndex(codes(5, 30, 1), tables=1), "expected 2 to 30 tables, got 1"),
    (lambda: MultiIndex(codes(5, 30, 1), tables=31), "expected 2 to 30 tables, got 31"),
    (lambda: MultiIndex(codes(5, 30, 1)).search(codes(2, 30, 2), top=6), "MultiIndex: expected top from 1 to 5"),
    (lambda: MultiIndex(codes(5, 30, 1)).search(codes(2, 31, 2), top=1), "queries of 30 bits, as the base, got 31"),
    (lambda: build_index(codes(5, 30, 1), "cosine", "multi-index"), "the metric hamming with .* got cosine"),
    (lambda: build_index(codes(5, 30, 1), engine="multiindex"), "no engine 'multiindex'; did you mean 'multi-index'"),
])
def test_errors_say_what_was_expected(call, words):
    with pytest.raises(BlobnetError, match=words):
        call()
