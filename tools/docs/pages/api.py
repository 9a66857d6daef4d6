"""The Python interface: a page a module, written for autodoc."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Sequence
from functools import cache

from pages.links import ROOT
from pages.markdown import block, page, plain, table, toctree

# What users import, in the order in which they need it; a module without __all__ has its names here.
MODULES: dict[str, Sequence[str]] = {
    "blobnet": (), "blobnet.solvers": (), "blobnet.netdef": (),
    "blobnet.proto.files": ("read_message", "write_message"),
    "blobnet.proto.text": ("parse", "dump"), "blobnet.proto.messages": ("new", "message_class", "extend_schema"),
    "blobnet.data.sets": ("import_set", "set_paths"), "blobnet.hashing": (), "blobnet.hashing.encode": ("encode",),
    "blobnet.check": (), "blobnet.check.grading": (), "blobnet.explain": (), "blobnet.port.port": ("port",),
    "blobnet.recipes": (), "blobnet.view": (), "blobnet.view.draw": (), "blobnet.view.notebook": (),
    "blobnet.view.summary": ("summary",), "blobnet.core.memory": ("memory",), "blobnet.pycaffe": (),
    "blobnet.pycaffe.io": ("load_image", "resize_image", "oversample", "Transformer", "array_to_blobproto",
                           "blobproto_to_array", "array_to_datum", "datum_to_array"),
}
INNER = {"blobnet.backend", "blobnet.view.mathematics", "blobnet.check.rules", "blobnet.check.doctor",
         "blobnet.pycaffe.proto"}  # packages for other rooms


@cache
def modules() -> dict[str, Sequence[str]]:
    """All that stand on a page, those that MODULES does not name at the end."""
    packages = {".".join(path.parent.relative_to(ROOT).parts) for path in sorted(ROOT.glob("blobnet/**/__init__.py"))
                if "\n__all__ = " in path.read_text("utf-8")}
    return MODULES | {name: () for name in sorted(packages - INNER - MODULES.keys())}


def pages() -> dict[str, str]:
    """The pages of all modules, and one that lists them."""
    shown: dict[int, str] = {}  # by id: the module on whose page an object stands
    texts = {f"api/{module}.md": _module(module, names, shown) for module, names in modules().items()}
    heads = [(f"[{module}]({module}.md)", plain(_purpose(module))) for module in modules()]
    return texts | {"api/index.md": page(
        "The Python interface", "What programs import. Names beside these may change.",
        table(["module", "what is in it"], heads), toctree(modules(), ":hidden:"))}


def _purpose(name: str) -> str:
    return inspect.getdoc(importlib.import_module(name)).partition("\n")[0]


def _module(name: str, names: Sequence[str], shown: dict[int, str]) -> str:
    module = importlib.import_module(name)
    parts = []
    for item in names or module.__all__:
        value = getattr(module, item)
        known = shown.setdefault(id(value), name) if callable(value) else name
        if known != name:
            parts.append(f"`{item}` is that of [{known}]({known}.md).")
        elif not inspect.ismodule(value):
            parts.append(block("{eval-rst}", "\n".join(_directive(f"{name}.{item}", value))))
    return page(name, plain(_purpose(name)), *parts)


def _directive(path: str, value: object) -> list[str]:
    """What tells autodoc to show it; of a class with what it inherits from classes of ours on no page."""
    if inspect.isclass(value):
        others = [cls.__name__ for cls in value.__mro__[1:]
                  if cls in _classes() or not cls.__module__.startswith("blobnet")]
        kind = "exception" if issubclass(value, Exception) else "class"
        return [f".. auto{kind}:: {path}", "   :members:",
                f"   :inherited-members: {', '.join(others)}"]
    if callable(value):
        return [f".. autofunction:: {path}"]
    text = f"``{value!r}``" if isinstance(value, (int, str)) else "A table of types by name."
    return [f".. py:data:: {path}", "", f"   {text}"]


@cache
def _classes() -> list[type]:
    """The classes on all pages."""
    found = [getattr(importlib.import_module(name), item) for name, names in modules().items()
             for item in names or importlib.import_module(name).__all__]
    return [value for value in found if inspect.isclass(value)]
