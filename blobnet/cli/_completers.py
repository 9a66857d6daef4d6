"""What a shell may put in for a word of a command line: names that are known, or files of the kind that is read.

Most arguments tell it by what their help calls them: NET.prototxt is such a file, DIR a folder.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterable, Iterator

from blobnet.core.registry import LAYERS
from blobnet.data.sets import SETS
from blobnet.data.sets.list_splits import LIST_SPLITS
from blobnet.data.sets.splits import SPLITS
from blobnet.hashing.engines import ENGINES, INDEXES
from blobnet.hashing.protocol import DIVISORS, TIES, list_protocols
from blobnet.published import published, published_recipes

NAMES: dict[tuple[str, str], Callable[[], Iterable[str]]] = {  # of an argument of a command, by its dest
    ("layer", "name"): lambda: LAYERS,
    ("search", "metric"): lambda: INDEXES,
    ("search", "engine"): lambda: ENGINES,
    ("evaluate", "metric"): lambda: INDEXES,
    ("evaluate", "protocol"): lambda: [*list_protocols(), "all"],
    ("evaluate", "ties"): lambda: TIES,
    ("evaluate", "divisor"): lambda: DIVISORS,
    ("data split", "name"): lambda: [*SPLITS, *LIST_SPLITS],
    ("prototxt list", "name"): published,
    ("prototxt copy", "names"): published,
}
NAMES_OR_FILES: dict[tuple[str, str], tuple[Callable[[], Iterable[str]], tuple[str, ...]]] = {  # and endings of files
    ("run", "recipe"): (published_recipes, ("yaml",)),
    ("data import", "name"): (lambda: SETS, ()),
}
ALSO = {"prototxt": ("yaml",), "caffemodel": ("h5",), "solverstate": ("h5",)}  # endings of files that will do, too
FOLDER = re.compile(r"[\w.]*(DIR|FOLDER/?|_DB|DB_NAME)")
FILE = re.compile(r"FILE|PATH|LOG|IN|OUT|OLD|NEW|PHOTO|PICTURE|LISTFILE|OUTPUT_FILE|FILE\|FOLDER")
ENDING = re.compile(r"\.(\w+)")


def add_completers(root: argparse.ArgumentParser) -> dict[str, str]:
    """Tell shtab how the arguments of all commands below `root` are completed; the preambles of the scripts by shell.

    `root` is then a description for shtab, and no parser any more: its choices are those that are offered.
    """
    import shtab

    preambles: dict[str, list[str]] = {"bash": [], "zsh": []}
    for command, action in _arguments(root, ""):
        place, metavar = (command, action.dest), str(action.metavar or "")
        if place in NAMES:
            action.choices = sorted(NAMES[place]())
        elif place in NAMES_OR_FILES or ENDING.search(metavar):
            names, endings = NAMES_OR_FILES.get(place, (tuple, ENDING.findall(metavar)))
            likes = dict.fromkeys(like for ending in endings for like in (ending, *ALSO.get(ending, ())))
            action.complete = _completer(command, sorted(names()), likes, preambles)  # type: ignore[attr-defined]
        elif FOLDER.fullmatch(metavar):
            action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
        elif FILE.fullmatch(metavar):
            action.complete = shtab.FILE  # type: ignore[attr-defined]
    return {shell: "\n".join(dict.fromkeys(texts)) for shell, texts in preambles.items()}


def _arguments(parser: argparse.ArgumentParser, command: str) -> Iterator[tuple[str, argparse.Action]]:
    """(command, argument) for all of them that take a word which is no choice; `index add` is a command."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            action.help = None  # shtab leaves out what help does not show
            for name, inner in action.choices.items():
                yield from _arguments(inner, f"{command} {name}".strip())
        elif action.choices:
            action.choices = list(map(str, action.choices))  # old releases of shtab take no mappings
        elif action.nargs != 0:
            yield command, action


def _completer(command: str, names: list[str], endings: Iterable[str],
               preambles: dict[str, list[str]]) -> dict[str, str]:
    """What each shell calls for these names, and files with these endings; folders, which may hold some, in any case.

    Functions that it needs are added to `preambles`.
    """
    patterns, words = [f"*.{ending}" for ending in endings], " ".join(names)
    function = "_".join(["_blobnet_files", *(command.split() if names else endings)])
    lines = ["compgen -W '" + "\n".join(names) + "' -- \"$1\""] * bool(names)
    lines += [f"compgen -f -X '!{pattern}' -- \"$1\"" for pattern in patterns] + ['compgen -d -- "$1"']
    preambles["bash"].append("\n".join([f"{function}() {{", *(f"  {line}" for line in lines), "}"]))
    files = f"_files -g '({'|'.join(patterns)})'" if patterns else "_files -/"
    if names:
        in_quotes = files.replace("'", '"')
        preambles["zsh"].append(f"{function}() {{\n  _alternative 'names:name:({words})' 'files:file:{in_quotes}'\n}}")
    fish = f"printf '%s\\n' {words}; " * bool(names) + "__fish_complete_path (commandline -ct)"
    tcsh = f"({words})" if names else f"f:{{{','.join(patterns)}}}" if patterns else "d"
    return {"bash": function, "zsh": function if names else files, "fish": f"({fish})", "tcsh": tcsh}
