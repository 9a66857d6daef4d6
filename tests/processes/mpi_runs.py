"""Starting programs in several processes."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
MPIEXEC = shutil.which("mpiexec", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
needs_mpi = pytest.mark.skipif(MPIEXEC is None or importlib.util.find_spec("mpi4py") is None,
                               reason="no mpiexec or no mpi4py: pip install 'blobnet[mpi]'")


def start(count, *words, cwd=None):
    """Python on `words`, started in `count` processes; all that they print goes to its stdout and stderr."""
    paths = [str(TESTS.parent), str(TESTS / "gpu"), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths), "OPENBLAS_NUM_THREADS": "1",
                                "MPIR_CVAR_POLLS_BEFORE_YIELD": "0"}  # processes that wait let others have the cores
    return subprocess.Popen([MPIEXEC, "-n", str(count), sys.executable, *map(str, words)], cwd=cwd, text=True,
                            env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
