"""What computes each kernel on a CPU and on a GPU: a table."""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import pkgutil
import re
from pathlib import Path
from textwrap import shorten

from blobnet import backend, ops
from blobnet.backend import Twin
from blobnet.log.table import table
from blobnet.ops.cuda.launch import signatures

WORDS = 72  # characters of what a kernel computes
HOME, PRODUCT = "blobnet.ops.cuda.", "gemm"


def device_table() -> str:
    """The kernels that have a twin for the GPU, by module and name; all others are CuPy's operations there."""
    rows = [(twin.body.__name__, _purpose(twin), "NumPy", _on_gpu(twin)) for twin in twins()]
    return table([("kernel", "what it computes", "CPU", "GPU"), *rows], left=range(4))


def twins() -> list[Twin]:
    """All kernels with a twin."""
    modules = [importlib.import_module(module.name) for package in (backend, ops)
               for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}.")]
    found = {id(value): value for module in modules for value in vars(module).values() if isinstance(value, Twin)}
    return sorted(found.values(), key=lambda twin: (twin.body.__module__, twin.body.__name__))


def _purpose(twin: Twin) -> str:
    """The first sentence of its docstring."""
    paragraph = " ".join((inspect.getdoc(twin.body) or "").split("\n\n")[0].split())
    return shorten(re.split(r"(?<!\.)\. ", paragraph)[0].rstrip("."), WORDS, placeholder=" ...")


def _on_gpu(twin: Twin) -> str:
    """The kernels of CUDA text that its twin starts, and cuBLAS if it multiplies matrices."""
    seen, waiting, used = set(), [(twin.home, twin.body.__name__)], set()
    while waiting:
        place = waiting.pop()
        if place not in seen:
            seen.add(place)
            module, name = place
            names, texts = _uses(module).get(name, (set(), set()))
            used |= texts & signatures().keys()
            waiting += [(_imported(module).get(other, module), other) for other in names]
    parts = ["cuBLAS"] * any(name == PRODUCT for _, name in seen) + sorted(used)
    return ", ".join(parts) or "CuPy's operations"


@functools.cache
def _parsed(module: str) -> ast.Module:
    return ast.parse(Path(importlib.import_module(module).__file__).read_text("utf-8"))


@functools.cache
def _uses(module: str) -> dict[str, tuple[set[str], set[str]]]:
    """For everything that a module defines the names and the texts in it."""
    found = {}
    for node in _parsed(module).body:
        parts = [*ast.walk(node)]
        uses = ({part.id for part in parts if isinstance(part, ast.Name)},
                {part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)})
        for target in getattr(node, "targets", [node]):
            found[getattr(target, "name", getattr(target, "id", ""))] = uses
    return found


@functools.cache
def _imported(module: str) -> dict[str, str]:
    """The names that a module has from others with CUDA text, and those modules."""
    return {alias.name: node.module for node in _parsed(module).body
            if isinstance(node, ast.ImportFrom) and node.module.startswith(HOME) for alias in node.names}
