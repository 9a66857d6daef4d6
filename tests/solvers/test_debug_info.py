"""debug_info: Caffe's lines, when they are asked for, and nothing at all when they are not."""

import logging

import pytest

from blobnet.core.net import Net
from blobnet.proto.text import parse

FORWARD = ["[Forward] Layer x, top blob x data: 1", "[Forward] Layer x, top blob y data: 0",
           "[Forward] Layer ip, top blob ip data: {0}", "[Forward] Layer ip, param blob {1} data: {0}",
           "[Forward] Layer loss, top blob loss data: {2}"]
BACKWARD = ["[Backward] Layer loss, bottom blob ip diff: {0}", "[Backward] Layer ip, param blob 0 diff: {0}",
            "[Backward] All net params (data, diff): L1 norm = ({0}, {0}); L2 norm = ({0}, {0})"]


@pytest.fixture
def lines(caplog):
    caplog.set_level(logging.INFO, "blobnet")
    return lambda: [record.getMessage()[4:] for record in caplog.records if record.getMessage().startswith("    [")]


def fill(patterns, *values):
    return [pattern.format(*values) for pattern in patterns]


@pytest.mark.parametrize("param, name", [("", 0), ('param { name: "w" }', "w")])
def test_lines_of_an_iteration(make_solver, lines, param, name):
    solver = make_solver("debug_info: true display: 2", param=param)
    solver.step(3)
    assert lines() == [
        *fill(FORWARD, 1, name, 0.5), *fill(BACKWARD, 1),
        *fill(FORWARD, 0.81, name, 0.32805), *fill(BACKWARD, 0.81)]


@pytest.mark.parametrize("settings", ["display: 1", "debug_info: true"])
def test_silence(make_solver, lines, settings):
    make_solver(settings).step(2)
    assert lines() == []


def test_nothing_watches_where_nothing_shows(make_solver):
    solver = make_solver("debug_info: true display: 2")
    solver.step(1)
    assert solver.net.debug_info
    solver.step(1)
    assert not solver.net.debug_info


def test_test_nets_always_show_theirs(make_solver, lines):
    solver = make_solver("debug_info: true test_iter: 2 test_interval: 5")
    solver.test_all()
    assert lines() == fill(FORWARD, 1, 0, 0.5) * 2


def test_the_last_forward_shows_what_the_last_iteration_showed(make_solver, lines):
    settings = "debug_info: true max_iter: 2 snapshot_after_train: false display: "
    make_solver(settings + "1").solve()
    assert lines()[-5:] == fill(FORWARD, 0.81, 0, 0.32805)
    make_solver(settings + "2").solve()
    assert lines()[-1] == BACKWARD[-1].format(1)


def test_a_net_of_its_own(lines):
    net = Net(parse("""debug_info: true
        layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 2 dim: 2 } } }
        layer { name: "ip" type: "InnerProduct" bottom: "x" top: "y" inner_product_param { num_output: 1
          weight_filler { value: -2 } } param { lr_mult: 1 } param { lr_mult: 0 } }
        layer { name: "act" type: "ReLU" bottom: "y" top: "y" relu_param { negative_slope: 0.5 } }
        layer { name: "sum" type: "Reduction" bottom: "y" top: "s" loss_weight: 3 }""", "NetParameter"))
    net.forward(x=[[1, 1], [0, 4]])
    assert lines() == [
        "[Forward] Layer in, top blob x data: 1.5",
        "[Forward] Layer ip, top blob y data: 6", "[Forward] Layer ip, param blob 0 data: 2",
        "[Forward] Layer ip, param blob 1 data: 0",
        "[Forward] Layer act, top blob y data: 3", "[Forward] Layer sum, top blob s data: 6"]
    net.backward()
    assert lines()[6:] == [
        "[Backward] Layer sum, bottom blob y diff: 3", "[Backward] Layer act, bottom blob y diff: 1.5",
        "[Backward] Layer ip, param blob 0 diff: 4.5",  # not the bias, whose lr_mult is 0
        "[Backward] All net params (data, diff): L1 norm = (4, 9); L2 norm = (2.82843, 7.64853)"]
    net.backward(start="act")
    assert lines()[10:] == ["[Backward] Layer act, bottom blob y diff: 0.75",
                            "[Backward] Layer ip, param blob 0 diff: 6.75"]
