"""Files that appear together, or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from blobnet.errors import DataError


def all_there(title: str, targets: Sequence[Path]) -> bool:
    """Whether all `targets` are there, or none of them; DataError, with the title, if it is only a part."""
    present = [str(path) for path in targets if path.exists()]
    if present and len(present) < len(targets):
        raise DataError(title, f"{', '.join(present)} already there, the others are missing",
                        hint="remove it, or write into another folder")
    return bool(present)


@contextmanager
def together(targets: Sequence[Path]) -> Iterator[list[Path]]:
    """Where to write the `targets`, which are in one folder; they get their names when the block ends without error."""
    folder = targets[0].parent
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{targets[0].name}_", dir=folder) as temporary:
        made = [Path(temporary) / path.name for path in targets]
        yield made
        for temporary_path, path in zip(made, targets):
            os.replace(temporary_path, path)
