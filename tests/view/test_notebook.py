"""What notebooks show: well-formed, small, nothing fetched, and of everything what there is to say."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest

import blobnet
from blobnet.core.shown import shown
from blobnet.hashing.codes import Codes
from blobnet.hashing.metrics import evaluate
from blobnet.hashing.protocol import get_protocol
from blobnet.proto.text import parse
from blobnet.solvers import get_solver
from blobnet.view.notebook.curve import Line, chart
from blobnet.view.notebook.solver import loss_chart

HOSTILE = "<script>alert(1)</script>&amp;\"'\x00\x1b]]>"
NET = """
name: "small"
layer { name: "data" type: "DummyData" top: "data" top: "label" dummy_data_param {
  shape { dim: 4 dim: 3 dim: 9 dim: 9 } shape { dim: 4 } data_filler { type: "gaussian" } data_filler { value: 1 } } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv" convolution_param {
  num_output: 5 kernel_size: 3 weight_filler { type: "xavier" std: 0.1 } } }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" relu_param { engine: CUDNN } }
layer { name: "ip" type: "InnerProduct" bottom: "conv" top: "ip" inner_product_param {
  num_output: 3 weight_filler { type: "xavier" } } }
layer { name: "accuracy" type: "Accuracy" bottom: "ip" bottom: "label" top: "accuracy" }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }
"""


def net(text=NET):
    return blobnet.Net(parse(text, "NetParameter"), blobnet.TRAIN, random_seed=1)


def solver(text=""):
    return get_solver(parse('base_lr: 0.01 lr_policy: "fixed" random_seed: 1 max_iter: 50 net_param {' + NET + "}"
                            + text, "SolverParameter"))


def page(thing):
    """What a notebook shows of a thing, parsed: of the size it may have, and nothing in it asks for more."""
    text = thing._repr_html_()
    assert len(text.encode()) < 200_000
    root = ElementTree.fromstring(text)
    for element in root.iter():
        assert element.tag.split("}")[-1] not in ("script", "link", "iframe", "object")
        for name, value in element.attrib.items():
            assert name not in ("href", "srcset") and not name.startswith("on")
            assert name != "src" or value.startswith("data:image/png;base64,")
            assert name != "id"  # several outputs share a page
    assert "url(" not in text and "@import" not in text
    return root


def words(root):
    """All words of a page but those of its style."""
    return " ".join(" ".join(text for text in root.itertext() if "{" not in text).split())


def rows(root):
    return [["".join(cell.itertext()) for cell in row] for row in root.iter("tr")]


def named(root, tag):
    return [element for element in root.iter() if element.tag.split("}")[-1] == tag]


def test_a_net():
    root = page(net())
    assert ["conv", "Convolution", "conv 4x5x7x7", "5x3x3x3, 5", "140", "26,460"] in rows(root)
    assert "parameters 878 (3.5 kB), 878 of them learn" in words(root)
    (drawing,) = named(root, "svg")
    drawn = [text.text for text in named(drawing, "text")]
    assert {"conv", "relu", "data 4x3x9x9", "ip 4x3"} <= set(drawn)
    assert "Split" not in drawn and "Split" not in words(root)


def test_a_net_too_large_to_draw():
    text = 'layer { name: "in" type: "Input" top: "x0" input_param { shape { dim: 1 } } }'
    text += "".join(f'layer {{ name: "layer{i}" type: "Power" bottom: "x{i}" top: "x{i + 1}" }}' for i in range(600))
    root = page(net(text))
    assert "too large a drawing" in words(root) and "and 302 more rows" in words(root)
    assert not named(root, "svg")


def test_a_net_without_layers():
    assert "0 layers" in words(page(net("")))


def test_names_are_words_and_no_tags():
    text = NET.replace('"conv"', '"' + HOSTILE.replace('"', '\\"').replace("\x00", "\\000").replace("\x1b", "\\033")
                       + '"')
    given = net(text)
    things = [given, given.blobs[HOSTILE], given.layer_dict[HOSTILE]]
    assert all("<script>alert(1)</script>&amp;" in words(page(thing)) for thing in things)
    assert "<script" not in "".join(thing._repr_html_() for thing in things)
    assert "\ufffd" in words(page(blobnet.Blob((2, 2), name="lone \ud800 surrogate")))


def test_a_blob():
    given = net()
    given.forward()
    root = page(given.blobs["data"])
    assert "<Blob 4x3x9x9 float32> layer 'data' (DummyData), top 'data'" in words(root)
    (picture,) = named(root, "img")  # the diff is not there yet
    assert "channels as blue, green, red" in words(root) and "diff all 0, not written yet" in words(root)
    assert picture.get("alt").startswith("data: from -")
    given.backward()
    data, diff = named(page(given.blobs["conv"]), "img")
    assert "black to white" in data.get("alt") and "blue below 0, red above" in diff.get("alt")


def test_looking_at_a_blob_takes_no_memory():
    blob = blobnet.Blob((1000, 1000))
    assert words(page(blob)).count("not written yet") == 2
    assert blob.memory.array is None and blob.diff_memory.array is None


@pytest.mark.parametrize("shape, value, said", [
    ((), 0.6931472, "data 0.6931472"), ((1, 1), -2, "data -2"), ((), np.nan, "data nan"),
    ((0, 3), 0, "data empty diff empty"),
    ((7,), 2, "data from 2 to 2"), ((1, 500, 1), 1, "shown: the first 200 of 500"), ((3, 4), np.nan, "12 not finite"),
    ((5,), np.inf, "5 not finite"), ((2, 3, 4, 5, 6, 7), 1, "data from 1 to 1; gray; first axis down, others right"),
])
def test_blobs_of_any_shape(shape, value, said):
    blob = blobnet.Blob(shape)
    blob.data[...] = blob.diff[...] = value
    assert said in words(page(blob))


def test_the_largest_pictures_there_are():
    """Noise, which nothing makes smaller."""
    rng = np.random.default_rng(0)
    for shape in ((2, 3, 300, 300), (500, 2000), (64, 64, 7, 7)):
        blob = blobnet.Blob(shape)
        blob.data[...] = rng.normal(size=shape)
        blob.diff[...] = rng.normal(size=shape)
        assert len(named(page(blob), "img")) == 2


def test_a_layer():
    given = net()
    given.forward()
    given.backward()
    root = page(given.layer_dict["conv"])
    assert "5 outputs, kernel 3, stride 1, pad 0; weight (5, 3, 3, 3), bias (5,); 140 parameters" in words(root)
    assert "Quirks" in words(root)  # its page
    found = rows(root)
    assert found[0] == ["convolution_param", "here", "default"]
    assert ["num_output", "5", ""] in found and ["group", "1", "1"] in found
    assert ["weight_filler", 'type: "xavier" std: 0.1', ""] in found
    assert not any(row[0] in ("engine", "dilation", "kernel_h") for row in found)  # no effect; not given
    (set_row,) = [row for row in root.iter("tr") if row[0].text == "kernel_size"]
    assert set_row.get("class") == "bn-set"
    assert [image.get("alt").split(":")[0] for image in named(root, "img")] == [
        "weight 5x3x3x3 data", "weight 5x3x3x3 diff"]
    assert [svg.get("aria-label").split(":")[0] for svg in named(root, "svg")] == ["bias 5 data", "bias 5 diff"]
    assert ["engine", "CUDNN", "DEFAULT"] in rows(page(given.layer_dict["relu"]))  # given, even if it has no effect


def test_a_layer_with_many_parameters():
    given = net('layer { name: "in" type: "Input" top: "x" top: "c" input_param {'
                ' shape { dim: 3 dim: 2 dim: 600 } shape { dim: 3 dim: 2 } } }'
                'layer { name: "l" type: "LSTM" bottom: "x" bottom: "c" top: "y" recurrent_param { num_output: 300 '
                'weight_filler { type: "gaussian" } } }')
    layer = given.layer_dict["l"]
    for blob in layer.blobs:
        blob.diff[...] = np.random.default_rng(0).normal(size=blob.shape)
    assert len(named(page(layer), "figure")) == 2 * len(layer.blobs) == 6
    layer.blobs.extend([blobnet.Blob((2, 2))] * 5)
    assert "and 2 more parameters" in words(page(layer))


def test_a_solver():
    given = solver()
    assert "no iteration yet" in words(page(given))
    given.step(1)
    assert len(named(page(given), "path")) >= 1  # a single point
    given.step(30)
    root = page(given)
    assert "iteration 31 on cpu" in words(root) and "mean of 5 points" in words(root)
    assert f"loss {given.loss:.4g}, rate 0.01" in words(root)


def test_losses_that_are_not_finite():
    losses = np.array([3, 2, np.nan, np.inf, 1.0])
    root = ElementTree.fromstring(loss_chart(np.arange(5), losses))
    (curve,) = [path for path in named(root, "path") if path.get("fill") == "none"]
    assert re.sub("[^ML]", "", curve.get("d")) == "MLM"
    assert loss_chart(np.arange(2), np.array([np.nan, np.nan])) == ""
    given = solver()
    given.step(1)
    given.losses.add(1, float("nan"))
    assert "not finite: 1 of these losses" in words(page(given))


@pytest.mark.parametrize("values", [[0, 0], [5, 5], [-3e-300, 0], [1e-12, 1], [-1.7e308, 1.7e308], [1e30, 1e30], [7]])
def test_a_chart_of_any_numbers(values):
    y = np.array(values, float)
    text = chart([Line("a", np.arange(len(y)), y), Line("<b>", np.arange(len(y)), y, faint=True)], "x", "y")
    numbers = [float(number) for number in re.findall(r"[ML](\S+) ", text)]
    ElementTree.fromstring(text)
    assert all(0 <= number <= 480 for number in numbers) and "nan" not in text
    assert 1 <= text.count('text-anchor="end"') <= 11


def test_scores():
    rng = np.random.default_rng(0)
    queries, base = (Codes.from_values(rng.normal(size=(count, 8)), labels=rng.integers(0, 2, count))
                     for count in (5, 3000))
    scores = evaluate(queries, base)
    root = page(scores)
    assert ["mAP", f"{scores.mean_average_precision:.4f}"] in rows(root)
    assert ["P(r<=2)", f"{scores.precision_within:.4f}"] in rows(root)
    assert ["queries that count", "5 of 5"] in rows(root)
    assert "standard: queries against a separate database" in words(root)
    (curve,) = [path for path in named(root, "path") if path.get("fill") == "none"]
    assert 100 < len(re.findall("[ML]", curve.get("d"))) <= 200
    by_distance = evaluate(queries, base, get_protocol("standard", metric="l2"))
    assert not any("r<=" in row[0] for row in rows(page(by_distance)))
    assert len(rows(page(evaluate(queries, base, k=1)))) == 5


def test_other_things():
    assert shown([1, "<"]).endswith("<pre>[1, &#x27;&lt;&#x27;]</pre>\n</div>")
