"""All faults of a text: what is not known is passed over, and the rest is read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blobnet.errors import ParseError
from blobnet.proto.text import parse, parse_faulty

GOOD = 'name: "n" layer { name: "a" type: "ReLU" loss_weight: [1, 2] }'


@pytest.mark.parametrize("fault, words", [
    ("mystery: 3", "no field 'mystery'"), ("mystery { a: 1 b { c: [1, 2] } d: 'x' 'y' }", "no field 'mystery'"),
    ("mystery: [ {a: 1}, {b: 2} ]", "no field 'mystery'"), ("mystery <a: 1>", "no field 'mystery'"),
    ("relu_param: 5", "expected '{'"), ("phase: LATER", "a value of Phase"), ("bottom: 5", "expected a string"),
    ("dropout_param { dropout_ratio { a: 1 } }", "expected a number"), ("phase: TEST phase: TEST", "a second time"),
    ("concat_param { concat_dim: -1 }", "integer >= 0"), ("loss_weight: [3, x, 4]", "expected a number"),
])
def test_a_fault_between_what_is_fine(fault, words):
    text = f'layer {{ name: "a" {fault} top: "t" }} layer {{ name: "b" }}'
    message, faults, end = parse_faulty(text, "NetParameter", "net.prototxt")
    assert [layer.name for layer in message.layer] == ["a", "b"] and list(message.layer[0].top) == ["t"]
    (error, token), = faults
    assert end is None and words in str(error) and token.path[0].number == 0
    assert error.where == f"net.prototxt:1:{token.offset + 1}"


def test_every_fault_is_told():
    message, faults, end = parse_faulty("a: 1 layer { b: 2 pooling_param { c: 3 } name: 'x' } d: 4", "NetParameter")
    assert [fault.token.text for fault in faults] == list("abcd") and message.layer[0].name == "x" and end is None


def test_required_fields():
    _, faults, _ = parse_faulty("layer { } layer { clip_param { min: 1 } }", "NetParameter")
    assert [str(fault.error).split("\n")[0] for fault in faults] == ["text:1:30: clip_param needs a value for 'max'"]
    assert faults[0].token.path[0].number == 1


def test_syntax_ends_it():
    message, faults, end = parse_faulty("layer { name: 'a' odd: 1 } layer { name: 'b' ", "NetParameter")
    assert "never closed" in str(end) and len(faults) == 1 and [layer.name for layer in message.layer] == ["a", "b"]


@given(st.text(alphabet=" layernm:{}[]'\"<>12.-#\n", max_size=60))
def test_it_agrees_with_the_strict_reader(text):
    message, faults, end = parse_faulty(GOOD + text, "NetParameter")
    try:
        whole = parse(GOOD + text, "NetParameter")
    except ParseError as error:
        first = min([fault.error for fault in faults] + [end] * (end is not None),
                    key=lambda found: tuple(map(int, found.where.split(":")[1:])))
        assert str(first) == str(error)
    else:
        assert (message, faults, end) == (whole, [], None)
