"""The command line as a whole."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

import blobnet
from blobnet import cli
from blobnet.cli import COMMANDS, main
from blobnet.errors import ShapeError

ROOT = Path(__file__).parent.parent.parent


def test_version(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--version"])
    assert stop.value.code == 0 and capsys.readouterr().out == f"blobnet {blobnet.__version__}\n"


def test_help_names_every_command(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    text = capsys.readouterr().out
    lines = [line.split() for line in text.splitlines() if line.startswith("    ")]
    assert {words[0] for words in lines if words} >= set(COMMANDS)


def test_alone_it_prints_the_help(capsys):
    for words in ([], ["help"], ["--help"], ["-h"]):
        with pytest.raises(SystemExit) as stop:
            main(words)
        output = capsys.readouterr()
        assert stop.value.code == 0 and "every day:" in output.out and not output.err


def test_help_with_a_command(capsys):
    with pytest.raises(SystemExit):
        main(["help", "convert-imageset"])
    assert capsys.readouterr().out.startswith("usage: blobnet convert_imageset ")


@pytest.mark.parametrize("words, loaded", [(["--version"], set()), (["layer", "ReLU"], {"layer"}),
                                           (["help", "train"], {"train"})])
def test_other_commands_are_not_imported(words, loaded):
    code = ("import contextlib, io, sys; from blobnet.cli import main\n"
            f"with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()): main({words})\n"
            "print(*(name.split('.')[2] for name in sys.modules if name.startswith('blobnet.cli.')))")
    found = subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True).split()
    assert {name for name in found if not name.startswith("_")} == loaded


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command, capsys):
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])
    text = capsys.readouterr().out
    assert stop.value.code == 0 and text.startswith(f"usage: blobnet {command} ")
    description = text.split("\n\n")[1]
    assert len(description.split()) > 4 or command == "data"


@pytest.mark.parametrize("words", [["trian"], ["--weights", "x"], ["summary"],
                                   ["summary", "net.prototxt", "--phase", "test"],
                                   ["summary", "net.prototxt", "--shape", "data=1,x"]])
def test_words_it_does_not_know(words, capsys):
    with pytest.raises(SystemExit) as stop:
        main(words)
    output = capsys.readouterr()
    assert stop.value.code == 2 and output.err.startswith("usage: blobnet") and not output.out


@pytest.mark.parametrize("flag", [["--max-memory", "5M"], ["--max_memory=5M"]])
def test_the_budget_of_files(flag, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("BLOBNET_MAX_MEMORY", "1G")
    Image.new("RGB", (2000, 2000)).save(tmp_path / "large.png")
    (tmp_path / "list.txt").write_text("large.png 0\n")
    words = ["convert_imageset", f"{tmp_path}/", str(tmp_path / "list.txt"), str(tmp_path / "db")]
    assert main([*words[:2], *flag, *words[2:]]) == 1
    assert "large.png': 2000 x 2000 pixels, expected at most 5.0 MiB" in capsys.readouterr().err
    monkeypatch.setenv("BLOBNET_MAX_MEMORY", "1G")
    assert main(words) == 0
    assert main([*words[:3], str(tmp_path / "other"), "--max-memory", "much"]) == 1
    assert "BLOBNET_MAX_MEMORY or --max-memory: expected a size, such as 4G" in capsys.readouterr().err


@pytest.mark.parametrize("words, says", [
    (["summary", "no_such.prototxt"], "no_such.prototxt: no such file"),
    (["convert", "no_such.prototxt", "out.yaml"], "no_such.prototxt: no such file"),
    (["train", "--solver", "no_such.prototxt"], "no_such.prototxt: no such file"),
    (["data", "info", "no_such_lmdb"], "no such folder"),
    (["check", "no_such.prototxt"], "no_such.prototxt: no such file"),
])
def test_errors_are_one_line(words, says, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(words) == 1
    output = capsys.readouterr()
    assert output.err.startswith("blobnet: ") and says in output.err and output.err.count("\n") == 1
    assert not output.out


@pytest.mark.parametrize("raised, status, error", [
    (ShapeError("layer 'a'", expected=1, got=2), 1, "blobnet: layer 'a': expected 1, got 2\n"),
    (KeyboardInterrupt(), 130, ""),
    (MemoryError(), 1, "blobnet: no memory\n"),
    (MemoryError("Unable to allocate 8 GiB"), 1, "blobnet: no memory (Unable to allocate 8 GiB)\n"),
    (RecursionError("maximum depth"), 1, "blobnet: nested too deeply (maximum depth)\n"),
])
def test_the_exit_status_of_what_is_raised(raised, status, error, capsys, monkeypatch):
    def run(args):
        raise raised

    monkeypatch.setattr("blobnet.cli.summary.run", run)
    assert main(["summary", "net.prototxt"]) == status
    assert capsys.readouterr().err == error


def test_what_is_no_error_of_ours_is_not_hidden(monkeypatch):
    monkeypatch.setattr("blobnet.cli.summary.run", lambda args: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        main(["summary", "net.prototxt"])


def test_a_command_returns_its_own_status(monkeypatch):
    for result, status in ((None, 0), (0, 0), (3, 3)):
        monkeypatch.setattr("blobnet.cli.summary.run", lambda args, result=result: result)
        assert main(["summary", "net.prototxt"]) == status


@pytest.mark.parametrize("launcher, size, rank, said", [
    ("PMI", "2", "0", 1), ("OMPI_COMM_WORLD", "3", "0", 1), ("PMI", "2", "1", 0), ("PMI", "1", "0", 0)])
def test_what_several_processes_would_all_do(launcher, size, rank, said, monkeypatch, capsys):
    monkeypatch.setenv(f"{launcher}_SIZE", size)
    monkeypatch.setenv(f"{launcher}_RANK", rank)
    assert main(["layers"]) == 0
    assert capsys.readouterr().err == said * (f"blobnet: layers does its whole work in each of {size} processes; "
                                              "`blobnet train` shares it\n")


def test_as_a_module_into_a_pipe_that_closes():
    """`blobnet summary … | head -1` ends without a traceback."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "blobnet", "summary", "prototxt/dsh/train_test_12.prototxt", "--shape",
         "data=2,3,32,32"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=environment)
    process.stdout.close()
    with process.stderr:
        assert process.stderr.read() == ""
    assert process.wait(60) == 0


def test_the_parser_is_made_of_the_modules():
    assert {path.stem for path in Path(cli.__file__).parent.glob("[!_]*.py")} == set(COMMANDS)
