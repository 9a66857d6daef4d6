"""The spellings of flags."""

import argparse

import pytest

from blobnet.cli._flags import flag, switch, whole, words
from blobnet.cli._gpus import add_gpu_flag


@pytest.fixture
def parser():
    parser = argparse.ArgumentParser(prog="tool")
    flag(parser, "--sigint_effect", choices=["stop", "none"], default="stop", help="what it does")
    flag(parser, "--iterations", type=whole(1), default=50)
    flag(parser, "--stage", type=words, default=[])
    switch(parser, "--check_size", "look")
    add_gpu_flag(parser, "the GPU")
    parser.add_argument("place", nargs="?")
    return parser


@pytest.mark.parametrize("line, name, value", [
    ("", "sigint_effect", "stop"),
    ("-sigint_effect none", "sigint_effect", "none"),
    ("--sigint_effect none", "sigint_effect", "none"),
    ("-sigint_effect=none", "sigint_effect", "none"),
    ("--sigint-effect=none", "sigint_effect", "none"),
    ("-sigint-effect none", "sigint_effect", "none"),
    ("-iterations 7", "iterations", 7),
    ("--iterations=7", "iterations", 7),
    ("-stage a,b", "stage", ["a", "b"]),
    ("-stage=", "stage", []),
    ("", "check_size", False),
    ("-check_size", "check_size", True),
    ("-check_size here", "place", "here"),
    ("--check-size=true here", "check_size", True),
    ("-check_size=1", "check_size", True),
    ("-check_size=false", "check_size", False),
    ("--nocheck_size", "check_size", False),
    ("-check_size -nocheck_size", "check_size", False),
    ("", "gpu", []),
    ("-gpu 0", "gpu", [0]),
    ("--gpu=0,2", "gpu", [0, 2]),
    ("-gpu=all", "gpu", "all"),
    ("-gpu=", "gpu", []),
])
def test_spellings(parser, line, name, value):
    assert getattr(parser.parse_args(line.split()), name) == value


@pytest.mark.parametrize("line, says", [
    ("-sigint_effect halt", "argument --sigint_effect: invalid choice: 'halt'"),
    ("-iterations 0", "argument --iterations: expected a whole number of at least 1, got '0'"),
    ("-iterations -3", "argument --iterations: expected a whole number of at least 1, got '-3'"),
    ("-iterations 1.5", "argument --iterations: expected a whole number of at least 1, got '1.5'"),
    ("-iterations", "argument --iterations: expected one argument"),
    ("-check_size=maybe", "argument --check_size: ignored explicit argument 'maybe'"),
    ("-gpu 0,", "argument --gpu: expected the number of a GPU, several with commas, or all, got '0,'"),
    ("-gpu -1", "got '-1'"),
    ("-no_such_flag", "unrecognized arguments: -no_such_flag"),
])
def test_wrong_words(parser, capsys, line, says):
    with pytest.raises(SystemExit) as stop:
        parser.parse_args(line.split())
    assert stop.value.code == 2 and says in capsys.readouterr().err


def test_help_shows_one_spelling(parser):
    text = parser.format_help()
    assert "--sigint_effect {stop,none}" in text and "--check_size" in text
    assert not any(other in text for other in (" -sigint", "--sigint-effect", "nocheck", "=true"))
