"""A log in a file, in the format of Caffe's, whatever the terminal shows."""

from __future__ import annotations

import contextlib
import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path

from blobnet.errors import DataError
from blobnet.log.glog import GlogFormatter, handled_by

BEGIN = re.compile(rb"Log file created|[IWEF]\d{4,8} \d")  # of glog's files and lines


@contextlib.contextmanager
def log_file(path: str | os.PathLike, append: bool = False) -> Iterator[None]:
    """While the block runs, write what blobnet logs to the file `path`, from `level_wanted` on, every line at once.

    A log that is there is replaced, or gets longer if `append`. DataError for a file that is no log, and for a folder
    that is not there. Who has no other handler still sees warnings on standard error.
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise DataError(str(path), f"there is no folder {str(path.parent)!r}", hint="create it first")
    if path.is_file():
        with open(path, "rb") as file:
            first = file.read(100)
        if first and not BEGIN.match(first):
            raise DataError(str(path), expected="a log, or no such file", got="something else",
                            hint="choose another file")
    written = logging.FileHandler(path, "a" if append else "w", "utf-8", delay=append, errors="replace")
    written.setFormatter(GlogFormatter())
    # Python shows warnings where there is no handler, and now there is one.
    shown = [] if logging.getLogger("blobnet").hasHandlers() or logging.lastResort is None else [logging.lastResort]
    with contextlib.closing(written), handled_by(written, *shown):
        yield
