"""Trial: one method of a recipe with one seed."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Trial:
    """What a task is given to run.

    method: its name in the recipe; options: the task's options, checked and complete; seed; folder: where the recipe
    lies, which its paths start from; data: the folder of the data sets; out: this trial's own folder; device: "cpu",
    "gpu" or "gpu:<number>"; note: prints a line of progress; python_layers: as for Net; validation: whether it is run
    to choose settings, by other test images.
    """

    method: str
    options: dict
    seed: int
    folder: Path
    data: Path
    out: Path
    device: str = "cpu"
    note: Callable[[str], object] = print
    python_layers: bool = False
    validation: bool = False

    @property
    def where(self) -> str:
        """What errors call the trial."""
        return f"method {self.method!r}"

    def of_method(self, method: str) -> Path:
        """The folder of another method's trial of the same seed."""
        return trial_folder(self.out.parent.parent, method, self.seed)


def trial_folder(out: Path, method: str, seed: int) -> Path:
    """Where below `out` a trial keeps its files: a folder for the method, in it one for the seed.

    >>> trial_folder(Path("runs"), "DSH, 12 bits", 1).as_posix()
    'runs/dsh_12_bits/seed_1'
    """
    return out / re.sub(r"[^a-z0-9.]+", "_", method.lower()).strip("_") / f"seed_{seed}"
