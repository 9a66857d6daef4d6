"""Damaged files of every kind: an error of ours that names the file, no crash, no hang, no flood of memory."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from mutations import mutate
from readers import READERS

HERE = Path(__file__).parent
QUICK, GROUPS = 60, 4
SLOW = 3000


def run_worker(first, count, *names):
    environment = {**os.environ, "PYTHONPATH": str(HERE.parent.parent), "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, HERE / "worker.py", str(first), str(count), *names], env=environment,
                          capture_output=True, text=True, errors="replace", timeout=600 + count)
    lines = done.stdout.splitlines()
    assert "WRONG" not in done.stdout, done.stdout[done.stdout.index("WRONG"):][:5000]
    assert done.returncode == 0 and lines[-1] == "done", f"{lines[-1:]} {done.stderr[-3000:]}"
    assert len(lines) == count * len(names) + 1


@pytest.mark.parametrize("group", range(GROUPS))
def test_some_damages(group):
    run_worker(0, QUICK, *list(READERS)[group::GROUPS])


@pytest.mark.slow
@pytest.mark.parametrize("name", READERS)
def test_many_damages(name):
    run_worker(10_000, SLOW, name)


def test_the_worker_notices(tmp_path):
    """A reader that lets a ValueError out, or that writes, is found."""
    (tmp_path / "bad.py").write_text(
        "import readers, worker\n"
        "readers.READERS['bad'] = lambda folder: (folder / 'x').write_bytes(b'ab' * 9), lambda folder: ["
        "int((folder / 'x').read_bytes().decode('ascii', 'ignore') != 'ab' * 9) and int('x')]\n"
        "readers.READERS['writer'] = readers.READERS['bad'][0], lambda folder: (folder / 'y').touch() if "
        "(folder / 'x').read_bytes() != b'ab' * 9 else None\n"
        "worker.run('bad', 0, 5), worker.run('writer', 0, 5)\n")
    environment = {**os.environ, "PYTHONPATH": f"{HERE.parent.parent}{os.pathsep}{HERE}"}
    out = subprocess.run([sys.executable, tmp_path / "bad.py"], env=environment, capture_output=True, text=True).stdout
    assert "WRONG bad 0: Traceback" in out and "ValueError" in out and "WRONG writer 0:  other files" in out


def test_mutations_differ_and_repeat():
    data = bytes(range(256)) * 4
    made = [mutate(data, seed) for seed in range(200)]
    assert made == [mutate(data, seed) for seed in range(200)]
    assert len(set(made)) > 190
    assert sum(data.startswith(item) for item in made) > 20 and sum(len(item) > len(data) for item in made) > 5
