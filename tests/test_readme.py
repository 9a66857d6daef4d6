"""What the README shows is what there is."""

import re
from pathlib import Path

import pytest

from blobnet.data.sets import import_set
from blobnet.view.layer_pages import layer_markdown

ROOT = Path(__file__).resolve().parent.parent
README = ROOT.joinpath("README.md").read_text("utf-8")


def test_layer_table_is_the_registry():
    shown = re.search(r"<!-- layers[^\n]*-->\n(.*?)\n<!-- end of layers -->", README, re.S).group(1)
    assert shown == layer_markdown(), "run `blobnet layers --markdown` and put the result into the README"


@pytest.mark.filterwarnings("ignore:.*bi_margin")
def test_python_example_runs(tmp_path, monkeypatch, capsys):
    pytest.importorskip("sklearn")
    (tmp_path / "prototxt").symlink_to(ROOT / "prototxt")
    monkeypatch.chdir(tmp_path)
    import_set("digits", "data")  # as the demo leaves it
    code = re.search(r"```python\n(.*?)```", README, re.S).group(1)
    exec(compile(code.replace("300", "3"), "README.md", "exec"), {})
    assert "mAP 0." in capsys.readouterr().out


def test_files_named_are_there():
    for name in re.findall(r"`((?:examples|prototxt|blobnet|tests|tools)/[\w./]+)`", README):
        assert ROOT.joinpath(name).exists(), name
