"""`blobnet port`: tables, JSON, HTML, stubs, weights."""

import json

import pytest

import blobnet
from blobnet.cli import main

NET = """layer { name: "d" type: "Input" top: "x" input_param { shape { dim: [2, 3] } } }
layer { name: "ip" type: "InnerProduct" bottom: "x" top: "y" inner_product_param { num_output: 2 } }"""
BAD = NET + '\nlayer { name: "w" type: "Wobble<b>" bottom: "y" top: "z" }'


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nets" / "deep").mkdir(parents=True)
    for name, text in {"good.prototxt": NET, "deep/bad.prototxt": BAD, "labels.prototxt": "item { id: 1 }",
                       "solver.prototxt": 'net: "nets/good.prototxt" base_lr: 0.1', "notes.txt": "no net"}.items():
        (tmp_path / "nets" / name).write_text(text)
    return tmp_path


def test_a_good_net(folder, capsys):
    assert main(["port", "nets/good.prototxt"]) == 0
    out = capsys.readouterr().out
    assert "TEST: 2 layers, built, forward ran, backward ran" in out and "1 nets, 1 parse, 1 build" in out


def test_a_solver_leads_to_its_net(folder, capsys):
    assert main(["port", "nets/solver.prototxt"]) == 0
    assert "1 of 1 run forward" in capsys.readouterr().out


def test_a_folder(folder, capsys):
    assert main(["port", "nets", "--json", "out.json", "--html", "out.html", "--no-run"]) == 1
    out = capsys.readouterr().out
    assert "2 nets, 2 parse, 1 build" in out and "no nets: 1 other files, 1 solver files" in out
    reports = {each["path"]: each for each in json.loads((folder / "out.json").read_text())}
    assert sorted(reports) == [f"nets/{name}" for name in (
        "deep/bad.prototxt", "good.prototxt", "labels.prototxt", "solver.prototxt")]
    obstacle, = reports["nets/deep/bad.prototxt"]["obstacles"]
    assert obstacle["kind"] == "type" and obstacle["places"] == ["nets/deep/bad.prototxt:3:25: layer 'w'"]
    page = (folder / "out.html").read_text()
    assert "Wobble&lt;b&gt;" in page and "<b>" not in page and "http" not in page


def test_json_alone(folder, capsys):
    assert main(["port", "nets/good.prototxt", "--json", "-"]) == 0
    report, = json.loads(capsys.readouterr().out)
    assert report["built"] and report["states"][0]["forward"]


def test_weights(folder, capsys):
    blobnet.Net("nets/good.prototxt").save("w.caffemodel")
    assert main(["port", "nets/good.prototxt", "--weights", "w.caffemodel"]) == 0
    assert "ip     copied  2x3, 2  2x3, 2" in capsys.readouterr().out
    assert main(["port", "nets/deep/bad.prototxt", "--weights", "w.caffemodel"]) == 1
    assert "--weights: expected one net that can be built" in capsys.readouterr().err


def test_stubs(folder, capsys):
    (folder / "odd.prototxt").write_text(BAD.replace("Wobble<b>", "Wobble"))
    assert main(["port", "odd.prototxt", "--write-stubs", "stubs", "--no-run"]) == 1
    assert "wrote stubs/wobble.py" in capsys.readouterr().err
    assert "class Wobble(blobnet.Layer)" in (folder / "stubs" / "wobble.py").read_text()
