"""Colours: on a terminal, unless somebody forbids them, and nowhere else."""

import io
import os
import pty
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from blobnet.check.doctor import Finding
from blobnet.check.results import GradientResult, format_table
from blobnet.cli import main
from blobnet.log.colour import colours_wanted, headed, painted

ROOT = Path(__file__).parent.parent.parent
ESCAPE = re.compile(r"\033\[[\d;]*m")
NET = 'layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 } } }\n' \
      'layer { name: "y" type: "Sigmoid" bottom: "x" top: "y" }'


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("terminal, variables, wanted", [
    (True, {}, True),
    (False, {}, False),
    (True, {"NO_COLOR": "1"}, False),
    (True, {"NO_COLOR": ""}, True),
    (True, {"TERM": "dumb"}, False),
    (False, {"FORCE_COLOR": "1"}, True),
    (False, {"FORCE_COLOR": ""}, False),
    (True, {"FORCE_COLOR": "1", "TERM": "dumb"}, True),
    (True, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
])
def test_who_gets_colours(terminal, variables, wanted, monkeypatch):
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    stream = Terminal() if terminal else io.StringIO()
    assert colours_wanted(stream) == wanted
    assert painted("no", "bad", stream) == ("\033[1;31mno\033[0m" if wanted else "no")
    assert headed("a b\n1 2", stream) == ("\033[1ma b\033[0m\n1 2" if wanted else "a b\n1 2")


@pytest.mark.parametrize("line, first", [
    ("--help", "\033[1musage:\033[0m blobnet"),
    ("train --help", "\033[1musage:\033[0m blobnet train"),
    ("train", "usage: "),
    ("trian", "usage: "),
    ("summary no.prototxt", "\033[1;31mblobnet:\033[0m no.prototxt: no such file"),
    ("grade no.py", "\033[1;31mblobnet:\033[0m no.py"),
    ("summary net.prototxt", "net.prototxt, TEST\n\n\033[1mlayer "),
    ("check net.prototxt", "\033[1mlayer "),
    ("weights net.prototxt", "\033[1mlayer "),
    ("doctor", "\033[1mblobnet\033[0m\n  \033[32mok\033[0m "),
])
def test_a_pipe_gets_the_same_without_colours(line, first, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("net.prototxt").write_text(NET)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr("blobnet.cli.doctor.examine", lambda version: [Finding("blobnet", "blobnet", version)])
    texts = []
    for variable in ("", "1"):
        monkeypatch.setenv("FORCE_COLOR", variable)
        try:
            main(line.split())
        except SystemExit:
            pass
        output = capsys.readouterr()
        texts.append(output.out + output.err)
    plain, coloured = texts
    assert ESCAPE.sub("", coloured) == plain
    assert "\033" not in plain and "\033" in coloured and coloured.startswith(first)


def test_what_is_wrong_is_red():
    good = GradientResult("ip", "InnerProduct", "x", "bottom", 3, 0, 1e-9, True)
    text = format_table([good, replace(good, passed=False, note="element 2")], Terminal())
    assert [line.partition("\033")[2] for line in text.splitlines()[1:]] == ["[32mok\033[0m",
                                                                           "[1;31mFAIL (element 2)\033[0m"]


@pytest.mark.parametrize("term, start", [("xterm", b"\033[1;31mblobnet:\033[0m no"), ("dumb", b"blobnet: no")])
def test_a_real_terminal(term, start):
    mine, theirs = pty.openpty()
    variables = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
    subprocess.run([sys.executable, "-m", "blobnet", "weights", "no.caffemodel"], stderr=theirs, cwd=ROOT,
                   env={**variables, "TERM": term})
    os.close(theirs)
    assert os.read(mine, 1000).startswith(start)
    os.close(mine)
