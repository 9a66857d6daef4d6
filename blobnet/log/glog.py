"""The levels and the lines of glog, the library that Caffe logs with."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Iterator

LEVELS = logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL  # by glog's numbers
LEVEL_VARIABLE = "GLOG_minloglevel"


def numbered_level(level: int) -> int:
    """Python's level for glog's number `level`; the nearest one for a number that glog does not have."""
    return LEVELS[max(0, min(level, len(LEVELS) - 1))]


def level_wanted() -> int:
    """The lowest level to show, as the variable GLOG_minloglevel says; INFO if it holds no number."""
    given = os.environ.get(LEVEL_VARIABLE, "")
    return numbered_level(int(given) if given.isdecimal() else 0)


@contextlib.contextmanager
def handled_by(*handlers: logging.Handler) -> Iterator[None]:
    """While the block runs, give what blobnet logs to `handlers` too, from `level_wanted` on."""
    logger = logging.getLogger("blobnet")
    level = logger.level
    for handler in handlers:
        logger.addHandler(handler)
    logger.setLevel(level_wanted())
    try:
        yield
    finally:
        logger.setLevel(level)
        for handler in handlers:
            logger.removeHandler(handler)


class GlogFormatter(logging.Formatter):
    """Lines that begin as glog's: the level's letter, mmdd, hh:mm:ss.microseconds, thread, file:line]."""

    def format(self, record: logging.LogRecord) -> str:
        seconds, fraction = divmod(record.created, 1)
        when = time.strftime("%m%d %H:%M:%S", time.localtime(seconds))
        return (f"{record.levelname[0]}{when}.{int(fraction * 1e6):06d} {threading.get_native_id():5d} "
                f"{record.filename}:{record.lineno}] {record.getMessage()}")
