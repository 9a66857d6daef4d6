"""Which kernels of blobnet.ops the forward of a layer type calls, read from its source."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from blobnet.core.layer import Layer

OPS, LAYERS = "blobnet.ops", "blobnet.layers"

# Kernels that hide no mathematics: their call says all that they compute.
PLAIN = {"class_members", "class_numbers", "elementwise", "in_parts", "matmul", "numbers_below", "relu_forward",
         "sigmoid", "tally", "thin"}


def kernels(cls: type[Layer]) -> set[str]:
    """The names from blobnet.ops, but for the plain ones, that `forward` of the layer type calls.

    It may call them in a method or a property of the class or of its bases, through a helper function or class of the
    page or of the _base.py of its folder, or through an attribute that one of the methods makes with such a name.
    """
    page = _page(Path(inspect.getfile(cls)))
    return page.of_method(cls.__name__, "forward", set()) - PLAIN


def is_plain(cls: type[Layer]) -> bool:
    """Whether the source of the type can be read, and its forward calls none of them."""
    try:
        return not kernels(cls)
    except (OSError, TypeError):
        return False


@cache
def _page(path: Path) -> _Page:
    return _Page(ast.parse(path.read_text("utf-8")))


class _Page:
    """The source of a module of layers: what it defines, and what it imports from ops and from other layers."""

    def __init__(self, tree: ast.Module):
        self.defined = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)}
        self.kernels: dict[str, str] = {}
        self.others: dict[str, _Page] = {}
        for node in tree.body:
            if isinstance(node, ast.ImportFrom) and node.module.startswith((OPS, LAYERS)):
                for alias in node.names:
                    name = alias.asname or alias.name
                    if node.module.startswith(OPS):
                        self.kernels[name] = alias.name
                    else:
                        self.others[name] = _page(Path(find_spec(node.module).origin))

    def of_name(self, name: str, seen: set) -> set[str]:
        """The kernels behind a name of this module."""
        if name in self.kernels:
            return {self.kernels[name]}
        if name in self.others:
            return self.others[name].of_name(name, seen)
        if name not in self.defined or (self, name) in seen:
            return set()
        seen.add((self, name))
        return self._of_names(self.defined[name], seen)

    def of_method(self, cls: str, method: str, seen: set) -> set[str]:
        """The kernels behind a method or an attribute of a class of this module."""
        found = set()
        if (cls, method) not in seen:
            seen.add((cls, method))
            for page, node in self._values(cls, method):
                found |= page._of_names(node, seen)
                for name in _attributes(node):
                    found |= self.of_method(cls, name, seen)
        return found

    def _of_names(self, node: ast.AST, seen: set) -> set[str]:
        return set().union(*(self.of_name(part.id, seen) for part in ast.walk(node) if isinstance(part, ast.Name)))

    def _values(self, cls: str, name: str) -> Iterator[tuple[_Page, ast.AST]]:
        """Where a class and its bases define a method, or give an attribute its value."""
        for page, node in self._bases(cls):
            for part in ast.walk(node):
                if isinstance(part, ast.FunctionDef) and part.name == name:
                    yield page, part
                elif isinstance(part, ast.Assign):
                    yield from ((page, value) for target, value in _assigned(part) if target == name)

    def _bases(self, cls: str) -> Iterator[tuple[_Page, ast.ClassDef]]:
        page = self.others.get(cls, self)
        node = page.defined.get(cls)
        if isinstance(node, ast.ClassDef):
            yield page, node
            for base in node.bases:
                if isinstance(base, ast.Name):
                    yield from page._bases(base.id)


def _attributes(node: ast.AST) -> set[str]:
    """The X of every self.X and super().X that is read."""
    return {part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Load)
            and (isinstance(part.value, ast.Name) and part.value.id == "self" or _is_super(part.value))}


def _is_super(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super"


def _assigned(node: ast.Assign) -> Iterator[tuple[str, ast.expr]]:
    """The X of every target X, in a class, or self.X, and the value that it gets: its own of two tuples, or all."""
    for target in node.targets:
        targets = target.elts if isinstance(target, ast.Tuple) else [target]
        values = [node.value] * len(targets)
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple) and len(node.value.elts) == len(targets):
            values = node.value.elts
        for part, value in zip(targets, values, strict=True):
            if isinstance(part, ast.Attribute | ast.Name):
                yield part.attr if isinstance(part, ast.Attribute) else part.id, value
