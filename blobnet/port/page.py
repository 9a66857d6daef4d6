"""The reports as a page of HTML, in one file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from html import escape

from blobnet.port.report import FileReport
from blobnet.port.table import HEADER, details, overview_row, shares, stops

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --yes: #1a7f37; --no: #c62828; }
@media (prefers-color-scheme: dark) { :root { --yes: #6fdd8b; --no: #ff8a80; } }
body { font: 15px/1.45 system-ui, sans-serif; margin: 0 auto; padding: 1.5rem 1rem 3rem; max-width: 76rem; }
h1 { font-size: 1.5rem; margin: 0 0 .5rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
input { font: inherit; padding: .35rem .6rem; width: min(26rem, 100%); box-sizing: border-box; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .35rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; }
th { white-space: nowrap; }
.nets td:first-child { min-width: 16rem; }
td.number { text-align: right; white-space: nowrap; }
.yes { color: var(--yes); } .no { color: var(--no); font-weight: 600; }
summary { cursor: pointer; overflow-wrap: anywhere; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: .5rem 0; font-size: .85rem; }
"""
_SCRIPT = """
const rows = [...document.querySelectorAll("tbody.nets tr")], box = document.querySelector("input");
box.addEventListener("input", () => {
  const words = box.value.toLowerCase().split(/\\s+/).filter(Boolean);
  for (const row of rows) row.hidden = !words.every(word => row.textContent.toLowerCase().includes(word));
});
"""
_NUMBERS = ("memory", "obstacles")


def page(reports: Sequence[FileReport]) -> str:
    """One page, which needs nothing else: shares, a table of nets to search in, what there is to say of each, and what
    stops most of them."""
    nets = [report for report in reports if report.is_net]
    folders = [os.path.dirname(os.path.abspath(report.path)) for report in nets]
    folder = os.path.commonpath(folders) if len(nets) > 1 else ""
    heads = "".join(f"<th scope=col>{head}" for head in HEADER)
    rows = "\n".join(_row(report, folder) for report in nets)
    counts = "\n".join(f"<tr><td class=number>{count}<td>{escape(text)}" for text, count in stops(reports))
    others = "".join(f"<pre>{escape(details(report))}</pre>" for report in reports if not report.is_net)
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8><title>Ports</title>",
        "<meta name=viewport content='width=device-width, initial-scale=1'>", f"<style>{_STYLE}</style>",
        "<h1>What it takes to run these nets</h1>", f"<p>{escape(folder)}</p>" if folder else "",
        f"<p>{escape(shares(nets))}.</p>" if nets else "",
        "<p><label>Show rows with <input type=search placeholder='a name, a type, no …'></label></p>",
        f"<div class=wide><table><thead><tr>{heads}<tbody class=nets>{rows}</table></div>",
        f"<h2>Obstacles, by how many files have them</h2><div class=wide><table><tbody>{counts}</table></div>"
        if counts else "",
        f"<h2>Other files</h2>{others}" if others else "", f"<script>{_SCRIPT}</script></html>"]
    return "\n".join(filter(None, parts)) + "\n"


def _row(report: FileReport, folder: str) -> str:
    path, *cells = overview_row(report)
    name = escape(os.path.relpath(path, folder) if folder else path)
    first = f"<td><details><summary>{name}</summary><pre>{escape(details(report))}</pre></details>"
    return "<tr>" + first + "".join(_cell(head, cell) for head, cell in zip(HEADER[1:], cells))


def _cell(head: str, text: str) -> str:
    kind = "number" if head in _NUMBERS else text if text in ("yes", "no") else ""
    return f"<td class={kind}>{escape(text)}" if kind else f"<td>{escape(text)}"
