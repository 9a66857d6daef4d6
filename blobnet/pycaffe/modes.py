"""The settings that pycaffe keeps for a whole process, and its clock."""

from __future__ import annotations

import dataclasses
import logging
import operator
import os
import time
import weakref

from blobnet.backend import device_module, gpu_available
from blobnet.core.net import Net
from blobnet.core.registry import LAYERS
from blobnet.errors import DeviceError

logger = logging.getLogger("blobnet.pycaffe")


@dataclasses.dataclass
class _Settings:
    gpu: bool = False
    device: int = 0
    seed: int | None = None
    solver_count: int = 1
    solver_rank: int = 0
    nets: weakref.WeakSet = dataclasses.field(default_factory=weakref.WeakSet)


_settings = _Settings()


# Device. It is that of nets and solvers made from then on; those that are there stay where they are.

def set_mode_cpu() -> None:
    """Make nets on the CPU, as at the start."""
    _settings.gpu = False


def set_mode_gpu() -> None:
    """Make nets on the GPU; on a machine without one they stay on the CPU, and a line of the log says so."""
    _settings.gpu = gpu_available()
    if not _settings.gpu:
        logger.warning("set_mode_gpu: no GPU can be used, going on with the CPU")


def set_device(number: int) -> None:
    """The GPU that set_mode_gpu means; DeviceError for a number too high. Without any GPU it has no effect."""
    if gpu_available():
        device_module(f"gpu:{number}")
    _settings.device = number


def device() -> str:
    """The device of the next net."""
    return f"gpu:{_settings.device}" if _settings.gpu else "cpu"


# Random numbers.

def set_random_seed(seed: int) -> None:
    """Let the nets made from now on, and what those already there draw from now on, depend on `seed` alone.

    OverflowError for a number that C's unsigned int does not hold, TypeError for what is no whole number, as in Caffe.
    """
    try:
        seed = operator.index(seed)
    except TypeError:
        raise TypeError(f"set_random_seed takes a whole number, got {seed!r}") from None
    if not 0 <= seed < 1 << 32:
        raise OverflowError(f"set_random_seed takes a number from 0 to {(1 << 32) - 1}, got {seed}")
    _settings.seed = seed
    for net in _settings.nets:
        net.context.seed, net.context.step = seed, 0


def next_seed() -> int | None:
    """The seed of the next net: after set_random_seed the seed, and then the numbers that follow it."""
    seed = _settings.seed
    if seed is not None:
        _settings.seed = seed + 1
    return seed


def reseed_with_others(net: Net) -> None:
    """Let set_random_seed reach `net` as long as it lives."""
    _settings.nets.add(net)


# Time.

class Timer:
    """A stopwatch: start(), stop(), then `ms`, the milliseconds between them; asking for them stops it too.

    A second start without a stop, or a second stop, does nothing.
    """

    def __init__(self):
        self._start = self._time = 0.0
        self._running = False

    def start(self) -> None:
        if not self._running:
            self._start, self._running = _now(), True

    def stop(self) -> None:
        if self._running:
            self._time, self._running = _now() - self._start, False

    @property
    def ms(self) -> float:
        self.stop()
        return 1000 * self._time


def _now() -> float:
    """The time in seconds, after the GPU has done what it was asked to."""
    if _settings.gpu:
        device_module(device()).cuda.Device().synchronize()
    return time.perf_counter()


# Layer types, and training on several GPUs, which does not exist here.

def layer_type_list() -> list[str]:
    """The names of all layer types."""
    return sorted(LAYERS)


def solver_count() -> int:
    """What set_solver_count was given; 1 at the start."""
    return _settings.solver_count


def set_solver_count(count: int) -> None:
    """How many solvers train together. More than 1 cannot: NCCL refuses."""
    _settings.solver_count = count


def solver_rank() -> int:
    """What set_solver_rank was given; 0 at the start."""
    return _settings.solver_rank


def set_solver_rank(rank: int) -> None:
    """Kept for solver_rank, without effect."""
    _settings.solver_rank = rank


def set_multiprocess(on: bool) -> None:
    """Without effect: a process is one solver in any case."""


def has_nccl() -> bool:
    """Whether several GPUs can train together: no."""
    return False


class NCCL:
    """What joins the gradients of several GPUs, for scripts that make one even for a single GPU: it does nothing.

    DeviceError after set_solver_count of more than 1.
    """

    def __init__(self, solver, uid: bytes):
        if _settings.solver_count > 1:
            raise DeviceError("NCCL", expected="one solver", got=f"solver_count {_settings.solver_count}",
                              hint="train on one GPU")

    @staticmethod
    def new_uid() -> bytes:
        """A name for a group of solvers."""
        return os.urandom(16)

    def bcast(self) -> None:
        """Without effect."""

    def __call__(self, layer: int | None = None) -> None:
        """Without effect; solver.add_callback and net.after_backward take it."""
