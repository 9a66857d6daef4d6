"""The page of a layer type as HTML."""

from __future__ import annotations

import inspect
import re
from html import escape
from importlib import resources
from typing import NamedTuple

from blobnet.core.layer import Layer
from blobnet.core.registry import name_in_nets
from blobnet.view.layer_pages import family
from blobnet.view.mathematics.elements import tag
from blobnet.view.mathematics.html import formula_html

SECTION = re.compile(r"(?:^|(?<=  ))(Bottoms|Tops|Params|Options|Paper|Quirks):(?!\S)", re.MULTILINE)
HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")  # where a long name may be broken
CODE = re.compile(r"`([^`\n]+)`")


def style() -> str:
    """The style sheet of formulas and pages, for a <style> of the document that holds them."""
    return resources.files(__package__).joinpath("mathematics.css").read_text("utf-8")


class Sections(NamedTuple):
    """The docstring of a layer type in its parts; `rest`: the terms Bottoms, Tops, … with their texts, in order."""

    purpose: str
    formulas: str
    rest: list[tuple[str, str]]


def sections(cls: type[Layer]) -> Sections:
    """The parts of a page, as far as they are there: a type of a user may have a docstring of another form, or none."""
    purpose, _, rest = (inspect.getdoc(cls) or "").partition("\n")
    formulas, *parts = SECTION.split(rest)
    return Sections(purpose, formulas, list(zip(parts[::2], parts[1::2])))


def page_html(cls: type[Layer]) -> str:
    """The page of a layer type as an <article>: name, purpose, formulas as mathematics, and the rest as a list.

    Bottoms, Tops, Params, Options, Paper and Quirks become terms of a definition list.
    """
    purpose, formulas, rest = sections(cls)
    name = name_in_nets(cls)
    written = f" · type: {name}" if name != cls.__name__ else ""
    parts = [tag("h2", HUMP.sub("<wbr/>", escape(cls.__name__)))]
    parts += [tag("p", escape(family(cls) + written), **{"class": "family"})]
    parts += [tag("p", _prose(purpose), **{"class": "purpose"})] * bool(purpose)
    parts += [formula_html(formulas)] * bool(formulas.strip())
    rows = [f"\n{tag('dt', term)}\n{tag('dd', _prose(text))}" for term, text in rest]
    parts += [tag("dl", *rows, "\n")] * bool(rows)
    return tag("article", *("\n" + part for part in parts), "\n", **{"class": "layer-page"})


def _prose(text: str) -> str:
    """Sentences on one line, with what stands between backquotes as code."""
    return CODE.sub(r"<code>\1</code>", escape(" ".join(text.split())))
