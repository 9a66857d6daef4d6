"""Lessons 01 to 06 of the course: the numbers they show are those they speak of."""

import math
import re

import numpy as np
import pytest
from course_lessons import numbers


def test_one_neuron(lesson):
    text = lesson("01_one_neuron")
    assert numbers(text[1], r"loss = .* =") == [0.78125]
    assert numbers(text[2], "dy  = y - t") == [-1.25]
    assert numbers(text[2], "dw1 = dy [*] x1 =") == [-2.5, 2, 2, 1.25, -1.25]  # two are the 2 of dw2 and of x2
    rows = re.findall(r"d\w+ +by hand +(\S+) +measured +(\S+)", text[3])
    assert len(rows) == 6
    np.testing.assert_allclose(*np.array(rows, float).T, atol=1e-7)
    assert numbers(text[4], "largest difference from the numbers by hand:")[0] < 1e-14
    assert numbers(text[5], "after: .* loss") == [0.048828]


def test_chain_rule(lesson):
    text = lesson("02_chain_rule")
    h = 1 / (1 + math.exp(1)), 1 / (1 + math.exp(-0.5))
    assert numbers(text[1], r"h\[0\] = sigmoid\(u\[0\]\) =")[0] == pytest.approx(h[0], abs=1e-6)
    dy = 2 * h[0] - h[1] + 0.25 - 1
    assert numbers(text[1], r"loss = .* =") == [pytest.approx(dy ** 2 / 2, abs=1e-6)]
    product, of_backward = re.findall(r"-\d\.\d+", text[3].splitlines()[-1])
    assert product == of_backward and float(product) == pytest.approx(dy * 2 * h[0] * (1 - h[0]) * 2, abs=1e-6)
    over = numbers(text[4], r"over h\[0\]")
    assert over[0] + over[2] == pytest.approx(over[3], abs=2e-6) and over[3] == numbers(text[4], "section 2 is")[0]
    assert numbers(text[5], "largest difference of all diffs from section 2:")[0] < 1e-14
    assert "without force_backward: dx [0. 0.], dW1 [-0.328175 -0.656351]" in text[6]
    assert "has nothing to run backward from; run forward first" in text[6]


def test_a_loss(lesson, tmp_path):
    text = lesson("03_a_loss")
    e = np.exp([2, 1, -1])
    p = e / e.sum()
    np.testing.assert_allclose(numbers(text[1], "-> p"), [*p, 1, p[1], -math.log(p[1])], atol=1e-4)
    np.testing.assert_allclose(numbers(text[1], "99.] -> p"), p, atol=1e-4)
    derived, measured = (numbers(text[2], words)[:3] for words in ("derived", "measured"))
    np.testing.assert_allclose(derived, p - [0, 1, 0], atol=1e-4)
    assert derived == measured
    rows = np.array([line.split() for line in text[3].splitlines()[2:]], float)
    np.testing.assert_allclose(rows[:, 1], rows[:, 0] - 1, atol=1e-4)                  # score - target
    np.testing.assert_allclose(rows[:, 2], -1 / (1 + np.exp(rows[:, 0])), atol=1e-4)  # p - 1
    near, far = (numbers(text[4], f"{count} far points;.*side:") for count in (0, 10))
    assert min(near) > 0.95 and far[1] > 0.95 > 0.92 > far[0]
    assert (tmp_path / "demo_output/a_loss/lines.png").exists()


def test_gradient_descent(lesson, tmp_path):
    text = lesson("04_gradient_descent")
    assert "step 1: w [ 7.125 -0.75 ], gradient [  7.125 -12.   ], loss 29.8828" in text[1]
    small, good, large = (numbers(text[2], words)[-1] for words in ("too small", "good", "too large"))
    assert good < 0.01 < 10 < small < 40 < large
    assert numbers(text[3], "limit of the rate") == [0.125]
    without, _, with_momentum, *_ = numbers(text[4], "below 1e-6:")
    assert with_momentum < without / 3
    assert text[5].count("all equal: True") == 4
    assert (tmp_path / "demo_output/gradient_descent/paths.png").exists()


def test_inner_product(lesson):
    text = lesson("05_inner_product")
    assert numbers(text[2], "from the loops:")[0] < 1e-12
    assert [line.split(" -> ")[1] for line in text[3].splitlines()[1:]] == [
        "does not fit", "(40, 60)", "does not fit", "(60, 40)"]
    assert numbers(text[5], "from the loops:")[0] < 1e-12
    assert "dx is 1.000 times what it was, dw 2.000 times" in text[6]
    assert numbers(text[6], "of the whole by")[0] < 1e-12
    assert "layers share: [55. 77. 99.]" in text[6]


def test_vanishing_gradients(lesson, tmp_path):
    pytest.importorskip("sklearn")
    text = lesson("06_vanishing_gradients")
    linear, hidden = (numbers(text[number], "test accuracy")[0] for number in (1, 2))
    assert 0.92 < linear < hidden
    pixels, raw, learnt = (numbers(text[3], f"nearest mean of {words} ")[0]
                           for words in ("pixels", "features, not learnt", "features, learnt"))
    assert raw < pixels < learnt
    losses = [numbers(text[4], f"{kind} .*loss after 100 steps")[0] for kind in ("Sigmoid", "TanH", "ReLU")]
    assert abs(losses[0] - math.log(10)) < 0.02 and max(losses[1:]) < 1.5
    assert numbers(text[5], "Sigmoid") == [0.0177, 0.1050, 0.1966, 0.25, 0.1966, 0.1050, 0.0177]
    shares = [numbers(text[6], f"{kind} +first layer / last layer:")[0] for kind in ("Sigmoid", "TanH", "ReLU")]
    assert shares[0] < 1e-4 and all(0.1 < share < 10 for share in shares[1:])
    assert (tmp_path / "demo_output/vanishing_gradients/norms.png").exists()
