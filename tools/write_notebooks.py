#!/usr/bin/env python3
"""Write the notebooks of the lessons with `import caffe` in examples/, and of examples/course: NAME.py -> NAME.ipynb.

The lesson's page becomes the first cell, its imports, constants and functions a cell each, and its main() the cells
that are worked through: a heading for every line that main() prints as "1. …", with the comment below that line as its
text. Options become plain values. The notebooks of the course are executed and hold what the lesson prints; to execute
one anew, remove it first.

    python tools/write_notebooks.py [--check]
"""

from __future__ import annotations

import argparse
import ast
import os
import re
import sys
import tempfile
import textwrap
from pathlib import Path

try:
    import nbformat
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
except ModuleNotFoundError:
    sys.exit("tools/write_notebooks.py needs nbformat: pip install nbformat")

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
LESSONS = sorted(EXAMPLES.glob("0[4-8]_*.py"))
COURSE = sorted(EXAMPLES.glob("course/*.py"))
KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
SHOW = """from IPython.display import Image, display

for path in sorted(args.out.glob("*.png")):
    display(Image(path))"""


def notebook(path: Path) -> nbformat.NotebookNode:
    """The notebook of the lesson `path`, not executed."""
    lines = path.read_text("utf-8").splitlines()
    tree = ast.parse("\n".join(lines))
    page, *body = tree.body
    cells = [new_markdown_cell(_markdown(page.value.value))]
    last = page.end_lineno
    for group in _groups(body):
        if isinstance(group[0], ast.FunctionDef) and group[0].name == "main":
            cells += _main_cells(group[0], lines)
            break
        cells.append(new_code_cell("\n".join(lines[last:group[-1].end_lineno]).strip().replace("  # noqa: E402", "")))
        last = group[-1].end_lineno
    if any("args.out" in cell.source for cell in cells):
        cells.append(new_code_cell(SHOW))
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"  # else drawn at random
    return new_notebook(cells=cells, metadata=KERNEL)


def execute(book: nbformat.NotebookNode) -> None:
    """Run all cells, in an empty folder."""
    from nbclient import NotebookClient

    os.environ |= {"PYTHONPATH": str(EXAMPLES.parent), "JUPYTER_PLATFORM_DIRS": "1"}
    with tempfile.TemporaryDirectory() as folder:
        NotebookClient(book, record_timing=False, resources={"metadata": {"path": folder}}).execute()
    book.metadata = KERNEL  # without the version of this Python


def bare(text: str) -> str:
    """The text of a notebook without what its cells put out."""
    book = nbformat.reads(text, as_version=4)
    for cell in book.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return nbformat.writes(book) + "\n"


def _markdown(page: str) -> str:
    """The docstring without the line that says how the script is called; its first sentence is the title."""
    page = re.sub(r"\n    python .*", "", page).strip()
    title, _, rest = page.partition("\n")
    return f"# {title.rstrip('.')}\n{rest}".strip()


def _groups(body: list[ast.stmt]) -> list[list[ast.stmt]]:
    """Functions and classes alone; whatever stands between them together."""
    groups: list[list[ast.stmt]] = []
    for statement in body:
        alone = isinstance(statement, (ast.FunctionDef, ast.ClassDef))
        if alone or not groups or isinstance(groups[-1][0], (ast.FunctionDef, ast.ClassDef)):
            groups.append([statement])
        else:
            groups[-1].append(statement)
    return groups


def _main_cells(main: ast.FunctionDef, lines: list[str]) -> list:
    """The cells of main()."""
    parsing = max((i for i, statement in enumerate(main.body) if re.search(r"\bparser\b", ast.unparse(statement))),
                  default=-1)
    options = [_option(statement) for statement in main.body[:parsing + 1] if "add_argument" in ast.unparse(statement)]
    given = "from types import SimpleNamespace\n\nargs = SimpleNamespace(" + ", ".join(options) + ")\n"
    blocks = [("", given if options else "")]
    last = main.body[parsing].end_lineno if options else main.lineno
    for statement in main.body[parsing + 1:]:
        text = textwrap.dedent("\n".join(lines[last:statement.end_lineno]))
        last = statement.end_lineno
        title = re.match(r'print\(f?"(\d+\. [^"{]*?)[:"]', text.strip())
        if title or text.startswith("\n"):
            blocks.append((f"## {title[1]}" if title else "", ""))
        heading, code = blocks.pop()
        blocks.append((heading, code + text + "\n"))
    return [cell for heading, code in map(_with_text, blocks) if code
            for cell in [new_markdown_cell(heading)] * bool(heading) + [new_code_cell(code)]]


def _with_text(block: tuple[str, str]) -> tuple[str, str]:
    """The block, where the comment that stands below the line with its title is text of the heading."""
    heading, code = block[0], block[1].strip()
    found = re.match(r"(print\(.*\n)((?:#.*\n)+)", code) if heading else None
    if not found:
        return heading, code
    text = re.sub(r"^# ?", "", found[2], flags=re.MULTILINE)
    return f"{heading}\n\n{text}".strip(), found[1] + code[found.end():]


def _option(statement: ast.stmt) -> str:
    """`name=default` of an add_argument call."""
    call = statement.value
    default = next(keyword.value for keyword in call.keywords if keyword.arg == "default")
    return f"{call.args[0].value.lstrip('-')}={ast.unparse(default)}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file is not what it should be")
    args = parser.parse_args()
    stale = []
    for path in LESSONS + COURSE:
        target, book = path.with_suffix(".ipynb"), notebook(path)
        text = nbformat.writes(book) + "\n"
        there = target.read_text("utf-8") if target.exists() else ""
        if (bare(there) if there and path in COURSE else there) != text:
            stale.append(target.name)
            if not args.check:
                if path in COURSE:
                    execute(book)
                target.write_text(nbformat.writes(book) + "\n", "utf-8")
    print("stale:" if args.check else "written:", ", ".join(stale) or "none")
    return 1 if args.check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
