"""A net as text that other programs draw: DOT for Graphviz, and Mermaid."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from blobnet.view.draw.graph import Graph
from blobnet.view.draw.rows import Row, box_rows
from blobnet.view.draw.shapes import INK, WIRE


def dot(graph: Graph, rankdir: str = "LR", display_lrm: bool = False) -> str:
    """`graph` in the DOT language. A box is a table with a row for each layer; a blob that nobody reads is a node."""
    lines = [f"digraph {_quoted(graph.name or 'Net')} {{", f"  rankdir={rankdir};",
             '  node [shape=plain, fontname="Helvetica", fontsize=11];',
             '  edge [fontname="Helvetica", fontsize=9, color="' + WIRE + '"];']
    for number, box in enumerate(graph.boxes):
        if box.layers:
            rows = "".join(f'<tr><td bgcolor="{row.fill}">' + "<br/>".join(_words(row, escape)) + "</td></tr>"
                           for row in box_rows(box, graph, display_lrm))
            lines.append(f'  n{number} [label=<<table border="0" cellborder="1" cellspacing="0" cellpadding="4">'
                         f"{rows}</table>>];")
        else:
            lines.append(f"  n{number} [shape=box, style=rounded, height=0.3, label={_quoted(box.label)}];")
    for wire in graph.wires:
        for target in wire.targets:
            label = f" [label={_quoted(wire.label)}]" if wire.label else ""
            lines.append(f"  n{wire.source} -> n{target}{label};")
    return "\n".join([*lines, "}", ""])


def mermaid(graph: Graph, rankdir: str = "LR", display_lrm: bool = False) -> str:
    """`graph` as a Mermaid flowchart, as GitHub and others show it in Markdown."""
    lines = [f"flowchart {rankdir}"]
    fills: dict[str, list[str]] = {}
    for number, box in enumerate(graph.boxes):
        if box.layers:
            rows = box_rows(box, graph, display_lrm)
            words = "<br/>".join(word for row in rows for word in _words(row, _entities))
            lines.append(f'  n{number}["{words}"]')
            fills.setdefault(rows[0].fill, []).append(f"n{number}")
        else:
            lines.append(f'  n{number}(["{_entities(box.label)}"])')
    for wire in graph.wires:
        for target in wire.targets:
            arrow = f'-- "{_entities(wire.label)}" -->' if wire.label else "-->"
            lines.append(f"  n{wire.source} {arrow} n{target}")
    for number, (fill, members) in enumerate(fills.items()):
        lines += [f"  classDef c{number} fill:{fill},stroke:{INK},color:{INK}",
                  f"  class {','.join(members)} c{number}"]
    return "\n".join([*lines, ""])


def _words(row: Row, clean: Callable[[str], str]) -> list[str]:
    """The lines of a row in the little HTML that both languages know."""
    name, kind = f"<b>{clean(row.name or '-')}</b>", clean(row.type or "-")
    return ([f"{name} {kind}"] if row.in_place else [name, kind]) + [clean(fact) for fact in row.facts]


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _entities(text: str) -> str:
    """Everything that Mermaid might read as more than a letter, as a numbered entity."""
    return "".join(letter if letter.isalnum() or letter in " _-./(),:+" else f"#{ord(letter)};" for letter in text)
