"""The command line: `blobnet COMMAND …`, one module a command."""

from __future__ import annotations

import argparse
import importlib
import os
import re
import sys
from collections.abc import Mapping, Sequence

from blobnet import __version__
from blobnet.cli._parser import CommandParser
from blobnet.errors import BlobnetError, close_matches
from blobnet.launcher import led
from blobnet.log.colour import painted
from blobnet.proto import budget

GROUPS = {  # what `blobnet --help` shows together
    "every day": ("train", "test", "run", "summary", "port", "check", "explain", "grade", "weights", "encode", "index",
                  "search", "evaluate", "data", "new", "convert", "prototxt", "layers", "layer", "doctor",
                  "completion"),
    "Caffe's tools, with their flags": (
        "time", "device_query", "convert_imageset", "convert_annoset", "compute_image_mean", "extract_features",
        "upgrade_net_proto_text", "upgrade_net_proto_binary", "upgrade_solver_proto_text", "draw_net", "summarize",
        "parse_log", "plot_training_log", "resize_and_crop_images"),
}
ACTIONS = ("train", "test", "time", "device_query", "device-query")  # of Caffe's program
_LAST = """\
`blobnet COMMAND --help` explains a command. With any of them, --max-memory SIZE is what a file may unpack to (default:
1G, or 8 times its own size if that is more); see SECURITY.md."""
EMPTY_FLAG = re.compile(r"--?\w+=")
COMMANDS = tuple(name for names in GROUPS.values() for name in names)


def parser(commands: Sequence[str] = COMMANDS) -> argparse.ArgumentParser:
    """The parser of these commands; each module adds its own by `add_parser(subparsers)`.

    Those that are not needed are not imported, as that takes its time. Help shows all, if all are there.
    """
    root = CommandParser(prog="blobnet", usage="%(prog)s [-h] [--version] COMMAND …",
                         description="Run networks that were published as Caffe prototxt.")
    root.add_argument("--version", action="version", version=f"blobnet {__version__}",
                      help="show the version and exit")
    subparsers = root.add_subparsers(metavar="COMMAND", required=True, prog="blobnet", help=argparse.SUPPRESS)
    for name in commands:
        importlib.import_module(f"blobnet.cli.{name}").add_parser(subparsers)
    if commands is COMMANDS:
        root.epilog = _overview({action.dest: action.help for action in subparsers._get_subactions()})
    return root


def _overview(helps: Mapping[str, str]) -> str:
    """The commands in their groups, with what they are for."""
    width = max(map(len, helps))
    parts = ["\n".join([painted(f"{title}:", "heading", sys.stdout),
                        *(f"    {name:{width}}  {helps[name]}" for name in names)]) for title, names in GROUPS.items()]
    return "\n\n".join([*parts, _LAST])


def _as_caffe(words: list[str]) -> list[str]:
    """The command line with one of Caffe's actions first, and without flags that are empty: `-solver s -gpu= train`."""
    action = next((word for word in words if word in ACTIONS), None)
    if action is None or not (words[0] == action or words[0].startswith("-")):
        return words
    words.remove(action)
    return [action, *(word for word in words if not EMPTY_FLAG.fullmatch(word))]


def _with_memory(words: list[str]) -> list[str]:
    """The command line without --max-memory, which may stand anywhere in it and goes where all readers look."""
    flags = argparse.ArgumentParser(prog="blobnet", add_help=False, allow_abbrev=False)
    flags.add_argument("--max-memory", "--max_memory")
    given, others = flags.parse_known_args(words)
    if given.max_memory is not None:
        os.environ[budget.VARIABLE] = given.max_memory
    return others


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return 0 if it did what it should, 1 for what went wrong, with one line on standard error."""
    words = _with_memory(_as_caffe(list(sys.argv[1:] if arguments is None else arguments)))
    if not words or words[0] == "help":  # alone, or of a command
        words = [*words[1:2], "--help"]
    if words[0].startswith("-"):
        root = parser(COMMANDS if words[0] in ("-h", "--help") else ())
        if not any(flag.startswith(words[0]) for flag in ("-h", "--help", "--version")):
            root.error(f"the command comes first, and then {words[0]}; `blobnet --help` lists the commands")
    else:
        words[0] = words[0].replace("-", "_")  # device-query is device_query
        root = parser([name for name in COMMANDS if name == words[0]])
        if words[0] not in COMMANDS:
            root.error(f"no command {words[0]!r}; {close_matches(words[0], COMMANDS) or '`blobnet --help` lists them'}")
    args = root.parse_args(words)
    args.words = words  # for a command that starts itself again
    if words[0] != "train" and (count := led()) > 1:
        print(f"blobnet: {words[0]} does its whole work in each of {count} processes; `blobnet train` shares it",
              file=sys.stderr)
    try:
        status = args.run(args) or 0
        sys.stdout.flush()
        return status
    except BrokenPipeError:  # the reader of a pipe, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (BlobnetError, OSError) as error:
        return _failed(str(error))
    except (MemoryError, RecursionError) as error:
        kind = "no memory" if isinstance(error, MemoryError) else "nested too deeply"
        return _failed(kind + f" ({error})" * bool(str(error)))
    except KeyboardInterrupt:
        return 130


def _failed(message: str) -> int:
    print(painted("blobnet:", "bad", sys.stderr), message, file=sys.stderr)
    return 1
