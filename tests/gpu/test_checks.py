"""`blobnet check --gpu`: gradients and forwards of the GPU against differences and formulas."""

import pytest
from layer_cases import CASES
from tiny import NET

from blobnet.check import check_layer, check_net
from blobnet.cli import main
from blobnet.layers.weighted.inner_product import InnerProduct
from blobnet.proto.text import parse

pytestmark = pytest.mark.usefixtures("gpu")


def summary(results):
    return [(result.layer, result.blob, result.checked, result.skipped, result.passed) for result in results]


def test_a_net():
    definition, shapes = parse(NET, "NetParameter"), {"x": (3, 2, 4, 4), "label": (3,)}
    results = check_net(definition, shapes=shapes, device="gpu")
    assert summary(results) == summary(check_net(definition, shapes=shapes))
    assert results[-1].kind == "param" and results[-1].checked and all(result.passed for result in results)


@pytest.mark.parametrize("name", ["Convolution", "InnerProduct", "Pooling", "PReLU", "Lstm", "HashingLoss"])
def test_a_layer(name):
    case = CASES[name]
    results = check_layer(case.source, *case.values(), phase=case.phase, device="gpu")
    assert summary(results) == summary(check_layer(case.source, *case.values(), phase=case.phase))
    assert any(result.checked for result in results) and all(result.passed for result in results)


def test_the_command(tmp_path, monkeypatch, capsys):
    (tmp_path / "net.prototxt").write_text(NET)
    monkeypatch.chdir(tmp_path)
    assert main(["check", "net.prototxt", "--gpu", "0", "--layer", "ip"]) == 0
    assert "3 gradients checked, 0 wrong; 1 forwards compared with their formulas, 0 wrong" in capsys.readouterr().out
    backward = InnerProduct.backward

    def wrong(self, top, propagate_down, bottom):
        backward(self, top, propagate_down, bottom)
        bottom[0].diff[...] *= 1.01

    monkeypatch.setattr(InnerProduct, "backward", wrong)
    assert main(["check", "net.prototxt", "--gpu", "0", "--layer", "ip"]) == 1
    assert "3 gradients checked, 1 wrong" in capsys.readouterr().out
