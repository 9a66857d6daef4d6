"""What an installation has, what it lacks, and whether it works."""

from __future__ import annotations

from blobnet.check.doctor.findings import Finding, Mark
from blobnet.check.doctor.machine import examine_installation, examine_machine
from blobnet.check.doctor.packages import examine_packages
from blobnet.check.doctor.trial import try_out

__all__ = ["Finding", "Mark", "examine"]


def examine(version: str) -> list[Finding]:
    """All findings about the blobnet that is imported, which has this version: it works if none of them is BROKEN."""
    return [*examine_installation(version), *examine_packages(), *examine_machine(), *try_out()]
