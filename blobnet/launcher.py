"""What a launcher such as mpiexec tells the processes that it starts, by the environment; MPI is not asked."""

from __future__ import annotations

import os

COUNTED = {"PMI_SIZE": "PMI_RANK", "OMPI_COMM_WORLD_SIZE": "OMPI_COMM_WORLD_RANK"}  # MPICH's and Intel's, OpenMPI's
OTHERS = ("PMIX_RANK", "MPI_LOCALNRANKS")  # of launchers that tell no number of all


def is_launched() -> bool:
    """Whether a launcher started this process."""
    return any(name in os.environ for name in (*COUNTED, *OTHERS))


def led() -> int:
    """How many processes were started together, if this is the first of them; 0 in others, and where nothing tells."""
    return next((int(os.environ[size]) for size, rank in COUNTED.items()
                 if size in os.environ and os.environ.get(rank) == "0"), 0)
