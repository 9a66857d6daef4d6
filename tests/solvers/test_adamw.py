"""AdamW against its paper's algorithm and against PyTorch's formula, both written out in float64."""

import math

import numpy as np
import pytest

STEPS = 6
SETTINGS = 'type: "AdamW" '
CASES = [  # settings, the parameter's; rates by iteration as a multiple of base_lr
    ("momentum: 0.9 weight_decay: 0.5", "", lambda t: 1),
    ("momentum: 0.9 momentum2: 0.75 delta: 0.125 weight_decay: 0.25 base_lr: 0.5", "", lambda t: 1),
    ("momentum: 0.5 weight_decay: 2", "param { lr_mult: 0.5 decay_mult: 0.25 }", lambda t: 1),
    ("momentum: 0.9 weight_decay: 0.5", "param { decay_mult: 0 }", lambda t: 1),
    ('momentum: 0.9 weight_decay: 0.5 lr_policy: "step" gamma: 0.5 stepsize: 2', "", lambda t: 0.5 ** ((t - 1) // 2)),
]


def paper(theta, gradient, alpha, beta1, beta2, epsilon, decay, schedule):
    """Loshchilov and Hutter, algorithm 2, lines 3 to 13."""
    m, v, found = 0.0, 0.0, []
    for t in range(1, STEPS + 1):
        g = gradient(theta)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g ** 2
        corrected_m = m / (1 - beta1 ** t)
        corrected_v = v / (1 - beta2 ** t)
        theta = theta - schedule(t) * (alpha * corrected_m / (math.sqrt(corrected_v) + epsilon) + decay * theta)
        found.append(theta)
    return found


def pytorch(theta, gradient, lr, beta1, beta2, epsilon, weight_decay, schedule):
    """The order of operations of torch.optim.AdamW: the weights shrink first, then comes Adam's step."""
    exp_avg, exp_avg_sq, found = 0.0, 0.0, []
    for step in range(1, STEPS + 1):
        grad, rate = gradient(theta), lr * schedule(step)
        theta *= 1 - rate * weight_decay
        exp_avg += (1 - beta1) * (grad - exp_avg)
        exp_avg_sq = beta2 * exp_avg_sq + (1 - beta2) * grad * grad
        step_size = rate / (1 - beta1 ** step)
        denominator = math.sqrt(exp_avg_sq) / math.sqrt(1 - beta2 ** step) + epsilon
        theta -= step_size * exp_avg / denominator
        found.append(theta)
    return found


@pytest.mark.parametrize("settings, param, schedule", CASES)
def test_the_paper_and_pytorch(make_solver, weight, settings, param, schedule):
    solver = make_solver(SETTINGS + settings, param=param, dtype="float64")
    rules, given = solver.net.parameters[0], solver.param
    alpha, decay = given.base_lr * rules.lr_mult, given.weight_decay * rules.decay_mult
    means = given.momentum, given.momentum2, given.delta
    got = []
    for _ in range(STEPS):
        solver.step(1)
        got.append(weight(solver))
    theirs = paper(1.0, lambda w: w, alpha, *means, alpha * decay, schedule)  # the gradient of w^2 / 2
    np.testing.assert_allclose(got, theirs, rtol=1e-12)
    np.testing.assert_allclose(got, pytorch(1.0, lambda w: w, alpha, *means, decay, schedule), rtol=1e-12)


def test_decay_does_not_go_through_the_gradient(make_solver):
    """The means see the gradient alone; and a parameter without a gradient shrinks, by L1 as by L2."""
    solver = make_solver(SETTINGS + "weight_decay: 8", dtype="float64")
    solver.step(1)
    assert solver.history[1].item() == pytest.approx(1 - solver.param.momentum2, rel=1e-12)  # the square of 1
    for kind, want in (("L2", [3 - 0.1 * 0.5 * 3, -2 + 0.1 * 0.5 * 2]), ("L1", [3 - 0.1 * 0.5, -2 + 0.1 * 0.5])):
        solver = make_solver(SETTINGS + f'weight_decay: 0.5 regularization_type: "{kind}"', net="""
            layer { name: "x" type: "DummyData" top: "x" top: "y" dummy_data_param { shape { dim: 1 dim: 2 }
              shape { dim: 1 dim: 1 } data_filler { value: 0 } data_filler { value: 0 } } }
            layer { name: "ip" type: "InnerProduct" bottom: "x" top: "ip" inner_product_param { num_output: 1
              bias_term: false } }
            layer { name: "loss" type: "EuclideanLoss" bottom: "ip" bottom: "y" top: "loss" }""")
        solver.net.params["ip"][0].data[...] = 3, -2
        solver.step(1)
        np.testing.assert_allclose(solver.net.params["ip"][0].data, [want], rtol=1e-6)
