"""Blanks: each `...` that stands for an expression which the student is to write."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

BEFORE_BACKWARD = ("setup", "reshape", "forward")


class Blank(NamedTuple):
    """The line of a blank, and the function it stands in ("" for none)."""

    line: int
    function: str


def find_blanks(tree: ast.AST) -> list[Blank]:
    """The blanks of a file, in the order of the lines. An `...` within the brackets of an index is none."""
    return sorted(_blanks(tree, ""))


def _blanks(node: ast.AST, function: str) -> Iterator[Blank]:
    if isinstance(node, ast.Constant) and node.value is ...:
        yield Blank(node.lineno, function)
    if isinstance(node, ast.FunctionDef):
        function = node.name
    for child in ast.iter_child_nodes(node):
        if isinstance(node, ast.Subscript) and child is node.slice:
            continue
        if isinstance(child, ast.arg):  # its annotation
            continue
        yield from _blanks(child, function)


def needed_for_forward(tree: ast.AST) -> set[str]:
    """The names of the functions that setup, reshape and forward call, they themselves, and "" for the outside."""
    calls: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            names = {inner.attr if isinstance(inner, ast.Attribute) else inner.id for inner in ast.walk(node)
                     if isinstance(inner, ast.Attribute | ast.Name)}
            calls[node.name] = calls.get(node.name, set()) | names
    found, new = set(), {"", *BEFORE_BACKWARD}
    while new:
        found |= new
        new = {name for caller in new for name in calls.get(caller, ()) if name in calls} - found
    return found
