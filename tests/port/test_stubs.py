"""Files to fill in: they load, and the nets that they were made for are then read."""

import importlib.util

import pytest

from blobnet.core.registry import LAYERS
from blobnet.plugins import load_plugin
from blobnet.port.port import port
from blobnet.port.stubs import write_stubs

NET = """
layer { name: "d" type: "Input" top: "x" input_param { shape { dim: [2, 3] } } }
layer { name: "w1" type: "WobbleStub" bottom: "x" top: "y"
        wobble_stub_param { depth: 3 mode: SOFT kind { rate: [1, 2] } } }
layer { name: "w2" type: "WobbleStub" bottom: "x" bottom: "y" top: "z"
        wobble_stub_param { depth: 2.5 mode: HARD name: 'a' } }
layer { name: "p" type: "Python" bottom: "z" top: "q"
        python_param { module: "stub_pack.inner" layer: "Warble" param_str: "'a': 1" } }
"""


@pytest.fixture
def written(tmp_path):
    path = tmp_path / "net.prototxt"
    path.write_text(NET)
    return path, write_stubs(tmp_path / "stubs", [port(path)])


def test_a_stub_lets_its_net_be_read(tmp_path, written):
    path, files = written
    assert files == [str(tmp_path / "stubs" / "stub_pack" / "inner.py"), str(tmp_path / "stubs" / "wobble_stub.py")]
    try:
        load_plugin(files[1])
        cls = LAYERS["WobbleStub"]
        assert (cls.num_bottoms, cls.num_tops) == ((1, 2), 1)
        report = port(path)
        assert report.parsed
        assert [each.text.split(":")[0] for each in report.obstacles if each.kind == "net"] == ["NotImplementedError"]
    finally:
        LAYERS.pop("WobbleStub", None)


def test_a_python_stub_has_its_class(written):
    spec = importlib.util.spec_from_file_location("stub_module", written[1][0])
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert "'a': 1" in module.Warble.__doc__
    with pytest.raises(NotImplementedError, match="Warble"):
        module.Warble().reshape([], [])


def test_what_is_there_stays(tmp_path, written):
    path, files = written
    (tmp_path / "stubs" / "wobble_stub.py").write_text("mine")
    assert write_stubs(tmp_path / "stubs", [port(path)]) == []
    assert (tmp_path / "stubs" / "wobble_stub.py").read_text() == "mine"


@pytest.mark.parametrize("module", ["../evil", "a/b", "a..b", "", "a.b;c"])
def test_no_file_is_written_elsewhere(tmp_path, module):
    path = tmp_path / "net.prototxt"
    path.write_text(f'layer {{ name: "p" type: "Python" top: "x" python_param {{ module: "{module}" layer: "L" }} }}\n'
                    'layer { name: "t" type: "../evil" bottom: "x" top: "y" }')
    assert write_stubs(tmp_path / "stubs", [port(path)]) == []
