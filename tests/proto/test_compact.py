"""Prototxt for people: the same message, in few lines, none of them too long."""

import pytest

from blobnet.proto.compact import WIDTH, compact
from blobnet.proto.files import read_message
from blobnet.proto.text import parse
from blobnet.published import ROOT

FILES = ["dsh/train_test_12", "alexnet/train_val", "ssd/train_test_300", "subic/train_test", "segnet/train_test"]


@pytest.mark.parametrize("name", FILES)
def test_it_reads_back_to_the_same_message(name):
    message = read_message(ROOT / "prototxt" / f"{name}.prototxt", "NetParameter")
    text = compact(message)
    assert parse(text, "NetParameter") == message
    assert max(map(len, text.splitlines())) <= WIDTH


def test_what_fits_stands_in_a_line():
    text = 'name: "n"\nlayer { name: "c"  type: "Convolution"  convolution_param { num_output: 4  kernel_size: 3 } }\n'
    assert compact(parse(text, "NetParameter")) == text
    long = parse(text.replace('"c"', f'"{"c" * 60}"'), "NetParameter")
    assert compact(long).splitlines()[1:] == ["layer {", f'  name: "{"c" * 60}"  type: "Convolution"',
                                              "  convolution_param { num_output: 4  kernel_size: 3 }", "}"]


def test_many_plain_fields_share_several_lines():
    message = parse("".join(f'top: "{"t" * 30}{i}" ' for i in range(8)), "LayerParameter")
    net = parse("layer { " + str(message).replace("\n", " ") + "}", "NetParameter")
    lines = compact(net).splitlines()
    assert len(lines) == 5 and max(map(len, lines)) <= WIDTH and parse(compact(net), "NetParameter") == net


def test_an_empty_message():
    assert compact(parse("layer { dropout_param { } }", "NetParameter")) == "layer { dropout_param { } }\n"
