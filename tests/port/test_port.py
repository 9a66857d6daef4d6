"""Reports on nets: every obstacle with its place, shapes that nothing tells, phases, passes forward and backward."""

import json

import numpy as np
import pytest

from blobnet.core.context import TRAIN
from blobnet.core.net import Net
from blobnet.core.without_data import without_data
from blobnet.errors import MissingFile
from blobnet.port.port import port
from blobnet.port.trial import LISTED, _fill
from blobnet.proto.text import parse

GOOD = """
layer { name: "d" type: "Data" top: "data" top: "label" data_param { source: "none" batch_size: 4 }
        transform_param { crop_size: 8 } }
layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip" inner_product_param { num_output: 3 } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" include { phase: TRAIN } }
layer { name: "accuracy" type: "Accuracy" bottom: "ip" bottom: "label" top: "accuracy" include { phase: TEST } }
"""
INPUT = 'layer { name: "d" type: "Input" top: "x" input_param { shape { dim: [2, 3, 8, 8] } } }\n'


@pytest.fixture
def report(tmp_path):
    """A function that reports on a text; further arguments are those of port."""
    def of(text, **options):
        path = tmp_path / "net.prototxt"
        path.write_text(text)
        return port(path, **options)
    return of


def found(report):
    """The obstacles as (kind, line of the first place, text)."""
    return [(each.kind, int(each.places[0].split(":")[1]), each.text) for each in report.obstacles]


def test_a_good_net_runs_in_both_phases(report):
    found = report(GOOD)
    assert [(state.phase, state.layers, state.built, state.forward, state.backward) for state in found.states] \
        == [("TRAIN", 3, True, True, True), ("TEST", 3, True, True, True)]
    assert found.obstacles == [] and found.built and found.generation == "today"
    assert found.states[0].assumed == {"data": (4, 3, 8, 8)}
    assert found.states[0].multiply_adds == 4 * 3 * 192
    assert found.states[0].memory >= 4 * (4 * 192 + 2 * (3 * 192 + 3))  # x, and W and b with their diffs
    assert json.loads(json.dumps(found.as_dict()))["forward"] is True


def test_given_shapes_win(report):
    assert report(GOOD, shapes={"data": (2, 1, 5, 5)}).states[0].multiply_adds == 2 * 3 * 25


def test_all_obstacles_at_once(report):
    text = INPUT + """
layer { name: "a" type: "Wobble" bottom: "x" top: "a" wobble_param { depth: 3 } }
layer { name: "b" type: "Pooling" bottom: "x" top: "b" pooling_param { kernal_size: 3 pool: MIN } }
layer { name: "c" type: "Convolution" bottom: "x" top: "c" convolution_param { num_output: 2 kernel_size: 11 } }
layer { name: "d2" type: "Slice" bottom: "nothing" top: "d1" top: "d2" }
layer { name: "e" type: "Warble" bottom: "a" top: "e" }
layer { name: "f" type: "Eltwise" bottom: "e" bottom: "x" top: "f" }
"""
    report = report(text)
    assert [(kind, line) for kind, line, _ in found(report)] == [
        ("field", 3), ("field", 4), ("field", 4), ("type", 3), ("net", 6), ("type", 7), ("net", 5)]
    texts = " | ".join(each.text for each in report.obstacles)
    for words in ("no field 'wobble_param'", "did you mean 'kernel_size'", "got MIN", "unknown layer type 'Wobble'",
                  "unknown bottom 0, 'nothing'", "unknown layer type 'Warble'", "11 x 11"):
        assert words in texts, words
    assert not report.parsed and not report.built and report.ran("forward") is None


def test_what_stands_twice_is_one_obstacle_with_two_places(report):
    layer = 'layer { name: "%s" type: "Wobble" bottom: "x" top: "%s" }\n'
    obstacle, = report(INPUT + layer % ("a", "a") + layer % ("b", "b")).obstacles
    assert [place.split(":")[1] for place in obstacle.places] == ["2", "3"]


def test_syntax_ends_the_reading(report):
    report = report(INPUT + "layer { name: }")
    assert [each.kind for each in report.obstacles] == ["syntax"]
    assert [(state.layers, state.built) for state in report.states] == [(2, False)]


def test_a_text_value_without_quotes_is_told_once(report):
    report = report(INPUT + 'layer { name: "r" type: ReLU bottom: "x" top: "y" }')
    assert [each.kind for each in report.obstacles] == ["field"]


