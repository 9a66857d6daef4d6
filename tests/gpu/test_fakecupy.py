"""The rules of the stand-in for CuPy: what it refuses, what it counts, and how it runs the text of a kernel."""

import copy
import inspect
import pickle
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import fakecupy as cp
import numpy as np
import pytest
from fakecupy.counting import Refused
from fakecupy.kernels import with_barriers
from fakecupy.streams import Event, Stream

HALF = np.float32(0.5)
TEXT = """
typedef REAL real;
typedef long long wide;
__device__ void wait() { __syncthreads(); }
extern "C" __global__ void halve(const real* x, real factor, real* y, wide n) {
  for (wide i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += blockDim.x * gridDim.x) y[i] = x[i] * factor;
}
extern "C" __global__ void reverse(real* x, wide n) {  // of one block
  real mine = threadIdx.x < n ? x[n - 1 - threadIdx.x] : 0;
  wait();
  if (threadIdx.x < n) x[threadIdx.x] = mine;
}
extern "C" __global__ void warp_sum(const real* x, real* sums) {
  real sum = x[threadIdx.x], other = sum;
  for (int by = 16; by > 0; by /= 2) {
    sum += __shfl_xor_sync(~0u, sum, by);
    other += __shfl_down_sync(~0u, other, by);
  }
  sums[threadIdx.x] = threadIdx.x % 2 ? sum : __shfl_sync(~0u, other, 0);
  __syncwarp();
}
"""


@pytest.fixture(autouse=True)
def counted_from_0():
    cp.reset()
    cp.cuda.Device(0).use()


@pytest.fixture(scope="module", params=["-DFAST", "-DPORTABLE"])
def kernel(request):
    if cp.compiler() is None:
        pytest.skip("no g++")
    return cp.RawModule(TEXT, ("-DREAL=float", request.param)).get_function


def here():
    """The place of the line that calls this."""
    return f"{__file__}:{inspect.currentframe().f_back.f_lineno}"


def ones(*shape):
    return cp.ones(shape, np.float32)


