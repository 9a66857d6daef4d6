"""A lock that lets one run at a time write to a snapshot_prefix, and removes what killed runs of it left behind.

It is a lock of the operating system on the file `.<prefix>.lock` beside the snapshots: it ends when the process that
holds it ends, in whatever way. Where the system or the file system has no locks, runs go on without one.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import socket
import time
from collections.abc import Iterator

from blobnet.errors import SolverError

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]

log = logging.getLogger(__name__)
OLD = 24 * 3600  # seconds; without a lock, a temporary file that is older counts as left behind


class RunLock:
    """The lock of a run: taken when it is first asked for, and kept until that block ends."""

    def __init__(self, where: str):
        self._where, self._held = where, False

    @contextlib.contextmanager
    def held(self, prefix: str, wanted: object = True) -> Iterator[None]:
        """Hold the lock of `prefix`, as `run_lock` does, while the block runs, if it is `wanted`.

        A block within another takes no second lock, whatever its prefix.
        """
        if self._held or not wanted:
            yield
            return
        with run_lock(prefix, self._where):
            self._held = True
            try:
                yield
            finally:
                self._held = False


@contextlib.contextmanager
def run_lock(prefix: str, where: str) -> Iterator[None]:
    """While the block runs, no other run writes snapshots to `prefix`, by the lock beside them.

    Temporary files of earlier runs are removed first. SolverError, which names the other process, if another run writes
    there.
    """
    folder, name = os.path.split(prefix)
    path = os.path.join(folder, f".{name}.lock")
    handle = _take(path, prefix, where)
    try:
        _remove_temporary(folder or ".", name, OLD if handle is None else float("-inf"))
        yield
    finally:
        if handle is not None:
            with contextlib.suppress(OSError):
                os.unlink(path)  # while it is held: who waits for this file sees that it is gone
            os.close(handle)


def _take(path: str, prefix: str, where: str) -> int | None:
    """The lock file, open and locked; None where there are no locks."""
    while fcntl is not None:
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            log.info("No lock on %s: %s", path, error.strerror)
            return None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.exists(path) and os.path.samestat(os.fstat(handle), os.stat(path)):
                os.ftruncate(handle, 0)
                os.pwrite(handle, f"process {os.getpid()} on {socket.gethostname()}, since "
                          f"{time.strftime('%Y-%m-%d %H:%M:%S')}".encode(), 0)
                return handle
        except BlockingIOError:
            holder = os.pread(handle, 500, 0).decode("utf-8", "replace") or "an unknown process"
            os.close(handle)
            raise SolverError(where, f"another run writes to snapshot_prefix {prefix!r}: {holder}",
                              hint="wait for it, or give this run another snapshot_prefix") from None
        except OSError as error:  # a file system without locks, or a full one: the file may stay empty
            log.info("No lock on %s: %s", path, error.strerror)
            os.close(handle)
            return None
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)  # its holder has just removed it
    return None


def _remove_temporary(folder: str, name: str, age: float) -> None:
    """Remove unfinished files of snapshots, which `atomic_write` left, if they are at least `age` seconds old."""
    pattern = re.compile(rf"\.{re.escape(name)}_(iter_\d+|best)\.(caffemodel|solverstate)(\.h5)?\.[a-z0-9_]{{8}}")
    for file in os.listdir(folder) if os.path.isdir(folder) else ():
        if pattern.fullmatch(file):
            path = os.path.join(folder, file)
            with contextlib.suppress(OSError):
                if time.time() - os.path.getmtime(path) >= age:
                    os.unlink(path)
                    log.info("Removed %s, left by a run that was killed", path)
