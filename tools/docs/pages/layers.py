"""A page a layer type, a page a family, and a page of all families."""

from __future__ import annotations

import importlib
import inspect
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from google.protobuf.message import Message

from blobnet.core.layer import Layer
from blobnet.core.registry import name_in_nets, variants
from blobnet.proto.messages import message_class
from blobnet.view.draw import draw_net
from blobnet.view.layer_pages import families, family, purpose
from blobnet.view.mathematics import sections
from pages.examples import OWN_VALUES, example, rows, written
from pages.fields import options_table
from pages.links import ROOT
from pages.markdown import block, page, paragraphs, plain, table, toctree
from pages.papers import used_by

EXPLAIN = ("With this net in a file, `blobnet explain FILE.prototxt --out page.html` shows each of its numbers, "
           "forward and backward.")


def pages() -> dict[str, str]:
    """The pages of all types, in a folder a family."""
    found, known = {}, families()
    for name, members in known.items():
        found[f"layers/{name}/index.md"] = _family(name, members)
        found |= {f"layers/{name}/{_stem(cls)}.md": _layer(cls, members) for cls in members}
    return found | {"layers/index.md": page(
        "Layers", f"{sum(map(len, known.values()))} layer types in {len(known)} families. `blobnet layer NAME` prints "
        "the page of one in a terminal.",
        table(["family", "types"], [(f"[{name}]({name}/index.md)", ", ".join(map(_link, members)))
                                    for name, members in known.items()]),
        toctree((f"{name}/index" for name in known), ":hidden:"))}


def _stem(cls: type[Layer]) -> str:
    return cls.__module__.rsplit(".", 1)[1]


def _link(cls: type[Layer]) -> str:
    return f"{{layer}}`{cls.__name__}`"


def _family(name: str, members: list[type[Layer]]) -> str:
    return page(f"{name.capitalize()} layers", table(["type", "what it does"], [(_link(cls), plain(purpose(cls)))
                                                                    for cls in members]),
                toctree(map(_stem, members), ":hidden:"))


def _layer(cls: type[Layer], siblings: list[type[Layer]]) -> str:
    told = sections(cls)
    name, others = name_in_nets(cls), [other for other in variants(name_in_nets(cls)) if other is not cls]
    variant = f"Nets write `type: \"{name}\"` for it." if name != cls.__name__ else ""
    also = f"`type: \"{name}\"` with other fields may also be {' or '.join(map(_link, others))}." if others else ""
    messages = [message_class("LayerParameter").DESCRIPTOR.fields_by_name[field]
                for field in (cls.options_field, *cls.more_options) if field]
    net, case = example(cls), rows()[cls.__name__]
    papers = ", ".join(f"{{paper}}`{folder}`" for folder in used_by().get(name, ()))
    rest = [_link(other) for other in siblings if other is not cls]
    source = inspect.getsourcefile(cls)
    parts = [
        block("{layer} " + cls.__name__, ""), plain(told.purpose), " ".join(filter(None, [variant, also])),
        block("{formulas}", told.formulas.strip("\n")) if told.formulas.strip() else "",
        "\n\n".join(f"{term}\n: {paragraphs(text, '  ')}" for term, text in told.rest if term != "Options"),
        "## Options", paragraphs(dict(told.rest).get("Options", "none")),
        *(f"### {field.name}\n\nThe fields of {{message}}`{field.message_type.name}`:\n\n"
          + options_table(field.message_type) for field in messages),
        "## Example", block("text", written(net)),
        "" if cls.__name__ in OWN_VALUES else EXPLAIN, _python_code(net),
        block("{raw} html", f'<div class="drawing">{drawing(net, case.phase)}</div>'),
        "## See also", f"The family [{family(cls)}](index.md)" + f": {', '.join(rest)}" * bool(rest) + ".",
        f"Published nets that have it: {papers}." if papers else "",
        f"The code: `{source.removeprefix(f'{ROOT}/')}`.",
    ]
    return page(cls.__name__, *parts)


def _python_code(net: Message) -> str:
    """The class that a layer of the type Python names, if the net has one."""
    options = net.layer[-1].python_param
    if not options.module:
        return ""
    cls = getattr(sys.modules.get(options.module) or importlib.import_module(options.module), options.layer)
    return f"and in `{options.module}.py`\n\n" + block("python", inspect.getsource(cls))


def drawing(net: Message, phase: int) -> str:
    """The net as an svg element, the data going from left to right."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "net.svg")
        draw_net(net, path, phases=(phase,), python_layers=True)
        return path.read_text("utf-8").partition("\n")[2].strip()
