"""Prototxt: every way of writing it that published nets use, errors with their places, and places of layers."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blobnet.errors import ParseError
from blobnet.proto import text

WHOLE = """# a net
name: "n"
layer {
  name: 'conv'  # first
  type: "Convolution"
  convolution_param { num_output: 3 weight_filler { type: "xavier" } }
}
layers { name: "old" type: RELU }
"""


@pytest.mark.parametrize("source, canonical", [
    ("layer: { name: 'a' }", 'layer { name: "a" }'),
    ("layer < name: 'a' >", 'layer { name: "a" }'),
    ("layer: [{name: 'a'}, {name: 'b'}]", 'layer { name: "a" } layer { name: "b" }'),
    ("input: 'it\"s' input: \"it's\"", 'input: "it\\"s" input: "it\\\'s"'),
    ("input: 'a' \"b\"\n 'c'", 'input: "abc"'),
    ("name: 'a\\n\\x41\\101'", 'name: "a\\nAA"'),
    ("name: '\\\\d\\t\\'\\u00e9\\7' # C:\\data", 'name: "\\\\d\\t\\\'\\303\\251\\007"'),
    ("name: 'größe'", r'name: "gr\303\266\303\237e"'),
    ("name: 'a', input_dim: 3; input_dim: 0x10", 'name: "a" input_dim: 3 input_dim: 16'),
    ("name: 'a'\r\ninput_dim: [1, 2]\r\n", 'name: "a" input_dim: 1 input_dim: 2'),
    ("input_dim: []", ""),
    ("\ufeffname: 'a'", 'name: "a"'),
    ("# only a comment", ""),
    ("name: '#' # {", 'name: "#"'),
    ("layer { loss_weight: 0. loss_weight: .5 loss_weight: 1e-3f loss_weight: 5f loss_weight: -1.5E2 }",
     "layer { loss_weight: 0 loss_weight: 0.5 loss_weight: 0.001 loss_weight: 5 loss_weight: -150 }"),
    ("layer { loss_weight: [nan, inf, -inf, -infinity] }",
     "layer { loss_weight: nan loss_weight: inf loss_weight: -inf loss_weight: -inf }"),
    ("force_backward: 1 debug_info: 0", "force_backward: true debug_info: false"),
    ("force_backward: True debug_info: f", "force_backward: true debug_info: false"),
    ("state { phase: 1 }", "state { phase: TEST }"),
    ("layer { pooling_param { pool: AVERAGE ceil_mode: false } }",
     "layer { pooling_param { pool: AVE ceil_mode: false } }"),
    ("layer { batch_norm_param { scale_bias: true scale_filler { value: 1 } bias_filler { } } }",
     "layer { batch_norm_param { scale_filler { value: 1 } bias_filler { } scale_bias: true } }"),
    ("layer { transform_param { resize_param { prob: 1 resize_mode: WARP height: 300 width: 300 "
     "interp_mode: [LINEAR] } } }",
     "layer { transform_param { resize_param { prob: 1 resize_mode: WARP height: 300 width: 300 "
     "interp_mode: LINEAR } } }"),
    ("layer { spp_param { pool: AVERAGE } }", "layer { spp_param { pool: AVE } }"),
    ("layers { layer { pool: AVERAGE } }", "layers { layer { pool: AVE } }"),
])
def test_what_is_written_in_the_wild_is_read(source, canonical):
    assert text.dump(text.parse(source, "NetParameter")).split() == canonical.split()


def test_floats_are_single_precision_and_printed_short():
    layer = text.parse("loss_weight: 0.1 loss_weight: 1e400", "LayerParameter")
    assert layer.loss_weight[0] != 0.1 and math.isinf(layer.loss_weight[1])
    assert "loss_weight: 0.1\n" in text.dump(layer)


def test_a_net_inside_a_solver():
    solver = text.parse("net_param { layer { name: 'a' } } base_lr: 0.01", "SolverParameter")
    assert solver.net_param.layer[0].name == "a"


@pytest.mark.parametrize("source, place, words", [
    ("layer {\n  nam: 'a'\n}", "2:3", "LayerParameter has no field 'nam'; did you mean 'name'?"),
    ("layer { convolution_param { kernal_size: 3 } }", "1:29",
     "ConvolutionParameter has no field 'kernal_size'; did you mean 'kernel_size'"),
    ("layer { pooling_param { pool: AVRAGE } }", "1:31", "expected a value of PoolMethod, got AVRAGE; did you mean "
     "'AVERAGE'"),
    ("layer { phase: 5 }", "1:16", "got 5; known: TEST, TRAIN"),
    ("layer: [{name: 'a'}, {nam: 'b'}]", "1:23", "no field 'nam'"),
    ("name: 'a'\nname: 'b'", "2:1", "'name' of NetParameter is given a second time; it takes one value, and has it "
     "from line 1"),
    ("state { } state { }", "1:11", "second time"),
    ("name: 'a\ninput: 'b'", "1:7", "this string does not end in its line; add the closing '"),
    ("name: 'a\\'", "1:7", "does not end"),
    ("layer {\n  name: 'a'\n", "1:7", "this '{' of 'layer' is never closed; add the missing '}'"),
    ("layer { name: 'a'\n convolution_param { num_output: 3\n}", "1:7", "never closed"),
    ("layer {\n name: 'a'\nlayer {\n name: 'b'\n}", "3:1", "the LayerParameter opened in line 1 is still open here: is "
     "a '}' missing?"),
    ("layer { } }", "1:11", "this '}' closes nothing"),
    ("name 'a'", "1:6", "after 'name', expected ':', got 'a'"),
    ("name: a", "1:7", "expected a string, got a; put it between quotes"),
    ("name: 3", "1:7", "expected a string, got 3"),
    ("layer { type: DATA }", "1:15", 'DATA is of the old layers { … }; a layer { … } has its type between quotes'),
    ("layer { type: Data }", "1:15", "expected a string, got Data; put it between quotes"),
    ("layer { blobs_lr: 1 }", "1:9", "blobs_lr is of the old layers { … }; in a layer write param { lr_mult: … }"),
    ("layer { weight_decay: 1 }", "1:9", "in a layer write param { decay_mult: … }, one a parameter"),
    ("name:", "1:5", "field 'name' has no value, got end of text"),
    ("layer", "1:1", "field 'layer' has no value"),
    ("layer { name: }", "1:15", "field 'name' has no value, got '}'"),
    ("layer: 3", "1:8", "field 'layer' is a LayerParameter, expected '{', got 3"),
    ("layer: 'a'", "1:8", "is a LayerParameter, expected '{'"),
    ("name: { }", "1:7", "expected a string, got {"),
    ("name: ['a']", "1:7", "takes one value, not a list"),
    ("input_dim: 1.0", "1:12", "expected an integer of 32 bits, got 1.0"),
    ("input_dim: 3000000000", "1:12", "of 32 bits, got 3000000000"),
    ("layer { convolution_param { pad: -1 } }", "1:34", "expected an integer >= 0 of 32 bits, got -1"),
    ("layer { loss_weight: abc }", "1:22", "expected a number, got abc"),
    ("force_backward: 2", "1:17", "expected true or false, got 2"),
    ("force_backward name: 'a'", "1:16", "after 'force_backward', expected ':' and a value"),
    ("layer { convoluton_param { } }", "1:9", "no field 'convoluton_param'; did you mean 'convolution_param'"),
    ("layer { type: 'Convolution' conv_param { } }", "1:29", "did you mean 'convolution_param'?"),
    ("layer { type: 'Maxout' maxout_param { } }", "1:24", "these are options of a layer type 'Maxout' that neither "
     "Caffe 1.0 nor the forks here have: write it as a plug-in (such as examples/02_plugin_layer.py; `blobnet prototxt "
     "copy examples` writes it) and give it to --plugin"),
    ("layer { fisheye_lens_param { } }", "1:9", "these are options of a layer type that neither"),
    ("layer { num_output: 3 }", "1:9", "it belongs into convolution_param { … } or embed_param { … } or "
     "inner_product_param { … }"),
    ("layer { type: 'InnerProduct' num_output: 3 }", "1:30", "it belongs into inner_product_param { … }"),
    ("layer { convolution_param { lr_mult: 3 } }", "1:29", "it belongs into param { … }"),
    ("type: 'ReLU'", "1:1", "it belongs into layer { … }"),
    ("base_lr: 1\nnet: 'a/net.prototxt'", "1:1", "this is a solver file; its net is 'a/net.prototxt'"),
    ("base_lr: 1", "1:1", "this is a solver file; give its net"),
    ("layer { name: 'a type: 'ReLU' }", "1:25", "no field 'ReLU'; is a quote missing before it?"),
    ("layers { type: 'ReLU' }", "1:16", "got 'ReLU'; write layer { … }, or the old name, type: RELU"),
    ("layers { type: 'SoftmaxWithLoss' }", "1:16", "; write layer { … }"),
    ("// a comment", "1:1", "comments start with #"),
    ("name: @", "1:7", "unexpected '@'"),
    ("layer { clip_param { min: 1 } }", "1:20", "clip_param needs a value for 'max'"),
    ("layer { } layer { name: 'a' } layer { clip_param { } }", "1:50", "needs a value for 'min'"),
    ("name: 'caf\udce9'", "1:7", "this string is not UTF-8"),
    ("# \\d\nname: 'C:\\data'", "2:7", r"\d stands for no character; write \\ for a backslash"),
    ("name: '\\777'", "1:7", r"\7 stands for no character"),
    ("name: 'a' '\\xff'", "1:7", "this string is not UTF-8"),
    ("name: '\\ud800'", "1:7", "this string is not UTF-8"),
    ("name: '\\é'", "1:7", r"\é stands for no character"),
    ("layer { top: 'a', , }", "1:19", "unexpected ','"),
    ("layer { top: 'a',; }", "1:18", "unexpected ';'"),
    ("layer { , }", "1:9", "expected a field name, got ','"),
    ("layer { name: 'a' >", "1:19", "expected '}', got '>'"),
    ("layer < name: 'a' }", "1:19", "expected '>', got '}'"),
    ("input: ['a' 'b' input", "1:17", "expected ',' or ']', got input"),
    ("input_dim: [1 2]", "1:15", "expected ',' or ']', got 2"),
    ("input_dim: [1, ]", "1:16", "unexpected ']'"),
    ("layer: [{ } { }]", "1:13", "unexpected '{'"),
    ("layer { top: ['a' }", "1:19", "the list of 'top' is never closed"),
    ("input: ['a',", "1:12", "the list of 'input' is never closed"),
    ("input:: 'a'", "1:7", "unexpected ':'"),
    ("input 'a'", "1:7", "expected ':'"),
    ("input_dim: 3 4", "1:14", "no field '4'"),
    ("name: 'a\0b'", "1:9", "a NUL character"),
    ("input_dim:\xa03", "1:11", "unexpected '\\xa0'"),
    ("input_dim: " + 5000 * "9", "1:12", "got " + 60 * "9" + "…"),
])
def test_errors_show_the_place_and_what_could_stand_there(source, place, words):
    with pytest.raises(ParseError) as error:
        text.parse(source, "NetParameter", "dir/net.prototxt")
    message = str(error.value)
    assert error.value.where == f"dir/net.prototxt:{place}" and words in message
    line, column = map(int, place.split(":"))
    *_, shown, mark = message.split("\n")
    written = source.split("\n")[line - 1][:110].replace("\udce9", "?")
    assert shown == "    " + written and mark == " " * (column + 3) + "^"


def test_a_net_in_the_place_of_a_solver():
    with pytest.raises(ParseError, match="no field 'layer'; this is a net; give its solver file"):
        text.parse(WHOLE.split("\n", 2)[2], "SolverParameter")


def test_of_a_long_line_the_part_around_the_mark_is_shown():
    source = "input: 'x' " * 5000 + "inputt: 'y' " + "input: 'x' " * 5000
    with pytest.raises(ParseError) as error:
        text.parse(source, "NetParameter")
    *_, shown, mark = str(error.value).split("\n")
    assert shown[mark.index("^"):].startswith("inputt") and len(shown) < 130


def test_comments_may_be_in_another_encoding():
    source = b"name: 'a' # \xc4\xe3".decode("utf-8", "surrogateescape")
    assert text.parse(source, "NetParameter").name == "a"


@given(st.integers(0, len(WHOLE) - 1), st.integers(1, 5), st.sampled_from(["", *"{}\"'[:\\<#"]))
def test_damaged_text_is_refused_with_a_place_or_still_well_formed(start, count, instead):
    damaged = WHOLE[:start] + instead + WHOLE[start + count:]
    try:
        text.dump(text.parse(damaged, "NetParameter", "f"))
    except ParseError as error:
        _, line, column = error.where.split(":")
        assert 1 <= int(line) <= damaged.count("\n") + 1 and int(column) >= 1


@given(st.text(alphabet="layernm{}[]<>:;,'\"#\\ \n.-1eé\0", max_size=40))
def test_any_text_is_refused_by_a_parse_error(source):
    try:
        text.parse(source, "NetParameter")
    except ParseError:
        pass


@pytest.mark.parametrize("layer, field, value, place", [
    ("conv", "type", None, "5:9"), ("conv", "name", None, "4:9"), (0, "name", None, "4:9"), (1, "type", None, "8:28"),
    ("old", "type", None, "8:28"), ("old", "bottom", None, "8:8"), ("conv", "type", "ReLU", None),
    ("nobody", "type", None, None),
])
def test_locate_layer(layer, field, value, place):
    assert text.locate_layer(WHOLE, "f", layer, field, value) == (f"f:{place}" if place else "f")


def test_locate_layer_picks_among_layers_of_one_name():
    source = "layer { name: 'd' type: 'Data' }\nlayer { name: 'd' type: 'Dat' }"
    assert text.locate_layer(source, "f", "d", "type", "Dat") == "f:2:25"


@pytest.mark.parametrize("source, place", [
    ("layers { layer { name: 'a' type: 'conv' } }", "1:34"),
    ("net_param { layer { type: 'X' name: 'a' } }", "1:27"),
    ("layer { python_param { param_str: '} layer { name: \"a\"' } # name: 'a'\n} layer { name: \"a\" type: 'Y' }",
     "2:27"),
    ("layer: [{ name: 'b' }, { type: 'Y' name: 'a' }]", "1:32"),
    ("layer { name: 'a' weight: { type: 'no' } type: 'X' }", "1:48"),
])
def test_locate_layer_in_other_shapes(source, place):
    assert text.locate_layer(source, "f", "a") == f"f:{place}"


@pytest.mark.parametrize("written", ["device_id: [2, 0, 1]", "device_id: 2 device_id: 0", "device_id: 2"])
def test_of_several_devices_the_first_counts(written):
    assert text.parse(written + " base_lr: 1", "SolverParameter").device_id == 2


@pytest.mark.parametrize("written", ["resize_param { width: 3 } resize_param { width: 4 height: 5 }",
                                     "resize_param: [{ width: 3 }, { height: 4 }]"])
def test_of_several_sizes_the_first_counts(written, caplog):
    assert str(text.parse(written + " scale: 2", "TransformationParameter").resize_param).split() == ["width:", "3"]
    assert "resize_param of TransformationParameter is given more than once; the first counts" in caplog.text