REFUSED = {
    "a NumPy operand": lambda: ones(3) + np.ones(3),
    "a NumPy operand on the left": lambda: np.ones(3, np.float32) * ones(3),
    "a NumPy output": lambda: cp.add(ones(3), 1, out=np.ones(3, np.float32)),
    "a NumPy output of a reduction": lambda: ones(3).sum(out=np.ones((), np.float32)),
    "a NumPy value": lambda: ones(3).__setitem__(slice(2), np.ones(2)),
    "a list as an operand": lambda: ones(2) + [1, 2],
    "a NumPy array for a reduction": lambda: cp.sum(np.ones(3)),
    "a silent copy to the host": lambda: np.asarray(ones(3)),
    "where= of a ufunc": lambda: cp.add(ones(3), 1, where=ones(3) > 0),
    "where= of a reduction": lambda: ones(3).sum(where=ones(3) > 0),
    "mode= of take": lambda: ones(3).take(cp.arange(3), mode="clip"),
    "a function that CuPy lacks": lambda: cp.errstate(all="ignore"),
    "a function of NumPy that CuPy lacks": lambda: np.busday_count(ones(3), ones(3)),
    "a cast from real to whole numbers": lambda: cp.add(ones(3), 1.5, out=cp.zeros(3, np.int32)),
    "an output of another shape": lambda: cp.add(ones(3), 1, out=ones(4)),
    "a product into another type": lambda: cp.dot(ones(2, 2), ones(2, 2), out=cp.zeros((2, 2))),
    "a product into a type that it cannot be cast to":
        lambda: cp.matmul(ones(2, 2, 2), ones(2, 2, 2), out=cp.zeros((2, 2, 2), np.int32)),
    "a structured type": lambda: cp.zeros(3, [("x", np.float32)]),
    "a view of bytes": lambda: ones(3).view("V12"),
    "texts": lambda: cp.asarray(["a"]),
    "repeated indices": lambda: ones(5).__setitem__(cp.asarray([1, 1]), ones(2)),
    "repeated indices of two arrays": lambda: ones(2, 2).__setitem__((cp.asarray([1, 1]), cp.asarray([0, 0])), ones(2)),
    "real indices": lambda: ones(5)[ones(2)],
    "a boolean as an index": lambda: ones(5)[True],
    "`in`": lambda: 1 in ones(3),
    "a sort of what is not contiguous": lambda: ones(3, 2).T.sort(),
    "the largest of nothing": lambda: cp.zeros(0).max(),
    "a copy to the host into another type": lambda: ones(3).get(out=np.zeros(3)),
    "a copy from the host of another shape": lambda: ones(3).set(np.ones(4, np.float32)),
    "reduce of a maximum": lambda: cp.maximum.reduce(ones(3)),
    "accumulate": lambda: cp.add.accumulate(ones(3)),
    "atomic products": lambda: cp.multiply.at(ones(3), cp.arange(2), 2),
    "a length without axes": lambda: len(ones()),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refuses(what):
    with pytest.raises((TypeError, ValueError, IndexError, AttributeError, NotImplementedError)):
        REFUSED[what]()


def test_a_scalar_of_numpy_is_an_operand_and_a_value():
    x = ones(3) * np.float32(2)
    x[0] = np.array(5.0)
    assert x.get().tolist() == [5, 2, 2] and x.dtype == np.float32


def test_numpys_functions_become_cupys():
    x = np.maximum(cp.asarray([1.0, -2.0]), 0)
    assert isinstance(x, cp.ndarray) and isinstance(np.concatenate([x, x]), cp.ndarray)


def test_indices_out_of_range_wrap_and_are_noted():
    x = cp.arange(4)
    found, place = x[cp.asarray([5, -1])], here()
    other, next_place = x.take(cp.asarray([4])), here()
    assert found.get().tolist() == [1, 3] and other.get().tolist() == [0] and cp.wrapped == {place: 1, next_place: 1}


WAITS = [float, int, bool, "{:g}".format, str, repr, lambda x: x.get(), lambda x: x.item(), lambda x: x.tolist(),
         lambda x: x.tobytes(), cp.asnumpy, lambda x: cp.ones(1)[x.reshape(1) > 0], cp.flatnonzero, cp.unique]


@pytest.mark.parametrize("way", WAITS)
def test_a_way_to_the_host_is_a_wait(way):
    way(ones())
    assert cp.counts["waits"] == 1 and [site.split(":")[0] for site in cp.sites] == [__file__]


def test_the_place_of_a_wait_is_the_line_that_waits():
    x = ones(3)
    _, place = [float(x[0]) for _ in range(3)], here()
    assert cp.sites == {place: 3} and cp.counts["DtoH bytes"] == 3 * 4


def test_what_stays_on_the_device_does_not_wait():
    x = ones(4, 3)
    (x.sum(axis=0) + x.max() * x[1:2])[0] *= 2
    x[cp.asarray([0, 2])] = x.mean()
    assert not cp.counts["waits"] and isinstance(x.sum(), cp.ndarray) and isinstance(x[0, 0], cp.ndarray)


def test_an_element_is_a_view():
    x = ones(2)
    element = x[1]
    element[...] = 7
    assert x.get().tolist() == [1, 7] and element.base is x and element[()].base is x


def test_fresh_memory_holds_rubbish():
    assert np.isnan(cp.empty(3).get()).all() and (cp.empty(3, np.int32).get() == np.iinfo(np.int32).max).all()


def test_an_array_of_another_gpu_is_only_copied_to_the_host():
    x = ones(2)
    with cp.cuda.Device(1):
        y = ones(2)
        assert (x.get() == 1).all() and x[:1].device == x.device == cp.cuda.Device(0) != y.device
        for use in (lambda: x + y, lambda: x.sum(), lambda: x.fill(0), lambda: x.__setitem__(0, 1), lambda: x.data.ptr,
                    lambda: cp.concatenate([x, y]), lambda: x @ x, x.copy, lambda: cp.add(1, 1, out=x)):
            with pytest.raises(ValueError, match="array device = 0 while current = 1"):
                use()
    assert (x + 1).get().tolist() == [2, 2]


def test_every_thread_begins_on_the_first_gpu():
    cp.cuda.Device(1).use()
    with ThreadPoolExecutor(1) as other:
        assert other.submit(cp.cuda.runtime.getDevice).result() == 0
    assert cp.cuda.runtime.getDevice() == 1
    with pytest.raises(RuntimeError, match="invalid device"):
        cp.cuda.Device(2).use()


def test_memory_ends_and_is_given_back(monkeypatch):
    monkeypatch.setattr(cp.devices, "limits", [cp.devices.taken[0] + 1000, 0])
    x = cp.zeros(200, np.float32)
    part = x[:10]
    with pytest.raises(MemoryError, match="Out of memory allocating 800,000,000,000 bytes"):
        cp.empty(100_000_000_000)
    with pytest.raises(MemoryError, match="Out of memory allocating 800 bytes"):
        x *= cp.negative(x)
    assert cp.cuda.runtime.memGetInfo()[0] == 200
    del x
    assert cp.cuda.runtime.memGetInfo()[0] == 200  # the view keeps it
    del part
    assert cp.cuda.runtime.memGetInfo() == (1000, cp.devices.limits[0])


def test_copies_lie_on_the_gpu_of_the_original_and_pickles_on_the_present_one():
    x = ones(2)
    with cp.cuda.Device(1):
        assert copy.deepcopy(x).device == x.device
        assert pickle.loads(pickle.dumps(x)).device == cp.cuda.Device(1)


def test_operations_are_counted():
    x = ones(4, 4)
    cp.reset()
    x @ x + x
    cp.matmul(cp.asarray(np.ones((3, 4, 4), np.float32)), x)
    cp.zeros(3).fill(0)
    assert (cp.counts["gemms"], cp.counts["memset"], cp.counts["HtoD"]) == (2, 2, 1)
    assert cp.counts["kernels"] == 1 + 3  # the sum, and tables of pointers for the batch
    assert cp.counts["flops"] == 2 * 4 * 4 * 4 * (1 + 3)


def test_an_input_that_overlaps_the_output_is_copied():
    x = ones(5)
    cp.reset()
    cp.add(x[:-1], 1, out=x[1:])
    assert cp.counts["kernels"] == 2 and x.get().tolist() == [1, 2, 2, 2, 2]
    x += 1
    assert cp.counts["kernels"] == 3


def test_a_bit_generator_keeps_32_bits_of_the_seed():
    a, b = (cp.random.Generator(cp.random.Philox4x3210(1)).random(4) for _ in range(2))
    assert (a.get() == b.get()).all() and cp.counts["bytes of random states"] > 1 << 25
    with pytest.raises(TypeError):
        cp.random.Generator(np.random.Philox(1))


def test_a_name_that_cupy_may_have_is_asked_for():
    with pytest.raises(AttributeError, match="does CuPy have NumPy's"):
        _ = cp.busday_count
    assert not hasattr(cp, "host") and not hasattr(cp, "wrap")


def halved(kernel, x, factor=HALF, y=None, n=None, blocks=2, threads=32):
    y = cp.zeros(x.shape, np.float32) if y is None else y
    kernel("halve")((blocks,), (threads,), (x, factor, y, np.int64(x.size) if n is None else n))
    return y.get()


def test_a_kernel_runs_its_text(kernel):
    x = cp.arange(100, dtype=np.float32)
    assert (halved(kernel, x) == np.arange(100, dtype=np.float32) / 2).all()
    assert (halved(kernel, x, y=x) == np.arange(100, dtype=np.float32) / 2).all()  # in place
    assert cp.counts["kernel halve"] == 2
    assert (halved(kernel, x[:50], y=x[50:]) == np.arange(50, dtype=np.float32) / 4).all()


def test_threads_wait_for_each_other_in_functions_too(kernel):
    assert with_barriers(TEXT) == {"wait", "reverse", "warp_sum"}
    x = cp.arange(50, dtype=np.float32)
    kernel("reverse")((1,), (64,), (x, np.int64(50)))
    assert x.get().tolist() == list(range(49, -1, -1))


def test_threads_of_a_warp_give_each_other_values(kernel):
    x, sums = cp.arange(64, dtype=np.float32), cp.zeros(64, np.float32)
    kernel("warp_sum")((1,), (64,), (x, sums))
    assert sums.get().tolist() == [sum(range(32))] * 32 + [sum(range(32, 64))] * 32


@pytest.mark.parametrize("wrong", [
    dict(x=cp.ones(8)), dict(x=np.ones(8, np.float32)), dict(x=cp.ones((8, 2), np.float32)[:, 0]), dict(factor=0.5),
    dict(factor=np.float64(0.5)), dict(y=np.uintp(8)), dict(y=None, n=np.int32(8)), dict(n=cp.ones(1, np.int64)),
    dict(blocks=0), dict(threads=33), dict(threads=2048)], ids=lambda wrong: " ".join(wrong))
def test_a_kernel_takes_just_what_its_text_says(kernel, wrong):
    with pytest.raises(Refused, match="halve"):
        halved(kernel, **{"x": cp.ones(8, np.float32), **wrong})


def test_a_kernel_takes_all_its_arguments(kernel):
    with pytest.raises(Refused, match="takes 4 arguments, not 1"):
        kernel("halve")((1,), (32,), (ones(8),))


def test_one_wrong_index_is_noticed(kernel):
    x = ones(9)
    with pytest.raises(Refused, match="halve writes outside of an array of 8 float32"):
        halved(kernel, ones(9), y=x[:8], n=np.int64(9))
    assert np.isnan(halved(kernel, x[:8], y=ones(9), n=np.int64(9))[8])


def test_arguments_may_be_parts_of_one_array(kernel):
    x = ones(8)
    halved(kernel, x[2:4], y=x[4:6])
    assert x.get().tolist() == [1, 1, 1, 1, 0.5, 0.5, 1, 1]
    halved(kernel, x[:6], y=x[:7], n=np.int64(6))  # which overlap: without fences
    assert x.get().tolist() == [0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 1, 1]


def test_text_that_does_not_compile_is_an_error(kernel, capfd):
    with pytest.raises(subprocess.CalledProcessError):
        cp.RawModule(TEXT.replace("* factor;", "* factr;"))
    assert "factr" in capfd.readouterr().err


def test_two_threads_wait_for_one_event():
    """The one that is first writes into the pinned memory while the other still looks."""
    def wait_and_write():
        event.synchronize()
        memory.fill(1)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(500):
            stream, event, memory = Stream(), Event(), np.zeros(2000)
            stream.queued.append((memory, np.empty(2000)))
            event.record(stream)
            other = threading.Thread(target=wait_and_write)
            other.start()
            event.synchronize()
            other.join()
    finally:
        sys.setswitchinterval(interval)
