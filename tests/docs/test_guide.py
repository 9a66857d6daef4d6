"""What the pages of the guide show is what happens: their files are written, their code and commands run in order.

A page is Markdown. Of its fenced blocks, one after a paragraph that ends with a file name and a colon is written to
that file; `python` is run, in one namespace a page; each line of `sh` is run, `blobnet …` in this process; `text` after
one of them is all that it prints, where … stands for anything; long lines may be broken. Comments are marks:

<!-- about -->           the numbers of the next text may be off by a twentieth
<!-- varies -->          they may be any
<!-- slow -->            the next block is left to the slow test
<!-- without faiss -->   it runs as where that library is not installed
<!-- quick: 300 -> 3 --> at the top of a page: its training is short, but in the slow test; then "about" is "varies"
"""

import contextlib
import functools
import io
import os
import re
import shlex
import subprocess
import sys
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from blobnet.cli import main
from blobnet.core.registry import LAYERS
from blobnet.errors import BlobnetError
from blobnet.plugins import PREFIX
from blobnet.proto import messages

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "tools" / "docs" / "guide"
PAGES = sorted(GUIDE.glob("*.md"))
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MARK = re.compile(r"<!-- (about|varies|slow|without \w+) -->")
FILE = re.compile(r"`([\w./-]+\.\w+)`:\s*\Z")
NUMBER = r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?"
INSTALLING = ("python3 -m venv ", ". .venv/bin/activate", "pip install ", "cd ")  # lines that are only looked at


class Block(NamedTuple):
    """A fenced block of a page."""

    line: int         # where it begins
    language: str
    text: str
    file: str         # that it is written to, or ""
    marks: set[str]   # such as "about"
    follows: bool     # right after the block before it


def read_blocks(text):
    """The blocks of a page, in their order."""
    blocks, end = [], 0
    for found in BLOCK.finditer(text):
        before = text[end:found.start()]
        file = FILE.search(before)
        marks = set(MARK.findall(before))
        blocks.append(Block(text[:found.start()].count("\n") + 1, found[1], found[2], file[1] if file else "", marks,
                            not MARK.sub("", before).strip()))
        end = found.end()
    return blocks


def quickly(text, page):
    """A text with the numbers of iterations that the page has for the quick test."""
    for old, short in re.findall(r"<!-- quick: (\S+) -> (\S+) -->", page):
        text = re.sub(rf"(?<!\d){old}(?!\d)", short, text)
    return text


def same(shown, printed, about=False, compared=True):
    """Whether a page shows what was printed, line breaks and columns apart; `about` its numbers, if at all."""
    parts = re.split(f"({NUMBER})" if about else r"(\Z)", " ".join(shown.split()))
    parts[::2] = [re.escape(part).replace("\\ …", "…").replace("…", ".*?") for part in parts[::2]]
    numbers, parts[1::2] = parts[1::2], [f"({NUMBER})" if about else ""] * len(parts[1::2])
    found = re.fullmatch("".join(parts), " ".join(printed.split()))
    if found is None or not (about and compared):
        return found is not None
    return np.allclose(np.array(found.groups(), float), np.array(numbers, float), 0.05, 0.02)


def without(library, patch):
    """Let there be no such library."""
    for name in [library, *(name for name in sys.modules if name.startswith(f"{library}."))]:
        patch.setitem(sys.modules, name, None)


def brought():
    """Take the layer types away that are not blobnet's own, and return them by name."""
    return {name: dict.pop(LAYERS, name) for name, kind in list(dict.items(LAYERS))
            if not kind.__module__.startswith("blobnet.layers.")}


@contextlib.contextmanager
def as_started():
    """As in a new process: only blobnet's own layer types and schema, and no plug-ins. Afterwards all is as before."""
    before, types = set(sys.modules), brought()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(messages, "_extensions", {})
        patch.setattr(messages, "_pool", functools.cache(messages._pool.__wrapped__))
        for name in [name for name in before if name.startswith(PREFIX)]:
            patch.delitem(sys.modules, name)
        try:
            yield
        finally:
            brought()
            dict.update(LAYERS, types)
            for name in set(sys.modules) - before:  # such as plug-ins, and layers in Python
                file = getattr(sys.modules[name], "__file__", None) or ""
                if name.partition(".")[0] == "caffe" or file.startswith(os.getcwd()):
                    del sys.modules[name]


