"""A curve that grows while a solver trains, in a notebook."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

from blobnet.solvers.losses import Losses
from blobnet.solvers.solver import Solver
from blobnet.view.notebook.solver import solver_html

PAUSE = 0.5  # seconds between two pictures


@contextlib.contextmanager
def live(solver: Solver) -> Iterator[None]:
    """While the block trains `solver`, by `step` or `solve`, show its curves about twice a second in a notebook.

        with live(solver):
            solver.step(500)

    They are those of the loss, of the outputs of its tests, and of the rate if that changes; the iterations per second
    and the time left stand below. The last picture stays, also after an error or an interrupt. Elsewhere than in a
    notebook nothing is shown. Without it, a cell that ends in `solver` shows the curves so far. Of a solver of pycaffe
    give its `core`.
    """
    show = notebook_display()
    if show is None:
        yield
        return
    curve = LiveCurve(solver, show)
    curve.draw()
    try:
        with solver.watched_by(curve):
            yield
    finally:
        curve.draw(finished=True)


class LiveCurve:
    """Watches a solver and gives its picture to `show`, at most every PAUSE seconds."""

    def __init__(self, solver: Solver, show: Callable[[str, str], None],
                 clock: Callable[[], float] = time.perf_counter):
        self.solver, self.show, self.clock = solver, show, clock
        self.first, self.start = solver.iter, clock()
        self.drawn = self.start
        self.rates = Losses()  # thinned out as the losses are

    def after_update(self, iteration: int, rate: float) -> None:
        """Draw, if the last picture is old enough."""
        self.rates.add(iteration - 1, rate)
        if self.clock() - self.drawn >= PAUSE:
            self.draw()

    def draw(self, finished: bool = False) -> None:
        """Show the present picture."""
        said = self.speed(finished)
        text = f"{self.solver!r}: loss {self.solver.loss:.4g}, {said}".rstrip(", ")
        self.show(solver_html(self.solver, said, self.rates), text)
        self.drawn = self.clock()

    def speed(self, finished: bool) -> str:
        """How fast it goes, and how long it takes still or took; "" before the first iteration."""
        done, seconds = self.solver.iter - self.first, self.clock() - self.start
        if done <= 0 or seconds <= 0:
            return ""
        speed = f"{done / seconds:.3g} iterations/s"
        if finished:
            return f"{done:,} iterations in {duration(seconds)}, {speed}"
        left = duration(max(self.solver.goal - self.solver.iter, 0) * seconds / done)
        return f"iteration {self.solver.iter:,} of {self.solver.goal:,}, {speed}, {left} left"


def duration(seconds: float) -> str:
    """Seconds in words of a clock.

    >>> duration(4.26), duration(75), duration(3725)
    ('4.3 s', '1:15', '1:02:05')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def notebook_display() -> Callable[[str, str], None] | None:
    """A function (HTML, text) that shows both in one place of the running cell and replaces them at the next call.

    None where no kernel of a notebook runs this program; IPython is looked for among what is loaded already.
    """
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None and hasattr(ipython, "get_ipython") else None
    if getattr(shell, "kernel", None) is None:
        return None
    from IPython.display import display  # loaded already: a kernel runs

    handle = None

    def show(page: str, text: str) -> None:
        nonlocal handle
        bundle = {"text/html": page, "text/plain": text}
        if handle is None:
            handle = display(bundle, raw=True, display_id=True)
        else:
            handle.update(bundle, raw=True)

    return show
