"""Sharing work among threads: pieces by size, results in order, buffers of each thread."""

from __future__ import annotations

import threading
from contextlib import contextmanager

import numpy as np
import pytest

from blobnet.backend import cut, cut_array, longest, share, single_threaded_blas, twin
from blobnet.backend.pieces import LINE, PARTS, PIECE_BYTES


@pytest.fixture(params=["1", "2", "5"])
def threads(request, monkeypatch):
    monkeypatch.setenv("BLOBNET_NUM_THREADS", request.param)
    return int(request.param)


def test_results_are_in_the_order_of_the_pieces(threads):
    pieces = cut(1000, 7)
    assert share(lambda piece: (piece.start, piece.stop), pieces) == [(piece.start, piece.stop) for piece in pieces]
    assert share(lambda piece: 1, []) == []


def test_each_thread_has_buffers_of_its_own(threads):
    made, left, pieces = [], [], cut(1001, 10)

    @contextmanager
    def buffers(n):
        made.append((threading.get_ident(), np.empty(n)))
        yield made[-1]
        left.append(threading.get_ident())

    def body(piece, own):
        assert own[0] == threading.get_ident() and len(own[1]) >= piece.stop - piece.start
        return id(own[1])

    used = share(body, pieces, buffers)
    assert sorted(left) == sorted(thread for thread, _ in made)
    assert len(made) == threads == len(set(used)) and {len(array) for _, array in made} == {longest(pieces)}


def test_a_worker_shares_no_further(threads):
    def outer(piece):
        mine = threading.get_ident()
        return mine == caller or {mine} == set(share(lambda inner: threading.get_ident(), cut(100, 1)))

    caller = threading.get_ident()
    assert all(share(outer, cut(100, 1)))


def test_errors_come_out_when_all_threads_are_done(threads):
    done = []

    def body(piece):
        if piece.start == 0:
            raise ZeroDivisionError
        done.append(piece.start)

    with pytest.raises(ZeroDivisionError):
        share(body, cut(50, 1))
    assert len(done) == (0 if threads == 1 else 50 - 50 // threads)


def test_arrays_are_cut_by_bytes():
    x = np.zeros((4, 1 << 20), np.float32)
    assert [piece.stop for piece in cut_array(x)] == [1, 2, 3, 4]
    pieces = cut_array(x, 1)
    assert len(pieces) == x.nbytes // PIECE_BYTES and all(piece.start % LINE == 0 for piece in pieces)
    assert len(cut_array(x, 1, most=x.nbytes, least=1)) == PARTS
    assert len(cut_array(x[:, :100])) == 1
    assert cut_array(np.zeros((3, 0))) == [slice(0, 3)] and cut_array(np.zeros((0, 3))) == []


def test_the_twin_runs_for_arrays_of_the_gpu(monkeypatch):
    @twin("math")
    def sqrt(x):
        """Twice x."""
        return 2 * x

    assert sqrt(np.ones(1)) == sqrt.body(1) == 2 and sqrt.__doc__ == "Twice x."
    monkeypatch.setattr("blobnet.backend.twins.array_module", lambda array: "cupy")
    assert sqrt(9) == 3


def test_blas_may_be_held_twice():
    with single_threaded_blas(), single_threaded_blas():
        assert share(lambda piece: piece.stop, [slice(0, 3)]) == [3]
