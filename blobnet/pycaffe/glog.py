"""The log as pycaffe's scripts steer it, by the numbers of glog's levels."""

from __future__ import annotations

import logging
import sys
from typing import Any

from blobnet.log.glog import GlogFormatter, level_wanted, numbered_level

logger = logging.getLogger("blobnet.pycaffe")


def init_log(level: int | None = None, stderr: bool = True) -> None:
    """Show the log on standard error from `level` on: 0 everything (or as GLOG_minloglevel says), 1 warnings, 2 errors.

    Before it is called only warnings and errors show. `stderr` has no effect: no log files are written.
    """
    root = logging.getLogger("blobnet")
    for handler in [handler for handler in root.handlers if isinstance(handler, _Handler)]:
        root.removeHandler(handler)
    handler = _Handler(sys.stderr)
    handler.setFormatter(GlogFormatter())
    root.addHandler(handler)
    root.setLevel(numbered_level(level or 0))
    if level is not None:
        handler.setLevel(root.level)


def log(text: str) -> None:
    """Write a line to the log, where init_log shows it."""
    logger.info("%s", text, stacklevel=2)


class _Handler(logging.StreamHandler):
    """Unless it has a level, it asks GLOG_minloglevel when the first record comes: scripts set that themselves."""

    def filter(self, record: logging.LogRecord) -> Any:  # a bool; since Python 3.12 perhaps another record
        if self.level == logging.NOTSET:
            self.setLevel(level_wanted())
        return record.levelno >= self.level and super().filter(record)
