"""What a GPU finds wrong is noted there, the first of it, and raised when somebody settles the doubts."""

import numpy as np
import pytest

from blobnet.backend import Doubts, device_module, to_host
from blobnet.backend.doubts import ROWS
from blobnet.errors import DataError
from blobnet.ops.cuda.finite import check_finite, keep_loss
from blobnet.ops.cuda.launch import MOST_BLOCKS
from blobnet.ops.indices import class_numbers, numbers_below

pytestmark = pytest.mark.usefixtures("gpu")
FINITE = np.linspace(-1, 1, 3000).astype("float32")


def device(values):
    return device_module("gpu").asarray(np.asarray(values, "float32"))


def test_every_block_of_a_kernel_has_a_row():
    assert ROWS == MOST_BLOCKS


@pytest.mark.parametrize("blocks", [2, MOST_BLOCKS])
@pytest.mark.parametrize("wrong", [[7], [1234, 7], [2999, 600, 599], [513, 300], [0, 1, 2, 255, 256, 1023]])
def test_the_first_of_many_is_said_at_once_if_no_net_runs(wrong, blocks, monkeypatch):
    monkeypatch.setattr("blobnet.ops.cuda.launch.MOST_BLOCKS", blocks)
    values = np.arange(3000).reshape(30, 100) % 10
    values.reshape(-1)[wrong] = [10 + place for place in wrong]
    first = min(wrong)
    with pytest.raises(DataError, match=f"labels in 0 ... 9, got {10 + first}$"):
        numbers_below(device(values), 10, "layer", "label")
    halves = values + (values > 9) / 2
    place = rf"\[{first // 100}, {first % 100}\]"
    with pytest.raises(DataError, match=f"'label' at {place}, .* got {10 + first}.5"):
        class_numbers(device(halves), "layer", "label")
    with pytest.raises(DataError, match=f"'label' at {place}, .* got {10 + first}.5"):
        numbers_below(device(halves), 10, "layer", "label")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 2.0 ** 24, -2.0 ** 24])
def test_numbers_that_are_no_classes(value):
    with pytest.raises(DataError, match=rf"\[1\], expected a whole number below 16777216 .* got {value:.10g}"):
        class_numbers(device([1, value]), "layer", "label")


def test_wrong_numbers_are_harmless_meanwhile_and_said_later():
    doubts = Doubts(device_module("gpu"))
    with doubts.in_use():
        numbers, counted = numbers_below(device([3, 9, 255, -1, 0.5]), 4, "layer", "label", ignored=255)
        assert to_host(numbers).tolist() == [3, 0, 0, 0, 0]
        assert to_host(counted).tolist() == [True, True, False, True, True]
        numbers_below(device([8]), 4, "other", "label")
        numbers_below(device([7]), 4, "layer", "label")
    assert to_host(doubts.state)[0]
    with pytest.raises(DataError, match="layer: expected labels in 0 ... 3, got 9"):
        doubts.settle()
    assert not to_host(doubts.state)[0]
    doubts.settle()



@pytest.mark.parametrize("events, wrong", [
    (["loss", "nan", "inf gradient", "nan"], (0, np.nan, 1, False)),
    (["loss", "gradient", "loss", "inf gradient", "nan"], (1999, np.inf, 2, True)),
    (["loss", "inf gradient", "loss", "nan gradient"], (1999, np.inf, 1, True)),
    ([3, "loss", 9, "nan", "inf gradient"], (0, 9.0, 1, False)),
    ([3, "loss", "inf gradient", 9], (1999, np.inf, 1, True)),
])
def test_what_came_first_is_said_with_its_pass(events, wrong):
    """A loss ends a pass, a gradient comes after it, a label before it."""
    xp = device_module("gpu")
    doubts, ring, told = Doubts(xp), xp.zeros(4, np.float64), []
    doubts.told = told.append
    bad = FINITE.copy()
    bad[[1999, 2500]] = np.inf
    for event in events:
        if event in ("loss", "nan"):
            keep_loss(device(np.nan if event == "nan" else 0.5), ring, doubts, lambda wrong: ValueError(*wrong))
        elif isinstance(event, int):
            with doubts.in_use():
                numbers_below(device([event]), 4, "layer", "label")
        else:
            check_finite(device(bad if "inf" in event else bad * np.nan if "nan" in event else FINITE), doubts, 0,
                         lambda wrong: ValueError(*wrong))
    with pytest.raises((ValueError, DataError)):
        doubts.settle()
    assert [repr(each) for each in told] == [repr(type(told[0])(*wrong))]


def test_losses_stay_in_their_ring():
    xp = device_module("gpu")
    doubts, ring = Doubts(xp), xp.zeros(3, np.float64)
    for loss in (1, 2, np.nan, 4, 5):
        keep_loss(device(loss), ring, doubts, None)
    assert to_host(ring).tolist()[:2] == [4, 5] and np.isnan(to_host(ring)[2]) and doubts.passes == 5
    assert to_host(doubts.state).tolist() == [0, 5]
