import pytest

from blobnet.errors import NetError
from blobnet.netdef import filter_net, net_state
from blobnet.proto.text import parse


def layer(rules, state):
    """Whether a layer with `rules` is in a net of `state`."""
    net = parse(f'layer {{ name: "first" }} layer {{ name: "l" {rules} }}', "NetParameter")
    kept = [layer.name for layer in filter_net(net, parse(state, "NetState")).layer]
    assert kept in (["first"], ["first", "l"])
    return len(kept) == 2


@pytest.mark.parametrize("rules, state, included", [
    ("", "phase: TEST", True),
    ("include { phase: TRAIN }", "phase: TRAIN", True),
    ("include { phase: TRAIN }", "phase: TEST", False),
    ("include { phase: TRAIN } include { phase: TEST }", "phase: TEST", True),
    ("exclude { phase: TRAIN }", "phase: TRAIN", False),
    ("exclude { phase: TRAIN }", "phase: TEST", True),
    ("exclude { phase: TRAIN } exclude { phase: TEST }", "phase: TEST", False),
    ("include { }", "", True),
    ("exclude { }", "", False),
    ("include { min_level: 2 }", "level: 1", False),
    ("include { min_level: 2 }", "level: 2", True),
    ("include { max_level: 2 }", "level: 3", False),
    ("include { max_level: 2 }", "level: 2", True),
    ("include { min_level: 1 max_level: 2 }", "", False),
    ("include { max_level: 0 }", "", True),
    ("exclude { min_level: 1 }", "level: -1", True),
    ('include { stage: "a" }', "", False),
    ('include { stage: "a" }', 'stage: "b" stage: "a"', True),
    ('include { stage: "a" stage: "b" }', 'stage: "a"', False),
    ('include { stage: "a" stage: "b" }', 'stage: "b" stage: "c" stage: "a"', True),
    ('include { stage: "a" } include { stage: "b" }', 'stage: "b"', True),
    ('include { not_stage: "a" }', "", True),
    ('include { not_stage: "a" not_stage: "b" }', 'stage: "b"', False),
    ('exclude { stage: "a" not_stage: "b" }', 'stage: "a"', False),
    ('exclude { stage: "a" not_stage: "b" }', 'stage: "a" stage: "b"', True),
    ('include { phase: TEST min_level: 1 stage: "a" }', 'phase: TEST level: 1 stage: "a"', True),
    ('include { phase: TEST min_level: 1 stage: "a" }', 'phase: TRAIN level: 1 stage: "a"', False),
])
def test_rules(rules, state, included):
    assert layer(rules, state) is included


@pytest.mark.parametrize("rules, lines", [
    ("include { phase: TEST }", ["phase (0) differed from the phase (1)"]),
    ("exclude { phase: TEST min_level: 9 }", ["phase (0) differed from the phase (1)"]),
    ("include { min_level: 3 }", ["level (2) is above the min_level (3)"]),
    ("include { max_level: 1 }", ["level (2) is above the max_level (1)"]),
    ('include { stage: "a" stage: "c" not_stage: "a" }', ["did not contain stage 'c'"]),
    ('include { stage: "a" not_stage: "b" }', ["contained a not_stage 'b'"]),
    ('include { stage: "c" } include { phase: TEST } include { } include { max_level: 0 }',
     ["did not contain stage 'c'", "phase (0) differed from the phase (1)"]),
    ("include { phase: TRAIN }", []), ("", []),
])
def test_rules_that_are_not_met_are_logged(caplog, rules, lines):
    caplog.set_level("INFO", "blobnet")
    layer(rules, 'phase: TRAIN level: 2 stage: "a" stage: "b"')
    assert caplog.messages == [f"The NetState {line} specified by a rule in layer l" for line in lines]


def test_the_rest_of_the_net_stays(turns):
    turns(lambda net: filter_net(net, parse('phase: TRAIN stage: "s"', "NetState")),
          '''name: "n" force_backward: true state { level: 3 }
             layer { name: "d" include { phase: TRAIN } blobs { data: 1 } }
             layer { name: "d" include { phase: TEST } }''',
          '''name: "n" force_backward: true state { phase: TRAIN stage: "s" }
             layer { name: "d" include { phase: TRAIN } blobs { data: 1 } }''')


def test_both_kinds_of_rules():
    net = parse('layer { name: "l" type: "ReLU" include { phase: TEST } exclude { phase: TRAIN } }', "NetParameter")
    with pytest.raises(NetError, match=r"n.prototxt: layer 'l' \(ReLU\): both include and exclude"):
        filter_net(net, parse("phase: TEST", "NetState"), "n.prototxt")


@pytest.mark.parametrize("own, arguments, state", [
    ("", (0,), "phase: TRAIN level: 0"),
    ("", (1, 2, ["a", "b"]), 'phase: TEST level: 2 stage: "a" stage: "b"'),
    ('phase: TRAIN level: 3 stage: "a"', (1, 0, ["b", "a"]), 'phase: TEST level: 0 stage: "a" stage: "b"'),
])
def test_net_state(own, arguments, state):
    net = parse(f"state {{ {own} }}", "NetParameter")
    assert net_state(net, *arguments) == parse(state, "NetState")
    assert net == parse(f"state {{ {own} }}", "NetParameter")


def test_unknown_phase():
    with pytest.raises(NetError, match=r"expected 0 \(TRAIN\) or 1 \(TEST\), got 2"):
        net_state(parse("", "NetParameter"), 2)
