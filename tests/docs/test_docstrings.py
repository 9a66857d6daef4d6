"""Docstrings of the house as reStructuredText."""

import pytest
from pages.docstrings import as_rest
from pages.markdown import block, plain


@pytest.mark.parametrize("text, expected", [
    ("The net `net`.", "The net ``net``."),
    ("a * b, *args, |x| and lstm_ (N, C)", r"a \* b, \*args, \|x\| and lstm\_ (N, C)"),
    ("file:line:column: see https://x.org", r"file\:line\:column: see https://x.org"),
    ("One line.\n        ", "One line."),
    ("as in snake_case", "as in snake_case"),
    ("One.\n\n    with live(solver):\n        solver.step(1)", "One.\n\n::\n\n        with live(solver):\n"
     "            solver.step(1)"),
    ("* a\n  b\n* c*d", "* a\n  b\n* c\\*d"),
    (">>> f(*x)\n`1`", ">>> f(*x)\n`1`"),
    ("an open ` alone", r"an open \` alone"),
])
def test_as_rest(text, expected):
    assert "\n".join(as_rest(text.split("\n"))) == expected + "\n"


def test_plain_text_means_itself():
    assert plain("a_b *c* <x> `d|e*`\n  f | g") == r"a\_b \*c\* \<x\> `d\|e*` f \| g"


def test_a_block_may_hold_blocks():
    assert block("text", "```sh\nls\n```") == "````text\n```sh\nls\n```\n````\n"
