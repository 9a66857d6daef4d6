"""Flags in all the spellings that Caffe's users know, and the flags that several commands share."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable

from blobnet.core.context import TEST, TRAIN
from blobnet.log.glog import LEVEL_VARIABLE

PHASES = {"TRAIN": TRAIN, "TEST": TEST}
CAFFE_FLAGS = ("gpu", "solver", "model", "phase", "level", "stage", "snapshot", "weights", "iterations",
               "sigint_effect", "sighup_effect", "log_dir", "v", "stderrthreshold")
LOG_FLAGS = ("logtostderr", "alsologtostderr", "colorlogtostderr")  # which need no value
TRUE, FALSE = ("true", "t", "yes", "y", "1"), ("false", "f", "no", "n", "0")


def flag(parser: argparse._ActionsContainer, name: str, **options) -> None:
    """Add the option `name`, such as --sigint_effect, with `options` as for add_argument.

    It is also -sigint_effect, --sigint-effect and -sigint-effect, each with its value behind a blank or an =. Help and
    errors show `name`.
    """
    _show_first(parser.add_argument(*_spellings(name), **options))


def switch(parser: argparse._ActionsContainer, name: str, help: str) -> None:
    """Add an option without a value, False unless given: --gray and, as gflags has it, --gray=true and --nogray."""
    names = _spellings(name)
    _show_first(parser.add_argument(*names, *_with_value(names, TRUE), action="store_true", help=help))
    negative = _spellings(name.replace("--", "--no", 1))
    parser.add_argument(*negative, *_with_value(names, FALSE), dest=name.strip("-").replace("-", "_"),
                        action="store_false", default=False, help=argparse.SUPPRESS)


def whole(least: int = 1) -> Callable[[str], int]:
    """A type for options: whole numbers of at least `least`."""
    def convert(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if value < least:
            raise argparse.ArgumentTypeError(f"expected a whole number of at least {least}, got {text!r}")
        return value
    return convert


def words(text: str) -> list[str]:
    """A type for options: words with commas between them."""
    return [word.strip() for word in text.split(",") if word.strip()]


def add_state_flags(parser: argparse._ActionsContainer) -> None:
    """Add --level and --stage: what include and exclude rules of layers ask for."""
    flag(parser, "--level", type=int, default=0, metavar="N", help="the level of the net's state (default: 0)")
    flag(parser, "--stage", type=words, default=[], metavar="A,B", help="the stages of the net's state")


def add_plugin_flag(parser: argparse._ActionsContainer) -> None:
    """Add --plugin; `args.plugin` is a list of files."""
    flag(parser, "--plugin", action="append", default=[], metavar="FILE.py",
         help="load layer types of your own from this file first; may be given again")


def add_extension_flags(parser: argparse._ActionsContainer) -> None:
    """Add --plugin, --python-layers and --python-path, for commands that build nets: `args.plugin`, and
    `args.python_layers`. The folders of --python-path are in sys.path, before the others, once `args` are parsed.
    """
    add_plugin_flag(parser)
    switch(parser, "--python-layers",
           "let layers of the type Python import the modules that the net names, and run their code")
    flag(parser, "--python-path", action=_AddPythonPath, default=[], metavar="DIR",
         help="look for these modules in this folder first; may be given again")


def ignore_other_flags(parser: argparse.ArgumentParser) -> None:
    """Let `parser` pass over, with a word, what Caffe's program takes with every action and this one has no use for.

    --minloglevel, which they all take as well, has its effect.
    """
    flag(parser, "--minloglevel", type=whole(0), action=_SetLogLevel, metavar="N",
         help=f"log 0 everything, 1 warnings, 2 errors (default: what {LEVEL_VARIABLE} says, or 0)")
    for name, numbers in [*((name, None) for name in CAFFE_FLAGS), *((name, "?") for name in LOG_FLAGS)]:
        if f"--{name}" not in parser._option_string_actions:
            flag(parser, f"--{name}", nargs=numbers, action=_Ignore, help=argparse.SUPPRESS)


class _SetLogLevel(argparse.Action):
    def __call__(self, parser, namespace, values, option_string=None):
        os.environ[LEVEL_VARIABLE] = str(values)


class _AddPythonPath(argparse.Action):
    def __call__(self, parser, namespace, values, option_string=None):
        if not os.path.isdir(values):
            raise argparse.ArgumentError(self, f"there is no folder {values!r}")
        folders = getattr(namespace, self.dest)
        sys.path.insert(len(folders), os.path.abspath(values))
        setattr(namespace, self.dest, [*folders, values])


class _Ignore(argparse.Action):
    def __call__(self, parser, namespace, values, option_string=None):
        print(f"blobnet: {option_string} has no effect on this command", file=sys.stderr)


def _spellings(name: str) -> list[str]:
    bare = name.strip("-")
    return list(dict.fromkeys(spelling for long in (name, "--" + bare.replace("_", "-"), "--" + bare.replace("-", "_"))
                              for spelling in (long, long[1:])))


def _with_value(names: list[str], values: tuple[str, ...]) -> list[str]:
    return [f"{name}={value}" for name in names for value in values]


def _show_first(action: argparse.Action) -> None:
    action.option_strings = action.option_strings[:1]
