"""A page a command of the command line, from its parser."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from itertools import groupby
from textwrap import dedent

from blobnet.cli import GROUPS, parser
from pages.markdown import block, code, page, plain, table, toctree

Parser = argparse.ArgumentParser


def pages() -> dict[str, str]:
    """The pages of all commands, and one that lists them."""
    root = parser()
    commands, helps = _subparsers(root)
    parts = [f"## {title[0].upper()}{title[1:]}\n\n" + table(
        ["command", "what it does"], [(f"{{command}}`{name}`", plain(helps[name])) for name in names])
        for title, names in GROUPS.items()]
    index = page("The command line", "`blobnet COMMAND --help` (or `-h`) prints what is written here. With any "
                 "command, `--max-memory SIZE` is what a file may unpack to; `blobnet --version` prints the version.",
                 *parts, toctree((f"blobnet-{name}" for name in commands), ":hidden:"))
    return {f"commands/blobnet-{name}.md": _command(name, command) for name, command in commands.items()} | {
        "commands/index.md": index}


def _subparsers(command: Parser) -> tuple[dict[str, Parser], dict[str, str]]:
    """The commands in a command, and what they are for."""
    for action in command._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices), {choice.dest: choice.help or "" for choice in action._get_subactions()}
    return {}, {}


def _command(name: str, command: Parser) -> str:
    return page(f"blobnet {name}", block("{command} " + name, ""), *_parts(command))


def _parts(command: Parser) -> Iterator[str]:
    inner, _ = _subparsers(command)
    yield _prose(command.description or "")
    yield block("text", _usage(command))
    for group in command._action_groups:
        actions = [action for action in group._group_actions if action.help != argparse.SUPPRESS
                   and not isinstance(action, (argparse._SubParsersAction, argparse._HelpAction))]
        if actions:
            yield f"**{group.title}**" + f": {plain(group.description or '')}" * bool(group.description)
            yield table(["flag" if actions[0].option_strings else "argument", "meaning"],
                        [_row(action, command) for action in actions])
    if command.epilog:
        yield _prose(command.epilog)
    for below in inner.values():
        yield f"## {below.prog}"
        yield from _parts(below)


def _prose(text: str) -> str:
    """A description: its paragraphs, and lines that are set in, which are commands or a table, as they are."""
    return "\n\n".join(block("text", dedent("\n".join(lines))) if is_set_in else plain(" ".join(lines))
                       for paragraph in text.split("\n\n")
                       for is_set_in, lines in groupby(paragraph.split("\n"), lambda line: line.startswith(" ")))


def _usage(command: Parser) -> str:
    formatter = argparse.HelpFormatter(command.prog, width=78)
    formatter.add_usage(command.usage, command._actions, command._mutually_exclusive_groups, prefix="")
    return formatter.format_help().strip()


def _row(action: argparse.Action, command: Parser) -> tuple[str, str]:
    """A flag with what follows it; and what it is for, with the choices and the default, if its help lacks them."""
    formatter = command._get_formatter()
    words = formatter._format_args(action, formatter._get_default_metavar_for_optional(action)
                                   if action.option_strings else formatter._get_default_metavar_for_positional(action))
    said = formatter._expand_help(action) if action.help else ""
    text = plain(said)
    missing = [str(choice) for choice in action.choices or () if str(choice) not in f"{words} {said}"]
    if missing and not isinstance(action.choices, range):  # "0 to 7" says it
        text += f". One of {', '.join(map(code, missing))}"
    default = action.default if isinstance(action.default, list) else [action.default]
    if action.option_strings and "(default" not in said and any(
            value is not None and not isinstance(value, bool) and str(value) not in said for value in default):
        text += f" (default: {code(' '.join(map(str, default)))})"
    return " ".join(map(code, filter(None, [*action.option_strings, words]))), text
