"""What the pages are written in beside Markdown: formulas, and references to layers, commands and fields by name."""

from __future__ import annotations

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx

from blobnet.view.mathematics import formula_html
from pages.links import DOCS, relinked

# `{layer}`LRN`` leads to where the directive `{layer} LRN` stands.
NAMED = ("layer", "solver-type", "command", "flag", "paper", "message", "field", "error")


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


def setup(app: Sphinx) -> None:
    """Tell Sphinx of them."""
    app.add_directive("formulas", Formulas)
    for kind in NAMED:
        app.add_crossref_type(kind, kind)
    app.connect("source-read", relink)
