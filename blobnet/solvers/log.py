"""What a training says: lines that parsers of Caffe's logs understand, or a progress bar on a terminal."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, TextIO

from tqdm import tqdm

from blobnet.core.building_log import log as building
from blobnet.solvers.display import iterations

if TYPE_CHECKING:
    from blobnet.solvers.solver import Solver


LEVELS = logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL  # by glog's numbers
LEVEL_VARIABLE = "GLOG_minloglevel"


def numbered_level(level: int) -> int:
    """The level of Python that has glog's number."""
    return LEVELS[max(0, min(level, len(LEVELS) - 1))]


def level_wanted() -> int:
    """The least level to show, as the variable GLOG_minloglevel says; INFO if it holds no number."""
    given = os.environ.get(LEVEL_VARIABLE, "")
    return numbered_level(int(given) if given.isdecimal() else 0)


class GlogFormatter(logging.Formatter):
    """Lines that begin as glog's: the level's letter, mmdd, hh:mm:ss.microseconds, thread, file:line]."""

    def format(self, record: logging.LogRecord) -> str:
        seconds, fraction = divmod(record.created, 1)
        when = time.strftime("%m%d %H:%M:%S", time.localtime(seconds))
        return (f"{record.levelname[0]}{when}.{int(fraction * 1e6):06d} {threading.get_native_id():5d} "
                f"{record.filename}:{record.lineno}] {record.getMessage()}")


class _AboveBar(logging.Handler):
    """Prints above the progress bar, and leaves out the lines that the bar replaces, and how nets are built."""

    def __init__(self, stream: TextIO):
        super().__init__()
        self.stream = stream
        self.addFilter(lambda record: record.name not in (iterations.name, building.name))

    def emit(self, record: logging.LogRecord) -> None:
        tqdm.write(self.format(record), file=self.stream)


@contextlib.contextmanager
def console(stream: TextIO | None = None) -> Iterator[None]:
    """While the block runs, show what blobnet logs on `stream` (standard error), from `level_wanted` on."""
    stream = stream or sys.stderr
    if stream.isatty():
        handler = _AboveBar(stream)
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    else:
        handler = logging.StreamHandler(stream)
        handler.setFormatter(GlogFormatter())
    logger = logging.getLogger("blobnet")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(level_wanted())
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


@contextlib.contextmanager
def progress(solver: Solver, stream: TextIO | None = None) -> Iterator[None]:
    """While the block runs, a bar on `stream` (standard error) follows `solver` to max_iter, if it is a terminal."""
    stream = stream or sys.stderr
    if not stream.isatty():
        yield
        return
    batch = batch_size(solver) * solver.param.iter_size
    with tqdm(total=solver.param.max_iter, initial=solver.iter, unit="it", file=stream, dynamic_ncols=True) as bar:
        def show() -> None:
            speed = bar.format_dict["rate"]
            bar.set_postfix_str(f"loss {solver.smoothed_loss:.4g}, lr {solver.rate:.4g}"
                                + (f", {speed * batch:.4g} images/s" if speed else ""), refresh=False)
            bar.update(solver.iter - bar.n)

        solver.add_callback(on_start=show)
        yield
        show()


def batch_size(solver: Solver) -> int:
    """How many images a forward pass of the training net takes: the first dimension of its first blob."""
    shape = next(iter(solver.net.blobs.values())).shape
    return shape[0] if shape else 1
