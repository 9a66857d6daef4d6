"""Messages as YAML."""

from __future__ import annotations

import pytest
import yaml as pyyaml
from hypothesis import given
from hypothesis import strategies as st

from blobnet.errors import ParseError
from blobnet.proto import text, yaml

WHOLE = """name: n
layer:
- name: conv   # first
  type: Convolution
  convolution_param: {num_output: 3, weight_filler: {type: xavier}}
- {name: 'old', type: "ReLU", loss_weight: [1e-3, .5]}
"""


@pytest.mark.parametrize("source, prototxt", [
    ("name: no", "name: 'no'"), ("name: 010", "name: '010'"), ("name: 1e-3", "name: '1e-3'"),
    ("name: null", "name: 'null'"), ("name: ''", "name: ''"), ("name: 2001-01-01", "name: '2001-01-01'"),
    ("{name: n}", "name: 'n'"), ("", ""), ("# c", ""),
    ("\ufeffname: n\r\ninput: [a]\r\n", "name: 'n' input: 'a'"),
    ("name: |\n  two\n  lines", "name: 'two\\nlines'"),
    ("input: a", "input: 'a'"), ("input: [a, b]", "input: 'a' input: 'b'"), ("input: []", ""),
    ("input_dim: [1, 0x10, '3', -4]", "input_dim: 1 input_dim: 16 input_dim: 3 input_dim: -4"),
    ("force_backward: yes\ndebug_info: Off", "force_backward: true debug_info: false"),
    ("force_backward: 1\ndebug_info: False", "force_backward: true debug_info: false"),
    ("state: {phase: TEST, stage: [deploy]}", "state { phase: TEST stage: 'deploy' }"),
    ("state: {phase: 0}", "state { phase: TRAIN }"),
    ("layer: {loss_weight: [1e-3, 1., .5, .inf, -.Inf, .NaN, inf, nan, 3]}",
     "layer { loss_weight: [1e-3, 1, 0.5, inf, -inf, nan, inf, nan, 3] }"),
    ("layer: {relu_param: {}, input_param: , name: a}", "layer { relu_param { } input_param { } name: 'a' }"),
    ("layer: [{pooling_param: {pool: AVERAGE}}]", "layer { pooling_param { pool: AVE } }"),
    ("layer: {transform_param: {resize_param: {resize_mode: FIT_SMALL_SIZE, interp_mode: [LINEAR, AREA]}}, "
     "batch_norm_param: {scale_bias: true}}",
     "layer { transform_param { resize_param { resize_mode: FIT_SMALL_SIZE interp_mode: LINEAR interp_mode: AREA } } "
     "batch_norm_param { scale_bias: true } }"),
    ("layer: [{convolution_param: &c {stride: 2}}, {convolution_param: *c}]",
     "layer { convolution_param { stride: 2 } } layer { convolution_param { stride: 2 } }"),
])
def test_what_is_read(source, prototxt):
    assert text.dump(yaml.parse_yaml(source, "NetParameter")) == text.dump(text.parse(prototxt, "NetParameter"))


@pytest.mark.parametrize("source, place, words", [
    ("layer:\n- nam: a", "2:3", "LayerParameter has no field 'nam'; did you mean 'name'?"),
    ("layer: {type: Convolution, num_output: 3}", "1:28", "it belongs into convolution_param { … }"),
    ("layer: {type: Maxout, maxout_param: {}}", "1:23", "these are options of a layer type 'Maxout'"),
    ("layer: {phase: TRIAN}", "1:16", "expected a value of Phase, got 'TRIAN'; did you mean 'TRAIN'?"),
    ("name: [a]", "1:7", "'name' takes one value, not a list"), ("state: [{}]", "1:8", "takes one value, not a list"),
    ("name: {a: 3}", "1:7", "expected a string, got a mapping"), ("name:", "1:6", "got no value"),
    ("layer: 3", "1:8", "expected a mapping of the fields of LayerParameter, got a single value"),
    ("layer: [[]]", "1:9", "got a list"), ("input_dim: [1, [2]]", "1:16", "got a list"),
    ("input_dim: 1.0", "1:12", "expected an integer of 32 bits, got '1.0'"), ("input_dim: 1:30", "1:12", "got '1:30'"),
    ("input_dim: 010", "1:12", "a leading zero could mean an octal number"),
    ("force_backward: maybe", "1:17", "expected true or false, got 'maybe'"),
    ("layer: {clip_param: {min: 1}}", "1:21", "ClipParameter needs a value for 'max'"),
    ("name: a\nname: b", "2:1", "given a second time"), ("[a]: 3", "1:1", "no field 'a list'"),
    ("- a", "1:1", "expected a mapping of the fields of NetParameter, got a list"), ("a", "1:1", "got a single value"),
    ("name: 'a", "1:9", "end of stream"), ("layer: [{name: a}", "1:18", "expected"),
    ("a: *x", "1:4", "undefined alias"),
    ("name: a\n---\nname: b", "2:1", "another document"),
    ("name: \x01", "1:7", "does not allow the character '\\x01'"),
    ("name: \udc80", "1:7", "not UTF-8"), ("layer: " + "[" * 100000, "1:57", "more than 50 levels"),
    ("<<: {name: a}", "1:1", "no field '<<'"),
])
def test_errors_show_the_place(source, place, words):
    with pytest.raises(ParseError) as error:
        yaml.parse_yaml(source, "NetParameter", "net.yaml")
    assert error.value.where == f"net.yaml:{place}" and words in str(error.value)


