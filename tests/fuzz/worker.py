"""Reads damaged files, in a process of its own: worker.py FIRST COUNT READER …, with the seeds from FIRST on.

Prints every case, and what went wrong with it; the exit status is then 1. The process ends if it crashes, if a case
takes more than LIMIT seconds, or more memory than ROOM; its last line then says which case it was.
"""

import faulthandler
import logging
import sys
import tempfile
import traceback
import warnings
from pathlib import Path

from mutations import mutate
from readers import READERS, files

from blobnet.errors import BlobnetError

LIMIT, ROOM = 20, 1 << 30  # seconds for a case; bytes beyond those that the process has at the start


def limit_memory(room=ROOM):
    if sys.platform == "linux":
        import resource
        size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (size + room, resource.getrlimit(resource.RLIMIT_AS)[1]))


def problem_with(read, folder, path, cut):
    """What is wrong with the way in which the damaged file `path` is read; "" for nothing."""
    try:
        read(folder)
    except BlobnetError as error:
        return f"no file in {error}" if cut and path.name not in str(error) else ""
    except BaseException:
        return traceback.format_exc()
    return ""


def run(name, first, count):
    """How many of these cases were wrong."""
    make, read = READERS[name]
    wrong = 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        make(folder)
        read(folder)  # whole files are read
        paths = files(folder)
        whole = {path: path.read_bytes() for path in paths}
        for seed in range(first, first + count):
            path = paths[seed % len(paths)]
            damaged = mutate(whole[path], seed)
            path.write_bytes(damaged)
            print(f"{name} {seed} {path.name}", flush=True)
            faulthandler.dump_traceback_later(LIMIT, exit=True)
            cut = len(damaged) < len(whole[path]) and whole[path].startswith(damaged)
            problem = problem_with(read, folder, path, cut)
            faulthandler.cancel_dump_traceback_later()
            if files(folder) != paths:
                problem += f" other files: {files(folder)}"
            elif any(item.read_bytes() != (damaged if item == path else whole[item]) for item in paths):
                problem += " a file was changed"
            if problem:
                print(f"WRONG {name} {seed}: {problem}", flush=True)
                wrong += 1
            path.write_bytes(whole[path])
    return wrong


if __name__ == "__main__":
    warnings.simplefilter("error")
    logging.disable()
    limit_memory()
    found = sum(run(reader, int(sys.argv[1]), int(sys.argv[2])) for reader in sys.argv[3:])
    print("done", flush=True)
    sys.exit(found > 0)
