"""The command line of data sets and databases."""

from __future__ import annotations

import argparse

import pytest

from blobnet.cli import data


@pytest.fixture
def blobnet():
    parser = argparse.ArgumentParser()
    data.add_parser(parser.add_subparsers())

    def call(*words):
        args = parser.parse_args(["data", *map(str, words)])
        return args.run(args)
    return call


def test_import_and_info(blobnet, tmp_path, capsys):
    assert blobnet("import", "digits", "--out", tmp_path) == 0
    paths = capsys.readouterr().out.split()
    assert paths == [f"{tmp_path}/digits_{name}" for name in ("train_lmdb", "test_lmdb", "mean.binaryproto")]
    assert blobnet("info", paths[1]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:4] == ["backend  LMDB", "records  360", "image    1 x 8 x 8 (bytes)", "labels"]
    assert sum(int(line.split()[1]) for line in lines[4:]) == 360
    assert [line.split()[0] for line in lines[4:]] == list("0123456789")


def test_a_command_is_needed(blobnet, capsys):
    with pytest.raises(SystemExit):
        blobnet()
    assert "COMMAND" in capsys.readouterr().err