def test_old_generations(report):
    assert report('input: "x" input_dim: [1, 3, 8, 8] layers { name: "r" type: RELU bottom: "x" top: "y" }'
                  ).generation == "V1"
    old = report('input: "x" input_dim: [1, 3, 8, 8] layers { layer { name: "r" type: "relu" } bottom: "x" top: "y" }')
    assert (old.generation, old.built, old.ran("forward"), old.ran("backward")) == ("V0", True, True, True)


@pytest.mark.parametrize("loss, shape", [
    ("SoftmaxWithLoss", (4,)), ("EuclideanLoss", (4, 3)), ("SigmoidCrossEntropyLoss", (4, 3)), ("HingeLoss", (4,))])
def test_labels_take_the_shape_that_their_loss_needs(report, loss, shape):
    text = f"""
layer {{ name: "d" type: "HDF5Data" top: "x" top: "t" hdf5_data_param {{ source: "none" batch_size: 4 }} }}
layer {{ name: "ip" type: "InnerProduct" bottom: "x" top: "ip" inner_product_param {{ num_output: 3 }} }}
layer {{ name: "loss" type: "{loss}" bottom: "ip" bottom: "t" }}"""
    found = report(text, shapes={"x": (4, 5)})
    assert (found.built, found.ran("forward"), found.ran("backward")) == (True, True, True)
    assert found.states[0].assumed.get("t", (4,)) == shape


def test_a_label_image_that_several_layers_read(report):
    text = """
layer { name: "d" type: "Python" top: "data" top: "label" python_param { module: "m" layer: "L" } }
layer { name: "c" type: "Convolution" bottom: "data" top: "c" convolution_param { num_output: 4 kernel_size: 1 } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "c" bottom: "label" }
layer { name: "accuracy" type: "Accuracy" bottom: "c" bottom: "label" top: "accuracy" }
"""
    report = report(text, shapes={"data": (1, 3, 6, 7)})
    assert report.built and report.states[0].assumed == {"label": (1, 1, 6, 7)}
    assert report.modules == [("m", "L", "")]


def test_a_second_image_beside_the_first(report):
    report = report("""
layer { name: "d" type: "Python" top: "color" top: "depth" top: "label" python_param { module: "m" layer: "L" } }
layer { name: "c" type: "Concat" bottom: "color" bottom: "depth" top: "c" }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "c" bottom: "label" }""")
    assert report.built and report.states[0].assumed == {
        "color": (1, 3, 224, 224), "depth": (1, 3, 224, 224), "label": (1, 1, 224, 224)}


@pytest.mark.parametrize("cut, tops, channels", [
    ("slice_point: 1", 2, 2), ("slice_point: 3 slice_point: 6", 3, 9), ("slice_point: 2 axis: 1", 2, 4),
    ("", 2, 2), ("axis: 1", 3, 3), ("axis: -1", 2, 1), ("axis: 0", 2, 1)])
def test_images_that_lie_behind_each_other_in_the_channels(report, cut, tops, channels):
    report = report(f"""
layer {{ name: "d" type: "Data" top: "pair" top: "sim" data_param {{ source: "mnist_pairs" batch_size: 4 }} }}
layer {{ name: "slice" type: "Slice" bottom: "pair" {' '.join(f'top: "t{i}"' for i in range(tops))}
        slice_param {{ {cut} }} }}""")
    assert report.built and report.states[0].assumed["pair"] == (4, channels, 28, 28)


def test_labels_that_a_filler_made_are_replaced(report):
    report = report("""
layer { name: "d" type: "DummyData" top: "x" top: "label" dummy_data_param { data_filler { value: 0.01 }
        shape { dim: [2, 3] } shape { dim: 2 } } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "x" bottom: "label" }""")
    assert (report.obstacles, report.ran("forward"), report.states[0].assumed) == ([], True, {})


YOLO = """
layer { name: "d" type: "AnnotatedData" top: "x" top: "label" data_param { source: "no_such_db" batch_size: 2 }
        transform_param { resize_param { height: 16 width: 16 } resize_param { height: 8 width: 8 } }
        annotated_data_param { yolo_data_type: 1 } }
layer { name: "c" type: "Convolution" bottom: "x" top: "c"
        convolution_param { num_output: 6 kernel_size: 4 stride: 4 } }
layer { name: "loss" type: "Yolov3" bottom: "c" bottom: "label" loss_weight: 1
        yolov3_param { num: 1 num_class: 1 biases: [9, 9] mask: 0 anchors_scale: 4 } }"""


def test_true_boxes_in_lists_are_made_up(report):
    done = report(YOLO)
    assert (done.obstacles, done.ran("forward"), done.ran("backward")) == ([], True, True)


