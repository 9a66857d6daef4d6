"""Which layers run backward, and which of their bottoms get a diff."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blobnet.core.wiring import Plan, plan_backward


def node(wiring, *flags, down=(), unforced=(), deaf=False, one_to_one=False):
    """A layer such as node("x label -> loss", "loss"); the flags: "learns", "loss"."""
    bottoms, tops = (side.split() for side in wiring.split("->"))
    return Plan(bottoms, tops, ["loss" in flags] * len(tops), ["learns" in flags], down, unforced,
                deaf, one_to_one)


DATA = node("-> x label")
LOSS = "y label -> loss"
# the layers, and for each what is expected: 1 if backward runs, then 1 for each bottom that gets a diff
PLANS = {
    "a layer that learns under a loss": (
        [DATA, node("x -> y", "learns"), node(LOSS, "loss")], "0 10 110"),
    "nothing learns": (
        [DATA, node("x -> y"), node(LOSS, "loss")], "0 00 000"),
    "nothing is a loss": (
        [DATA, node("x -> y", "learns"), node(LOSS)], "0 00 000"),
    "nothing is passed down into layers that do not learn": (
        [DATA, node("x -> a"), node("a -> b", "learns"), node("b -> y"), node(LOSS, "loss")], "0 00 10 11 110"),
    "a frozen layer between passes gradients on": (
        [DATA, node("x -> a", "learns"), node("a -> y"), node(LOSS, "loss")], "0 10 11 110"),
    "in place": (
        [DATA, node("x -> y", "learns"), node("y -> y"), node(LOSS, "loss")], "0 10 11 110"),
    "labels beside what is learned, each handed on by itself": (
        [DATA, node("x -> a", "learns"), node("a label -> y t", one_to_one=True), node("y t -> loss", "loss")],
        "0 10 110 110"),
    "a branch without a loss": (
        [DATA, node("x -> a", "learns"), node("a -> y b"), node("b -> c", "learns"), node(LOSS, "loss")],
        "0 10 11 00 110"),
    "the part above the last loss": (
        [DATA, node("x -> y", "learns"), node(LOSS, "loss"), node("label -> top", "learns")], "0 10 110 00"),
    "a loss that is read by a layer under no loss": (
        [DATA, node("x -> y", "learns"), node(LOSS, "loss"), node("loss ->")], "0 00 000 00"),
    "a loss that is split": (
        [DATA, node("x -> y", "learns"), node(LOSS), Plan(["loss"], ["a", "b"], [True, False]), node("b ->")],
        "0 10 110 11 00"),
    "a layer of any type with a loss weight": (
        [DATA, node("x -> y", "learns", "loss")], "0 10"),
    "a loss between, and one above": (
        [DATA, node("x -> a", "learns"), node("a -> b c"), node("b -> aux", "loss"), node("c -> y", "learns"),
         node(LOSS, "loss")], "0 10 11 11 11 110"),
    "silence": (
        [DATA, node("x -> a", "learns"), node("a ->"), node("x -> y", "learns"), node(LOSS, "loss")],
        "0 00 00 10 110"),
    "propagate_down: false cuts off what lies below": (
        [DATA, node("x -> a", "learns"), node("a -> y", "learns", down=[False]), node(LOSS, "loss")], "0 00 10 110"),
    "cut off on one way only": (
        [DATA, node("x -> a", "learns"), node("a -> b c"), node("b c -> y", down=[False, True]), node(LOSS, "loss")],
        "0 10 11 101 110"),
    "cut off on every way": (
        [DATA, node("x -> a", "learns"), node("a -> b c"), node("b c -> y", "learns", down=[False, False]),
         node(LOSS, "loss")], "0 00 00 100 110"),
    "propagate_down: true where nothing learns below": (
        [DATA, node("x -> y", "learns", down=[True]), node(LOSS, "loss")], "0 11 110"),
    "propagate_down: false that is ignored, beside another reader": (
        [DATA, node("x -> a", "learns"), node("a -> b c"), node("b -> d", down=[False], deaf=True),
         node("c d -> y"), node(LOSS, "loss")], "0 10 11 11 111 110"),
    "ignored, but nobody else reads": (
        [DATA, node("x -> a", "learns"), node("a -> y", "learns", down=[False], deaf=True), node(LOSS, "loss")],
        "0 00 11 110"),
    "ignored, and nothing below learns": (
        [DATA, node("x -> y", "learns", down=[False], deaf=True), node(LOSS, "loss")], "0 10 110"),
    "the diff of the label is asked for": (
        [DATA, node("x -> y", "learns"), node(LOSS, "loss", down=[True, True])], "0 10 111"),
}
FORCED = {
    "everything runs": (
        [DATA, node("x -> y"), node(LOSS, "loss")], "1 11 111"),
    "labels are spared": (
        [DATA, node("x -> y"), node(LOSS, "loss", unforced=(1,))], "1 11 110"),
    "but not labels that are asked for": (
        [DATA, node("x -> y", "learns"), node(LOSS, "loss", down=[True, True], unforced=(1,))], "1 11 111"),
    "propagate_down: false is overruled": (
        [DATA, node("x -> y", "learns", down=[False]), node(LOSS, "loss")], "1 11 111"),
    "layers that are under no loss run too": (
        [DATA, node("x -> y", "learns")], "1 11"),
}


def result(nodes):
    return " ".join("".join(str(int(bit)) for bit in (item.needs_backward, *item.bottom_needs_backward))
                    for item in nodes)


@pytest.mark.parametrize("nodes, expected", PLANS.values(), ids=PLANS)
def test_plan(nodes, expected):
    plan_backward(nodes)
    assert result(nodes) == expected


@pytest.mark.parametrize("nodes, expected", FORCED.values(), ids=FORCED)
def test_forced_plan(nodes, expected):
    plan_backward(nodes, force=True)
    assert result(nodes) == expected


@st.composite
def nets(draw):
    """Layers of any wiring in which every top is read at most once; losses are among the tops that are not read."""
    nodes, unread = [], []
    for index in range(draw(st.integers(1, 10))):
        bottoms = draw(st.lists(st.sampled_from(unread), unique=True, max_size=3)) if unread else []
        unread = [name for name in unread if name not in bottoms]
        tops = [f"b{index}{k}" for k in range(draw(st.integers(0 if bottoms else 1, 3)))]
        unread += tops
        nodes.append(Plan(bottoms, tops, [False] * len(tops), [draw(st.booleans())]))
    for item in nodes:
        item.is_loss = [name in unread and draw(st.booleans()) for name in item.tops]
    return nodes


@given(nets())
def test_a_layer_runs_if_it_lies_between_a_loss_and_something_that_learns(nodes):
    plan_backward(nodes)
    maker = {name: index for index, item in enumerate(nodes) for name in item.tops}
    learns = [False] * len(nodes)     # the layer or one below it
    for index, item in enumerate(nodes):
        learns[index] = any(item.param_learns) or any(learns[maker[name]] for name in item.bottoms)
    under_loss = [any(item.is_loss) for item in nodes]
    for index, item in reversed(list(enumerate(nodes))):
        for name in item.bottoms:
            under_loss[maker[name]] |= under_loss[index]
    for index, item in enumerate(nodes):
        assert item.needs_backward == (learns[index] and under_loss[index])
        assert item.bottom_needs_backward == [under_loss[index] and learns[maker[name]] for name in item.bottoms]
