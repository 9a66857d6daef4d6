import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from blobnet.errors import DataError, ShapeError
from blobnet.hashing import index as index_module
from blobnet.hashing.codes import Codes
from blobnet.hashing.index import HammingIndex, Index, _count_ones, stable_order


def random_codes(count, bits, seed=0, **rest) -> Codes:
    return Codes.from_bits(np.random.default_rng(seed).integers(0, 2, (count, bits)), **rest)


def slow_ranking(query: np.ndarray, base: np.ndarray) -> list[tuple[int, int]]:
    """(distance, place) of every base row, sorted, bit by bit."""
    found = []
    for place, row in enumerate(base.tolist()):
        found.append((sum(1 for a, b in zip(query.tolist(), row) if a != b), place))
    return sorted(found)


@pytest.fixture(params=["numpy", "table"])
def popcount(request, monkeypatch):
    """Both ways to count ones: NumPy 2's and the table that NumPy 1 needs."""
    if request.param == "table":
        monkeypatch.setattr(index_module, "count_ones", _count_ones)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32, np.uint64])
def test_ones_are_counted_in_words_of_any_size_and_in_none(dtype):
    top = np.iinfo(dtype).max
    assert _count_ones(np.array([[0, 1, top]], dtype)).tolist() == [[0, 1, np.dtype(dtype).itemsize * 8]]
    assert _count_ones(np.zeros((3, 0), dtype)).shape == (3, 0)


@pytest.mark.usefixtures("popcount")
@pytest.mark.parametrize("bits", [1, 7, 8, 12, 16, 31, 48, 64, 65, 128, 255, 256, 300])
def test_search_ranks_as_a_bitwise_loop_does(bits):
    rng = np.random.default_rng(bits)
    base, queries = rng.integers(0, 2, (200, bits)), rng.integers(0, 2, (7, bits))
    index, asked = HammingIndex(Codes.from_bits(base)), Codes.from_bits(queries)
    half = bits // 2
    for top, radius in [(200, None), (10, None), (1, None), (None, half), (None, 0), (5, half), (5, 10 * bits)]:
        found = index.search(asked, top, radius)
        for q, query in enumerate(queries):
            expected = [pair for pair in slow_ranking(query, base) if radius is None or pair[0] <= radius][:top]
            place = slice(found.offsets[q], found.offsets[q + 1])
            assert list(zip(found.distances[place].tolist(), found.indices[place].tolist())) == expected


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 20), st.integers(1, 60), st.integers(0, 9), st.integers(0, 2**32 - 1), st.data())
def test_search_in_small_random_bases(bits, size, count, seed, data):
    rng = np.random.default_rng(seed)
    base, queries = rng.integers(0, 2, (size, bits)), rng.integers(0, 2, (count, bits))
    top = data.draw(st.integers(1, size))
    found = HammingIndex(Codes.from_bits(base)).search(Codes.from_bits(queries), top)
    expected = [pair for query in queries for pair in slow_ranking(query, base)[:top]]
    assert list(zip(found.distances.tolist(), found.indices.tolist())) == expected
    assert found.offsets.tolist() == [top * q for q in range(count + 1)]


@pytest.mark.usefixtures("popcount")
@pytest.mark.parametrize("bits", [3, 70])
@pytest.mark.parametrize("limits", [{"top": 160}, {"top": 11}, {"top": 10}, {"top": 1}, {"radius": 33},
                                    {"top": 3, "radius": 30}, {"top": 10, "radius": 0.5}], ids=str)
def test_bases_larger_than_a_block_or_a_chunk_are_searched_whole(monkeypatch, bits, limits):
    base, queries = random_codes(160, bits, 1), random_codes(9, bits, 2)
    expected = HammingIndex(base).search(queries, **limits)
    monkeypatch.setattr(Index, "block", 350)
    monkeypatch.setattr(index_module, "_TILE", 100)
    for chunk in (1000, 160, 70, 1):
        monkeypatch.setattr(Index, "chunk", chunk)
        for got, wanted in zip(HammingIndex(base).search(queries, **limits), expected):
            assert np.array_equal(got, wanted) and got.dtype == wanted.dtype


@pytest.mark.parametrize("order", [1, -1], ids=["nearest first", "nearest last"])
def test_counting_and_sorting_find_the_same_in_any_order_of_the_base(monkeypatch, order):
    codes, queries = random_codes(1000, 40, 1), random_codes(50, 40, 2)
    from_first = np.unpackbits(codes.packed ^ queries.packed[0], axis=1).sum(axis=1)
    base = Codes(codes.packed[np.argsort(from_first)[::order]], 40)
    for limits in ({"top": 1}, {"top": 60}, {"top": 60, "radius": 13}):
        monkeypatch.setattr(index_module, "_FEW", 16)
        counted = HammingIndex(base).search(queries, **limits)
        monkeypatch.setattr(index_module, "_FEW", 10**6)
        for got, wanted in zip(counted, HammingIndex(base).search(queries, **limits)):
            assert np.array_equal(got, wanted) and got.dtype == wanted.dtype


@given(arrays(np.float32, st.tuples(st.integers(1, 4), st.integers(1, 40)),
              elements=st.floats(width=32, allow_nan=False) | st.sampled_from([-0.0, 0.0, 1.0, -1.0, np.inf])))
def test_real_distances_are_ordered_as_a_stable_sort_does(distances):
    got = stable_order(distances)
    for row, order in zip(distances.tolist(), got.tolist()):
        assert order == sorted(range(len(row)), key=row.__getitem__)


@pytest.mark.parametrize("call, error, words", [
    (lambda index: index.search(random_codes(2, 13), 1), ShapeError, "queries of 12 bits, as the base, got 13"),
    (lambda index: index.search(random_codes(2, 12)), DataError, "top, radius or both"),
    (lambda index: index.search(random_codes(2, 12), 0), DataError, "top from 1 to 6"),
    (lambda index: index.search(random_codes(2, 12), 7), DataError, "top from 1 to 6"),
    (lambda index: index.search(random_codes(2, 12), radius=-1), DataError, "radius of 0 bits or more"),
    (lambda index: HammingIndex(random_codes(0, 12)), DataError, "no codes"),
])
def test_errors_say_what_was_expected(call, error, words):
    with pytest.raises(error, match=words):
        call(HammingIndex(random_codes(6, 12)))


def test_distances_above_255_do_not_wrap():
    found = HammingIndex(Codes.from_bits(np.eye(2, 300))).search(Codes.from_bits(1 - np.eye(2, 300)), top=2)
    assert found.distances.tolist() == [298, 300, 298, 300] and found.indices.tolist() == [1, 0, 0, 1]
