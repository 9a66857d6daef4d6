"""The packages that blobnet needs: which are here, new enough, and whole; and what the extras lack."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from importlib import metadata

from blobnet.check.doctor.findings import Finding, Mark
from blobnet.check.doctor.requirements import Requirement, read_requirement

MODULES = {"pyyaml": "yaml", "pillow": "PIL", "protobuf": "google.protobuf"}  # where they have other names


def requirements() -> list[Requirement]:
    """What the installed blobnet asks for; none if it is not installed, but lies beside."""
    try:
        lines = metadata.requires("blobnet") or []
    except metadata.PackageNotFoundError:
        return []
    return [found for line in lines if (found := read_requirement(line)) is not None]


def examine_packages() -> Iterator[Finding]:
    """A finding for each package that blobnet always needs, and then for each of its extras."""
    found = requirements()
    if not found:
        yield Finding("packages", "blobnet", "is not installed, so it is not known what it needs", Mark.NOTE,
                      "pip install . in the root of the repository")
    for needed in found:
        if not needed.extra:
            yield _needed(needed)
    for extra in dict.fromkeys(needed.extra for needed in found if needed.extra):
        lacks = [(needed, version) for needed in found if needed.extra == extra
                 and not ((version := _version(needed.name)) and needed.admits(version))]
        if lacks:
            words = ", ".join(f"{needed.name} ({f'{version} is here, needs {needed.bounds}' if version else 'missing'})"
                              for needed, version in lacks)
            yield Finding("extras", extra, words, Mark.MISSING, f"pip install 'blobnet[{extra}]'")
        else:
            yield Finding("extras", extra, ", ".join(f"{needed.name} {_version(needed.name)}" for needed in found
                                                     if needed.extra == extra))


def _needed(needed: Requirement) -> Finding:
    version = _version(needed.name)
    remedy = f"pip install --upgrade '{needed.name}{needed.bounds}'"
    if not version:
        return Finding("packages", needed.name, "missing", Mark.BROKEN, remedy)
    if not needed.admits(version):
        return Finding("packages", needed.name, f"{version}, needs {needed.bounds}", Mark.BROKEN, remedy)
    try:
        importlib.import_module(MODULES.get(needed.name.lower(), needed.name))
    except Exception as error:  # whatever a package raises that is not whole
        return Finding("packages", needed.name, f"{version}, cannot be imported: {' '.join(str(error).split())}",
                       Mark.BROKEN, f"pip install --force-reinstall '{needed.name}{needed.bounds}'")
    return Finding("packages", needed.name, version)


def _version(name: str) -> str:
    """The version of an installed package, "" if there is none."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""
