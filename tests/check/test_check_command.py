"""The command `blobnet check`."""

import argparse
import re
import textwrap

import pytest
from small_net import NET

from blobnet.cli.check import add_parser
from blobnet.core.registry import LAYERS
from blobnet.errors import NetError


@pytest.fixture
def check(tmp_path, capsys):
    """Run the command on a net; its exit status and what it printed."""
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers(required=True))

    def run(*arguments, text=NET):
        path = tmp_path / "net.prototxt"
        path.write_text(text)
        args = parser.parse_args(["check", str(path), *arguments])
        status = args.run(args)
        return status, capsys.readouterr().out

    return run


def test_all_right(check):
    status, out = check()
    assert status == 0
    assert re.search(r"14 gradients checked, 0 wrong; \d forwards compared with their formulas, 0 wrong", out)
    assert out.startswith("layer ")


def test_wrong(check, monkeypatch):
    monkeypatch.setattr(LAYERS["ReLU"], "backward", lambda self, top, down, bottom: bottom[0].diff.fill(0))
    status, out = check("--layer", "relu", "--layer", "pool")
    assert status == 1
    assert "2 gradients checked, 1 wrong" in out
    assert [line.split()[0] for line in out.splitlines() if "FAIL" in line] == ["relu"]


def test_wrong_forward(check, monkeypatch):
    right = LAYERS["Pooling"].forward

    def forward(self, bottom, top):
        right(self, bottom, top)
        top[0].data[-1] += 1

    monkeypatch.setattr(LAYERS["Pooling"], "forward", forward)
    status, out = check("--layer", "relu", "--layer", "pool")
    assert status == 1
    assert "2 gradients checked, 0 wrong; 1 forwards compared with their formulas, 1 wrong" in out
    line = next(line for line in out.splitlines() if line.startswith("pool"))
    assert "FAIL (at pool[5, 0, 0, 0] forward has" in line and line.endswith("100 of 600 are wrong)")


def test_shape_and_phase(check):
    status, out = check("--shape", "data=2,1,9,9", "--shape", "label=2", "--phase", "TEST")
    assert status == 0
    assert "no backward" in out
    assert "drop" not in out
    assert "random directions of 162 elements" in out


@pytest.mark.parametrize("shape", ["data", "data=", "=1,2", "data=1,x", "data=0,1"])
def test_malformed_shape(check, shape, capsys):
    with pytest.raises(SystemExit):
        check("--shape", shape)
    assert "expected TOP=N,C,H,W" in capsys.readouterr().err


def test_missing_shape(check):
    with pytest.raises(NetError, match=r"layer 'd' \(Data\).*--shape data=N,C,H,W"):
        check(text=NET.replace("crop_size: 12", ""))


def test_plugin(check, tmp_path):
    plugin = tmp_path / "mine.py"
    plugin.write_text(textwrap.dedent("""
        from blobnet import Layer, register

        @register
        class HalfSquare(Layer):
            def reshape(self, bottom, top):
                top[0].reshape(bottom[0].shape)

            def forward(self, bottom, top):
                top[0].data[...] = bottom[0].data ** 2 / 2

            def backward(self, top, propagate_down, bottom):
                bottom[0].diff[...] = top[0].diff * bottom[0].data
        """))
    text = """
        layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 3 dim: 4 } } }
        layer { name: "half" type: "HalfSquare" bottom: "x" top: "y" }"""
    try:
        status, out = check("--plugin", str(plugin), text=text)
    finally:
        LAYERS.pop("HalfSquare", None)
    assert status == 0
    assert "1 gradients checked, 0 wrong" in out
