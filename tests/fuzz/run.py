"""Reads files with damages that know their structure: python tests/fuzz/run.py --inputs 1000 --seed 7 --only hdf5.

Every reader of readers.py gets so many inputs. They are read in worker processes, many each, at most LIMIT seconds and
ROOM bytes an input; one that dies, hangs or takes too much is noted, and another goes on behind it. Prints what was not
a BlobnetError, by its cause, with the reader and the seed that make it again; the exit status is 1 if there was any.
"""

import argparse
import collections
import faulthandler
import logging
import os
import subprocess
import sys
import tempfile
import traceback
import warnings
from pathlib import Path

LIMIT, ROOM = 10, 2 << 30
HERE = Path(__file__).parent


def work(name, first, count):
    """In the worker: one reader, the seeds from `first` on; a line before and behind every input."""
    import resource

    from readers import READERS, files
    from structure import damage

    from blobnet.errors import BlobnetError

    make, read = READERS[name]
    resource.setrlimit(resource.RLIMIT_AS, (ROOM + (2 << 30), ROOM + (2 << 30)))  # libraries map a part of it
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        make(folder)
        paths = files(folder)
        whole = {path: path.read_bytes() for path in paths}
        for seed in range(first, first + count):
            path = paths[seed % len(paths)]
            print(f"seed {seed}", flush=True)
            what = damage(path, seed)
            faulthandler.dump_traceback_later(LIMIT, exit=True)
            try:
                read(folder)
            except BlobnetError:
                pass
            except BaseException as error:
                frame = next((frame for frame in reversed(traceback.extract_tb(error.__traceback__))
                              if "/blobnet/" in frame.filename), traceback.extract_tb(error.__traceback__)[-1])
                place = f"{Path(frame.filename).name}:{frame.lineno}"
                print(f"wrong {type(error).__name__} at {place}: {str(error)[:80]!r} [{path.name}: {what}]", flush=True)
            faulthandler.cancel_dump_traceback_later()
            for path in files(folder):
                if path not in whole:
                    path.unlink()
            for path, data in whole.items():
                path.write_bytes(data)
        print(f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}")


def fuzz(name, first, count):
    """What goes wrong for one reader: [(seed, sentence)], and the peak of memory in MiB."""
    found, peak, end = [], 0, first + count
    environment = {**os.environ, "PYTHONPATH": f"{HERE.parent.parent}{os.pathsep}{HERE}", "OPENBLAS_NUM_THREADS": "1"}
    while first < end:
        done = subprocess.run([sys.executable, HERE / "run.py", "--worker", name, str(first), str(end - first)],
                              env=environment, capture_output=True, text=True, errors="replace")
        seed = first - 1
        for line in done.stdout.splitlines():
            word, _, rest = line.partition(" ")
            if word == "seed":
                seed = int(rest)
            elif word == "wrong":
                found.append((seed, rest))
            elif word == "peak":
                peak = int(rest)
        if done.returncode == 0:
            break
        hung = "Timeout (" in done.stderr
        found.append((seed, "hang" if hung else f"the process ended with {done.returncode}: {done.stderr[-300:]}"))
        first = max(seed, first) + 1
    return found, peak


def main():
    if sys.argv[1:2] == ["--worker"]:
        warnings.simplefilter("error")
        logging.disable()
        return work(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=1000, help="for every reader (1000)")
    parser.add_argument("--seed", type=int, default=0, help="the first (0)")
    parser.add_argument("--only", default="", help="readers whose names hold this")
    args = parser.parse_args()
    from readers import READERS
    total = 0
    for name in [name for name in READERS if args.only in name]:
        found, peak = fuzz(name, args.seed, args.inputs)
        total += len(found)
        print(f"{name}: {args.inputs} inputs, {len(found)} wrong, peak {peak} MiB", flush=True)
        causes = collections.defaultdict(list)
        for seed, sentence in found:
            causes[sentence.partition(":")[0] if sentence.startswith("the") else sentence.split(": ")[0]].append(
                (seed, sentence))
        for cause, cases in causes.items():
            print(f"    {len(cases)} x {cause}; seed {cases[0][0]}: {cases[0][1][:300]}", flush=True)
    return int(total > 0)


if __name__ == "__main__":
    sys.exit(main())
