import pytest

from blobnet import netdef
from blobnet.errors import NetError, ParseError
from blobnet.proto.text import dump, parse

TEXT = '''name: "n" input: "x" input_dim: 2 input_dim: 3 input_dim: 1 input_dim: 1 state { stage: "own" }
layers { name: "a" type: RELU bottom: "x" top: "a" }
layers { name: "b" type: TANH bottom: "x" top: "b" include { phase: TRAIN } }
layers { name: "c" type: TANH bottom: "x" top: "c" include { phase: TEST stage: "s" } }
'''
BUILT = '''name: "n" state {{ {} }}
layer {{ name: "input" type: "Input" top: "x" input_param {{ shape {{ dim: 2 dim: 3 dim: 1 dim: 1 }} }} }}
'''
SPLIT = '''layer { name: "x_input_0_split" type: "Split" bottom: "x" top: "x_input_0_split_0" top: "x_input_0_split_1" }
layer { name: "a" type: "ReLU" bottom: "x_input_0_split_0" top: "a" }
'''
CASES = {
    "train": ((0,), BUILT.format('phase: TRAIN level: 0 stage: "own"') + SPLIT + '''
        layer { name: "b" type: "TanH" bottom: "x_input_0_split_1" top: "b" include { phase: TRAIN } }'''),
    "test": ((1,), BUILT.format('phase: TEST level: 0 stage: "own"') + '''
        layer { name: "a" type: "ReLU" bottom: "x" top: "a" }'''),
    "test in a stage": ((1, 2, ["s"]), BUILT.format('phase: TEST level: 2 stage: "own" stage: "s"') + SPLIT + '''
        layer { name: "c" type: "TanH" bottom: "x_input_0_split_1" top: "c" include { phase: TEST stage: "s" } }'''),
}


@pytest.mark.parametrize("arguments, after", CASES.values(), ids=CASES)
def test_message(turns, arguments, after):
    turns(lambda message: netdef.load(message, *arguments), TEXT, after)


def test_path(tmp_path):
    path = tmp_path / "net.prototxt"
    path.write_text(TEXT)
    for source in (path, str(path)):
        assert dump(netdef.load(source, 1)) == dump(netdef.load(parse(TEXT, "NetParameter"), 1))


def test_input_without_a_size_beside_a_layer_that_makes_it():
    net = parse("input: 'x' layer { name: 'i' type: 'Input' top: 'x' }", "NetParameter")
    assert [layer.name for layer in netdef.load(net, 1).layer] == ["i"]


def test_a_message_of_an_older_schema_is_converted(monkeypatch):
    from blobnet.proto import messages
    message = parse(TEXT, "NetParameter")
    messages._pool.cache_clear()
    assert dump(netdef.load(message, 1)) == dump(netdef.load(parse(TEXT, "NetParameter"), 1))


@pytest.mark.parametrize("text, error, words", [
    ('input: "x" layer { name: "a" bottom: "x" top: "a" }', NetError, ["no size for input 'x'", "input_shape"]),
    ('layer { name: "a" type: "ReLU" bottom: "x" top: "a" }', NetError,
     ["layer 'a' (ReLU)", "unknown bottom 0, 'x'; no layer makes it: add an Input layer"]),
    ("layer { nam: 3 }", ParseError, ["nam"]),
])
def test_error_names_the_file(tmp_path, text, error, words):
    path = tmp_path / "net.prototxt"
    path.write_text(text)
    with pytest.raises(error) as caught:
        netdef.load(path, 0)
    assert all(word in str(caught.value) for word in [str(path), *words]), caught.value
