"""`blobnet evaluate` by lists of neighbours and under every protocol that fits."""

import argparse

import numpy as np
import pytest

from blobnet.cli import evaluate as command
from blobnet.cli import search
from blobnet.errors import DataError
from blobnet.hashing import Codes, Neighbours, evaluate, get_protocol, list_protocols


def call(*arguments) -> int:
    parser = argparse.ArgumentParser()
    subparsers = parser.add_subparsers()
    search.add_parser(subparsers)
    command.add_parser(subparsers)
    args = parser.parse_args([str(argument) for argument in arguments])
    return args.run(args)


@pytest.fixture
def folder(tmp_path):
    """query.npz (10) and base.npz (60) with values and classes, rows_… of the same with rows of labels."""
    rng = np.random.default_rng(6)
    for name, count in (("query", 10), ("base", 60)):
        values = rng.normal(size=(count, 7))
        Codes.from_values(values, labels=rng.integers(0, 3, count)).save(tmp_path / f"{name}.npz")
        Codes.from_values(values, labels=rng.random((count, 5)) < 0.3).save(tmp_path / f"rows_{name}.npz")
    return tmp_path


def load(folder, prefix="") -> list[Codes]:
    return [Codes.load(folder / f"{prefix}{name}.npz") for name in ("query", "base")]


def lines_of(text) -> dict[str, list[str]]:
    return {line.split()[0]: line.split() for line in text.splitlines() if line.strip()}


def test_what_search_wrote_says_what_is_relevant(folder, capsys):
    pair = ["--queries", folder / "query.npz", "--base", folder / "base.npz"]
    call("search", *pair, "--metric", "l2", "--top", 6, "--out", folder / "near.npz")
    near = Neighbours.load(folder / "near.npz")
    for options, changes in (([], {}), (["--ties", "best"], {"ties": "best"}),
                             (["--protocol", "neighbours", "--top-k", 9], {"top_k": 9})):
        protocol = get_protocol("neighbours", **changes)
        capsys.readouterr()
        assert call("evaluate", *pair, "--neighbours", folder / "near.npz", *options) == 0
        out = capsys.readouterr().out
        score = evaluate(*load(folder), protocol, neighbours=near)
        assert f" {score.mean_average_precision:.4f} " in out and protocol.describe() in out
    with pytest.raises(DataError, match="'standard': expected labels alone, got lists"):
        call("evaluate", *pair, "--neighbours", folder / "near.npz", "--protocol", "standard")
    with pytest.raises(DataError, match="'bdnn-neighbours': expected 50 neighbours of each query, got 6 to 6"):
        call("evaluate", *pair, "--neighbours", folder / "near.npz", "--protocol", "bdnn-neighbours")
    with pytest.raises(DataError, match="query.npz: expected blobnet neighbours, version 1"):
        call("evaluate", *pair, "--neighbours", folder / "query.npz")


def test_all_protocols_that_fit_are_rows_and_the_others_say_why_not(folder, capsys):
    lists = Neighbours.of_lists([np.arange(50)] * 10)
    lists.save(folder / "near.npz")
    assert call("evaluate", "--queries", folder / "query.npz", "--base", folder / "base.npz", "--protocol", "all",
                "--neighbours", folder / "near.npz", "--curve", folder / "curve.png") == 0
    rows, misfits = map(lines_of, capsys.readouterr().out.split("those that do not fit"))
    rows = {name: rows[name] for name in list_protocols() if name in rows}
    assert list(rows) == ["standard", "neighbours", "mAP@all", "dsh-authors", "bdnn-neighbours"]
    assert {*rows, *misfits} >= {*list_protocols()} and not {*rows} & {*misfits}
    queries, base = load(folder)
    for name, cells in rows.items():
        near = lists if "neighbours" in name else None
        score = evaluate(queries, None if name == "dsh-authors" else base, get_protocol(name), neighbours=near)
        assert f"{score.mean_average_precision:.4f}" in cells
        assert ("(queries)" in cells) == (name == "dsh-authors")
    assert " ".join(misfits["cifar10-II"][1:]) == "expected 10000 queries, got 10"
    assert " ".join(misfits["mAP@1000"][1:]) == "expected top_k up to 60, the size of the base, got 1000"
    assert (folder / "curve.png").read_bytes().startswith(b"\x89PNG")


def test_rows_of_labels_have_cumulative_gains(folder, capsys):
    options = ["--queries", folder / "rows_query.npz", "--base", folder / "rows_base.npz"]
    call("evaluate", *options, "--protocol", "weighted-mAP", "--top-k", 20)
    head, line = capsys.readouterr().out.splitlines()[:2]
    score = evaluate(*load(folder, "rows_"), get_protocol("weighted-mAP", top_k=20))
    assert head.split()[-3:-1] == ["ACG@k", "NDCG@k"]
    assert {f"{number:.4f}" for number in (score.cumulative_gain, score.ndcg, score.mean_average_precision)} <= \
        {*line.split()}
    call("evaluate", "--queries", folder / "query.npz", folder / "rows_query.npz", "--base", folder / "base.npz",
         folder / "rows_base.npz")
    lines = capsys.readouterr().out.splitlines()[1:3]
    assert [line.count(" - ") for line in lines] == [2, 0]


@pytest.mark.parametrize("options", [["--top-k", 5], ["--ties", "best"], ["--metric", "l2", "hamming"]])
def test_all_protocols_go_with_no_other_choices(folder, options):
    with pytest.raises(DataError, match="--protocol all: expected one query file and one metric"):
        call("evaluate", "--queries", folder / "query.npz", "--base", folder / "base.npz", "--protocol", "all",
             *options)


def test_files_that_fit_no_protocol_say_so(folder):
    Codes.from_bits(np.eye(3)).save(folder / "bare.npz")
    with pytest.raises(DataError, match="no protocol fits.*standard: expected a base apart from the queries, got none"):
        call("evaluate", "--queries", folder / "bare.npz", "--protocol", "all")


def test_the_list_of_protocols_needs_no_files(capsys):
    with pytest.raises(SystemExit) as end:
        call("evaluate", "--list-protocols")
    out = capsys.readouterr().out
    assert not end.value.code
    for name in list_protocols():
        assert f"  {name}: " in out and (get_protocol(name).paper or "of no paper") in out
