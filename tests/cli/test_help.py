"""Help fits the terminal."""

import argparse

import pytest

from blobnet.cli import COMMANDS, parser
from blobnet.cli._parser import CommandParser

TEXT = """\
A first paragraph whose words
stand in two lines.

things:
  one    is the first
         of them
  second
         is longer than the column, so its words begin
         below it
  longest  says so much that it does not fit into a line of fifty columns

  a line to copy \\
      which goes on"""
SHOWN = """\
A first paragraph whose words stand in two lines.

things:
  one    is the first of them
  second
         is longer than the column, so its words
           begin
         below it
  longest  says so much that it does not fit into
           a line of fifty columns

  a line to copy \\
      which goes on
"""


def parsers(root):
    yield root
    for action in root._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                yield from parsers(inner)


@pytest.mark.parametrize("columns", [80, 120])
def test_no_line_is_wider_than_the_terminal(columns, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    found = list(parsers(parser()))
    assert len(found) > len(COMMANDS)
    for one in found:
        lines = one.format_help().splitlines()
        assert max(map(len, lines)) <= columns, one.prog
        assert not any("\033" in line for line in lines)


def test_paragraphs_are_filled_and_lists_are_kept(monkeypatch):
    monkeypatch.setenv("COLUMNS", "52")
    text = CommandParser(prog="tool", description=TEXT, add_help=False).format_help()
    assert text.partition("\n\n")[2] == SHOWN


def test_a_very_wide_terminal_is_not_filled(monkeypatch):
    monkeypatch.setenv("COLUMNS", "400")
    train = next(one for one in parsers(parser(["train"])) if one.prog == "blobnet train")
    assert 100 < max(map(len, train.format_help().splitlines())) <= 120
