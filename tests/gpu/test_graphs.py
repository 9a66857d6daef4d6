"""CUDA graphs on the stand-in: what is computed when, what is frozen, and what CUDA and CuPy do not permit."""

import fakecupy as cp
import numpy as np
import pytest
from fakecupy.counting import Refused

from blobnet.backend.graphs import Graph
from blobnet.ops.cuda.linear import gemm

pytestmark = pytest.mark.usefixtures("stand_in")


def ones(*shape):
    return cp.ones(shape, np.float32)


NOT_PERMITTED = {
    "a number": lambda a: float(a.sum()), "a copy to the host": lambda a: a.get(), "a mask": lambda a: a[a > 0],
    "a copy from the host": lambda a: cp.asarray(np.ones(3)), "places of the host": lambda a: a[[0, 1]],
    "a wait for the device": lambda a: cp.cuda.Device().synchronize(), "cuBLAS through CuPy": lambda a: a @ a,
}


def test_nothing_is_computed_before_the_launch():
    a, b = ones(3), ones(3)

    def work():
        a[...] = a + b
        b.fill(5)
        return a * 2

    graph = Graph(work)
    assert a.tolist() == [1] * 3 and b.tolist() == [1] * 3 and np.isnan(graph.result.get()).all()
    graph.launch()
    assert a.tolist() == [2] * 3 and b.tolist() == [5] * 3 and graph.result.tolist() == [4] * 3
    graph.launch()
    assert a.tolist() == [7] * 3 and graph.result.tolist() == [14] * 3


def test_arrays_are_read_anew_and_numbers_are_frozen():
    a, factor = ones(2), 3.0
    graph = Graph(lambda: a * factor)
    a[...], factor = cp.asarray(np.float32([1, 2])), 4.0
    graph.launch()
    assert graph.result.tolist() == [3, 6]


def test_products_are_captured_past_cupy():
    a, b, out = ones(2, 3), ones(3, 4), ones(2, 4)
    graph = Graph(lambda: gemm(a, b, out, add=True))
    assert (out.get() == 1).all()
    b.fill(2)
    cp.reset()
    graph.launch()
    graph.launch()
    assert (out.get() == 13).all()
    assert cp.counts["gemms"] == cp.counts["graph launches"] == 2


@pytest.mark.parametrize("what", NOT_PERMITTED)
def test_what_breaks_a_capture(what):
    a, b = ones(2, 2), ones(2)

    def work():
        b.fill(3)
        NOT_PERMITTED[what](a)

    with pytest.raises((RuntimeError, NotImplementedError), match="not permitted when stream is capturing"):
        Graph(work)
    assert b.tolist() == [1, 1]
    assert (a @ a).get().tolist() == [[2, 2], [2, 2]]  # all is as before


def test_an_error_of_the_work_is_raised():
    with pytest.raises(ZeroDivisionError):
        Graph(lambda: 1 / 0)


def test_memory_that_others_get_is_refused():
    stream = cp.cuda.Stream(non_blocking=True)
    with pytest.raises(Refused, match="a pool of its own"):
        stream.begin_capture()
    with pytest.raises(Refused, match="default stream"), cp.cuda.using_allocator(cp.cuda.MemoryPool().malloc):
        cp.cuda.Stream().begin_capture()


def pinned_copy():
    memory = np.frombuffer(cp.cuda.alloc_pinned_memory(8), np.float32)
    return memory, cp.empty(2, np.float32), cp.cuda.Stream(non_blocking=True), cp.cuda.Event()


def test_a_copy_from_pinned_memory_comes_when_its_event_is_waited_for():
    memory, array, stream, event = pinned_copy()
    memory[...] = 1
    array.set(memory, stream=stream)
    event.record(stream)
    memory[...] = 2  # too early
    cp.cuda.get_current_stream().wait_event(event)
    assert array.tolist() == [2, 2]


def test_pinned_memory_that_is_overwritten_while_it_is_copied():
    memory, array, stream, event = pinned_copy()
    for value in (1, 2):
        memory[...] = value
        array.set(memory, stream=stream)
        event.record(stream)
        cp.cuda.get_current_stream().wait_event(event)
        if value == 1:
            event.synchronize()
    memory[...] = 3
    with pytest.raises(Refused, match="pinned memory"):
        event.synchronize()
