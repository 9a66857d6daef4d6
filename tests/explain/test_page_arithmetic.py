"""The terms that the page writes out add up to what the layers compute, forward and backward, for every kind."""

import json

import numpy as np
import pytest
from arithmetic_cases import CASES
from hand_payload import Payload

from blobnet.check.standalone import standalone
from blobnet.explain.html import page_html

CELLS = 120  # of each array, drawn; all where it has fewer


def rounded(values):
    """As the file holds them: float32, here in float64."""
    return np.asarray(values, np.float32).astype(float)


def add_case(payload, index, name, rng):
    """Put the layer into the payload; what forward and backward give, by place."""
    kind, rest, bottoms, arithmetic = CASES[name]
    values = [rounded(rng.normal(size=bottom) if isinstance(bottom, tuple) else bottom) for bottom in bottoms]
    alone = standalone(f'layer {{ name: "one" type: "{kind}" {rest} }}', *values, seed=index)
    alone.parameters = [rounded(parameter) for parameter in alone.parameters]
    if arithmetic.get("mode") == "stored":  # a net that was not trained has stored nothing yet
        alone.parameters = [rounded(rng.uniform(1, 2, parameter.shape)) for parameter in alone.parameters]
    tops, layer = alone.forward(), alone.layer
    arithmetic = arithmetic | batch_statistics(values[0], arithmetic)
    weights = list(layer.param.loss_weight) or [1.0]
    loss = "Loss" in kind
    diffs = [np.full(top.shape, weights[i]) if loss else rounded(rng.normal(size=top.shape))
             for i, top in enumerate(tops)]
    if arithmetic["kind"] == "pool":
        diffs[1:] = [np.zeros_like(diff) for diff in diffs[1:]]  # nothing goes back through places
    for blob in layer.blobs:
        blob.diff[...] = 0
    wanted = alone.differentiable()
    down = alone.backward(diffs, wanted)
    ids = [payload.value(f"a{i}", value, diff if ask else None, readers=[(index, i)], layer=-1)
           for i, (value, diff, ask) in enumerate(zip(values, down, wanted))]
    made = [payload.value(f"y{i}", top, diff, layer=index, top=i) for i, (top, diff) in enumerate(zip(tops, diffs))]
    params = [payload.param(f"p{i}", value, blob.diff) for i, (value, blob) in enumerate(zip(alone.parameters,
                                                                                            layer.blobs))]
    payload.layer(name, kind, ids, made, params, arithmetic, index=index,
                  loss_weights=weights if loss else [0] * len(made))
    found = {("top", i, "data"): top for i, top in enumerate(tops)}
    found |= {("bottom", i, "diff"): diff for i, (diff, ask) in enumerate(zip(down, wanted)) if ask}
    return found | {("param", i, "diff"): np.array(blob.diff) for i, blob in enumerate(layer.blobs)}


def batch_statistics(x, arithmetic):
    """The mean and the variance of each channel, where the page is told them."""
    if arithmetic.get("mode") != "batch":
        return {}
    x = x.reshape(arithmetic["grouped"])
    return {"mean": x.mean((0, 2)).tolist(), "variance": x.var((0, 2)).tolist()}


def places(arrays, rng):
    """Places of some cells of each array, all of small ones."""
    for (kind, number, which), array in arrays.items():
        for flat in rng.permutation(array.size)[:CELLS]:
            index = [int(i) for i in np.unravel_index(flat, array.shape)]
            yield [kind, number, which, index]


