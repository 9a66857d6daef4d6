#!/usr/bin/env python3
"""Print the tables in the READMEs of prototxt/ anew, by their commands, and say how far each number lies from the page.

    python tools/check_tables.py [RECIPE …] [--full] [--data data] [--out runs/tables]

A table belongs to the last `blobnet run RECIPE` above it, or `recipe_NAME.yaml`, whose methods are those of its rows;
--full takes those of the published budget instead of the reduced one. Each row is run with as many seeds as it says.
Finished trials are kept in --out, one folder for each kernel, so an interrupted check goes on. `apart` is the largest
distance of a mean from the page's, in standard deviations, of the page or of the new seeds, whichever is larger: three
seeds often lie nearer together than others would. Exit status 1 if a mean lies more than `--most` of them away. What
one seed gave has no deviation: such a row is printed beside the page's, `alone`, and not judged.

    env $(python .ci/narrower.py) python tools/check_tables.py      # as on a processor with narrower instructions
"""

from __future__ import annotations

import argparse
import functools
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from blobnet.errors import BlobnetError
from blobnet.published import find_recipe
from blobnet.recipes import read_recipe, run_recipe
from blobnet.recipes.recipe import Recipe

ROOT = Path(__file__).resolve().parent.parent
TABLE = re.compile(r"^\| method \|.*\| seeds \|\n\|[-|]+\n((?:\|.*\n)+)", re.M)
COMMAND = re.compile(r"blobnet run ([\w/]+)([^\n#`]*)|`recipe(?:_(\w+))?\.yaml( --full)?`")
ROUNDING = 0.0001

Cells = dict[str, tuple[float, float]]


@dataclass
class Table:
    """A table of a page: the name of its recipe, its budget, and for every method and measure mean and deviation."""

    recipe: str
    full: bool
    rows: dict[str, Cells]
    seeds: dict[str, int]


@functools.cache
def recipe_of(name: str) -> Recipe:
    """The published recipe of this name."""
    return read_recipe(find_recipe(name))


def read_rows(text: str) -> tuple[dict[str, Cells], dict[str, int]]:
    """The cells of a Markdown table by method and measure, and the seeds of the methods."""
    lines = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in text.strip().splitlines()]
    names, rows, seeds = lines[0], {}, {}
    for line in lines[2:]:
        method = re.sub(r" \(`[^)]*\)$", "", line[0])
        numbers = {name: re.match(r"([\d.]+)(?: \+- ([\d.]+))?", cell) for name, cell in zip(names[1:-1], line[1:-1])}
        rows[method] = {name: (float(found[1]), float(found[2] or 0)) for name, found in numbers.items() if found}
        seeds[method] = int(line[-1])
    return rows, seeds


def tables(page: Path) -> Iterator[Table]:
    """The tables of a page; rows of several recipes come as a table for each. ValueError for rows of no recipe."""
    text, folder = page.read_text("utf-8"), page.parent.name
    for table in TABLE.finditer(text):
        rows, seeds = read_rows(table[0])
        commands = []
        for name, flags, variant, full in COMMAND.findall(text[:table.start()]):
            name = name or "/".join(filter(None, (folder, variant)))
            commands.insert(0, (name, "--full" in (flags + full).split(), recipe_of(name).methods))
        whole = [command for command in commands if rows.keys() <= command[2].keys()]
        parts: dict[tuple[str, bool], list[str]] = {}
        for method in rows:
            owner = next((command for command in whole or commands if method in command[2]), None)
            if owner is None:
                raise ValueError(f"{page}: {method!r} is of no recipe that the page names before it")
            parts.setdefault(owner[:2], []).append(method)
        for (name, full), methods in parts.items():
            yield Table(name, full, {method: rows[method] for method in methods},
                        {method: seeds[method] for method in methods})


def apart(page: Cells, again: Cells) -> float:
    """The largest distance of two means, in the larger of their deviations."""
    return max(max(0, abs(again[name][0] - mean) - ROUNDING) / max(deviation, again[name][1], ROUNDING)
               for name, (mean, deviation) in page.items())


def kernels() -> str:
    """The name of the processor's kind that BLAS computes for."""
    from threadpoolctl import threadpool_info
    return next((info["architecture"] for info in threadpool_info() if info.get("architecture")), "unknown")


def run_again(table: Table, out: Path, data: str) -> dict[str, Cells]:
    """The rows of the table, as the recipe prints them now."""
    recipe = recipe_of(table.recipe)
    for count in sorted(set(table.seeds.values())):
        only = [method for method, seeds in table.seeds.items() if seeds == count]
        printed = run_recipe(recipe, out / table.recipe / ("full" if table.full else "reduced"), data, full=table.full,
                             seeds=recipe.seeds[:count], only=only, python_layers=True,
                             note=lambda text: print(text, file=sys.stderr))
    return read_rows(TABLE.search(printed)[0])[0]


def main() -> int:
    """Run, print, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recipes", nargs="*", metavar="RECIPE", help="dsh, dsh/digits, … (default: all)")
    parser.add_argument("--full", action="store_true", help="the tables of the published budgets")
    parser.add_argument("--data", default="data")
    parser.add_argument("--out", default="runs/tables")
    parser.add_argument("--most", type=float, default=2, help="deviations that a mean may lie apart (2)")
    args = parser.parse_args()
    kernel, worst = kernels(), 0.0
    for page in sorted(ROOT.glob("prototxt/*/README.md")):
        for table in tables(page):
            if table.full != args.full or args.recipes and table.recipe not in args.recipes:
                continue
            try:
                again = run_again(table, Path(args.out, kernel), args.data)
            except BlobnetError as error:
                print(f"{table.recipe}: {error}", flush=True)
                worst = float("inf")
                continue
            for method, cells in table.rows.items():
                distance = apart(cells, again[method]) if table.seeds[method] > 1 else None
                worst = max(worst, distance or 0)
                verdict = "alone       " if distance is None else f"apart {distance:6.2f}"
                print(f"{kernel:12} {table.recipe:20} {method:45} {verdict}  "
                      + ", ".join(f"{name} {again[method][name][0]:.4f} (page {mean:.4f} +- {deviation:.4f})"
                                  for name, (mean, deviation) in cells.items()), flush=True)
    return int(worst > args.most)


if __name__ == "__main__":
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    sys.exit(main())
