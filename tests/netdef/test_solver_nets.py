import pytest

from blobnet import netdef
from blobnet.errors import SolverError
from blobnet.netdef import net_sources, train_net
from blobnet.proto.text import dump, parse


def named(nets):
    return [(net.name, dump(state)) for net, state, _ in nets]


def states(*rows):
    return [(name, dump(parse(state, "NetState"))) for name, state in rows]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tmp_path.joinpath("a.prototxt").write_text('name: "a"')
    tmp_path.joinpath("b.prototxt").write_text('name: "b" state { level: 4 stage: "own" }')


@pytest.mark.parametrize("text, name, state", [
    ('net: "a.prototxt"', "a", "phase: TRAIN"),
    ('train_net: "b.prototxt"', "b", 'phase: TRAIN level: 4 stage: "own"'),
    ('net_param { name: "n" }', "n", "phase: TRAIN"),
    ('train_net_param { name: "n" state { phase: TEST level: 1 } }', "n", "phase: TEST level: 1"),
    ('net: "b.prototxt" train_state { level: 5 stage: "s" }', "b", 'phase: TRAIN level: 5 stage: "own" stage: "s"'),
    ('net_param { name: "n" state { phase: TEST } } train_state { phase: TRAIN }', "n", "phase: TRAIN"),
])
def test_train_net(folder, text, name, state):
    assert named([train_net(parse(text, "SolverParameter"))]) == states((name, state))


@pytest.mark.parametrize("text, words", [
    ("", ["net_param", "train_net", "got none"]),
    ('test_net: "a.prototxt"', ["got none"]),
    ('net: "a.prototxt" train_net: "b.prototxt"', ["expected one of", "got train_net and net"]),
    ('net: "a.prototxt" net_param { }', ["got net_param and net"]),
])
def test_train_net_error(folder, text, words):
    with pytest.raises(SolverError) as error:
        train_net(parse(text, "SolverParameter"), "solver.prototxt")
    assert error.value.where == "solver.prototxt"
    assert all(word in str(error.value) for word in words), error.value


EVERY = "test_interval: 10 "
TEST_NETS = {
    "none": ('net: "a.prototxt"', []),
    "the train net has no tests": ('train_net: "a.prototxt"', []),
    "the net itself": (EVERY + 'net: "b.prototxt" test_iter: 1', [("b", 'phase: TEST level: 4 stage: "own"')]),
    "the net in two states": (
        EVERY + 'net: "a.prototxt" test_iter: 1 test_iter: 2 test_state { stage: "x" } test_state { level: 1 }',
        [("a", 'phase: TEST stage: "x"'), ("a", "phase: TEST level: 1")]),
    "all kinds, in order": (
        EVERY + '''net_param { name: "n" } test_net: "a.prototxt" test_net: "b.prototxt" test_net_param { name: "p" }
                   test_iter: 1 test_iter: 1 test_iter: 1 test_iter: 1 test_iter: 1
                   test_state { level: 1 } test_state { level: 2 } test_state { level: 3 }
                   test_state { } test_state { }''',
        [("p", "phase: TEST level: 1"), ("a", "phase: TEST level: 2"), ("b", 'phase: TEST level: 3 stage: "own"'),
         ("n", "phase: TEST"), ("n", "phase: TEST")]),
    "test nets beside train_net": (EVERY + 'train_net: "b.prototxt" test_net: "a.prototxt" test_iter: 1',
                                   [("a", "phase: TEST")]),
    "test net and no test_iter left for the net": (EVERY + 'net: "b.prototxt" test_net: "a.prototxt" test_iter: 1',
                                                   [("a", "phase: TEST")]),
    "the net's own phase, then the solver's": (
        EVERY + '''test_net_param { state { phase: TRAIN } } test_net_param { state { phase: TRAIN } }
                   test_iter: 1 test_iter: 1 test_state { } test_state { phase: TEST }''',
        [("", "phase: TRAIN"), ("", "phase: TEST")]),
}


@pytest.mark.parametrize("text, rows", TEST_NETS.values(), ids=TEST_NETS)
def test_test_nets(folder, text, rows):
    assert named(netdef.test_nets(parse(text, "SolverParameter"))) == states(*rows)


@pytest.mark.parametrize("text, words", [
    (EVERY + 'net: "a.prototxt" net_param { }', ["both net and net_param"]),
    (EVERY + 'test_net: "a.prototxt" test_net_param { } test_iter: 1', ["expected 2 test_iter", "got 1"]),
    (EVERY + 'net: "a.prototxt" test_net: "a.prototxt"', ["expected 1 test_iter", "got 0"]),
    (EVERY + 'train_net: "a.prototxt" test_iter: 1', ["expected 0 test_iter", "got 1"]),
    (EVERY + 'net: "a.prototxt" test_iter: 1 test_iter: 1 test_state { }', ["no test_state or 2", "got 1"]),
    ('net: "a.prototxt" test_iter: 1', ["expected test_interval above 0", "got 0"]),
])
def test_test_nets_error(folder, text, words):
    with pytest.raises(SolverError) as error:
        netdef.test_nets(parse(text, "SolverParameter"), "solver.prototxt")
    assert error.value.where == "solver.prototxt"
    assert all(word in str(error.value) for word in words), error.value


@pytest.mark.parametrize("settings, expected", [
    ('net: "a.prototxt" test_iter: 1', ["from net file: a.prototxt", "net file: a.prototxt"]),
    ('train_net: "a" test_net: "b" test_net: "c" test_iter: 1 test_iter: 1',
     ["from train_net file: a", "test_net file: b", "test_net file: c"]),
    ("net_param { } test_net_param { } test_net: 'b' test_iter: 1 test_iter: 2 test_iter: 3",
     ["specified in net_param.", "test_net_param", "test_net file: b", "net_param"]),
    ("train_net_param { }", ["specified in train_net_param."]),
])
def test_sources(settings, expected):
    assert net_sources(parse(settings, "SolverParameter")) == [
        f"Creating training net {expected[0]}",
        *(f"Creating test net (#{i}) specified by {source}" for i, source in enumerate(expected[1:]))]