@pytest.fixture(scope="module")
def answers(browser, tmp_path_factory):
    """{case: [(place, what the layer computed, the terms of the page, the page's proof, the scale of the array)]}"""
    payload, rng, asked = Payload("all kinds"), np.random.default_rng(5), {}
    for index, name in enumerate(CASES):
        arrays = add_case(payload, index, name, rng)
        asked[name] = [(index, place, arrays[tuple(place[:3])]) for place in places(arrays, rng)]
    file = tmp_path_factory.mktemp("page") / "kinds.html"
    file.write_text(page_html(payload.header, bytes(payload.binary), ""), "utf-8")
    page = browser.open(file)
    questions = [[index, place] for rows in asked.values() for index, place, _ in rows]
    given = iter(page.run(f"""blobnetExplain.ready.then(() => {json.dumps(questions)}.map(([layer, place]) => {{
        const found = blobnetExplain.terms(layer, place);
        return {{...found, stored: blobnetExplain.stored(layer, place), proof: blobnetExplain.proof(layer, place)}};
    }}))"""))
    assert not page.complaints()
    page.close()
    return {name: [(place, array, next(given)) for _, place, array in rows] for name, rows in asked.items()}


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case[-1]["kind"] != "scalar"])
def test_layers_tell_the_page_what_these_cases_say(name):
    kind, rest, bottoms, arithmetic = CASES[name]
    rng = np.random.default_rng(0)
    values = [rng.normal(size=bottom) if isinstance(bottom, tuple) else bottom for bottom in bottoms]
    alone = standalone(f'layer {{ name: "one" type: "{kind}" {rest} }}', *values)
    alone.forward()
    said = {key: pytest.approx(item) if isinstance(item, float) else item for key, item in arithmetic.items()}
    said |= {key: pytest.approx(items) for key, items in batch_statistics(values[0], arithmetic).items()}
    assert json.loads(json.dumps(alone.layer.arithmetic())) == said


@pytest.mark.parametrize("name", CASES)
def test_terms_add_up_to_what_the_layer_computes(name, answers):
    assert len({place[0] for place, _, _ in answers[name]}) >= 2
    for place, array, found in answers[name]:
        expected, allowed = array[tuple(place[3])], 1e-5 * np.abs(array).max()
        assert found["source"] == "page", (place, found)
        assert abs(found["value"] - expected) <= allowed, (place, found["value"], expected)
        assert abs(found["stored"] - expected) <= allowed, (place, found["stored"], expected)
        products = sum(np.prod([factor[0] for factor in term]) for term in found["terms"])
        assert found["value"] == pytest.approx(products + found["rest"], rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("name", [name for name in CASES if "as published" not in name])
def test_moving_a_number_shows_its_slope(name, answers):
    """The proof that the page does itself; not where windows or bottoms are equal, and the slope is not defined."""
    slopes = [(place, array, found) for place, array, found in answers[name] if place[2] == "diff"]
    agreeing = [found["proof"] is not None
                and abs(found["proof"]["numeric"] - found["value"]) <= 1e-4 * np.abs(array).max() + 1e-9
                for _, array, found in slopes]
    assert slopes and np.mean(agreeing) > (0.2 if name in ("maximum among equals, with places", "larger of bottoms")
                                           else 0.99)


def test_statistics_serve_where_images_are_left_out(browser, tmp_path):
    """Forward needs one number of x; backward, and a proof, need the whole channel."""
    rng, made = np.random.default_rng(8), Payload("a part of a batch")
    x, dy = rng.normal(size=(2, 3, 2, 4, 4))
    alone = standalone('layer { name: "one" type: "BatchNorm" bottom: "a" top: "y" }', x)
    y = alone.forward()[0]
    ids = [made.value("a", x, alone.backward([dy], [True])[0], readers=[(0, 0)], layer=-1, kept=(1, 2, 4, 4)),
           made.value("y", y, dy, kept=(1, 2, 4, 4))]
    made.layer("one", "BatchNorm", ids[:1], ids[1:], [], alone.layer.arithmetic(), index=0)
    (tmp_path / "page.html").write_text(page_html(made.header, bytes(made.binary), ""), "utf-8")
    page = browser.open(tmp_path / "page.html")
    forward, backward = (page.run(f"blobnetExplain.ready.then(() => blobnetExplain.terms(0, {place}))")
                         for place in ("['top', 0, 'data', [0, 1, 2, 3]]", "['bottom', 0, 'diff', [0, 1, 2, 3]]"))
    page.close()
    assert forward["value"] == pytest.approx(y[0, 1, 2, 3], rel=1e-5)
    assert backward["source"] is None and "left out" in backward["words"]


def test_a_wrong_weight_is_noticed(answers):
    """The comparison can fail: the place is part of what is compared."""
    rows = answers["convolution"]
    shifted = [found["value"] for _, _, found in rows[1:]]
    wrong = [abs(value - array[tuple(place[3])]) > 1e-5 * np.abs(array).max()
             for value, (place, array, _) in zip(shifted, rows)]
    assert np.mean(wrong) > 0.9
