"""Fields that are read and not computed with: which they are, and what is said of them."""

from __future__ import annotations

import logging

import pytest

import blobnet
from blobnet.errors import NetError, SolverError
from blobnet.netdef.ignored import NotUsed, ignored_fields, refused_fields
from blobnet.proto import messages
from blobnet.proto.text import parse
from blobnet.solvers.settings import check_solver

ENGINE = "chooses how to compute the same"
INPUT = 'layer { name: "in" type: "Input" top: "x" input_param { shape { dim: [1, 2, 4, 4] } } }'
ONE = "layer { name: 'a' "
PLUGIN = """
message WarpParameter { optional int32 depth = 1 [default = 2, refused = "only two axes are warped"]; }
message LensParameter { optional string maker = 1 [ignored = "a remark"]; repeated WarpParameter warp = 2; }
extend LayerParameter { optional LensParameter lens_param = 2001; optional WarpParameter warp_param = 2002; }
"""


@pytest.mark.parametrize("text, rows", [
    (ONE + "relu_param { engine: CAFFE } }", [("a", "relu_param.engine", ENGINE)]),
    (ONE + "relu_param { engine: DEFAULT negative_slope: 1 } }", []),
    ("layers { name: 'a' relu_param { engine: CUDNN } }", [("a", "relu_param.engine", ENGINE)]),
    ("layers { layer { name: 'a' type: 'data' batchsize: 1 stride: 2 scale: 3 } }",
     [("a", "layer.stride", "the type 'data' does not know it")]),
    ("layers { layer { name: 'a' type: 'hdf5_output' hdf5_output_param { file_name: 'f' } } }", []),
    ("layers { layer { name: 'a' type: 'padding' pad: 1 } }", []),
    (ONE + "inner_distance_param { bias_filler { value: 1 } } blobs { } }",
     [("a", "inner_distance_param.bias_filler", "there is no bias")]),
])
def test_ignored_fields(text, rows):
    assert ignored_fields(parse(text, "NetParameter")) == [NotUsed(*row) for row in rows]


def test_fields_of_a_solver_and_of_the_nets_in_it():
    solver = parse(f"layer_wise_reduce: false net_param {{ {ONE} relu_param {{ engine: CAFFE }} }} }}",
                   "SolverParameter")
    assert ignored_fields(solver) == [("a", "relu_param.engine", ENGINE),
                                      ("", "layer_wise_reduce", "for several GPUs")]


@pytest.mark.parametrize("text, fields", [
    ("default_forward_type: FLOAT16 engine: 'MKL2017'", ["default_forward_type", "engine"]),
    (ONE + "quantization_param { bw_params: 8 scale_in: 2 threshold: 3 } forward_type: DOUBLE }",
     ["quantization_param.bw_params", "quantization_param.scale_in", "forward_type"]),
    (ONE + "convolution_param { engine: MKLDNN } batch_norm_param { engine: CAFFE } multinode { num_nodes: 2 } }",
     ["convolution_param.engine", "batch_norm_param.engine", "multinode"]),
])
def test_fields_that_tune_other_programs(text, fields):
    net = parse(text, "NetParameter")
    assert sorted(row.field for row in ignored_fields(net)) == sorted(fields) and refused_fields(net) == []


@pytest.mark.parametrize("options, field", [
    ("softmax_param { normalize_type: 'L2' }", "softmax_param.normalize_type"),
    ("elu_param { lambda: 2 }", "elu_param.lambda"),
    ("softmax_param { class_weight: 1 }", "softmax_param.class_weight"),
    ("batch_norm_param { relu: true }", "batch_norm_param.relu"),
])
def test_refused_fields(options, field):
    net = parse(f"{INPUT} {ONE} type: 'ReLU' bottom: 'x' top: 'x' {options} }}", "NetParameter")
    assert [row.field for row in refused_fields(net)] == [field]
    with pytest.raises(NetError, match=rf"layer 'a' \(ReLU\): {field} is not done here: "):
        blobnet.Net(net)


def test_a_solver_refuses_what_it_does_not_do():
    solver = parse("base_lr: 1 lr_policy: 'fixed' larc: true larc_eta: 0.1", "SolverParameter")
    assert [row.field for row in refused_fields(solver)] == ["larc"]
    with pytest.raises(SolverError, match="s.prototxt: larc is not done here: rates do not follow the grad"):
        check_solver(solver, "s.prototxt")
    solver.larc = False
    check_solver(solver, "s.prototxt")


@pytest.mark.usefixtures("extendable")
def test_refused_fields_of_a_plugin():
    messages.extend_schema(PLUGIN, "lens.proto")
    net = parse(INPUT + ONE + 'type: "ReLU" bottom: "x" top: "x" lens_param { maker: "m" warp { depth: 2 } '
                "warp { depth: 3 } } }", "NetParameter")
    assert refused_fields(net) == [("a", "lens_param.warp.depth", "only two axes are warped")]
    assert ignored_fields(net) == [("a", "lens_param.maker", "a remark")]
    with pytest.raises(NetError, match=r"layer 'a' \(ReLU\): lens_param.warp.depth is not done here: only two axes"):
        blobnet.Net(net)
    net.layer[1].lens_param.warp[1].depth = 2
    assert blobnet.Net(net).forward()["x"].shape == (1, 2, 4, 4)


def test_a_net_says_once_what_it_ignores(caplog):
    layers = "".join(f'layer {{ name: "{name}" type: "ReLU" bottom: "x" top: "x" relu_param {{ engine: CAFFE }} }} '
                     for name in "abc")
    with caplog.at_level(logging.INFO, "blobnet.netdef.ignored"):
        blobnet.Net(parse(INPUT + layers, "NetParameter"))
    said = [record.getMessage() for record in caplog.records if record.name == "blobnet.netdef.ignored"]
    assert said == [f"Without an effect here: relu_param.engine of a and 2 more ({ENGINE})"]