def run_line(line):
    """Run a line of the shell; return its exit status."""
    if line.startswith(INSTALLING):
        extras = re.search(r"\[([\w,]+)\]", line)
        known = ROOT.joinpath("setup.py").read_text("utf-8")
        assert all(f'"{extra}": [' in known for extra in extras[1].split(",")) if extras else True, line
        return 0
    words = shlex.split(line, comments=True)
    with contextlib.ExitStack() as stack:
        if "2>" in words:
            words, path = words[:words.index("2>")], words[words.index("2>") + 1]
            stack.enter_context(contextlib.redirect_stderr(stack.enter_context(open(path, "w"))))
        if words[0] == "python":
            done = subprocess.run([sys.executable, *words[1:]], env=os.environ | {"PYTHONPATH": str(ROOT)}, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            print(done.stdout)
            return done.returncode
        assert words[0] == "blobnet", f"a command that the test does not run: {line}"
        try:
            with as_started():
                return main(words[1:])
        except SystemExit as stop:
            return stop.code


class Page:
    """The run of a page; `whole`: at its full length, and with the slow blocks."""

    def __init__(self, path, whole):
        text = path.read_text("utf-8")
        self.name, self.slow = path.name, whole
        self.shortened = "" if whole or quickly(text, text) == text else text
        self.blocks = read_blocks(quickly(text, self.shortened))
        self.names = {"__name__": "__main__"}
        self.printed, self.failed, self.skipped = "", False, False  # what the last block that ran did

    def run(self):
        for block in self.blocks:
            self.where = f"{self.name}:{block.line}"
            if block.file:
                Path(block.file).parent.mkdir(parents=True, exist_ok=True)
                Path(block.file).write_text(block.text, "utf-8")
            elif block.language == "text":
                self.compare(block)
            else:
                assert not self.failed, f"{self.where}: the block before it fails:\n{self.printed}"
                self.skipped = "slow" in block.marks and not self.slow
                if not self.skipped:
                    self.printed, self.failed = self.output(block)
        assert not self.failed, f"{self.name}: the last block fails:\n{self.printed}"

    def compare(self, block):
        """Fail unless the block before it printed this text."""
        assert block.follows, f"{self.where}: a text that nothing prints"
        about, compared = bool(block.marks & {"about", "varies"}), not self.shortened and "about" in block.marks
        if not self.skipped and not same(block.text, self.printed, about, compared):
            pytest.fail(f"{self.where}: shown is\n{block.text}\nprinted is\n{self.printed}", pytrace=False)
        self.failed = False  # as the page says

    def output(self, block):
        """What a block prints, and whether it fails."""
        assert block.language in ("python", "sh"), f"{self.where}: a block that nobody reads"
        to = io.StringIO()
        with (contextlib.redirect_stdout(to), contextlib.redirect_stderr(to), np.printoptions(),
              pytest.MonkeyPatch.context() as patch):
            for mark in block.marks:
                if mark.startswith("without "):
                    without(mark.removeprefix("without "), patch)
            failed = self.commands(block.text) if block.language == "sh" else self.code(block)
        return to.getvalue(), failed

    def commands(self, text):
        """Run lines of the shell; return whether one failed. Solver files take as few iterations as the page."""
        failed = False
        for line in filter(str.strip, text.replace("\\\n", " ").splitlines()):
            for solver in map(Path, re.findall(r"--solver (\S+)", line) if self.shortened else ()):
                solver.write_text(quickly(solver.read_text("utf-8"), self.shortened), "utf-8")
            failed |= run_line(line) != 0
        return failed

    def code(self, block):
        """Run Python; return whether it ended with an error of blobnet, which is printed as Python does."""
        try:
            exec(compile("\n" * block.line + block.text, self.name, "exec"), self.names)
        except BlobnetError as error:
            print(f"{type(error).__module__}.{type(error).__qualname__}: {error}")
            return True
        return False


@pytest.fixture
def house(tmp_path, monkeypatch):
    """An empty folder, and blobnet as it is at first."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GLOG_minloglevel", "0")  # --minloglevel of a page changes it
    with warnings.catch_warnings(), as_started():
        warnings.simplefilter("ignore")
        yield


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_page_shows_what_happens(path, house):
    Page(path, whole=False).run()


@pytest.mark.slow
@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_page_shows_what_happens_at_its_full_length(path, house):
    Page(path, whole=True).run()
