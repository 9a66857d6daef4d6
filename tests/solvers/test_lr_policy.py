import itertools
import math

import pytest

from blobnet.errors import SolverError
from blobnet.proto.messages import new
from blobnet.solvers.lr_policy import POLICIES, learning_rate, missing_fields, next_step

# policy, settings, rates by iteration (base_lr 0.5), computed with bc -l
CASES = [
    ("fixed", {}, {0: 0.5, 1000: 0.5}),
    ("step", {"gamma": 0.5, "stepsize": 100}, {0: 0.5, 99: 0.5, 100: 0.25, 350: 0.0625}),
    ("exp", {"gamma": 0.75}, {0: 0.5, 1: 0.375, 4: 0.158203125}),
    ("inv", {"gamma": 0.125, "power": 0.75}, {0: 0.5, 8: 0.2973017787506803, 120: 0.0625}),
    ("multistep", {"gamma": 0.5, "stepvalue": [10, 15]}, {9: 0.5, 10: 0.25, 14: 0.25, 15: 0.125, 99: 0.125}),
    ("poly", {"power": 2, "max_iter": 100}, {0: 0.5, 50: 0.125, 90: 0.005, 100: 0}),
    ("poly", {"power": 0.5, "max_iter": 4}, {3: 0.25}),
    ("sigmoid", {"gamma": 0.25, "stepsize": 20}, {20: 0.25, 24: 0.36552928931500244, 16: 0.13447071068499756}),
    ("sigmoid", {"gamma": 10, "stepsize": 5000}, {0: 0, 10000: 0.5}),
    ("multifixed", {"stagelr": [3, 1, 2], "stageiter": [1, 4, 6]}, {0: 3, 1: 3, 2: 1, 4: 1, 5: 2, 6: 2, 9: 2}),
    ("fixed", {"warmup_iter": 4, "warmup_start_lr": 0.25}, {0: 0.25, 1: 0.3125, 3: 0.4375, 4: 0.5, 9: 0.5}),
    ("multistep", {"gamma": 0.5, "stepvalue": [2, 6], "warmup_iter": 4}, {0: 0, 2: 0.25, 3: 0.375, 4: 0.25, 6: 0.125}),
    ("fixed", {"rampup_interval": 4, "rampup_lr": 0.125}, {0: 0.125, 1: 0.1484375, 2: 0.21875, 4: 0.5}),
    ("fixed", {"rampup_interval": 4, "min_lr": 0.1875}, {0: 0.1875, 2: 0.1875, 3: 0.28125, 4: 0.5}),
    ("poly", {"power": 2, "max_iter": 100, "min_lr": 0.25}, {0: 0.5, 50: 0.3125, 100: 0.25}),
    ("step", {"gamma": 0.5, "stepsize": 100, "min_lr": 0.1875}, {150: 0.25, 250: 0.1875}),
]


def steps(solver, iterations):
    """How many steps down there were at every iteration."""
    return list(itertools.accumulate(range(iterations), lambda last, i: next_step(i, solver, last), initial=0))[1:]


@pytest.mark.parametrize("policy, settings, rates", CASES)
def test_rates(policy, settings, rates):
    solver = new("SolverParameter", base_lr=0.5, lr_policy=policy, **settings)
    found = {i: learning_rate(i, solver, step) for i, step in enumerate(steps(solver, max(rates) + 1))}
    assert {i: found[i] for i in rates} == pytest.approx(rates, rel=1e-12)


def test_every_policy_is_tested():
    assert {case[0] for case in CASES} == set(POLICIES)


@pytest.mark.parametrize("stepvalue, expected", [
    ([2, 4], [0, 0, 1, 1, 2, 2]),
    ([2, 2, 2], [0, 0, 1, 2, 3, 3]),  # one step an iteration
    ([3, 1], [0, 0, 0, 1, 2, 2]),     # in the order written
    ([0], [1, 1, 1, 1, 1, 1]),
])
def test_multistep_goes_one_step_an_iteration(stepvalue, expected):
    solver = new("SolverParameter", lr_policy="multistep", stepvalue=stepvalue)
    assert steps(solver, 6) == expected


@pytest.mark.parametrize("policy, iteration, settings, rate", [
    ("exp", 8000, {"gamma": 1.1}, math.inf), ("poly", 9, {"power": -1, "max_iter": 9}, math.inf),
    ("inv", 10, {"gamma": 1e30, "power": -50}, math.inf), ("exp", 9000, {"gamma": 0.5}, 0)])
def test_where_numbers_end(policy, iteration, settings, rate):
    """As pow has it in C."""
    assert learning_rate(iteration, new("SolverParameter", base_lr=1, lr_policy=policy, **settings)) == rate


def test_multistep_without_steps():
    assert learning_rate(9, new("SolverParameter", base_lr=1, lr_policy="multistep", gamma=0.1)) == 1


@pytest.mark.parametrize("settings, words", [
    ({"lr_policy": "fixd"}, ["unknown lr_policy 'fixd'", "did you mean 'fixed'?"]),
    ({}, ["no lr_policy", "multistep"]),
    ({"lr_policy": "step", "gamma": 0.1}, ["'step'", "stepsize of at least 1, got 0"]),
    ({"lr_policy": "poly", "power": 1}, ["'poly'", "max_iter of at least 1, got 0"]),
    ({"lr_policy": "sigmoid", "gamma": 1}, ["'sigmoid'", "stepsize of at least 1, got 0"]),
    ({"lr_policy": "step", "gamma": 0.1, "stepsize": 0}, ["stepsize of at least 1", "got 0"]),
    ({"lr_policy": "exp", "gamma": -1}, ["gamma of at least 0", "got -1"]),
])
def test_errors_name_the_field(settings, words):
    with pytest.raises(SolverError) as error:
        learning_rate(0, new("SolverParameter", base_lr=1, **settings), where="solver.prototxt")
    assert all(word in str(error.value) for word in ["solver.prototxt", *words])


@pytest.mark.parametrize("settings, iteration, rate", [
    ({"lr_policy": "inv", "gamma": 0.1}, 9, 1), ({"lr_policy": "poly", "max_iter": 10}, 9, 1),
    ({"lr_policy": "exp"}, 0, 1), ({"lr_policy": "exp"}, 1, 0), ({"lr_policy": "step", "stepsize": 3}, 2, 1),
    ({"lr_policy": "step", "stepsize": 3}, 3, 0), ({"lr_policy": "multistep", "stepvalue": [3]}, 2, 1)])
def test_what_is_missing_counts_as_0(settings, iteration, rate):
    solver = new("SolverParameter", base_lr=1, **settings)
    assert learning_rate(iteration, solver) == rate
    assert missing_fields(solver) == ["power" if settings["lr_policy"] in ("inv", "poly") else "gamma"]


def test_poly_ends_at_max_iter():
    solver = new("SolverParameter", base_lr=1, lr_policy="poly", power=0.5, max_iter=10)
    with pytest.raises(SolverError, match="solver.prototxt: .*iteration 11.*max_iter"):
        learning_rate(11, solver, where="solver.prototxt")
    solver.power = 1
    assert learning_rate(11, solver) == pytest.approx(-0.1)  # as in Caffe


@pytest.mark.parametrize("settings", [{}, {"stagelr": [1, 2], "stageiter": [5]}, {"stageiter": [5]}])
def test_multifixed_has_an_end_for_every_rate(settings):
    with pytest.raises(SolverError, match="as many stageiter as stagelr, and one at least"):
        learning_rate(0, new("SolverParameter", lr_policy="multifixed", **settings))