@pytest.fixture(params=[yaml.Loader, pyyaml.SafeLoader], ids=["C", "Python"])
def loader(request, monkeypatch):
    monkeypatch.setattr(yaml, "Loader", request.param)


@pytest.mark.parametrize("source, place", [
    ("layer: " + "[" * 100000, "1:57"), ("layer: " + "{a: " * 100000, "1:204"), ("layer: " + "[\n " * 100000, "50:2"),
    ("- " * 100000, "1:101"), ("? " * 100000, "1:101"), ("'[[' : \"[[\"\nlayer: " + "[" * 100000, "2:57"),
    ("\n".join(" " * i + "a:" for i in range(1500)), "51:51"), ("- # [[\n  []\n- " + "[" * 100000, "3:52"),
], ids=lambda x: x[:10])
def test_deep_nesting_has_one_place_with_any_library(loader, source, place):
    with pytest.raises(ParseError, match=f"net.yaml:{place}: more than 50 levels"):
        yaml.parse_yaml(source, "NetParameter", "net.yaml")


TOPS = "- &a {top: &t [" + "a, " * 100 + "], bottom: *t}\n"  # a list of about 400 characters and values, twice


@pytest.mark.parametrize("source, place, words", [
    ("layer:\n" + TOPS + "- *a\n" * 100000, "2417:3", "the aliases up to here stand for more than 1000000"),
    ("name: &n " + "x" * 600000 + "\ninput: [*n, *n]", "2:13", "more than 1000000"),
    ("a: &a [" + "x," * 100 + "]\n" + "".join(f"{after}: &{after} [" + f"*{before}," * 100 + "]\n"
                                              for before, after in zip("abcd", "bcde")),
     "3:152", "more than"),
    ("layer: &a [*a]", "1:12", "the alias *a stands in what it stands for"),
    ("&n layer: {name: *n, layer: &l {layer: *l}}", "1:40", "the alias *l stands in"),
])
def test_aliases_of_aliases(loader, source, place, words):
    with pytest.raises(ParseError) as error:
        yaml.parse_yaml(source, "NetParameter", "net.yaml")
    assert error.value.where == f"net.yaml:{place}" and words in str(error.value)


def test_aliases_of_a_large_net(loader):
    net = yaml.parse_yaml("layer:\n" + TOPS + "- *a\n" * 500, "NetParameter")
    assert len(net.layer) == 501 and len(net.layer[500].bottom) == 100


@pytest.mark.parametrize("source, value", [
    ("+9", 9), ("-9", -9), ("0x1f", 31), ("'9'", 9),
    *((bad, None) for bad in ("1_0", "0b11", "0o17", "٣", "1:30", "1e1", "++9", "+-9", "+", "9" * 5000))])
def test_integers(source, value):
    if value is None:
        with pytest.raises(ParseError, match="text:1:12: field 'input_dim', expected an integer of 32 bits"):
            yaml.parse_yaml(f"input_dim: {source}", "NetParameter")
    else:
        assert yaml.parse_yaml(f"input_dim: {source}", "NetParameter").input_dim[0] == value


def test_bytes():
    assert yaml.parse_yaml("data: !!binary AAH/\n", "Datum").data == b"\0\1\xff"
    assert yaml.parse_yaml("data: plain", "Datum").data == b"plain"
    with pytest.raises(ParseError, match="not base64"):
        yaml.parse_yaml("data: !!binary A", "Datum")


def test_dump_is_plain():
    net = text.parse("name: 'n' layer { name: 'yes' type: '010' top: ['a', 'b'] loss_weight: [0.1, 1e-8, nan] "
                     "relu_param { } pooling_param { pool: AVE } }", "NetParameter")
    assert yaml.dump_yaml(net) == """name: n
layer:
- name: 'yes'
  type: '010'
  top: [a, b]
  loss_weight: [0.1, 1.0e-08, .nan]
  pooling_param: {pool: AVE}
  relu_param: {}
"""


@given(st.integers(0, len(WHOLE) - 1), st.integers(0, 5), st.sampled_from(["", *"{}\"'[*&\n", ": ", "- "]))
def test_damaged_yaml_is_refused_with_a_place_or_still_well_formed(start, count, instead):
    damaged = WHOLE[:start] + instead + WHOLE[start + count:]
    try:
        text.dump(yaml.parse_yaml(damaged, "NetParameter", "f"))
    except ParseError as error:
        _, line, column = error.where.split(":")
        assert 1 <= int(line) <= damaged.count("\n") + 1 and int(column) >= 1


@given(st.text(alphabet="layernm{}[]<>:;,'\"#\\ \n.-1eé\0!&*|", max_size=40))
def test_any_text_is_refused_by_a_parse_error(source):
    try:
        yaml.parse_yaml(source, "NetParameter")
    except ParseError:
        pass


@pytest.mark.parametrize("layer, field, value, place", [
    ("conv", "type", None, "4:9"), (1, "type", None, "6:23"), ("old", "bottom", None, "6:3"),
    ("conv", "type", "X", None),
])
def test_locate_layer(layer, field, value, place):
    assert yaml.locate_layer(WHOLE, "f", layer, field, value) == (f"f:{place}" if place else "f")
