"""When something is due that happens every so many iterations: a line of the log, a test, a snapshot."""

from __future__ import annotations

from google.protobuf.message import Message


def is_due(iteration: int, interval: int) -> bool:
    """Whether `iteration` is a multiple of `interval`.

    Never if `interval` is 0; if it is negative, its size counts, as in Caffe.
    """
    return interval != 0 and iteration % interval == 0


def is_test_due(iteration: int, solver: Message) -> bool:
    """Whether a run tests before the training of `iteration`, as test_interval and test_initialization say."""
    return is_due(iteration, solver.test_interval) and (iteration > 0 or solver.test_initialization)


def tests_before(iteration: int, solver: Message) -> int:
    """How many tests a run makes before it comes to `iteration`; the test at `iteration` is not counted.

    >>> from blobnet.proto.messages import new
    >>> [tests_before(i, new("SolverParameter", test_interval=10)) for i in (0, 1, 10, 11)]
    [0, 1, 1, 2]
    """
    if iteration == 0 or solver.test_interval <= 0:
        return 0
    return -(-iteration // solver.test_interval) - (not solver.test_initialization)
