"""Pieces of HTML for notebooks: words, tables, and the frame around them. All of it is well-formed XML, too."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from html import escape

NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
LIGHT = "--bn-line: #0072b2; --bn-good: #1a7f37; --bn-bad: #c62828; --bn-note: #8a5a00;"
DARK = "--bn-line: #56b4e9; --bn-good: #6fdd8b; --bn-bad: #ff8a80; --bn-note: #e6b450;"
# Text keeps the colour of the page. The rest asks what the reader's system prefers, and what the page says of itself:
# JupyterLab, VS Code and Colab each in a way of their own.
STYLE = f"""
.blobnet {{ {LIGHT} font: 13px/1.45 system-ui, sans-serif; overflow-wrap: anywhere; }}
@media (prefers-color-scheme: dark) {{ .blobnet {{ {DARK} }} }}
[data-jp-theme-light=true] .blobnet, .vscode-light .blobnet, html[theme=light] .blobnet {{ {LIGHT} }}
[data-jp-theme-light=false] .blobnet, .vscode-dark .blobnet, html[theme=dark] .blobnet {{ {DARK} }}
.blobnet .bn-title {{ font-size: 14px; margin: .3em 0; }}
.blobnet .bn-small {{ font-size: 12px; margin: .3em 0; }}
.blobnet .bn-wide {{ overflow-x: auto; max-width: 100%; margin: .4em 0; }}
.blobnet .bn-row {{ display: flex; flex-wrap: wrap; gap: 0 1.5em; align-items: flex-start; }}
.blobnet figure {{ margin: .4em 0 .8em; min-width: min(20em, 100%); max-width: 100%; }}
.blobnet figcaption {{ font-size: 12px; width: 0; min-width: 100%; }}
.blobnet img, .blobnet svg.bn-chart {{ max-width: 100%; height: auto; }}
.blobnet img {{ image-rendering: pixelated; display: block; outline: 1px solid #8885; }}
.blobnet pre {{ white-space: pre-wrap; font-size: 12px; margin: .4em 0; }}
.blobnet summary {{ cursor: pointer; }}
.blobnet table {{ border-collapse: collapse; font-size: 12px; font-variant-numeric: tabular-nums; margin: 0; }}
.blobnet th, .blobnet td {{ padding: .2em .6em; text-align: right; vertical-align: top;
  border-bottom: 1px solid #8886; white-space: nowrap; }}
.blobnet tr:is(.bn-good, .bn-bad, .bn-note) td:last-child {{ white-space: normal; min-width: 24em; }}
.blobnet th.bn-left, .blobnet td.bn-left {{ text-align: left; }}
.blobnet tr.bn-good td:last-child {{ color: var(--bn-good); }}
.blobnet tr.bn-bad td {{ color: var(--bn-bad); font-weight: 600; }}
.blobnet tr.bn-note td:last-child {{ color: var(--bn-note); }}
.blobnet tr.bn-set td {{ font-weight: 600; }}
@media print {{ .blobnet {{ {LIGHT} }} .blobnet .bn-wide {{ overflow: visible; }} }}
"""


def clean(text: str) -> str:
    """`text` with U+FFFD for all letters that XML cannot hold."""
    return NOT_XML.sub("\ufffd", text)


def words(text: object) -> str:
    """`text` as text of HTML or as the value of an attribute, whatever is in it.

    >>> words('<b> & "c"' + chr(0))
    '&lt;b&gt; &amp; &quot;c&quot;\ufffd'
    """
    return escape(clean(str(text)))


def html_table(rows: Sequence[Sequence[str]], left: Collection[int] = (0,), looks: Sequence[str] = ()) -> str:
    """`rows` as a table, the first of them the heads: the columns `left` to the left, the others to the right.

    looks: a look for every row but the first: good, bad, note, set or "".
    """
    def line(row: Sequence[str], tag: str, more: str = "", look: str = "") -> str:
        cells = (f"<{tag}{more}" + ' class="bn-left"' * (i in left) + f">{words(cell)}</{tag}>"
                 for i, cell in enumerate(row))
        return (f'<tr class="bn-{look}">' if look else "<tr>") + "".join(cells) + "</tr>"

    head = line(rows[0], "th", ' scope="col"')
    body = "\n".join(line(row, "td", look=look) for row, look in zip(rows[1:], looks or [""] * len(rows)))
    return f'<div class="bn-wide" tabindex="0"><table><thead>{head}</thead><tbody>{body}</tbody></table></div>'


def title(text: object) -> str:
    """The line over everything else."""
    return f'<p class="bn-title"><strong>{words(text)}</strong></p>'


def remark(text: object) -> str:
    """A line in small letters."""
    return f'<p class="bn-small">{words(text)}</p>'


def framed(*parts: str) -> str:
    """One piece of HTML, with its style, of pieces that are well-formed."""
    return f'<div class="blobnet"><style>{STYLE}</style>\n' + "\n".join(filter(None, parts)) + "\n</div>"
