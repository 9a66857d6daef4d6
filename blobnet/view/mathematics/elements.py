"""The small elements of MathML: signs, words, subscripts."""

from __future__ import annotations

import re
from html import escape

from blobnet.view.mathematics.names import BIG, GREEK, parts

SIGNS = {"*": "⋅", "-": "−", "<=": "≤", ">=": "≥", "!=": "≠", "==": "=", "->": "→", "<-": "←", "+-": "±", "-+": "∓",
         "...": "…", "||": "‖"}
WORD = re.compile(r"[^\W\d_]*[aeou][^\W\d_]*")  # a long subscript with a vowel is a word; "ncij" is four indices
LETTERS = 3


def tag(name: str, *inner: str, **attributes: str) -> str:
    """An element with `inner`, which is markup already; the values of attributes are text."""
    written = "".join(f' {key}="{escape(value)}"' for key, value in attributes.items())
    return f"<{name}{written}>{''.join(inner)}</{name}>"


def sign(text: str, **attributes: str) -> str:
    """An operator or a bracket, as mathematics prints it."""
    return tag("mo", escape(SIGNS.get(text, text)), **attributes)


def word(name: str) -> str:
    """A name without subscripts, Greek where it names a Greek letter. Browsers set one letter italic, more upright."""
    return tag("mi", escape(GREEK.get(name, name)))


def subscript(letters: str) -> str:
    """Several indices, as in u_nk, or a word, as in x_static.

    >>> subscript("n0"), subscript("static")
    ('<mi>n</mi><mn>0</mn>', '<mi>static</mi>')
    """
    if len(letters) > LETTERS and WORD.fullmatch(letters) or letters in GREEK or letters in BIG:
        return word(letters)
    return "".join(tag("mn" if letter.isdigit() else "mi", escape(letter)) for letter in letters)


def symbol(name: str) -> tuple[str, str, str]:
    """A symbol as markup: the base, what stands below it, and what stands above."""
    if not name.strip(".…"):
        return sign(name), "", ""
    found = parts(name)
    base = word(found.base) if found.base else ""
    if found.differential:
        base = tag("mrow", tag("mi", "d", mathvariant="normal"), base)
    above = [sign("′" * found.primes)] * bool(found.primes) + [sign(found.sign)] * bool(found.sign)
    return base, "<mo>,</mo>".join(map(subscript, found.subscripts)), "".join(above)


def with_scripts(base: str, below: str, above: str) -> str:
    """`base`, one element, with what stands below and above at its right side; "" is nothing."""
    if not base:
        return below
    name = {(True, False): "msub", (False, True): "msup", (True, True): "msubsup"}.get((bool(below), bool(above)))
    scripts = [tag("mrow", script) if script.count("</") > 1 else script for script in (below, above) if script]
    return tag(name, base, *scripts) if name else base
