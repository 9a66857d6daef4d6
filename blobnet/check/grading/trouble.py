"""Exceptions of a student's code, told with their line."""

from __future__ import annotations

import linecache
import re
import traceback
from pathlib import Path

from blobnet.check.grading.findings import Finding, State
from blobnet.check.grading.slips import Slip
from blobnet.errors import BlobnetError

PARTS = ("setup", "reshape", "forward", "backward")
SHAPES = re.compile(r"\((\d+(?:,\d+)*),?\)")


def trouble(error: BaseException, path: Path, part: str) -> Finding:
    """What an exception says of the file; raises it again if no code of the file had to do with it."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        text = (error.text or "").strip()
        return Finding("file", State.WRONG, f"line {error.lineno} is no Python{_quoted(text)}: {error.msg}.",
                       Slip.SYNTAX, line=error.lineno)
    frames = frames_of(error, path)
    if not frames:
        if isinstance(error, BlobnetError):
            return Finding(part, State.WRONG, f"{error}.", Slip.ERROR)
        if part == "file":
            return Finding(part, State.WRONG, f"the file is no Python: {error}.", Slip.SYNTAX)
        raise error
    here = next((frame.name for frame in reversed(frames) if frame.name in PARTS), part)
    line = frames[-1].lineno
    slip, hint = _kind(error, here)
    linecache.checkcache(str(path))
    code, message = linecache.getline(str(path), line).strip(), str(error).rstrip(". ")
    text = f"line {line}{_quoted(code)} raises {type(error).__name__}: {message}."
    return Finding(here, State.WRONG, " ".join(filter(None, [text, hint])), slip, line=line)


def frames_of(error: BaseException, path: Path) -> list[traceback.FrameSummary]:
    """The places of the file that the exception came through, the innermost last."""
    return [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]


def _quoted(line: str) -> str:
    return f", `{line}`," if line else ""


def _kind(error: BaseException, part: str) -> tuple[Slip, str]:
    """The slip that an exception stands for, and what to ask."""
    text = str(error)
    if "matmul" in text or "not aligned" in text:
        return Slip.TRANSPOSED, ("A product of matrices takes as many columns on the left as there are rows on the "
                                 "right. Which of the two has to be transposed, or do they stand in the wrong order?")
    if isinstance(error, ValueError) and ("broadcast" in text or "reshape array" in text):
        shapes = {tuple(found.split(",")) for found in SHAPES.findall(text)}
        turned = any(shape != shape[::-1] and shape[::-1] in shapes for shape in shapes)
        if turned:
            return Slip.TRANSPOSED, "One has the rows that the other has as columns: what has to be transposed?"
        return Slip.SHAPE, "Write the shapes of both sides down: which axis is missing, or one too many?"
    if isinstance(error, AttributeError) and "cannot be replaced" in text:
        return Slip.WRITES, "Fill the array that is there; a name that is bound anew is not seen by the net."
    if isinstance(error, NameError | AttributeError):
        return Slip.NAME, ("bottom and top are lists of blobs, the first is [0]." if "'list' object" in text else
                           "Backward sees what forward keeps in self, and nothing else." if part == "backward" else
                           "Where is it made?")
    if isinstance(error, IndexError) and text.startswith("list"):
        return Slip.ERROR, "How many bottoms, tops and parameters are there? The first is [0]."
    return Slip.ERROR, ""
