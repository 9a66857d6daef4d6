"""Reading ahead in a thread."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import time
import traceback

import numpy as np
import pytest

from blobnet.data.batches.prefetch import Prefetch


def threads() -> int:
    return sum(thread.name == "blobnet-prefetch" for thread in threading.enumerate())


@pytest.fixture(autouse=True)
def no_thread_remains():
    yield
    gc.collect()
    assert threads() == 0


def count(n, reuse):
    return n


def until(condition):
    deadline = time.monotonic() + 5
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.001)
    return condition()


def test_order():
    prefetch = Prefetch(count, 4)
    assert threads() == 0  # none before it is needed
    assert [prefetch.take() for _ in range(20)] == list(range(20))


@pytest.mark.parametrize("depth", [1, 3])
def test_stays_at_most_depth_ahead(depth):
    made = []
    prefetch = Prefetch(lambda n, reuse: made.append(n), depth)
    for taken in range(1, 6):
        prefetch.take()
        assert until(lambda: len(made) == taken + depth)  # noqa: B023
        time.sleep(0.01)
        assert len(made) == taken + depth


def test_arrays_are_reused_but_never_while_they_are_valid():
    made = set()

    def produce(n, reuse):
        array = np.empty(3) if reuse is None else reuse
        made.add(id(array))
        array[...] = n
        return array

    prefetch = Prefetch(produce, 2)
    for n in range(50):
        array = prefetch.take()
        time.sleep(0.0005)  # the thread goes on meanwhile
        assert array.tolist() == [n] * 3
    assert len(made) <= 4  # one in use, two ahead, one coming back


def test_seek():
    prefetch = Prefetch(count, 4)
    assert [prefetch.take(), prefetch.take()] == [0, 1]
    prefetch.seek(100)
    assert [prefetch.take(), prefetch.take()] == [100, 101]
    prefetch.seek(3)
    assert prefetch.take() == 3
    assert threads() == 1


def test_seek_to_where_it_is_makes_the_batches_anew():
    made = []
    prefetch = Prefetch(lambda n, reuse: made.append(n) or n, 2)
    prefetch.take()
    assert until(lambda: len(made) == 3)
    prefetch.seek(1)
    assert prefetch.take() == 1
    assert until(lambda: len(made) == 6) and made == [0, 1, 2, 1, 2, 3]


def test_seek_before_the_first_take():
    prefetch = Prefetch(count, 1)
    prefetch.seek(7)
    assert prefetch.take() == 7


def broken_at_two(n, reuse):
    if n == 2:
        raise ValueError("record 2 is broken")
    return n


def test_errors_come_in_their_turn_with_their_traceback():
    prefetch = Prefetch(broken_at_two, 4)
    assert [prefetch.take(), prefetch.take()] == [0, 1]
    for _ in range(2):  # the second time it is tried again
        with pytest.raises(ValueError, match="record 2 is broken") as info:
            prefetch.take()
        assert "broken_at_two" in [frame.name for frame in traceback.extract_tb(info.value.__traceback__)]
        assert threads() == 0
    prefetch.seek(3)
    assert prefetch.take() == 3


def test_close_twice_and_go_on():
    prefetch = Prefetch(count, 4)
    prefetch.take()
    prefetch.close()
    assert threads() == 0
    prefetch.close()
    assert prefetch.take() == 1


@pytest.mark.parametrize("cycle", [False, True])
def test_collected(cycle):
    prefetch = Prefetch(count, 2)
    prefetch.take()
    if cycle:
        prefetch.itself = prefetch
    assert threads() == 1
    del prefetch
    gc.collect()
    assert threads() == 0


def test_collected_while_a_batch_is_made():
    started, going = threading.Event(), threading.Event()

    def produce(n, reuse):
        if n == 1:
            started.set()
            going.wait(5)
        return n

    prefetch = Prefetch(produce, 2)
    prefetch.take()
    assert started.wait(5)
    threading.Timer(0.02, going.set).start()
    del prefetch
    assert threads() == 0


def test_interpreter_exits():
    script = "from blobnet.data.batches.prefetch import Prefetch\np = Prefetch(lambda n, reuse: n, 2)\nprint(p.take())"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout, done.stderr) == (0, "0\n", "")
