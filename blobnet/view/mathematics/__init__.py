"""Formulas of the pages as mathematics: HTML with MathML, which browsers draw without any library."""

from blobnet.view.mathematics.html import formula_html
from blobnet.view.mathematics.page import page_html, sections, style

__all__ = ["formula_html", "page_html", "sections", "style"]
