"""Opening an exercise: its file, its blanks, its EXERCISE, its class."""

from __future__ import annotations

import ast
import os
from pathlib import Path
from types import ModuleType

from google.protobuf.message import Message

from blobnet.check.exercise import Exercise
from blobnet.check.grading.blanks import Blank, find_blanks, needed_for_forward
from blobnet.check.grading.findings import Finding, State
from blobnet.check.grading.slips import Slip
from blobnet.check.grading.trouble import trouble
from blobnet.check.standalone import read_layer
from blobnet.core.registry import LAYERS, layer_class
from blobnet.errors import DataError, close_matches, within
from blobnet.plugins import run_plugin


class Opened:
    """A file that was read and run. `findings` says what was found; `param` is None if there is no layer to try."""

    def __init__(self, path: str | os.PathLike):
        self.path = Path(path).resolve()
        if not self.path.is_file():
            raise DataError(os.fspath(path), expected="a Python file with an exercise",
                            got="a folder" if self.path.is_dir() else "nothing", hint="give the file that you fill in")
        self.findings: list[Finding] = []
        self.blanks: list[Blank] = []
        self.exercise: Exercise | None = None
        self.param: Message | None = None
        self.same_as: Message | None = None
        try:
            tree = ast.parse(self.path.read_bytes(), str(self.path))
            module = run_plugin(self.path)
        except (Exception, SystemExit) as error:
            self.findings.append(trouble(error, self.path, "file"))
            return
        self.blanks = find_blanks(tree)
        self._read(module)
        if self.param is not None:
            self._say_blanks(needed_for_forward(tree))

    def _read(self, module: ModuleType) -> None:
        """EXERCISE and the class that it names. A BlobnetError if no layer can come of EXERCISE."""
        exercise = getattr(module, "EXERCISE", None)
        if not isinstance(exercise, Exercise):
            self._wrong(Slip.NO_EXERCISE, "the file has no EXERCISE = Exercise(…), so nothing says how to try the "
                        "layer. Put back the one that the file came with.")
            return
        self.exercise = exercise
        with within(f"{self.path.name}: EXERCISE"):
            param = read_layer(exercise.layer)
            layer_class(exercise.same_as, lambda: "same_as")
        cls = LAYERS.get(param.type)
        if cls is None or cls.__module__ != module.__name__:
            self._wrong(Slip.NOT_REGISTERED, _not_registered(module, param.type))
            return
        self.param, self.same_as = param, read_layer(exercise.layer)
        self.same_as.type = exercise.same_as

    def _wrong(self, slip: Slip, words: str) -> None:
        self.findings.append(Finding("file", State.WRONG, words, slip))

    def _say_blanks(self, needed: set[str]) -> None:
        """One finding for the blanks that forward needs, and one for the others."""
        for part, found in (("forward", [blank for blank in self.blanks if blank.function in needed]),
                            ("backward", [blank for blank in self.blanks if blank.function not in needed])):
            if found:
                lines = sorted({blank.line for blank in found})
                what = f"{len(found)} blanks are" if len(found) > 1 else "a blank is"
                where = f"line{'s' * (len(lines) > 1)} {', '.join(map(str, lines))}"
                self.findings.append(Finding(part, State.BLANK, f"{what} still to be filled: {where}.", Slip.BLANK,
                                             line=lines[0]))

    def blank(self, part: str) -> bool:
        """Whether forward, or backward, cannot be tried because of a blank."""
        return any(finding.part == part and finding.state is State.BLANK for finding in self.findings)


def _not_registered(module: ModuleType, kind: str) -> str:
    mine = [name for name, value in vars(module).items()
            if isinstance(value, type) and value.__module__ == module.__name__ and hasattr(value, "forward")]
    if kind in mine:
        return f"the class {kind} is not registered: write @blobnet.register in the line above it."
    hint = close_matches(kind, mine)
    return f"EXERCISE asks for a class {kind}, and the file has none{'; ' * bool(hint)}{hint}."
