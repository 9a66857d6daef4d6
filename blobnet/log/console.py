"""The log on standard error: glog's lines in a file or a pipe, shorter ones and a progress bar on a terminal."""

from __future__ import annotations

import contextlib
import logging
import math
import sys
import time
from collections.abc import Callable, Iterator
from typing import TextIO

from tqdm import tqdm

from blobnet.log.glog import GlogFormatter, handled_by
from blobnet.log.loggers import building, iterations


class _AboveBar(logging.Handler):
    """Prints above the progress bar. Leaves out the lines that the bar replaces, and those about building nets."""

    def __init__(self, stream: TextIO):
        super().__init__()
        self.stream = stream
        self.addFilter(lambda record: record.name not in (iterations.name, building.name))

    def emit(self, record: logging.LogRecord) -> None:
        tqdm.write(self.format(record), file=self.stream)


@contextlib.contextmanager
def console(stream: TextIO | None = None, silent: bool = False) -> Iterator[None]:
    """While the block runs, show what blobnet logs on `stream` (standard error), from `level_wanted` on.

    silent: show nothing, as another process shows it.
    """
    stream = stream or sys.stderr
    handler: logging.Handler
    if silent:
        handler = logging.NullHandler()
    elif stream.isatty():
        handler = _AboveBar(stream)
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    else:
        handler = logging.StreamHandler(stream)
        handler.setFormatter(GlogFormatter())
    with handled_by(handler):
        yield


@contextlib.contextmanager
def progress(total: int, first: int, images: int, stream: TextIO | None = None,
             silent: bool = False) -> Iterator[Callable]:
    """While the block runs, a bar on `stream` (standard error) shows how far a training is, if that is a terminal.

    The training goes from iteration `first` to `total` and reads `images` in each iteration. The block gets a function
    `show(iteration, loss, rate)`, which it calls with the present numbers, the loss a function that reads it, which is
    called as often as the bar is drawn; it does nothing where there is no terminal, or if it is to be `silent`.
    """
    stream = stream or sys.stderr
    if silent or not stream.isatty():
        yield lambda iteration, loss, rate: None
        return
    drawn = -math.inf
    with tqdm(total=total, initial=first, unit="it", file=stream, dynamic_ncols=True) as bar:
        def show(iteration: int, loss: Callable[[], float], rate: float) -> None:
            nonlocal drawn
            now, speed = time.perf_counter(), bar.format_dict["rate"]
            if now - drawn >= bar.mininterval or iteration == total:
                drawn = now
                bar.set_postfix_str(f"loss {loss():.4g}, lr {rate:.4g}"
                                    + (f", {speed * images:.4g} images/s" if speed else ""), refresh=False)
            bar.update(iteration - bar.n)

        yield show
