"""Weights that belong together: all of them are of one iteration, or nothing is done with them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from blobnet.errors import SolverError


class Whole:
    """Knows whether the last change of a solver's weights and history came to its end."""

    def __init__(self) -> None:
        self._broken = False

    @contextlib.contextmanager
    def change(self, harmless: type[BaseException] | tuple = ()) -> Iterator[None]:
        """For a block that changes weights or history. If it is cut short, nothing but a whole change can follow.

        Errors of the class `harmless` come before the block changes anything.
        """
        before, self._broken = self._broken, True
        try:
            yield
        except harmless:
            self._broken = before
            raise
        self._broken = False

    def check(self, iteration: int, where: str) -> None:
        """SolverError if a change was cut short, in the update of `iteration`; `where` begins the error."""
        if self._broken:
            raise SolverError(where, f"the update of iteration {iteration} was cut short, so the weights are partly "
                              "old and partly new", hint="restore a snapshot")
