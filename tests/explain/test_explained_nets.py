"""Pages of whole nets in a browser: no error, no request, and chosen numbers are what NumPy has, forward and back."""

import json
import math

import numpy as np
import pytest

from blobnet.explain import Question, explain
from blobnet.explain.batch import small_net
from blobnet.explain.stage import Stage
from blobnet.proto.text import parse

ASKED, ANSWERED = 700, 200  # numbers of a net that are asked for, and how many at least are worked out on the page
CLOSE = 1e-5  # of the largest number of an array, or of what is added
LSTM = parse("""
name: "LSTM"
layer { name: "x" type: "Input" top: "x" top: "cont" top: "label"
        input_param { shape { dim: 5 dim: 4 dim: 3 } shape { dim: 5 dim: 4 } shape { dim: 5 dim: 4 } } }
layer { name: "lstm" type: "LSTM" bottom: "x" bottom: "cont" top: "h"
        recurrent_param { num_output: 6 weight_filler { type: "uniform" min: -0.3 max: 0.3 } } }
layer { name: "ip" type: "InnerProduct" bottom: "h" top: "y"
        inner_product_param { num_output: 2 axis: 2 weight_filler { type: "xavier" } } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "y" bottom: "label" top: "loss" softmax_param { axis: 2 } }
""", "NetParameter")
BLOCK = """
layer { name: "%(n)s" type: "Convolution" bottom: "%(x)s" top: "%(n)s" convolution_param { num_output: 6 kernel_size: 3
        pad: 1 stride: %(s)d bias_term: false weight_filler { type: "xavier" } } }
layer { name: "bn_%(n)s" type: "BatchNorm" bottom: "%(n)s" top: "%(n)s" }
layer { name: "scale_%(n)s" type: "Scale" bottom: "%(n)s" top: "%(n)s" scale_param { bias_term: true } }
"""
RELU = 'layer { name: "%(n)s_relu" type: "ReLU" bottom: "%(n)s" top: "%(n)s" }'
RESIDUAL = parse(
    'name: "residual" layer { name: "in" type: "Input" top: "data" top: "label" input_param { '
    "shape { dim: 3 dim: 3 dim: 9 dim: 9 } shape { dim: 3 } } }"
    + BLOCK % {"n": "a", "x": "data", "s": 2} + RELU % {"n": "a"} + BLOCK % {"n": "b", "x": "a", "s": 1}
    + 'layer { name: "sum" type: "Eltwise" bottom: "a" bottom: "b" top: "sum" }' + RELU % {"n": "sum"}
    + 'layer { name: "pool" type: "Pooling" bottom: "sum" top: "pool" pooling_param { pool: AVE kernel_size: 5 } } '
    'layer { name: "fc" type: "InnerProduct" bottom: "pool" top: "fc" inner_product_param { num_output: 4 '
    'weight_filler { type: "xavier" } } } '
    'layer { name: "loss" type: "SoftmaxWithLoss" bottom: "fc" bottom: "label" top: "loss" }', "NetParameter")
NETS = {
    "LeNet": Question("prototxt/lenet/train_test.prototxt", shapes={"data": (4, 1, 28, 28)}),
    "DSH": Question("prototxt/dsh/digits_train_test.prototxt", shapes={"data": (8, 1, 32, 32)}),
    "DNNH": Question("prototxt/dnnh/small_train_test_12.prototxt", shapes={"data": (6, 3, 32, 32)}),
    "LSTM": Question(LSTM, rows=5),
    "residual": Question(RESIDUAL),
    "ResNet-50": Question("prototxt/resnet/train_val_50.prototxt", rows=2),
}


@pytest.fixture(scope="module", params=[pytest.param(name, marks=pytest.mark.slow if name == "ResNet-50" else ())
                                        for name in NETS])
def shown(request, browser, tmp_path_factory, pytestconfig):
    """(the stage of a net, its page in the browser)"""
    question = NETS[request.param]
    if isinstance(question.source, str):
        question = question._replace(source=str(pytestconfig.rootpath / question.source))
    file = tmp_path_factory.mktemp("page") / "page.html"
    explain(question, file)
    stage = Stage(small_net(question).net)
    stage.run()
    page = browser.open(file)
    yield stage, page, file
    page.close()


def arrays(stage):
    """Every array that has terms, by layer index and the beginning of a place."""
    for index, scene in stage.scenes.items():
        if not scene.bottoms and not scene.node.layer.blobs:
            continue
        yield from (((index, "top", i, "data"), stage.values[value].data) for i, value in enumerate(scene.tops))
        yield from (((index, "bottom", i, "diff"), diff) for i, diff in enumerate(scene.bottom_diffs)
                    if diff is not None)
        if scene.node.needs_backward:
            yield from (((index, "param", i, "diff"), diff) for i, diff in enumerate(scene.param_diffs))


def test_chosen_numbers_add_up(shown):
    stage, page, _ = shown
    rng = np.random.default_rng(0)
    found = dict(arrays(stage))
    header = page.run("blobnetExplain.ready.then(() => blobnetExplain.payload.layers.map(({index, cells}) => "
                      "({index, cells: cells.map((cell) => cell.place)})))")
    ahead = {(row["index"], *place[:3]): [] for row in header for place in row["cells"]}
    for row in header:
        for place in row["cells"]:
            ahead[(row["index"], *place[:3])].append(place[3])
    asked = []
    keys = list(found)
    for i in range(ASKED):
        key = keys[i % len(keys)] if i < len(keys) else keys[rng.integers(len(keys))]
        array = found[key]
        index = [int(j) for j in np.unravel_index(rng.integers(array.size), array.shape)]
        layer = stage.scenes[key[0]].node.layer
        with stage.replay(key[0]):
            worked_there = layer.arithmetic() is not None
        if not worked_there or i % 4 == 0:
            index = ahead[key][rng.integers(len(ahead[key]))]
        asked.append((key, index))
    questions = json.dumps([[key[0], [*key[1:], index]] for key, index in asked])
    answers = page.run(f"{questions}.map(([layer, place]) => ({{...blobnetExplain.terms(layer, place), "
                       "stored: blobnetExplain.stored(layer, place) ?? null}))")
    answered = 0
    for (key, index), answer in zip(asked, answers):
        array = found[key]
        want, scale = array[tuple(index)], max(float(abs(array).max()), 1e-30)
        if answer["stored"] is not None:
            assert abs(answer["stored"] - want) <= 1e-6 * scale, (key, index)
        if answer["source"] is None:
            assert answer["words"].startswith("It needs"), (key, index, answer)  # what was left out for its size
            continue
        answered += 1
        products = [math.prod(float(factor[0]) for factor in term) for term in answer["terms"]]
        total, scale = math.fsum(products) + answer["rest"], max(scale, math.fsum(map(abs, products)))
        assert abs(total - want) <= CLOSE * scale, (key, index, total, want)
    assert answered >= ANSWERED


def test_the_page_is_quiet(shown):
    _, page, _ = shown
    page.run("blobnetExplain.ready")
    assert page.complaints() == []
    assert page.requests() == []


def test_the_page_has_its_size(shown):
    _, _, file = shown
    assert file.stat().st_size < (2e6 if "LeNet" in file.read_text("utf-8")[:2000] else 15e6)
