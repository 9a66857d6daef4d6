"""Python files to fill in: one for each layer type, and for each module of a Python layer, that is missing."""

from __future__ import annotations

import os
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from blobnet.core.registry import known_class
from blobnet.port.files import Reading, read_file
from blobnet.port.guess import Tree, camel, schema, trees
from blobnet.port.report import FileReport
from blobnet.proto.messages import message_class
from blobnet.proto.source import walk
from blobnet.proto.storage import atomic_write

FIRST_NUMBER = 100_000  # of the fields of stubs, above all that the schema has

LAYER = '''\
"""{type}, as far as {nets} tell{s}: fill in what it computes, and give this file to --plugin."""

import blobnet


@blobnet.register
class {type}(blobnet.Layer):
    """What it does, in one line.

    y = f(x),   dx = dy * f'(x)

    Bottoms: {bottoms}   Tops: {tops}   Params: self.add_param(shape, filler) in setup makes one
    """
{options}
    num_bottoms = {num_bottoms}
    num_tops = {num_tops}

    def setup(self, bottom, top):
        """Check the options, self.options, and make parameters."""

    def reshape(self, bottom, top):
        raise NotImplementedError("{type}: give the tops their shapes, top[0].reshape(…)")

    def formula(self, *bottoms_and_parameters):
        """What forward computes, in plain NumPy: `blobnet check` compares forward with it."""
        raise NotImplementedError("{type}: write the formula of its paper, or remove this method")

    def forward(self, bottom, top):
        raise NotImplementedError("{type}: write top[0].data from bottom[0].data")

    def backward(self, top, propagate_down, bottom):
        raise NotImplementedError("{type}: write bottom[0].diff from top[0].diff; `blobnet check` proves it")
'''

MODULE = '''\
"""Python layers of {nets}: fill in what they compute. The folder of this file goes to --python-path."""
'''

CLASS = '''

class {name}:
    """What it does, in one line.{param_str}"""

    def setup(self, bottom, top):
        """Read self.param_str."""

    def reshape(self, bottom, top):
        raise NotImplementedError("{name}: give the tops their shapes, top[0].reshape(…)")

    def forward(self, bottom, top):
        raise NotImplementedError("{name}: write top[0].data")

    def backward(self, top, propagate_down, bottom):
        raise NotImplementedError("{name}: write bottom[0].diff where propagate_down says so")
'''


class _Use(NamedTuple):
    """A layer of a type that is missing: the file, the numbers of its blobs, its options that are not known."""

    path: str
    bottoms: int
    tops: int
    options: dict[str, Tree]


def write_stubs(folder: str | os.PathLike, reports: Sequence[FileReport]) -> list[str]:
    """Write a file to fill in for every layer type that nobody knows, and for every module of a Python layer, of the
    nets in `reports`. Returns the paths.

    The options are guessed from the text. A file that is there already stays as it is.
    """
    readings = {report.path: read_file(report.path) for report in reports if report.kind == "net"}
    files = {f"{_file_name(kind)}.py": _layer(kind, uses) for kind, uses in _missing(readings).items()}
    found: dict[str, dict[str, str]] = {}
    nets: dict[str, list[str]] = {}
    for report in reports:
        for module, name, param_str in report.modules:
            if name.isidentifier() and all(part.isidentifier() for part in module.split(".")):
                file = module.replace(".", "/") + ".py"
                found.setdefault(file, {}).setdefault(name, param_str)
                nets.setdefault(file, []).append(report.path)
    for file, classes in found.items():
        files[file] = MODULE.format(nets=_named(nets[file])) + "".join(
            CLASS.format(name=name, param_str=f" The net gives it param_str {text!r}." * bool(text))
            for name, text in classes.items())
    written = []
    for name, text in sorted(files.items()):
        path = Path(folder) / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            with atomic_write(path) as stream:
                stream.write(text.encode())
            written.append(str(path))
    return written


def _missing(readings: Mapping[str, Reading]) -> dict[str, list[_Use]]:
    found: dict[str, list[_Use]] = {}
    for path, reading in readings.items():
        layers = getattr(reading.message, "layer", [])
        unknown = {i for i, layer in enumerate(layers) if layer.type.isidentifier() and known_class(layer) is None}
        if not unknown:
            continue
        known = message_class("LayerParameter").DESCRIPTOR.fields_by_name
        options: dict[int, dict[str, Tree]] = {i: {} for i in unknown}
        tokens = [token for token in walk(reading.text) if token.path and token.path[0].field == "layer"
                  and token.path[0].number in unknown]
        for i in unknown:
            mine = [token for token in tokens if token.path[0].number == i]
            options[i] = {field: tree for field, tree in trees(mine, 1) if field not in known}
            found.setdefault(layers[i].type, []).append(
                _Use(path, len(layers[i].bottom), len(layers[i].top), options[i]))
    return found


def _layer(kind: str, uses: Sequence[_Use]) -> str:
    fields = dict.fromkeys(field for use in uses for field in use.options)
    options = ""
    if fields:
        number = FIRST_NUMBER + zlib.crc32(kind.encode()) % FIRST_NUMBER
        lines = []
        for field in fields:
            message = f"{kind}Parameter" if len(fields) == 1 else f"{kind}{camel(field)}Parameter"
            lines += schema(message, [use.options[field] for use in uses if field in use.options])
            lines.append(f"extend LayerParameter {{ optional {message} {field} = {number}; }}")
            number += 1
        options = '\n    schema = """\n' + "".join(f"        {line}\n" for line in lines) + '    """\n'
        options += f'    options_field = "{next(iter(fields))}"\n'
    return LAYER.format(
        type=kind, nets=_named([use.path for use in uses]), s="s" if len({use.path for use in uses}) == 1 else "",
        options=options, bottoms=_counts({use.bottoms for use in uses}), tops=_counts({use.tops for use in uses}),
        num_bottoms=_arity({use.bottoms for use in uses}), num_tops=_arity({use.tops for use in uses}))


def _arity(counts: set[int]) -> int | tuple[int, int]:
    return counts.pop() if len(counts) == 1 else (min(counts), max(counts))


def _counts(counts: set[int]) -> str:
    return " or ".join(map(str, sorted(counts)))


def _named(paths: Sequence[str]) -> str:
    names = list(dict.fromkeys(Path(path).name for path in paths))
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} other nets"


def _file_name(kind: str) -> str:
    """The name of a page in the house: RoiAlign -> roi_align."""
    return "".join("_" * (i > 0 and char.isupper() and not kind[i - 1].isupper()) + char.lower()
                   for i, char in enumerate(kind))

