"""What the layers of one net have in common."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from contextlib import AbstractContextManager
from types import ModuleType
from typing import Any

import numpy as np

from blobnet.backend import ALONE, Array, Doubts, Processes, Workspace, on_device, products_in
from blobnet.errors import NetError

TRAIN, TEST = 0, 1  # the values of the schema's enum Phase
DTYPES = ("float32", "float64")


@dataclasses.dataclass
class Context:
    """Array module, dtype, random seed and step of a net, and whether layers may import modules that its file names.

    `step` is the number of forward passes done. Every random number is a function of (seed, layer, step), so a run
    that is resumed at a step continues as the uninterrupted one would. `workspace` is the memory that the layers use
    one after the other, through `scratch`; `doubts` is what may be wrong on a GPU. Without `fillers`, large parameters
    stay 0. `allow_tf32`: whether a GPU may round the factors of products of float32 to 10 bits. `processes`: those that
    run this net together, each on its own part of the data.
    """

    xp: ModuleType = np
    dtype: np.dtype = dataclasses.field(default_factory=lambda: np.dtype("float32"))
    seed: int = 0
    step: int = 0
    python_layers: bool = False
    fillers: bool = True
    device: str = "cpu"
    allow_tf32: bool = False
    processes: Processes = ALONE
    workspace: Workspace = dataclasses.field(default_factory=Workspace, repr=False, compare=False)

    def __post_init__(self) -> None:
        self.doubts = Doubts(self.xp)
        self.reshapes = 0  # how often layers took up new shapes
        self._placed: tuple[Array, int] | None = None  # the step in the memory of a GPU, and what was written there

    def placed_step(self) -> Array | int:
        """`step` as RandomNumbers takes it: on a GPU in its memory, up to date until `step` is set the next time."""
        if self.xp is np:
            return self.step
        if self._placed is None:
            self._placed = self.xp.empty((), np.int64), -1
        self.place_step()
        return self._placed[0]

    def place_step(self) -> None:
        """Bring the step in the memory of a GPU up to date, if a layer has asked for it."""
        if self._placed is not None and self._placed[1] != self.step:
            self._placed[0].fill(self.step)
            self._placed = self._placed[0], self.step

    @contextlib.contextmanager
    def in_use(self) -> Iterator[None]:
        """Let a pass of the net compute here: on its device, in its workspace, with its doubts."""
        with (self.on_device(), products_in(self.device, self.allow_tf32), self.workspace.in_use(),
              self.doubts.in_use()):
            yield

    def on_device(self) -> AbstractContextManager[Any]:
        """Let this thread make arrays of the net, and compute with them, in a with block."""
        return on_device(self.device)


def float_type(given: str | np.dtype | type) -> np.dtype:
    """The dtype of all blobs of a net, float32 or float64; NetError for another one."""
    try:
        found = str(np.dtype(given)) if given is not None else ""
    except TypeError:
        found = ""
    if found not in DTYPES:
        raise NetError("dtype", expected=" or ".join(DTYPES), got=str(given))
    return np.dtype(found)
