"""Random numbers of layers are those of NumPy's Philox, on every device, to the last bit."""

import numpy as np
import pytest

from blobnet.backend import RandomNumbers, device_module, to_host
from blobnet.backend.random_numbers import PIECE, uniform
from blobnet.core.context import Context

SIZES = (1,), (3,), (4,), (8,), (9,), (5, 7, 3), (0, 4), (), (8 * PIECE * 2 + 5,)


def philox(size, dtype, key, call, step):
    counter = np.array([0, call, step, 0], np.uint64)
    return np.random.Generator(np.random.Philox(counter=counter, key=np.array(key, np.uint64))).random(size, dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("step", [0, 1, 2**33 + 7])
@pytest.mark.parametrize("device", ["cpu", "gpu"])
def test_they_are_those_of_numpy(device, step, dtype, stand_in):
    xp, key = device_module(device), (2**64 - 1, 12345678901234567890)
    for call, size in enumerate(SIZES):
        out = xp.empty(size, dtype)
        uniform(out, key, call, step if xp is np else xp.asarray(np.int64(step)))
        wanted = philox(size, dtype, key, call, step)
        assert to_host(out).dtype == dtype
        np.testing.assert_array_equal(to_host(out), wanted)


def test_each_call_seed_layer_and_step_has_its_own(stand_in):
    def draw(device, *key, step=3):
        random = RandomNumbers(device_module(device), Context(device_module(device), step=step).placed_step(), *key)
        return [to_host(random.random(5, "float32")).tobytes() for _ in range(2)]

    on_cpu, on_gpu = ([*draw(device, 1, 2), *draw(device, 2, 1), *draw(device, 1), *draw(device, 1, 0),
                       *draw(device, 1, 2, step=4)] for device in ("cpu", "gpu"))
    assert on_cpu == on_gpu
    assert len(set(on_cpu)) == len(on_cpu)


def test_the_step_is_written_once_to_a_gpu(stand_in):
    context = Context(device_module("gpu"), step=7)
    first = context.placed_step()
    assert context.placed_step() is first and int(first) == 7
    context.step += 1
    assert context.placed_step() is first and int(first) == 8
    before = dict(stand_in.counts)
    context.placed_step()
    assert stand_in.counts == before
