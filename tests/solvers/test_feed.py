"""Solvers that are fed: batches of iterables in training and in tests."""

import itertools

import numpy as np
import pytest

from blobnet.errors import DataError, NetError, SolverError

NET = '''
name: "fed"
layer { name: "d" type: "Data" top: "data" top: "label" include { phase: TRAIN }
        data_param { source: "nowhere" batch_size: 4 } }
layer { name: "d" type: "Data" top: "data" top: "label" include { phase: TEST }
        data_param { source: "nowhere too" batch_size: 5 } }
layer { name: "drop" type: "Dropout" bottom: "data" top: "drop" }
layer { name: "ip" type: "InnerProduct" bottom: "drop" top: "ip"
        inner_product_param { num_output: 3 weight_filler { type: "xavier" } } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }
'''
SETTINGS = "momentum: 0.9 random_seed: 1 "


def batch(number, size=4):
    rng = np.random.default_rng(number)
    return rng.normal(size=(size, 6)).astype("float32"), rng.integers(0, 3, size)


def batches(start=0):
    """Batch after batch, without an end."""
    return map(batch, itertools.count(start))


@pytest.fixture
def make(make_solver):
    return lambda text="", settings=SETTINGS: make_solver(settings + text, NET, inputs={"data": (4, 6)})


def weights(solver):
    return np.concatenate([parameter.blob.data.ravel() for parameter in solver.net.parameters])


def by_hand(solver, count, iter_size=1):
    """The weights after `count` iterations that a user runs pass by pass."""
    given = batches()
    for _ in range(count):
        solver.net.clear_param_diffs()
        for data, label in itertools.islice(given, iter_size):
            solver.net.forward(data=data, label=label)
            solver.net.backward()
        solver.apply_update()
    return weights(solver)


@pytest.mark.parametrize("iter_size", [1, 3])
def test_training(make, iter_size):
    text = f"iter_size: {iter_size}"
    solver = make(text)
    solver.feed(batches())
    solver.step(2)
    solver.step(3)  # goes on where the first one ended
    np.testing.assert_array_equal(weights(solver), by_hand(make(text), 5, iter_size))


def test_a_list_goes_round(make):
    solver, other = make(), make()
    solver.feed([batch(0), batch(1)])
    other.feed(batch(number % 2) for number in itertools.count())
    solver.step(5)
    other.step(5)
    np.testing.assert_array_equal(weights(solver), weights(other))


def test_a_generator_that_ends(make):
    solver = make("iter_size: 2")
    solver.feed(itertools.islice(batches(), 4))
    with pytest.raises(DataError, match="net 'fed': the batches came to their end: there were 4, 2 iterations of 2; "
                                        "a generator serves once"):
        solver.step(4)
    assert solver.iter == 2
    np.testing.assert_array_equal(weights(solver), by_hand(make("iter_size: 2"), 2, 2))
    solver.feed(batches(4))
    solver.step(1)
    np.testing.assert_array_equal(weights(solver), by_hand(make("iter_size: 2"), 3, 2))


def test_a_whole_run_takes_no_batch_too_many(make):
    solver = make("max_iter: 4 iter_size: 2 display: 2 snapshot_after_train: false")
    solver.feed(itertools.islice(batches(), 8))
    solver.solve()
    assert solver.iter == 4
    data, label = batch(7)
    solver.net.seek(7)
    solver.net.feed(None)
    assert solver.net.forward(data=data, label=label)["loss"] == pytest.approx(solver.loss)  # of the last batch


def test_a_run_that_is_resumed(make):
    text = "max_iter: 6 snapshot: 3 snapshot_after_train: false"
    whole = make(text)
    whole.feed(batches())
    whole.solve()
    resumed = make(text)
    resumed.restore("solver_iter_3.solverstate")
    resumed.feed(batches(resumed.iter))
    resumed.solve()
    np.testing.assert_array_equal(weights(resumed), weights(whole))


TEST_FIELDS = "test_iter: 2 test_interval: 2 "


def test_tests_begin_anew(make):
    solver = make(TEST_FIELDS)
    held = [batch(100, 7), batch(101, 2), batch(102)]
    solver.feed(batches(), held)
    solver.step(3)
    scores = [solver.test_all()[0]["loss"] for _ in range(2)]
    solver.test_nets[0].feed(None)
    assert scores == [np.mean([solver.test_nets[0].forward(data=data, label=label)["loss"].copy()
                               for data, label in held[:2]])] * 2


def test_generators_go_on_from_test_to_test(make):
    solver = make(TEST_FIELDS)
    solver.feed(None, batches(100))
    first, second = (solver.test_all()[0]["loss"] for _ in range(2))
    solver.feed(None, batches(102))
    assert solver.test_all()[0]["loss"] == second != first


def test_iterables_and_test_nets(make):
    solver = make(TEST_FIELDS)
    with pytest.raises(SolverError, match="batches to test with, expected 1, one a test net, got 2"):
        solver.feed(batches(), [batch(0)], [batch(1)])


def test_lbfgs_sees_its_batches_again(make):
    """An iteration of L-BFGS runs its batches many times; a list and a generator give it the same."""
    found = []
    for given in ([batch(number) for number in range(4)], batches()):
        solver = make('type: "LBFGS" iter_size: 2', "random_seed: 1 ")
        solver.feed(given)
        solver.step(2)
        found.append(weights(solver))
    np.testing.assert_array_equal(*found)


def test_inputs_of_which_a_test_net_has_none(make_solver):
    net = NET.replace('top: "data" top: "label" include { phase: TRAIN }',
                      'top: "data" top: "label" top: "weight" include { phase: TRAIN }')
    net = net.replace('bottom: "ip" bottom: "label" top: "loss" }',
                      'bottom: "ip" bottom: "label" bottom: "weight" top: "loss" include { phase: TRAIN } }')
    given = {"data": (4, 6), "label": (4,), "weight": (4,)}
    with pytest.raises(NetError, match="shape of 'wieght': no data layer has this top"):
        make_solver(SETTINGS, net, inputs={"data": (4, 6), "wieght": (4,)})
    solver = make_solver(SETTINGS + TEST_FIELDS, net.replace('bottom: "weight" ', ""), inputs=given)
    assert (solver.net.inputs, solver.test_nets[0].inputs) == (["data", "label", "weight"], ["data", "label"])
