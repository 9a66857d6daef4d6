"""How much memory the machine has."""

from __future__ import annotations

import math
import os
from pathlib import Path


def free_bytes() -> float:
    """How much memory Linux can give; elsewhere nobody is asked, and there is no limit."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return math.inf
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), math.inf)


def total_bytes() -> float:
    """How much memory there is, infinity where the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return math.inf
