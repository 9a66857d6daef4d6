"""The number of blobs and their shapes: what is refused, and what another batch size gives."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from google.protobuf.message import Message

from blobnet.check.case import Case
from blobnet.check.rules.registry import rule
from blobnet.check.rules.run import Run
from blobnet.check.standalone import read_layer
from blobnet.errors import NetError, ShapeError


@rule
def arity(case: Case) -> Iterator[str]:
    """Blobs too few or too many are refused with the layer's name and both numbers."""
    cls, values = case.type, case.values() or [np.ones((2, 3))]
    for kind, declared in (("bottom", cls.num_bottoms), ("top", cls.num_tops)):
        least, most = declared if isinstance(declared, tuple) else (declared, declared)
        wrong = [least - 1] if least and not (kind == "top" and cls.automatic_tops) else []
        for count in wrong + ([] if most is None else [most + 1]):
            param = read_layer(case.source)
            _name(param, kind, count)
            try:
                case.build([values[min(i, len(values) - 1)] for i in range(len(param.bottom))], param)
            except NetError as error:
                if repr(param.name) not in str(error) or error.expected is None or error.got is None:
                    yield f"{count} {kind}s: the error lacks the layer, what was expected or what was got: {error}"
            except Exception as error:
                yield f"{count} {kind}s: {type(error).__name__} instead of NetError: {error}"
            else:
                yield f"{count} {kind}s are accepted"


def _name(param: Message, kind: str, count: int) -> None:
    """Give the layer `count` bottoms or tops."""
    names = getattr(param, kind)
    del names[:]
    names.extend(f"{kind}{i}" for i in range(count))


@rule
def reshape(case: Case) -> Iterator[str]:
    """Another batch size gives what a new layer of that size gives; the first size again, the first numbers again."""
    values = case.values()
    if not values or not values[0].shape:
        return
    rows = len(values[0])
    more = [np.concatenate([value, value[:1]]) if len(value) == rows else value for value in values]
    first, alone = Run(case.build()), case.build()
    Run(alone)
    alone.values = more
    try:
        what = Run(alone).differs(Run(case.build(more)))
    except ShapeError as error:
        what = f"the results ({error})"
    if what:
        yield f"{what} of a larger batch are not those of a new layer"
    alone.values = values
    what = Run(alone).differs(first)
    if what:
        yield f"{what} of the first batch size differ after another"


@rule
def empty_batch(case: Case) -> Iterator[str]:
    """A batch of no rows works, or is a ShapeError."""
    values = [value[:0] for value in case.values() if value.shape]
    if len(values) != len(case.bottoms) or not values:
        return
    try:
        with np.errstate(all="raise"):
            run = Run(case.build(values))
    except ShapeError:
        return
    except Exception as error:
        yield f"{type(error).__name__} for a batch of no rows: {error}"
        return
    if not all(np.isfinite(array).all() for array in [*run.tops, *run.bottom_diffs, *run.param_diffs]):
        yield "a batch of no rows gives numbers that are not finite"
