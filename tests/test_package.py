"""What is installed is what is here: the package with the published nets, and what programs in other folders find."""

import fnmatch
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
import yaml

import blobnet

ROOT = Path(__file__).resolve().parent.parent
IGNORED = [pattern.rstrip("/") for pattern in (ROOT / ".gitignore").read_text().split()]


def files_below(folder, base):
    """The files in a folder, by their paths from `base`, but for those that are made by running and building."""
    paths = [path.relative_to(base) for path in folder.rglob("*") if path.is_file()]
    return {path.as_posix() for path in paths
            if not any(fnmatch.fnmatch(part, pattern) for part in path.parts for pattern in [*IGNORED, "*.py[cod]"])}


def expected():
    """What a package holds: blobnet, and in it the nets and lessons that stand beside it here."""
    return files_below(ROOT / "blobnet", ROOT) | {f"blobnet/{name}" for folder in ("prototxt", "examples")
                                                  for name in files_below(ROOT / folder, ROOT)}


def python(*words, cwd, **environment):
    """Run Python on `words`; what it printed."""
    done = subprocess.run([sys.executable, *map(str, words)], cwd=cwd, env=os.environ | environment, text=True,
                          capture_output=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """The package as it is installed, in a folder of its own."""
    folder = tmp_path_factory.mktemp("library")
    (folder / "blobnet/layers").mkdir(parents=True)
    (folder / "blobnet/layers/gone.py").touch()  # as an earlier build may leave
    python("-W", "ignore", "setup.py", "-q", "build_py", "--build-lib", folder, cwd=ROOT)
    return folder


def test_every_file_is_installed(library):
    assert files_below(library, library) == expected()


def test_every_folder_is_a_package():
    folders = {path.parent for path in (ROOT / "blobnet").rglob("*.py")}
    assert {path.relative_to(ROOT).as_posix() for path in folders if not (path / "__init__.py").exists()} == {
        "blobnet/pycaffe/path"}  # a folder for sys.path


def test_an_installed_package_has_the_nets_with_it(library, tmp_path):
    def blobnet(*words):
        return python("-m", "blobnet", *words, cwd=tmp_path, PYTHONPATH=str(library))

    assert blobnet("prototxt", "list", "lenet").splitlines()[-1] == str(
        library / "blobnet/prototxt/lenet/train_test.prototxt")
    assert blobnet("prototxt", "copy", "lenet", "examples").split() == [
        "prototxt/lenet", "examples", "examples/course", "examples/faster_rcnn"]
    assert "conv2" in blobnet("summary", "prototxt/lenet/train_test.prototxt", "--shape", "data=1,1,28,28")
    assert "ScaledTanH" in blobnet("summary", "examples/02_plugin_layer.prototxt", "--plugin",
                                   "examples/02_plugin_layer.py")
    assert "rpn_bbox_pred" in blobnet("summary", library / "blobnet/prototxt/faster_rcnn/shapes_test.prototxt",
                                      "--python-layers", "--python-path", library / "blobnet/examples/faster_rcnn")


def test_a_script_beside_the_clone_imports_the_package(tmp_path):
    (tmp_path / "blobnet").symlink_to(ROOT)  # a folder without __init__.py
    (tmp_path / "script.py").write_text("import blobnet; print(blobnet.__file__)")
    assert python("script.py", cwd=tmp_path).strip() == str(ROOT / "blobnet/__init__.py")


def test_all_papers_tell_the_same_version():
    assert yaml.safe_load(ROOT.joinpath("CITATION.cff").read_text("utf-8"))["version"] == blobnet.__version__
    assert re.search("^## ([0-9.]+)", ROOT.joinpath("CHANGELOG.md").read_text("utf-8"), re.M)[1] == blobnet.__version__


@pytest.mark.slow
def test_wheel_and_sdist_hold_everything(tmp_path):
    """An sdist holds the repository; the wheel built from it is, byte for byte, the one built from the repository."""
    def build(what, source, target):
        return target / python("-W", "ignore", "-c", "import sys, setuptools.build_meta as b, contextlib\n"
                               f"with contextlib.redirect_stdout(sys.stderr): name = b.build_{what}({str(target)!r})\n"
                               "print(name)", cwd=source, SOURCE_DATE_EPOCH="1790000000").strip()

    def copy(target):
        names = {name for folder in ("blobnet", "prototxt", "examples", "tests", "tools", ".ci", ".github")
                 for name in files_below(ROOT / folder, ROOT)}
        names |= {path.name for path in ROOT.iterdir() if path.is_file() and path.name != ".git"}
        for name in names:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (target / name).write_bytes((ROOT / name).read_bytes())
        return names

    source = tmp_path / "clone"
    names = copy(source)
    sdist = build("sdist", source, tmp_path)
    with tarfile.open(sdist) as file:
        file.extractall(tmp_path / "unpacked", filter="data")
    unpacked, = (tmp_path / "unpacked").iterdir()
    assert names <= {path.relative_to(unpacked).as_posix() for path in unpacked.rglob("*")}
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    here = build("wheel", source, tmp_path / "a")
    with zipfile.ZipFile(here) as file:
        assert {name for name in file.namelist() if ".dist-info/" not in name} == expected()
    assert build("wheel", unpacked, tmp_path / "b").read_bytes() == here.read_bytes()
