"""The loggers whose lines a terminal does not show line by line."""

from __future__ import annotations

import logging

building = logging.getLogger("blobnet.netdef.state")           # how nets are built
iterations = logging.getLogger("blobnet.solvers.iterations")  # what a progress bar shows in another way
