"""What forward and backward write, and what they leave as it was."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from blobnet.backend import to_host
from blobnet.check.case import Case
from blobnet.check.rules.registry import rule
from blobnet.check.rules.run import MARK, Run
from blobnet.check.standalone import Standalone, read_layer
from blobnet.core.blob import Blob
from blobnet.errors import NetError


@rule
def forward_writes_tops(case: Case) -> Iterator[str]:
    """Forward changes no bottom, no parameter and no diff."""
    alone = case.build()
    alone.forward()
    blobs = _read_blobs(alone)
    for blob in [*blobs.values(), *alone.top]:
        blob.diff.fill(MARK)
    alone.forward()
    for (name, blob), value in zip(blobs.items(), [*alone.values, *alone.parameters], strict=True):
        if not np.array_equal(to_host(blob.data), value):
            yield f"forward changes {name}"
    for name, blob in [*blobs.items(), *((f"top {i}", blob) for i, blob in enumerate(alone.top))]:
        if (blob.diff != MARK).any():
            yield f"forward changes the diff of {name}"


def _read_blobs(alone: Standalone) -> dict[str, Blob]:
    """The blobs that a layer reads, bottoms and parameters, by name."""
    return ({f"bottom {i}": blob for i, blob in enumerate(alone.bottom)}
            | {f"parameter {i}": blob for i, blob in enumerate(alone.layer.blobs)})


@rule
def backward_writes_diffs(case: Case) -> Iterator[str]:
    """Backward overwrites the diffs of the bottoms asked for, adds to those of parameters, and changes nothing else."""
    full = Run(case.build())
    alone = full.alone
    for blob, value in zip([*alone.bottom, *alone.top, *alone.layer.blobs], full.data, strict=True):
        if not np.array_equal(to_host(blob.data), value, equal_nan=True):
            yield "backward changes data"
    for blob, value in zip(alone.top, full.top_diffs, strict=True):
        if not np.array_equal(to_host(blob.diff), value):
            yield "backward changes the diff of a top"
    alone.backward(full.top_diffs, full.wanted)
    for i, (blob, once) in enumerate(zip(alone.layer.blobs, full.param_diffs, strict=True)):
        if not np.allclose(to_host(blob.diff), 2 * once, rtol=1e-9, atol=1e-12):
            yield f"two backwards do not give parameter {i} twice the diff of one"
    yield from _writes_unasked(case, full)


def _writes_unasked(case: Case, full: Run) -> Iterator[str]:
    """What changes when one bottom alone is asked for a gradient, or none is."""
    for i in range(-1, len(full.wanted)):  # -1: none
        only = [j == i and wanted for j, wanted in enumerate(full.wanted)]
        run = Run(case.build(), only, mark=MARK)
        for j, (diff, want) in enumerate(zip(run.bottom_diffs, full.bottom_diffs, strict=True)):
            if only[j] and not np.array_equal(diff, want):
                yield f"the diff of bottom {j} depends on what was there, or on whether other bottoms are asked for"
            viewed = any(np.may_share_memory(run.alone.bottom[j].diff, blob.diff) for blob in run.alone.top)
            if not only[j] and not viewed and np.any(diff != MARK):
                yield f"backward writes the diff of bottom {j}, which nobody asked for"


@rule
def keeps_arrays(case: Case) -> Iterator[str]:
    """Forward and backward write into the arrays of bottoms and parameters, and put no other arrays in their place."""
    alone = case.build()
    alone.forward()
    blobs = _read_blobs(alone)
    arrays = {name: (blob.data, blob.diff) for name, blob in blobs.items()}
    Run(alone)
    for name, blob in blobs.items():
        for what, before in zip(("data", "diff"), arrays[name], strict=True):
            if getattr(blob, what) is not before:
                yield f"the {what} of {name} is another array after a pass"


@rule
def in_place(case: Case) -> Iterator[str]:
    """A layer that may work in place gives the same numbers there; any other refuses it."""
    param, cls = read_layer(case.source), case.type
    if not param.bottom or not param.top:
        return
    param.top[0] = param.bottom[0]
    if not cls.in_place:
        try:
            case.build(param=param)
        except NetError:
            return
        yield "works in place though in_place is False"
        return
    what = Run(case.build()).differs(Run(case.build(param=param)))
    if what:
        yield f"{what} differ in place"
