"""What the doctor finds of sound and of broken installations."""

import json
import sys
from importlib import metadata

import numpy as np
import pytest

from blobnet.check.doctor import Finding, Mark, examine, trial
from blobnet.check.doctor.machine import examine_installation, examine_machine
from blobnet.check.doctor.packages import examine_packages
from blobnet.check.doctor.requirements import Requirement, read_requirement
from blobnet.check.doctor.trial import try_out
from blobnet.cli import main
from blobnet.layers.weighted.convolution import Convolution

HERE = {"numpy": "2.4.1", "PyYAML": "6.0", "old": "1.9", "broken": "1.0", "pillow": "12"}


def asks(monkeypatch, *lines):
    """Let the metadata of blobnet ask for `lines`, where the packages are those of HERE."""
    def version(name):
        if name not in HERE:
            raise metadata.PackageNotFoundError(name)
        return HERE[name]

    monkeypatch.setattr(metadata, "requires", lambda name: list(lines))
    monkeypatch.setattr(metadata, "version", version)


@pytest.mark.parametrize("text, found", [
    ("numpy>=1.26", Requirement("numpy", ">=1.26", "")),
    ("tqdm", Requirement("tqdm", "", "")),
    ("lmdb (>=1.4)", Requirement("lmdb", ">=1.4", "")),
    ('cupy-cuda12x[ctk]>=14; extra == "gpu"', Requirement("cupy-cuda12x", ">=14", "gpu")),
    ("opencv-python-headless<5,>=4.8.1.78; extra == 'test'", Requirement("opencv-python-headless", "<5,>=4.8.1.78",
                                                                         "test")),
    ('a>=1; (sys_platform == "no system") and extra == "test"', None),
])
def test_requirements(text, found):
    assert read_requirement(text) == found


def test_every_line_of_the_metadata_is_read():
    lines = metadata.requires("blobnet")
    assert {read_requirement(line).name for line in lines if "sys_platform" not in line} >= {"numpy", "shtab", "pytest"}


@pytest.mark.parametrize("bounds, version, fits", [
    (">=1.26", "1.26", True), (">=1.26", "1.26.0", True), (">=1.26.0", "1.26", True), (">=1.26", "1.3", False),
    (">=2.6.2.2", "2.6.5", True), (">=2.3", "2.9.post0", True), ("<5,>=4.8.1.78", "4.14.0.94", True),
    ("<5,>=4.8.1.78", "5.0", False), ("<5,>=4.8.1.78", "4.8.1", False), ("!=2.0", "2", False), ("", "0.1", True),
    ("==2.0", "2.0.1", False), ("<=2", "2.0", True), (">2", "2.0", False),
])
def test_bounds(bounds, version, fits):
    assert Requirement("a", bounds, "").admits(version) == fits


@pytest.mark.parametrize("line, mark, value, hint", [
    ("numpy>=1.26", Mark.OK, "2.4.1", ""),
    ("PyYAML>=6", Mark.OK, "6.0", ""),
    ("pillow>=10", Mark.OK, "12", ""),
    ("old>=2", Mark.BROKEN, "1.9, needs >=2", "pip install --upgrade 'old>=2'"),
    ("none>=2", Mark.BROKEN, "missing", "pip install --upgrade 'none>=2'"),
    ("broken>=1", Mark.BROKEN, "1.0, cannot be imported: no symbol x", "pip install --force-reinstall 'broken>=1'"),
])
def test_a_package_that_is_needed(line, mark, value, hint, monkeypatch, tmp_path):
    (tmp_path / "broken.py").write_text("raise ImportError('no symbol\\n x')")
    monkeypatch.syspath_prepend(tmp_path)
    asks(monkeypatch, line)
    assert list(examine_packages()) == [Finding("packages", line.split(">")[0], value, mark, hint)]


def test_extras(monkeypatch):
    asks(monkeypatch, 'numpy>=1; extra == "a"', 'old>=1; extra == "a"', 'old>=2; extra == "b"', 'no>=3; extra == "b"')
    assert list(examine_packages()) == [
        Finding("extras", "a", "numpy 2.4.1, old 1.9"),
        Finding("extras", "b", "old (1.9 is here, needs >=2), no (missing)", Mark.MISSING, "pip install 'blobnet[b]'")]


def test_a_blobnet_that_is_not_installed(monkeypatch):
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "requires", missing)
    monkeypatch.setattr(metadata, "version", missing)
    assert [finding.mark for finding in examine_packages()] == [Mark.NOTE]
    assert [finding.name for finding in examine_installation("7.0")] == ["blobnet", "Python", "system"]


def test_another_blobnet_that_is_installed(monkeypatch):
    monkeypatch.setattr(metadata, "version", lambda name: "6.9")
    assert [(finding.name, finding.mark) for finding in examine_installation("7.0")][1] == ("installed", Mark.NOTE)


