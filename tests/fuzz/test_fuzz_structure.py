"""Files with damages that know their structure, in worker processes; `run.py` does the same at any length."""

import os
import shutil
import subprocess
import sys

import pytest
import run
from readers import READERS, files
from run import Fuzzer
from structure import damage, fields

BRIEF, MANY = 20, 1000  # inputs for every reader


@pytest.fixture(scope="module")
def fuzz():
    with Fuzzer() as fuzzer:
        yield fuzzer


@pytest.mark.parametrize("name", READERS)
def test_some_damages_of_the_structure(fuzz, name):
    found, _, unmade = fuzz(name, 0, BRIEF)
    assert found == [] and unmade <= BRIEF // 10


@pytest.mark.slow
@pytest.mark.parametrize("name", READERS)
def test_many_damages_of_the_structure(fuzz, name):
    found, _, unmade = fuzz(name, 1000, MANY)
    assert found == [] and unmade <= MANY // 10


@pytest.mark.parametrize("name", ["prototxt", "caffemodel", "hdf5 data", "codes", "png", "lmdb"])
def test_damages_differ_and_repeat(name, tmp_path):
    made = []
    for seed in [*range(12)] * 2:
        shutil.rmtree(tmp_path)
        tmp_path.mkdir()
        READERS[name][0](tmp_path)
        path = files(tmp_path)[0]
        whole = path.read_bytes()
        made.append((damage(path, seed), path.read_bytes() != whole))
    assert [what for what, _ in made[:12]] == [what for what, _ in made[12:]]
    assert len({what for what, _ in made}) > 5 and sum(changed for _, changed in made[:12]) > 8


def test_fields_of_a_message():
    inner = b"\x08\x96\x01"
    assert fields(b"\x12\x03" + inner, 0, 5) == [(2, 3, 5, 1, 0), (0, 1, 5, 2, 2)]


class Stub:
    """Workers that answer as they are told, or die."""

    def __init__(self, answers):
        self.answers = answers

    def ask(self, name, seed):
        return self.answers.get(seed, "fine" if self.answers.get("damages") else ["", 50])

    def end(self):
        return "hang"


@pytest.mark.parametrize("damages, reads, found, unmade", [
    ({}, {}, [], 0), ({7: None}, {}, [], 1), ({}, {7: None}, [(7, "hang [fine]")], 0),
    ({}, {7: ["ValueError", 0]}, [(7, "ValueError [fine]")], 0),
    ({}, {None: None}, [(5, "whole files are not read: hang")], 0)])
def test_whose_fault_it_was(monkeypatch, damages, reads, found, unmade):
    """The damaging process that dies is no fault of the reader; what goes wrong is noted, and the rest gone on with."""
    told = {"damage": {**damages, "damages": True}, "read": reads}
    monkeypatch.setattr(run, "Worker", lambda role, folder: Stub(told[role]))
    with Fuzzer() as fuzzer:
        result = fuzzer("log", 5, 4)
    assert (result.found, result.unmade) == (found, unmade)


def test_what_kills_a_process_is_noted():
    with Fuzzer() as fuzzer:
        (_, sentence), = fuzzer("no such reader", 0, 3).found
    assert "the process ended with 1" in sentence and "KeyError" in sentence


def test_nets_with_illegal_fields():
    assert illegal_fields(5000, 400) == ["done"]


@pytest.mark.slow
def test_many_nets_with_illegal_fields():
    assert illegal_fields(10_000, 3000) == ["done"]


def illegal_fields(first, count):
    done = subprocess.run([sys.executable, run.HERE / "illegal_fields.py", str(first), str(count)], text=True,
                          capture_output=True, env={**os.environ, "OPENBLAS_NUM_THREADS": "1"})
    return done.stdout.splitlines() if done.returncode == 0 else [done.stderr]
