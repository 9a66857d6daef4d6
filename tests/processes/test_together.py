"""Processes that train together make the parameters of one process with the global batch."""

import json
import sys
from pathlib import Path

import pytest
from mpi_runs import needs_mpi, start
from small_trainings import CASES

import blobnet
from blobnet.backend import ALONE
from blobnet.errors import MissingLibrary, SolverError
from blobnet.proto.text import parse

HERE = Path(__file__).parent
EQUAL = [case for case in CASES if case != "DSH of its own part"]


def apart(count, *words):
    """What small_trainings.py prints: how far `count` processes are from one, by the cases among the `words`."""
    with start(count, HERE / "small_trainings.py", *words) as started:
        output, errors = started.communicate(timeout=120)
    assert started.returncode == 0, errors
    return json.loads(output)


@needs_mpi
@pytest.mark.parametrize("count", [2, 3])
def test_processes_train_as_one_does(count):
    found = apart(count, *EQUAL)
    assert list(found) == EQUAL
    for case, (values, losses, alike) in found.items():
        assert alike and values < 1e-6 and losses < 1e-5, (case, values, losses)


@needs_mpi
def test_a_loss_over_pairs_is_of_the_own_part_unless_it_gathers():
    case = "DSH of its own part"
    values, _, alike = apart(2, case)[case]
    assert alike and values > 1e-4


@needs_mpi
def test_gpus_exchange_as_hosts_do(gpu):
    for values, losses, alike in apart(2, "gpu", "SGD", "DSH", "BatchNorm").values():
        assert alike and values < 1e-6 and losses < 1e-5


def test_lbfgs_trains_alone():
    class Two(type(ALONE)):
        size = 2

    text = 'type: "LBFGS" net_param { layer { name: "x" type: "DummyData" top: "x" dummy_data_param { shape {} } } }'
    with pytest.raises(SolverError, match="LBFGS trains in one process, got 2"):
        blobnet.get_solver(parse(text, "SolverParameter"), processes=Two())


def test_several_processes_need_mpi4py(monkeypatch):
    monkeypatch.setenv("PMI_SIZE", "2")
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    blobnet.processes.cache_clear()
    with pytest.raises(MissingLibrary, match=r"several processes need mpi4py.*; pip install 'blobnet\[mpi\]'"):
        blobnet.processes()
    monkeypatch.delenv("PMI_SIZE")
    assert blobnet.processes() is ALONE