def test_what_is_listed_is_a_box():
    net = Net(without_data(parse(YOLO, "NetParameter")), TRAIN)
    _fill(net, ["label"])
    assert net.blobs["x"].shape == (2, 3, 16, 16)
    np.testing.assert_allclose(net.blobs["label"].data[:, 0, :2], [[LISTED, [0] * 5]] * 2)


def test_a_python_layer_between_others_is_an_obstacle(report):
    report = report(INPUT + """
layer { name: "p" type: "Python" bottom: "x" top: "p" python_param { module: "no_such_module" layer: "L" } }
layer { name: "r" type: "ReLU" bottom: "p" top: "r" }""")
    assert [(kind, line) for kind, line, _ in found(report)] == [("python", 3)]
    assert not report.built


def test_stages_are_states(report):
    rule = 'include { stage: "%s" }'
    text = "".join(GOOD.replace("crop_size: 8 } }", "crop_size: 8 } " + rule % stage + " }").split("layer {")[1]
                   .join(["layer {", ""]) for stage in ("train", "val"))
    report = report(text + 'layer { name: "r" type: "Flatten" bottom: "data" top: "r" }')
    assert [(state.phase, state.stages) for state in report.states] == [("TRAIN", ["train"]), ("TRAIN", ["val"])] \
        or [state.stages for state in report.states] == [["train"]]
    assert report.built


def test_a_net_without_a_loss_runs_backward_from_its_outputs(report):
    report = report(INPUT + 'layer { name: "s" type: "Sigmoid" bottom: "x" top: "y" }')
    assert [(state.phase, state.backward) for state in report.states] == [("TEST", True)]


def test_a_net_that_cannot_go_back_says_so(report):
    report = report(INPUT + 'layer { name: "m" type: "Threshold" bottom: "x" top: "y" }')
    assert report.built and report.obstacles == [] and report.states[0].backward is None
    assert "Threshold has no gradient" in report.states[0].note


def test_large_batches_are_tried_with_a_row(report):
    text = INPUT.replace("[2, 3, 8, 8]", "[999, 3, 999, 999]") + (
        'layer { name: "c" type: "Convolution" bottom: "x" top: "y" '
        "convolution_param { num_output: 64 kernel_size: 3 stride: 50 } }")
    state, = report(text).states
    assert (state.rows, state.forward, state.backward) == (1, True, True)
    assert state.multiply_adds == 999 * 20 * 20 * 27 * 64


def test_a_net_too_large_for_the_machine_is_not_run(report, monkeypatch):
    monkeypatch.setattr("blobnet.port.trial.free_bytes", lambda: 1000)
    report = report(INPUT + 'layer { name: "s" type: "Sigmoid" bottom: "x" top: "y" }')
    state, = report.states
    assert (state.built, state.forward) == (True, None)
    assert state.note == "not run: it takes 3.1 kB, and 1.0 kB are free"


def test_errors_of_a_pass_are_obstacles(report, monkeypatch):
    from blobnet.core.registry import LAYERS

    def fail(self, bottom, top):
        raise ValueError("broken")

    monkeypatch.setattr(LAYERS["ReLU"], "forward", fail)
    report = report(INPUT + 'layer { name: "r" type: "ReLU" bottom: "x" top: "y" }')
    assert [(each.kind, each.text) for each in report.obstacles] == [("forward", "ValueError: broken")]
    assert report.built and report.ran("forward") is False and report.ran("backward") is None


def test_only_reading_and_building(report):
    state = report(GOOD, run=False).states[0]
    assert (state.built, state.forward, state.backward) == (True, None, None)


def test_solvers_lead_to_their_nets(tmp_path, monkeypatch):
    (tmp_path / "models" / "a").mkdir(parents=True)
    (tmp_path / "models" / "a" / "net.prototxt").write_text(GOOD)
    solver = tmp_path / "models" / "a" / "solver.prototxt"
    solver.write_text('net: "models/a/net.prototxt" test_net: "gone.prototxt" base_lr: 0.1 mystery: 1')
    report = port(solver)
    assert report.kind == "solver" and report.nets == [str(tmp_path / "models" / "a" / "net.prototxt")]
    assert [(each.kind, each.text[:30]) for each in report.obstacles] == [
        ("field", "SolverParameter has no field '"), ("file", "no net 'gone.prototxt'; start i")] or \
        [each.kind for each in report.obstacles] == ["field", "file"]


def test_nets_in_solvers(report):
    found = report("base_lr: 0.1 net_param { " + GOOD + " }")
    assert (found.kind, found.built, len(found.states)) == ("solver", True, 2)


def test_other_files(tmp_path, report):
    assert report("item { name: 'cat' id: 1 }").kind == "other"
    with pytest.raises(MissingFile):
        port(tmp_path / "none.prototxt")
