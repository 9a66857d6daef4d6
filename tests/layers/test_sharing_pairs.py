"""Every layer type behind every layer that shares memory: a parameter below gets its gradient, by central differences.

The first bottom of each row of the table of layers comes from a Parameter, or from a Bias, which adds its parameter to
zeros, through layers that leave its shape as it is.
"""

import dataclasses
import itertools

import numpy as np
import pytest
from layer_cases import CASES

from blobnet.backend import single_threaded_blas
from blobnet.check.compare import Rules, compare
from blobnet.check.standalone import exact_gradient, read_layer
from blobnet.core.layer import Layer
from blobnet.core.layer_type import LayerType
from blobnet.core.net import Net
from blobnet.proto.messages import new
from blobnet.proto.text import parse

VIEWS = ("Reshape", "Flatten", "Slice", "Concat", "Split")
CHAINS = [*itertools.product(VIEWS, VIEWS), ("all Flatten", "Reshape")]
ROWS = {name: case for name, case in CASES.items() if case.bottoms and "gradient" not in case.exceptions
        and type(case).__name__ == "Case" and case.type.backward is not Layer.backward
        and 0 not in case.type.unforced_bottoms and [*read_layer(case.source).propagate_down, True][0]
        and case.type.complete.__func__ is LayerType.complete.__func__}  # else it asks what stands below


def view(kind, bottom, top, shape):
    """The prototxt of a layer that shares the memory of its bottom; all but "all Flatten" keep its shape."""
    dims = " ".join(f"dim: {size}" for size in shape)
    options = {"Reshape": f"reshape_param {{ shape {{ {dims} }} }}", "Concat": "concat_param { axis: 0 }",
               "Slice": "slice_param { axis: 0 }", "Flatten": "flatten_param { axis: -1 }",
               "all Flatten": "flatten_param { axis: 0 }", "Split": ""}
    return f'layer {{ name: "{top}" type: "{kind.split()[-1]}" bottom: "{bottom}" top: "{top}" {options[kind]} }}'


def shape_text(shape):
    return f"shape {{ {' '.join(f'dim: {size}' for size in shape)} }}"


def build(case, source, views):
    """A net of the row behind `views` behind `source`, with its values in it; and the layer's number."""
    param, values = read_layer(case.source), case.values()
    exact_gradient(param, case.type)
    first, shape = param.bottom[0], values[0].shape
    blob = f"s{len(views)}"
    text = 'force_backward: true layer { name: "p" '
    if source == "Parameter":
        text += f'type: "Parameter" top: "{blob}" parameter_param {{ {shape_text(shape)} }} }}'
    else:
        text += f'type: "Bias" bottom: "zero" top: "{blob}" bias_param {{ axis: 0 num_axes: -1 }} }}'
        text = f'layer {{ name: "zero" type: "Input" top: "zero" input_param {{ {shape_text(shape)} }} }} {text}'
    for i, kind in enumerate(views):
        left = len(views) - i - 1
        text += view(kind, f"s{left + 1}", f"s{left}" if left else first, shape)
    if not views:
        text = text.replace('"s0"', f'"{first}"')
    net = parse(text, "NetParameter")
    others = dict(zip(param.bottom[1:], values[1:]))
    for name, value in others.items():
        if name != first:
            made = new("LayerParameter", name=name, type="Input", top=[name])
            made.input_param.shape.add().dim.extend(value.shape)
            net.layer.append(made)
    net.layer.append(param)
    built = Net(net, case.phase, random_seed=5, dtype="float64", python_layers=case.python_layers)
    built.params["p"][0].data[...] = values[0]
    for name, value in others.items():
        if name != first:
            built.blobs[name].data[...] = value
    return built, built.position(param.name)


def check(case, source, views):
    """Compare the gradient of the parameter, of the second of two passes, with differences."""
    net, last = build(case, source, views)
    weight, rng = net.params["p"][0], np.random.default_rng(1)
    variable = weight.data.copy()

    def outputs():
        weight.data[...] = variable
        net.seek(0)
        net.forward()
        return [blob.data.copy() for blob in net.tops[last]]

    weights = [np.full(top.shape, loss) if any(net.layers[last].loss_weights) else rng.normal(size=top.shape)
               for top, loss in zip(outputs(), net.layers[last].loss_weights)]
    for _ in range(2):
        net.clear_param_diffs()
        outputs()
        for blob, diff in zip(net.tops[last], weights):
            blob.diff[...] = diff
        net.backward()
    checked, skipped, worst, passed, _ = compare(outputs, weights, [variable], [weight.diff.copy()],
                                                 Rules(exhaustive=24, directions=2), rng)
    assert passed, f"{source} - {' - '.join(views)}: {checked} checked, {skipped} skipped, worst error {worst:g}"


def check_all(name, data_folder, sources, chains):
    case = ROWS[name]
    case = dataclasses.replace(case, source=case.source.replace("FOLDER", str(data_folder)))
    scalar = not case.values()[0].shape
    with single_threaded_blas():
        for source, views in itertools.product(sources, chains):
            if not (scalar and {*views, source} & {"Flatten", "Slice", "Concat", "Bias"}):
                check(case, source, views)


@pytest.mark.filterwarnings("ignore:.*bi_margin")
@pytest.mark.parametrize("name", ROWS)
def test_behind_one_view_of_a_parameter(name, data_folder):
    check_all(name, data_folder, ["Parameter"], [(kind,) for kind in VIEWS])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*bi_margin")
@pytest.mark.parametrize("name", ROWS)
def test_behind_chains_of_views(name, data_folder):
    check_all(name, data_folder, ["Parameter", "Bias"], [(), *((kind,) for kind in VIEWS), *CHAINS])
