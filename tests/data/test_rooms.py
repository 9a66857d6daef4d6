"""The rooms of blobnet/data import from themselves and from those before them."""

import ast
from pathlib import Path

import pytest

from blobnet import data

FOLDER = Path(data.__file__).parent
ROOMS = ("images", "stores", "batches", "sets")
MODULES = sorted(FOLDER.glob("*/*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(FOLDER).as_posix())
def test_rooms_import_backwards(path):
    here = ROOMS.index(path.parent.name)
    for node in ast.parse(path.read_text("utf-8")).body:  # a function may import from a later room, for a hint
        if isinstance(node, ast.ImportFrom) and node.module.startswith("blobnet.data."):
            assert ROOMS.index(node.module.split(".")[2]) <= here, node.module