@pytest.mark.parametrize("name, value, mark, says", [
    ("OPENBLAS_CORETYPE", "Haswell", Mark.OK, "'Haswell': the kernels of OpenBLAS"),
    ("BLOBNET_MAX_MEMORY", "4G", Mark.OK, "'4G': what a file may unpack to"),
    ("BLOBNET_MAX_MEMORY", "much", Mark.BROKEN, "expected a size, such as 4G or 500M, got 'much'"),
    ("BLOBNET_NUM_THREADS", "3", Mark.OK, "'3': worker threads"),
    ("BLOBNET_NUM_THREADS", "two", Mark.NOTE, "'two' has no effect"),
])
def test_variables(name, value, mark, says, monkeypatch):
    monkeypatch.delenv(name, raising=False)
    assert name not in [finding.name for finding in examine_machine()]
    monkeypatch.setenv(name, value)
    found = next(finding for finding in examine_machine() if finding.name == name)
    assert found.mark is mark and found.value.startswith(says)


def test_no_gpu(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    monkeypatch.setattr("blobnet.backend.devices.cupy_module", lambda: None)
    found = list(examine_machine())[-1]
    assert (found.name, found.mark) == ("GPU", Mark.MISSING)
    assert found.value.startswith("no GPU can be used: CuPy") and "blobnet[gpu]" in found.hint


def test_a_gpu(stand_in):
    found = [finding for finding in examine_machine() if finding.name.startswith("GPU")]
    assert found[0].name == "GPU 0" and found[0].mark is Mark.OK
    assert "fakecupy, " in found[0].value and "capability 9.0, CUDA 12.9, a driver for 12.9" in found[0].value


def test_the_trial_passes():
    assert [(finding.name, finding.mark) for finding in try_out()] == [("product", Mark.OK), ("convolution", Mark.OK),
                                                                      ("gradients", Mark.OK)]


def broken_trials():
    return [finding.name for finding in try_out() if finding.mark is Mark.BROKEN]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_wrong_product_is_found(dtype, monkeypatch):
    def wrong(a, b):
        found = a @ b
        found[5, 7] += a.dtype == dtype
        return found

    monkeypatch.setattr(np, "matmul", wrong)
    assert "product" in broken_trials()
    monkeypatch.setattr(trial, "TRIALS", [trial.product])
    assert next(iter(try_out())).value == f"ArithmeticError: 1 of 9216 numbers are wrong in {dtype}"


@pytest.mark.parametrize("method, found", [("forward", ["convolution", "gradients"]), ("backward", ["gradients"])])
def test_a_wrong_layer_is_found(method, found, monkeypatch):
    right = getattr(Convolution, method)

    def wrong(self, first, *others):
        right(self, first, *others)
        blob = others[-1][0]
        array = blob.data if method == "forward" else blob.diff
        array *= 1.01

    monkeypatch.setattr(Convolution, method, wrong)
    assert broken_trials() == found


def test_what_a_broken_library_raises_is_a_finding(monkeypatch):
    def product():
        raise SystemError("bad\nlibrary")

    monkeypatch.setattr(trial, "TRIALS", (product,))
    found = next(iter(try_out()))
    assert (found.name, found.value, found.mark) == ("product", "SystemError: bad library", Mark.BROKEN)


def test_the_command(monkeypatch, capsys):
    assert main(["doctor"]) == 0
    text = capsys.readouterr().out
    assert text.endswith("\nblobnet works\n")
    assert all(f"\n{section}\n" in text for section in ("packages", "machine", "trial"))
    asks(monkeypatch, "old>=2")
    assert main(["doctor"]) == 1
    text = capsys.readouterr().out
    assert "\n  broken  old  1.9, needs >=2; pip install --upgrade 'old>=2'\n" in text
    assert text.endswith("\nbroken: old\n")
    assert main(["doctor", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["works"] is False
    assert {"section": "packages", "name": "old", "value": "1.9, needs >=2", "mark": "broken",
            "hint": "pip install --upgrade 'old>=2'"} in found["findings"]


def test_long_lines_go_on_below(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setattr("blobnet.cli.doctor.examine", lambda version: [
        Finding("machine", "GPU", "word " * 19 + "word", Mark.NOTE, "do this")])
    assert main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) < 60 and lines[1].startswith("  note    GPU  word word")
    assert lines[2].startswith(" " * 15 + "word") and lines[3].endswith("word; do this")


def test_findings_say_all_of_the_house():
    findings = examine("1.0")
    assert {finding.section for finding in findings} >= {"blobnet", "packages", "machine", "trial"}
    assert all(finding.hint for finding in findings if finding.mark in (Mark.BROKEN, Mark.MISSING))
