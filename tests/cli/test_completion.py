"""Completion: the scripts, and what bash makes of them."""

import shutil
import subprocess
import sys

import pytest

from blobnet.cli import COMMANDS, main, parser
from blobnet.cli._completers import NAMES, NAMES_OR_FILES, _arguments

shtab = pytest.importorskip("shtab")
BASH = shutil.which("bash")
ASK = """
COMP_WORDS=("${@:2}")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
source "$1"
_shtab_blobnet
printf '%s\\n' "${COMPREPLY[@]}"
"""


def script(shell, capsys):
    assert main(["completion", shell]) == 0
    return capsys.readouterr().out


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    for name in ("net.prototxt", "net.yaml", "notes.txt", "weights.caffemodel", "weights.caffemodel.h5", "codes.npz"):
        (folder / name).touch()
    (folder / "nets").mkdir()
    return folder


# A line whose last word is completed; some of what must come; what must not.
@pytest.mark.parametrize("line, some, none", [
    ("blobnet ", COMMANDS, ["net.prototxt"]),
    ("blobnet tr", ["train"], ["test"]),
    ("blobnet train --", ["--solver", "--allow_nan", "--sigint_effect"], ["--solvers", "--model", "--noallow_nan"]),
    ("blobnet train --solver n", ["net.prototxt", "net.yaml", "nets"], ["notes.txt"]),
    ("blobnet train --weights ", ["weights.caffemodel", "weights.caffemodel.h5"], ["net.prototxt"]),
    ("blobnet train --sigint_effect ", ["stop", "snapshot", "none"], ["net.prototxt"]),
    ("blobnet summary n", ["net.prototxt", "nets"], ["notes.txt"]),
    ("blobnet check net.prototxt --phase ", ["TRAIN", "TEST"], ["net.prototxt"]),
    ("blobnet layer Conv", ["Convolution", "ConvolutionDepthwise"], ["ReLU"]),
    ("blobnet run dsh", ["dsh", "dsh/digits"], ["dpsh"]),
    ("blobnet run n", ["net.yaml", "nets"], ["net.prototxt"]),
    ("blobnet run dsh --data n", ["nets"], ["net.yaml"]),
    ("blobnet data ", ["import", "split", "info"], ["train"]),
    ("blobnet data import ", ["mnist", "nets"], ["notes.txt"]),
    ("blobnet data split cifar10-I", ["cifar10-I", "cifar10-II"], ["nus-wide"]),
    ("blobnet new hashing --method ", ["dsh"], ["nets"]),
    ("blobnet new hashing --net res", ["resnet50"], ["alexnet"]),
    ("blobnet evaluate --protocol mAP@", ["mAP@all", "mAP@1000"], ["standard"]),
    ("blobnet evaluate --queries c", ["codes.npz"], ["net.prototxt"]),
    ("blobnet search --metric ", ["hamming", "cosine"], ["codes.npz"]),
    ("blobnet convert no", ["notes.txt"], ["net.yaml"]),
    ("blobnet plot_training_log ", ["0", "7"], ["8"]),
    ("blobnet completion ", ["bash", "zsh", "fish", "tcsh"], ["train"]),
])
def test_bash(line, some, none, folder, capsys):
    if BASH is None:
        pytest.skip("NOT TESTED: no bash on this machine, so nobody pressed Tab")
    path = folder / "script"
    if not path.exists():
        path.write_text(script("bash", capsys))
    done = subprocess.run([BASH, "--norc", "-c", ASK, "bash", str(path), *line.split(" ")], cwd=folder, text=True,
                          capture_output=True, timeout=60)
    offered = done.stdout.split("\n")
    assert done.returncode == 0 and not done.stderr
    assert set(some) <= set(offered) and not set(none) & set(offered)


@pytest.mark.parametrize("shell", ["zsh", "fish", "tcsh"])
def test_other_shells_get_the_same_names(shell, capsys, tmp_path):
    text = script(shell, capsys)
    for name in [*COMMANDS, "solver", "ConvolutionDepthwise", "dsh/digits", "mAP@1000", "resnet50"]:
        assert name in text
    if shutil.which(shell):
        (tmp_path / "script").write_text(text)
        subprocess.run([shell, "-n", tmp_path / "script"], check=True, timeout=60)


def test_what_is_completed_is_there():
    places = {(command, action.dest) for command, action in _arguments(parser(), "")}
    assert {*NAMES, *NAMES_OR_FILES} <= places


def test_a_flag_hides_its_other_spellings(capsys):
    assert "--sigint-effect" not in script("bash", capsys)


@pytest.mark.parametrize("module, says", [(None, "pip install 'blobnet[completion]'"),
                                          (shtab, "does not know fish; pip install --upgrade shtab")])
def test_without_shtab_or_with_an_old_one(module, says, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "shtab", module)
    monkeypatch.setattr(shtab, "SUPPORTED_SHELLS", ["bash", "zsh", "tcsh"])
    assert main(["completion", "fish"]) == 1
    output = capsys.readouterr()
    assert says in output.err and not output.out
