"""What the pages are written in beside Markdown: formulas, references by name, docstrings as they are here."""

from __future__ import annotations

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx

from blobnet.view.mathematics import formula_html
from pages.docstrings import as_rest
from pages.links import DOCS, relinked

# `{layer}`LRN`` leads to where the directive `{layer} LRN` stands.
NAMED = ("layer", "solver-type", "command", "paper", "message")


class Formulas(Directive):
    """Formulas as the pages of layers write them, as MathML."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        return [nodes.raw("", formula_html("\n".join(self.content)), format="html")]


def relink(app: Sphinx, name: str, text: list[str]) -> None:
    """Let pages that were written by hand link to any file of the repository."""
    page = DOCS / f"{name}.md"
    if page.exists():
        text[0] = relinked(text[0], page, page)


def docstring(app: Sphinx, what: str, name: str, value: object, options: object, lines: list[str]) -> None:
    """Let autodoc read the docstrings of the house."""
    lines[:] = as_rest(lines)


def is_left_out(app: Sphinx, what: str, name: str, value: object, skip: bool, options: object) -> bool | None:
    """The fields of a NamedTuple, which the docstring of its class explains; None: as autodoc thinks fit."""
    return True if type(value).__name__ == "_tuplegetter" else None


def short_navigation(app: Sphinx, name: str, template: str, context: dict, doctree: nodes.document | None) -> None:
    """Let the navigation of a page show the branch that it is in, and not all pages of the site."""
    whole = context["toctree"]
    context["toctree"] = lambda **options: whole(**options | {"collapse": True})


def setup(app: Sphinx) -> None:
    """Tell Sphinx of them."""
    app.add_directive("formulas", Formulas)
    for kind in NAMED:
        app.add_crossref_type(kind, kind)
    app.connect("source-read", relink)
    app.connect("autodoc-process-docstring", docstring)
    app.connect("autodoc-skip-member", is_left_out)
    app.connect("html-page-context", short_navigation, priority=400)  # before Furo's
