"""FAISS gives what blobnet's own engine gives."""

import sys

import numpy as np
import pytest

from blobnet.errors import BlobnetError, DataError, ShapeError
from blobnet.hashing.codes import Codes
from blobnet.hashing.engines import INDEXES, build_index


def make(count, width, seed, **rest) -> Codes:
    return Codes.from_values(np.random.default_rng(seed).normal(size=(count, width)), **rest)


@pytest.fixture
def faiss():
    return pytest.importorskip("faiss", reason="FAISS is not installed: pip install 'blobnet[faiss]'")


@pytest.mark.usefixtures("faiss")
@pytest.mark.parametrize("bits", [1, 7, 8, 12, 48, 64, 100])
def test_hamming_search_is_the_same_with_its_order_of_ties(bits):
    base, queries = make(3000, bits, 1), make(40, bits, 2)
    ours, theirs = build_index(base), build_index(base, engine="faiss")
    for limits in ({"top": 1}, {"top": 100}, {"top": 50, "radius": bits // 4}, {"radius": 0},
                   {"radius": bits / 4 + 0.5}, {"radius": 2 * bits}):
        for got, expected in zip(theirs.search(queries, **limits), ours.search(queries, **limits)):
            assert np.array_equal(got, expected) and got.dtype == expected.dtype


@pytest.mark.usefixtures("faiss")
@pytest.mark.parametrize("rest", [{}, {"threshold": 0.5}, {"block_size": 4}], ids=str)
@pytest.mark.parametrize("metric", [metric for metric in INDEXES if metric != "hamming"])
def test_search_by_real_values_agrees(metric, rest):
    base, queries = make(500, 20, 3, **rest), make(30, 20, 4, **rest)
    got, expected = (build_index(base, metric, engine).search(queries, 10) for engine in ("faiss", "blobnet"))
    assert np.array_equal(got.offsets, expected.offsets)
    np.testing.assert_allclose(got.distances, expected.distances, rtol=1e-5, atol=1e-5)
    assert np.mean(got.indices == expected.indices) > 0.95  # the rest: ties at rank 10
    near = build_index(base, metric, "faiss").search(queries, 10, radius=float(np.median(got.distances)))
    assert 0 < len(near.indices) < 300 and near.distances.max() <= np.median(got.distances)


@pytest.mark.usefixtures("faiss")
@pytest.mark.parametrize("metric", INDEXES)
@pytest.mark.parametrize("part", [0, 0.1, 0.7, 1, 3])
def test_radius_search_agrees(metric, part):
    base, queries = make(300, 20, 3), make(30, 20, 4)
    ours, theirs = (build_index(base, metric, engine) for engine in ("blobnet", "faiss"))
    distances = np.sort(ours.search(queries, 300).distances)
    radius = float(3 * abs(distances[-1]) if part > 1 else distances[int(part * (len(distances) - 1))] + 1e-4)
    got, expected = theirs.search(queries, radius=radius), ours.search(queries, radius=radius)
    assert np.array_equal(got.offsets, expected.offsets) and got.distances.dtype == expected.distances.dtype
    np.testing.assert_allclose(got.distances, expected.distances, rtol=1e-5, atol=1e-5)
    assert np.mean(got.indices == expected.indices) > 0.99
    assert len(theirs.search(queries, radius=float("inf")).indices) == 300 * 30


@pytest.mark.usefixtures("faiss")
@pytest.mark.parametrize("metric", INDEXES)
def test_radius_search_may_find_nothing_or_be_asked_nothing(metric):
    codes = make(5, 12, 1)
    far = Codes.from_values(-codes.values)
    radius = -1e9 if metric in ("asymmetric", "inner-product") else 0
    for queries in (far, make(0, 12, 1)):
        found = build_index(codes, metric, "faiss").search(queries, radius=radius)
        assert found.offsets.tolist() == [0] * (len(queries) + 1) and not len(found.indices)
    if radius == 0:
        assert build_index(codes, "hamming", "faiss").search(codes, radius=0).indices.tolist() == [0, 1, 2, 3, 4]


@pytest.mark.usefixtures("faiss")
@pytest.mark.parametrize("call, error, words", [
    (lambda codes: build_index(codes, engine="faiss").search(codes), DataError, "top, radius or both"),
    (lambda codes: build_index(codes, engine="faiss").search(codes, radius=-1), DataError, "0 bits or more"),
    (lambda codes: build_index(codes, engine="faiss").search(codes, 6), DataError, "top from 1 to 5"),
    (lambda codes: build_index(codes, engine="faiss").search(make(5, 9, 1), 1), ShapeError, "12 bits.*got 9"),
    (lambda codes: build_index(make(0, 12, 1), engine="faiss"), DataError, "no codes"),
])
def test_errors_say_what_was_expected(call, error, words):
    with pytest.raises(error, match=words):
        call(make(5, 12, 1))


def test_without_faiss_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(BlobnetError, match=r"FAISS .*pip install 'blobnet\[faiss\]', or take the engine blobnet"):
        build_index(make(5, 12, 1), engine="faiss")
