"""Commands that run in several processes: started by mpiexec, or for several GPUs by the command itself."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from blobnet.backend import Processes
from blobnet.errors import BlobnetError, DeviceError


def in_processes(processes: Processes, command: Callable[[], int]) -> int:
    """Run `command` in each of the `processes`, and let an error of one end all; the exit status.

    Process 0 raises the error, whose ever it is; the others end without a word. So does each whose launcher has ended,
    as it does where a process was killed: those that wait for it would wait for ever.
    """
    if processes.size > 1:
        threading.Thread(target=_end_after, args=(processes.launcher,), daemon=True).start()
    try:
        status = command()
        processes.agree()  # process 0 may have an error after the others have done their part
        return status
    except BaseException as error:
        processes.fail(error)
        if processes.rank and isinstance(error, (BlobnetError, OSError)):
            return 1
        raise


def _end_after(launcher: int) -> None:
    """End this process when the one that started it has ended, whatever it is doing."""
    while os.getppid() == launcher:
        time.sleep(0.5)
    os._exit(1)


def start_processes(count: int, command: Sequence[str]) -> int:
    """Run a command of blobnet in `count` processes that mpiexec starts; its exit status.

    Signals go to all of them. DeviceError if there is no mpiexec.
    """
    words = [_mpiexec(), "-n", str(count), sys.executable, "-m", "blobnet", *command]
    with subprocess.Popen(words) as started:
        former = {number: signal.signal(number, lambda number, frame: started.send_signal(number))
                  for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            return started.wait()
        finally:
            for number, handler in former.items():
                signal.signal(number, handler)


def _mpiexec() -> str:
    """The mpiexec of this environment, which the wheel mpich brings, or else of the PATH."""
    folders = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    found = shutil.which("mpiexec", path=folders)
    if found is None:
        raise DeviceError("several GPUs", "no mpiexec, which starts a process for each",
                          hint="pip install 'blobnet[mpi]'")
    return found
