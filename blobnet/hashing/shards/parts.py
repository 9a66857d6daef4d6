"""Items of several codes, or of several files of them, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from blobnet.errors import DataError
from blobnet.hashing.codes import Codes
from blobnet.hashing.upkeep import require_made_alike


def require_same_kind(base: Codes, more: Codes) -> None:
    """DataError unless both were made in the same way, with the same classes and labels and ids of one kind."""
    require_made_alike(base, more)
    for what, one, other in (("classes", base.classes, more.classes), *(
            (name, _kind(getattr(base, name)), _kind(getattr(more, name))) for name in ("labels", "ids"))):
        if one != other:
            raise DataError("codes", expected=f"{what} as those of the first file, {one}", got=other)


def joined(parts: Sequence[tuple[Codes, slice | np.ndarray]]) -> Codes:
    """These items of these codes of one kind, copied into memory, without their real values."""
    def array(name: str) -> Any:
        if getattr(parts[0][0], name) is None:
            return None
        return np.concatenate([np.array(getattr(codes, name)[places]) for codes, places in parts])

    return replace(parts[0][0], values=None, packed=array("packed"), labels=array("labels"), ids=array("ids"))


def _kind(array: np.ndarray | None) -> str:
    if array is None:
        return "none"
    kind = "text" if array.dtype.kind == "U" else "numbers"
    return kind if array.ndim == 1 else f"rows of {array.shape[1]} {kind}"
