"""The parser of all commands: how help is laid out, and what it says of a wrong word."""

from __future__ import annotations

import argparse
import itertools
import re
import shutil
import sys
import textwrap
from collections.abc import Iterable
from typing import NoReturn

from blobnet.errors import did_you_mean, nearest
from blobnet.log.colour import painted

WIDEST = 120  # columns of help, however wide the terminal is
MISSING = "the following arguments are required: "  # as argparse says it
SHOWN = re.compile(r" +(?:\S+(?: \S+)* {2,})?")  # what a line of a list begins with: its indent, and its first column


class Help(argparse.HelpFormatter):
    """Help whose paragraphs fill the terminal. Lines that begin with a blank are a list, and stay lines."""

    def __init__(self, prog: str, **options):
        options.setdefault("width", min(shutil.get_terminal_size().columns, WIDEST) - 2)
        super().__init__(prog, **options)

    def start_section(self, heading: str) -> None:
        super().start_section(painted(heading, "heading", sys.stdout))

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        lines: list[str] = []
        for kind, group in itertools.groupby(text.splitlines(), key=_kind):
            if kind == "list":
                lines += (part for line in _whole(group) for part in _hanging(line, width))
            else:
                lines += textwrap.wrap(" ".join(group), width, break_long_words=False, break_on_hyphens=False) or [""]
        return "\n".join(indent + line for line in lines)


def _kind(line: str) -> str:
    return "list" if line.startswith(" ") else "prose" if line else "between"


def _whole(lines: Iterable[str]) -> list[str]:
    """Lines of a list, each with those below it that go on in its second column."""
    whole: list[str] = []
    for line in lines:
        start = len(line) - len(line.lstrip())
        if whole and start == SHOWN.match(whole[-1]).end() and not whole[-1].startswith(" " * start):
            whole[-1] += " " + line.strip()
        else:
            whole.append(line)
    return whole


def _hanging(line: str, width: int) -> list[str]:
    """A line of a list, cut into lines of `width` where it is longer: they go on in its second column, or indented."""
    start = SHOWN.match(line).end()
    indent = start if line[:start].strip() else start + 2
    return textwrap.wrap(line, width, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False)


class CommandParser(argparse.ArgumentParser):
    """A parser with this help, whose commands are parsers of the same kind.

    Words that a command does not know are its own error, with its usage and the nearest flags.
    """

    def __init__(self, *args, **options):
        super().__init__(*args, **{"formatter_class": Help, **options})
        self._words: list[str] = []  # what was typed
        self.color = False  # Python 3.14 has colours of its own; these are the same in all versions

    def format_help(self) -> str:
        usage, rest = "usage:", super().format_help()
        return painted(usage, "heading", sys.stdout) + rest.removeprefix(usage)

    def parse_known_args(self, args=None, namespace=None):
        self._words = list(sys.argv[1:] if args is None else args)
        namespace, others = super().parse_known_args(args, namespace)
        self._take_late(namespace, others)
        if others:
            hint = did_you_mean(self._near_flags(others)) or f"`{self.prog} --help` lists what there is"
            self.error(f"unrecognized arguments: {' '.join(others)}; {hint}")
        return namespace, others

    def _take_late(self, namespace: argparse.Namespace, others: list[str]) -> None:
        """Give a word behind flags to the argument that may be left out: argparse takes that for missing by then."""
        for action in self._get_positional_actions():
            late = action.nargs == argparse.OPTIONAL and getattr(namespace, action.dest, None) is action.default
            if late and others and not others[0].startswith("-"):
                setattr(namespace, action.dest, self._get_values(action, [others.pop(0)]))

    def error(self, message: str) -> NoReturn:
        if message.startswith(MISSING):
            message += f"; {self._missing_hint(message)}"
        self.print_usage(sys.stderr)
        self.exit(2, f"{painted(f'{self.prog}: error:', 'bad', sys.stderr)} {message}\n")

    def _missing_hint(self, message: str) -> str:
        """What to do about arguments that are missing: a flag may be misspelt, or a word have none before it."""
        positional = self._get_positional_actions()
        for action in positional:
            if isinstance(action, argparse._SubParsersAction) and message.endswith(f" {action.metavar}"):
                return f"one of {', '.join(action.choices)}"
        first = next(iter(self._words), "-")
        if not positional and not first.startswith("-"):
            return f"{first!r} needs its flag: {message.removeprefix(MISSING).split(',')[0]} {first}"
        return did_you_mean(self._near_flags(self._words)) or f"`{self.prog} --help` explains them"

    def _near_flags(self, words: Iterable[str]) -> list[str]:
        """The flags that are nearest to those among `words` which there are not."""
        shown = [name for action in self._actions if action.help != argparse.SUPPRESS
                 for name in action.option_strings if name.startswith("--")]
        names = [word.partition("=")[0] for word in words if word.startswith("-")]
        return [near for name in names if not any(known.startswith(name) for known in self._option_string_actions)
                for near in nearest("--" + name.strip("-"), shown, 1)]
