from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blobnet.errors import NetError
from blobnet.netdef import insert_splits
from blobnet.proto import messages
from blobnet.proto.text import dump, parse

DATA = 'layer { name: "data" type: "Input" top: "x" top: "y" } '
NETS = {
    "nothing shared": (
        DATA + 'layer { name: "a" bottom: "x" top: "a" } layer { name: "b" bottom: "a" bottom: "y" top: "b" }',
        DATA + 'layer { name: "a" bottom: "x" top: "a" } layer { name: "b" bottom: "a" bottom: "y" top: "b" }'),
    "second top shared": (
        DATA + 'layer { name: "a" bottom: "y" top: "a" } layer { name: "b" bottom: "x" bottom: "y" top: "b" }',
        DATA + '''
        layer { name: "y_data_1_split" type: "Split" bottom: "y" top: "y_data_1_split_0" top: "y_data_1_split_1" }
        layer { name: "a" bottom: "y_data_1_split_0" top: "a" }
        layer { name: "b" bottom: "x" bottom: "y_data_1_split_1" top: "b" }'''),
    "read twice by one layer": (
        DATA + 'layer { name: "m" bottom: "x" bottom: "x" top: "m" }',
        DATA + '''
        layer { name: "x_data_0_split" type: "Split" bottom: "x" top: "x_data_0_split_0" top: "x_data_0_split_1" }
        layer { name: "m" bottom: "x_data_0_split_0" bottom: "x_data_0_split_1" top: "m" }'''),
    "in place": (
        DATA + '''layer { name: "r" type: "ReLU" bottom: "x" top: "x" }
        layer { name: "a" bottom: "x" top: "a" } layer { name: "b" bottom: "x" top: "b" }''',
        DATA + '''layer { name: "r" type: "ReLU" bottom: "x" top: "x" }
        layer { name: "x_r_0_split" type: "Split" bottom: "x" top: "x_r_0_split_0" top: "x_r_0_split_1" }
        layer { name: "a" bottom: "x_r_0_split_0" top: "a" } layer { name: "b" bottom: "x_r_0_split_1" top: "b" }'''),
    "in place on a shared blob, which the net will refuse": (
        DATA + 'layer { name: "a" bottom: "x" top: "a" } layer { name: "r" bottom: "x" top: "x" }',
        DATA + '''
        layer { name: "x_data_0_split" type: "Split" bottom: "x" top: "x_data_0_split_0" top: "x_data_0_split_1" }
        layer { name: "a" bottom: "x_data_0_split_0" top: "a" }
        layer { name: "r" bottom: "x_data_0_split_1" top: "x" }'''),
    "loss read by one": (
        DATA + '''layer { name: "l" type: "EuclideanLoss" bottom: "x" bottom: "y" top: "loss" loss_weight: 3 }
        layer { name: "s" type: "Silence" bottom: "loss" }''',
        DATA + '''layer { name: "l" type: "EuclideanLoss" bottom: "x" bottom: "y" top: "loss" }
        layer { name: "loss_l_0_split" type: "Split" bottom: "loss" top: "loss_l_0_split_0" top: "loss_l_0_split_1"
                loss_weight: 3 loss_weight: 0 }
        layer { name: "s" type: "Silence" bottom: "loss_l_0_split_1" }'''),
    "no loss, read by one": (
        DATA + '''layer { name: "l" bottom: "x" bottom: "y" top: "loss" loss_weight: 0 }
        layer { name: "s" type: "Silence" bottom: "loss" }''',
        DATA + '''layer { name: "l" bottom: "x" bottom: "y" top: "loss" loss_weight: 0 }
        layer { name: "s" type: "Silence" bottom: "loss" }'''),
    "the weights of all tops go when one moves": (
        DATA + '''layer { name: "l" bottom: "x" top: "p" top: "q" loss_weight: 2 loss_weight: 5 }
        layer { name: "s" bottom: "p" }''',
        DATA + '''layer { name: "l" bottom: "x" top: "p" top: "q" }
        layer { name: "p_l_0_split" type: "Split" bottom: "p" top: "p_l_0_split_0" top: "p_l_0_split_1"
                loss_weight: 2 loss_weight: 0 }
        layer { name: "s" bottom: "p_l_0_split_1" }'''),
    "a loss read by none keeps its weight": (
        DATA + 'layer { name: "l" bottom: "x" bottom: "y" top: "loss" loss_weight: 3 }',
        DATA + 'layer { name: "l" bottom: "x" bottom: "y" top: "loss" loss_weight: 3 }'),
}


@pytest.mark.parametrize("before, after", NETS.values(), ids=NETS)
def test_net(turns, before, after):
    turns(insert_splits, before, after)


@pytest.mark.parametrize("text, words", [
    (DATA + 'layer { name: "b" type: "Concat" bottom: "x" bottom: "dat" }',
     ["layer 'b' (Concat)", "bottom 1, 'dat'", "no layer makes it: add an Input layer, or take one of: x, y"]),
    ('layer { name: "a" top: "conv1_1" } layer { name: "b" bottom: "conv1_2" }', ["did you mean 'conv1_1'?"]),
    ('layer { name: "b" bottom: "z" } layer { name: "a" top: "z" }', ["layer 'a' makes it and must come before"]),
])
def test_unknown_bottom(text, words):
    with pytest.raises(NetError) as error:
        insert_splits(parse(text, "NetParameter"), "net.prototxt")
    assert all(word in str(error.value) for word in ["net.prototxt: ", *words]), error.value


@st.composite
def nets(draw):
    """Nets of any wiring: several tops, blobs read by many or none, in-place layers, losses."""
    net, known = messages.new("NetParameter", name="random"), []
    for index in range(draw(st.integers(1, 12))):
        bottoms = draw(st.lists(st.sampled_from(known), max_size=3)) if known else []
        layer = net.layer.add(name=f"l{index}", type="Any", bottom=bottoms)
        if bottoms and draw(st.booleans()):
            layer.top.append(bottoms[0])
        layer.top.extend(f"b{index}{k}" for k in range(draw(st.integers(0, 2))))
        if len(layer.top) == 1:  # with more, a moved weight takes those of the other tops with it
            layer.loss_weight.extend(draw(st.sampled_from([[], [0], [1], [2.5]])))
        known = sorted({*known, *layer.top})
    return net


@given(nets())
def test_every_top_is_used_once(net):
    made, uses = {}, Counter()
    for index, layer in enumerate(insert_splits(net).layer):
        uses.update(made[blob] for blob in layer.bottom)
        made.update({blob: (index, j) for j, blob in enumerate(layer.top)})
        uses.update((index, j) for j, weight in enumerate(layer.loss_weight) if weight)
        if layer.type == "Split":
            assert len(layer.top) > 1
    assert all(count == 1 for count in uses.values())


@given(nets())
def test_taking_the_splits_out_gives_the_net_back(net):
    splits, back, behind = {}, messages.new("NetParameter", name="random"), Counter()
    for layer in insert_splits(net).layer:
        if layer.type == "Split":
            splits.update(dict.fromkeys(layer.top, (layer.name, layer.bottom[0])))
            behind[layer.name] = 0
            if any(layer.loss_weight):
                back.layer[-1].loss_weight.append(layer.loss_weight[0])
                behind[layer.name] = 1
            continue
        copy = back.layer.add()
        copy.CopyFrom(layer)
        for j, blob in enumerate(layer.bottom):
            if blob in splits:
                name, copy.bottom[j] = splits[blob]
                assert blob == f"{name}_{behind[name]}"  # the tops of a split are taken in order
                behind[name] += 1
    assert dump(back) == dump(net)
