"""Training logs, Caffe's or blobnet's, read back: what the nets put out, and when."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from blobnet.errors import DataError
from blobnet.proto.storage import atomic_write, require_file

NUMBER = r"([-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?|nan|inf))"
HEAD = re.compile(r"\s*[A-Z](\d{4})?(\d\d)(\d\d)\s+(\d+):(\d\d):(\d\d)\.(\d+)\s")  # I0210 13:39:22.381027 25210 solver…
LEAP_DAY = re.compile("^[A-Z]0229 ", re.M)
ITERATION = re.compile(r"Iteration (\d+)")
RATE = re.compile("lr = " + NUMBER)
OUTPUTS = {kind: re.compile(rf"{kind} net output #(\d+): (\S+) = " + NUMBER) for kind in ("Train", "Test")}
COLUMNS = ("NumIters", "Seconds", "LearningRate")
Row = dict[str, float]


class Line(NamedTuple):
    """A line after "Solving …": seconds since then, the last iteration that was named, and the text behind the head."""

    seconds: float
    iteration: float
    text: str


def read_log(path: str | os.PathLike) -> list[Line]:
    """The lines of the log at `path` from the first that names an iteration on; lines without glog's head are left out.

    Glog's heads have no year (newer ones may): it is that in which the file was last written, or a leap year before it
    if February 29 is in the log, and one more whenever the month goes back. Raises DataError for a log without a
    "Solving" line.
    """
    path = require_file(path)
    text = path.read_text("utf-8", "replace")
    year = datetime.fromtimestamp(path.stat().st_mtime).year
    lines = list(_lines(text.splitlines(), year - year % 4 if LEAP_DAY.search(text) else year))
    if not lines:
        raise DataError(os.fspath(path), expected='a training log: a line "… Solving <net>", iterations after it',
                        hint="keep what the training writes to standard error: … 2> train.log")
    return lines


def _lines(texts: list[str], year: int) -> Iterator[Line]:
    start = last = iteration = None
    for text in texts:
        when = _time(text, year)
        if start is None:
            start = last = when if "Solving" in text else None
            continue
        found = ITERATION.search(text)
        iteration = float(found[1]) if found else iteration
        if iteration is None or when is None:
            continue
        if when.month < last.month and not HEAD.match(text)[1]:
            year += 1
            when = _time(text, year) or when
        last = when
        yield Line((when - start).total_seconds(), iteration, text)


def _time(text: str, year: int) -> datetime | None:
    """The time in the head of a line, None without one."""
    head = HEAD.match(text)
    if head is None:
        return None
    own_year, month, day, hour, minute, second, fraction = head.groups()
    try:
        return datetime(int(own_year or year), int(month), int(day), int(hour), int(minute), int(second), int(fraction))
    except (ValueError, OverflowError):  # no such time
        return None


def parse_log(path: str | os.PathLike) -> tuple[list[Row], list[Row]]:
    """Rows of the outputs of the training net and of the test nets in the log at `path`.

    A row has NumIters, Seconds since "Solving", LearningRate, and the outputs by name: of an output with several
    elements the last. Raises DataError for a log in which no net puts anything out.
    Quirks, as in Caffe's parse_log.py: LearningRate is the last one before the row, that of the first row is copied
    from the second; a row is complete when it has as many columns as the first, and a last one that is not is left
    out; of several test nets with the same outputs the first row has the values of the last net. Other than there,
    nan and inf are values, and a first row that has no successor is kept.
    """
    tables = {"Train": _Table(), "Test": _Table()}
    rate = float("nan")
    for line in read_log(path):
        found = RATE.search(line.text)
        rate = float(found[1]) if found else rate
        for kind, table in tables.items():
            output = OUTPUTS[kind].search(line.text)
            if output:
                table.add(line, rate, output[2], float(output[3]))
    train, test = (table.finish() for table in tables.values())
    if not train and not test:
        raise DataError(os.fspath(path), "no line of a net's outputs",
                        hint="set display and test_interval in the solver")
    return train, test


class _Table:
    """Rows as they grow."""

    def __init__(self):
        self.rows: list[Row] = []
        self.row: Row = {}

    def add(self, line: Line, rate: float, name: str, value: float) -> None:
        if self.row.get("NumIters") != line.iteration:
            if self.row:
                self.rows.append(self.row)
            self.row = dict(zip(COLUMNS, (line.iteration, line.seconds, rate)))
        self.row[name] = value
        if self.rows and len(self.row) == len(self.rows[0]):
            self.rows.append(self.row)
            self.row = {}

    def finish(self) -> list[Row]:
        rows = self.rows or [self.row] * bool(self.row)
        if len(rows) > 1:
            rows[0]["LearningRate"] = rows[1]["LearningRate"]
        return rows


def write_rows(path: str | os.PathLike, rows: list[Row], delimiter: str = ",") -> None:
    """Write `rows` as CSV (lines end as RFC 4180 has it), atomically; a row has nothing under a column it lacks."""
    text = io.StringIO(newline="")
    columns = dict.fromkeys(name for row in rows for name in row)
    writer = csv.DictWriter(text, list(columns), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    with atomic_write(path) as file:
        file.write(text.getvalue().encode())


def log_name(path: str | os.PathLike) -> str:
    """What a log is called in a legend: the name of its file without .log."""
    return Path(path).name.removesuffix(".log")
