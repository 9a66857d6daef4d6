"""Memory for passing use: blocks that are lent, grow, and are never lent twice at a time."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from blobnet.backend import Workspace, cut, scratch, share


def test_arrays_of_one_block():
    with Workspace().in_use(), scratch(np, ((2, 3), "float32"), ((0, 4), "float64"), ((5,), np.uint8)) as arrays:
        assert [(array.shape, str(array.dtype)) for array in arrays] == [
            ((2, 3), "float32"), ((0, 4), "float64"), ((5,), "uint8")]
        for value, array in enumerate(arrays):
            array.fill(value)
        assert [set(array.ravel().tolist()) for array in arrays] == [{0}, set(), {2}]
    with scratch(np) as nothing:
        assert nothing == []


def test_calls_one_after_the_other_use_one_block_of_the_largest_size():
    workspace = Workspace()
    with workspace.in_use():
        for size in (100, 5000, 300):
            with scratch(np, ((size,), np.uint8)):
                assert workspace.nbytes == 0
    assert workspace.nbytes == 5000 // 64 * 64 + 64


def test_calls_within_calls_have_memory_of_their_own_and_small_ones_take_small_blocks():
    workspace = Workspace()
    for _ in range(3):
        with workspace.in_use(), scratch(np, ((6400,), np.uint8)) as (outer,):
            with scratch(np, ((64,), np.uint8)) as (inner,):
                outer.fill(1)
                inner.fill(2)
                assert (outer == 1).all()
        with workspace.in_use(), scratch(np, ((64,), np.uint8)):
            pass
    assert workspace.nbytes == 6464


def test_memory_comes_back_after_an_error():
    workspace = Workspace()
    with pytest.raises(ZeroDivisionError), workspace.in_use(), scratch(np, ((10,), "float32")):
        raise ZeroDivisionError
    assert workspace.nbytes == 64
    with workspace.in_use(), pytest.raises(MemoryError):
        with scratch(np, ((1 << 60,), "float32")):
            pass


def test_without_a_workspace_memory_is_made_anew():
    with scratch(np, ((3,), "float32")) as (one,), scratch(np, ((3,), "float32")) as (two,):
        assert not np.shares_memory(one, two)


def test_workers_borrow_from_the_workspace_of_the_caller(monkeypatch):
    monkeypatch.setenv("BLOBNET_NUM_THREADS", "4")
    workspace, meeting = Workspace(), threading.Barrier(4)

    def body(piece, buffers):
        (own,) = buffers
        own.fill(piece.start)
        meeting.wait()  # all four have memory at this time
        return own.copy()

    with workspace.in_use():
        found = share(body, cut(4, 1), lambda n: scratch(np, ((1000 * n,), "float32")))
    assert [set(array.tolist()) for array in found] == [{0}, {1}, {2}, {3}]
    assert workspace.nbytes == 4 * (4000 + 32)


def test_two_workspaces_do_not_meet():
    workspaces = Workspace(), Workspace()
    with workspaces[0].in_use():
        with workspaces[1].in_use(), scratch(np, ((16,), "float32")):
            pass
        assert [each.nbytes for each in workspaces] == [0, 64]
        with scratch(np, ((32,), "float32")):
            pass
    assert [each.nbytes for each in workspaces] == [128, 64]


def test_threads_that_borrow_at_random_never_have_the_same_memory():
    workspace, failed = Workspace(), []

    def run(seed):
        rng = np.random.default_rng(seed)
        with workspace.in_use():
            for size in rng.integers(1, 5000, 300).tolist():
                with scratch(np, ((size,), np.int64)) as (mine,):
                    mine.fill(seed)
                    if (mine != seed).any():
                        failed.append(seed)

    threads = [threading.Thread(target=run, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert workspace.nbytes <= 6 * 40000 + 6 * 64
