"""Grading a file: its parts one after the other, as far as it makes sense."""

from __future__ import annotations

import contextlib
import os
import sys
import warnings
from collections.abc import Iterator

import numpy as np

from blobnet.check.grading.backwards import look_at_backward
from blobnet.check.grading.contract import look_at_contract
from blobnet.check.grading.findings import Finding, Grade, State, stops
from blobnet.check.grading.forwards import look_at_forward, look_at_setup
from blobnet.check.grading.opened import Opened
from blobnet.check.grading.subject import Subject
from blobnet.check.grading.trouble import trouble
from blobnet.core.registry import LAYERS
from blobnet.plugins import PREFIX

PARTS = (("setup", look_at_setup), ("forward", look_at_forward), ("backward", look_at_backward),
         ("contract", look_at_contract))


def grade(path: str | os.PathLike) -> Grade:
    """Run the exercise in the file `path` and say what is right, and of what is wrong the likeliest slip.

    The file is a plug-in and runs as it is, with all the rights of the program. Layer types that it registers are
    forgotten afterwards. DataError if there is no file; a BlobnetError, which says so, if EXERCISE itself cannot be
    done.
    """
    with _aside(), np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of code that is not ours
        opened = Opened(path)
        findings = list(opened.findings)
        if opened.param is not None and not opened.blank("forward"):
            findings = _look(opened)
        kind = opened.param.type if opened.param is not None else ""
        same_as = opened.exercise.same_as if opened.exercise else ""
        return Grade(os.fspath(path), kind, same_as, findings)


def _look(opened: Opened) -> list[Finding]:
    """Part after part; what is left when one is wrong is said to be left."""
    subject = Subject(opened)
    findings: list[Finding] = []
    for i, (part, look) in enumerate(PARTS):
        if opened.blank(part):
            return findings + opened.findings
        try:
            new = look(subject)
        except (Exception, SystemExit) as error:
            new = [trouble(error, opened.path, part)]
        findings += new
        if stops(new):
            later = [name for name, _ in PARTS[i + 1:] if name != "contract"]
            return findings + [Finding(name, State.LATER, "is looked at when the rest is right.") for name in later]
    return findings


@contextlib.contextmanager
def _aside() -> Iterator[None]:
    """Put the layer types and the modules of plug-ins back afterwards."""
    types, modules = dict(LAYERS), dict(sys.modules)
    try:
        yield
    finally:
        LAYERS.clear()
        LAYERS.update(types)
        for name in [name for name in sys.modules if name.startswith(PREFIX)]:
            del sys.modules[name]
        sys.modules.update({name: module for name, module in modules.items() if name.startswith(PREFIX)})
