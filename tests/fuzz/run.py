"""Reads files with damages that know their structure: python tests/fuzz/run.py --inputs 1000 --seed 7 --only hdf5.

Every reader of readers.py gets so many inputs. One process damages the files and another reads them, at most LIMIT
seconds and ROOM bytes an input; a reader that dies, hangs or takes too much is noted, and another goes on behind it. If
the damaging process dies, which HDF5's library may, the input is counted as not made. Prints what was not a
BlobnetError, by its cause, with the reader and the seed that make it again; the exit status is 1 if there was any.
"""

import argparse
import collections
import faulthandler
import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import traceback
import warnings
from pathlib import Path
from typing import NamedTuple

LIMIT, ROOM = 10, 2 << 30  # seconds; bytes beyond those that are mapped at the start
HERE = Path(__file__).parent


class Result(NamedTuple):
    """found: [(seed, sentence)] of what went wrong; peak: of memory, in MiB; unmade: inputs that nobody made."""

    found: list[tuple[int, str]]
    peak: int
    unmade: int


def damage_files(folder):
    """The first process: for [reader, None] the whole files, for [reader, seed] the same with one damaged."""
    from readers import READERS, files
    from structure import damage

    whole = {}

    def reply(name, seed):
        if name not in whole:
            (folder / name).mkdir()
            READERS[name][0](folder / name)
            whole[name] = {path: path.read_bytes() for path in files(folder / name)}
        for path in files(folder / name):
            if path not in whole[name]:
                path.unlink()
        for path, data in whole[name].items():
            path.write_bytes(data)
        if seed is None:
            return ""
        path = list(whole[name])[seed % len(whole[name])]
        return f"{path.name}: {damage(path, seed)}"
    return reply


def read_files(folder):
    """The other: reads the whole files and sets the limit, or reads the damaged files; what was wrong, and the peak."""
    import resource

    from readers import READERS
    from worker import limit_memory

    from blobnet.errors import BlobnetError

    def reply(name, seed):
        try:
            READERS[name][1](folder / name)
            if seed is None:
                limit_memory(ROOM)
        except BlobnetError:
            if seed is None:
                raise
        except BaseException as error:
            if seed is None:
                raise
            frame = next((frame for frame in reversed(traceback.extract_tb(error.__traceback__))
                          if "/blobnet/" in frame.filename), traceback.extract_tb(error.__traceback__)[-1])
            place = f"{Path(frame.filename).name}:{frame.lineno}"
            return f"{type(error).__name__} at {place}: {str(error)[:80]!r}", 0
        return "", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    return reply


class Worker:
    """A process that answers requests, one a line."""

    def __init__(self, role, folder):
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (HERE.parent.parent, HERE))),
                       "OPENBLAS_NUM_THREADS": "1"}
        self.errors = tempfile.TemporaryFile("w+", errors="replace")
        self.process = subprocess.Popen([sys.executable, HERE / "run.py", "--worker", role, folder], env=environment,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True)

    def ask(self, *request):
        """The answer, None if the process died."""
        try:
            print(json.dumps(request), file=self.process.stdin, flush=True)
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        return json.loads(line) if line.endswith("\n") else None

    def end(self):
        """Why the process died, if it did."""
        try:
            self.process.communicate()
        except BrokenPipeError:
            pass
        self.errors.seek(0)
        said = self.errors.read()
        self.errors.close()
        return "hang" if "Timeout (" in said else f"the process ended with {self.process.returncode}: {said[-300:]}"


class Fuzzer:
    """The two processes, and the folder they share: `with Fuzzer() as fuzz: fuzz(name, first, count)`."""

    def __enter__(self):
        self.folder = tempfile.mkdtemp()
        self.workers = {}
        return self

    def __exit__(self, *_):
        for worker in self.workers.values():
            worker.end()
        shutil.rmtree(self.folder)

    def __call__(self, name, first, count):
        """What goes wrong with one reader, for the seeds from `first` on."""
        found, peak, unmade, ready = [], 0, 0, False
        for seed in range(first, first + count):
            if not ready:  # the reader begins with whole files
                if self.ask("damage", name, None) is None or self.ask("read", name, None) is None:
                    found.append((seed, f"whole files are not read: {self.reason}"))
                    break
                ready = True
            what = self.ask("damage", name, seed)
            if what is None:
                unmade += 1
                continue
            answer = self.ask("read", name, seed)
            if answer is None:
                ready = False
                found.append((seed, f"{self.reason} [{what}]"))
                continue
            wrong, memory = answer
            peak = max(peak, memory)
            if wrong:
                found.append((seed, f"{wrong} [{what}]"))
        return Result(found, peak, unmade)

    def ask(self, role, name, seed):
        if role not in self.workers:
            if role == "damage":
                shutil.rmtree(self.folder)
                os.mkdir(self.folder)
            self.workers[role] = Worker(role, self.folder)
        answer = self.workers[role].ask(name, seed)
        if answer is None:
            self.reason = self.workers.pop(role).end()
        return answer


def work(role, folder):
    """In a process: answer the requests that come."""
    warnings.simplefilter("error")
    logging.disable()
    answers, sys.stdout = sys.stdout, sys.stderr
    reply = {"damage": damage_files, "read": read_files}[role](Path(folder))
    for line in sys.stdin:
        faulthandler.dump_traceback_later(LIMIT, exit=True)
        answer = reply(*json.loads(line))
        faulthandler.cancel_dump_traceback_later()
        print(json.dumps(answer), file=answers, flush=True)


def main():
    if sys.argv[1:2] == ["--worker"]:
        return work(*sys.argv[2:])
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=1000, help="for every reader (1000)")
    parser.add_argument("--seed", type=int, default=0, help="the first (0)")
    parser.add_argument("--only", default="", help="readers whose names hold this")
    args = parser.parse_args()
    from readers import READERS
    total = 0
    for name in [name for name in READERS if args.only in name]:
        with Fuzzer() as fuzz:
            found, peak, unmade = fuzz(name, args.seed, args.inputs)
        total += len(found)
        print(f"{name}: {args.inputs - unmade} inputs, {len(found)} wrong, peak {peak} MiB", flush=True)
        causes = collections.defaultdict(list)
        for seed, sentence in found:
            causes[sentence.partition(":")[0]].append((seed, sentence))
        for cause, cases in causes.items():
            print(f"    {len(cases)} x {cause}; seed {cases[0][0]}: {cases[0][1][:400]}", flush=True)
    print(f"{total} wrong")
    return int(total > 0)


if __name__ == "__main__":
    sys.exit(main())
