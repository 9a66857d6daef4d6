"""Lessons 07 to 12 of the course: the numbers they show are those they speak of."""

import re
import runpy

import numpy as np
import pytest
from course_lessons import COURSE, numbers


def functions(name):
    """What a lesson defines."""
    return runpy.run_path(str(COURSE / f"{name}.py"))


def test_convolution(lesson):
    text = lesson("07_convolution")
    assert "[[ 0. 27. 27.  0.]" in text[1]
    sizes = re.findall(r"\+ 1 = (\d+), blobnet has (\d+)", text[2])
    assert sizes == [("6", "6"), ("8", "8"), ("4", "4"), ("8", "8"), ("2", "2")]
    assert "[ 8. 20. 12.]" in text[3]  # 5 in all four columns, its neighbours in two
    errors = re.findall(r"(?:loops|product) (\d\.\de[-+]\d+)", text[4] + text[5])
    assert len(errors) == 8 and max(map(float, errors)) < 1e-12


@pytest.mark.parametrize("size, stride, pad", [(3, 1, 0), (3, 2, 1), (2, 3, 0), (1, 1, 0), (4, 2, 3)])
def test_three_convolutions(size, stride, pad):
    f, rng = functions("07_convolution"), np.random.default_rng(size)
    x, weight, bias = rng.normal(size=(2, 2, 7, 6)), rng.normal(size=(3, 2, size, size)), rng.normal(size=3)
    y = f["forward_by_loops"](x, weight, bias, stride, pad)
    dy = rng.normal(size=y.shape)
    theirs = f["by_blobnet"](x, weight, bias, dy, stride, pad)
    for way in ("loops", "product"):
        ours = [f[f"forward_by_{way}"](x, weight, bias, stride, pad),
                *f[f"backward_by_{way}"](x, weight, dy, stride, pad)]
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-12, err_msg=way)


def test_pooling(lesson):
    text = lesson("08_pooling")
    answers = re.findall(r"\b(yes|no)\b", "".join(text[i] for i in range(1, 6)))
    assert answers == ["yes"] * 6
    assert text[3].count("upwards 1, downwards 0") == 2
    assert "largest of 4 windows and gets 2 + 3 + 5 + 6 = 16" in text[4]
    assert numbers(text[5], "FLOOR leaves") == [1, 3.4444]


@pytest.mark.parametrize("kernel, stride", [(2, 2), (3, 2), (2, 1), (3, 1), (4, 4)])
def test_two_poolings(kernel, stride):
    f, plane = functions("08_pooling"), np.random.default_rng(0).integers(0, 4, size=(7, 5)) * 1.0  # with ties
    dy = np.random.default_rng(1).normal(size=f["places"](plane, kernel, stride))
    for kind, method, backward in (("MAX", np.max, "max"), ("AVE", np.mean, "average")):
        y, dx = f["by_blobnet"](plane, f"pool: {kind} kernel_size: {kernel} stride: {stride}", dy)
        np.testing.assert_allclose(f["pool"](plane, kernel, stride, method), y, atol=1e-12)
        np.testing.assert_allclose(f[f"{backward}_backward"](plane, dy, kernel, stride), dx, atol=1e-12)


def test_batch_norm(lesson):
    text = lesson("09_batch_norm")
    assert numbers(text[1], "from blobnet:")[0] < 1e-12
    ways = [numbers(text[2], f"   {name} ") for name in ("direct", "through the mean", "through the variance")]
    np.testing.assert_allclose(np.sum(ways, 0), numbers(text[2], " sum "), atol=2e-4)  # of four digits
    assert numbers(text[2], " sum ") == numbers(text[2], "measured") == numbers(text[2], "  blobnet")
    assert numbers(text[3], "3 of 3 parts:") == [0, 0]
    assert all(numbers(text[3], "1 of 3 parts:"))
    _, stays, first, last = numbers(text[4], "whole gradient")
    _, walks, *others = numbers(text[4], "without the mean")
    assert (stays, last, others) == (0, first, [first, first]) and walks > 100
    mean, variance = numbers(text[5], "after 200 batches .*, mean")
    assert abs(mean - 5) < 0.5 and abs(variance - 9) < 2
    (test, train), (again, other) = (re.findall(r"(-?\d\.\d+)", line) for line in
                                     re.findall("y of 8 .* in TEST.*", text[5]))
    assert test == again and train != other
    for name in ("sum of dz y =", "sum of dz ="):
        ours, theirs, *_ = numbers(text[6], name)
        assert ours == theirs != 0


def test_dropout(lesson):
    text = lesson("10_dropout")
    least, most = numbers(text[2], "over 10000 masks: from")
    assert 0.95 < least < 1 < most < 1.05
    rows = [line.split(":")[1].split() for line in text[3].splitlines()[1:]]
    assert rows[0] == rows[1] != rows[2] and rows[3] == rows[0][2:]
    assert len(set(rows[0])) == 3
    factors = [line for line in text[4].splitlines() if line.startswith("[")]
    assert factors[0] == factors[1]
    for name, value in (("scaled in TRAIN", 1.0), ("scaled in TEST", 0.6)):
        test, _, train = numbers(text[5], f"{name} .*x =")
        assert test == value and abs(train - value) < 0.01
    test, _, mean = numbers(text[6], "before the sigmoid: TEST")
    assert abs(test - mean) < 0.03


def test_siamese_and_triplet(lesson):
    pytest.importorskip("sklearn")
    text = lesson("11_siamese_and_triplet", "--iterations", "100")
    moves = [(float(a), float(b)) for a, b in re.findall(r"a moves by +(\S+), b by +(\S+)", text[1])]
    np.testing.assert_allclose(moves, [(0.5, -0.5), (3, -3), (-1.5, 1.5), (-0.5, 0.5), (0, 0)], atol=5e-4)
    loss, mean, *_ = numbers(text[1], "blobnet's loss")
    assert abs(loss - mean) < 1e-3
    moves = re.findall(r"a +(\S+), p +(\S+), q +(\S+);", text[2])
    np.testing.assert_allclose(np.array(moves, float), [[1 - q if near else 0, -near, q * near] for q, near in
                                                        ((3, 0), (1.2, 1), (0.5, 1), (-0.5, 1))], atol=1e-6)
    assert text[2].count("their sum 0.00") == 4
    assert "one array for both: True" in text[3]
    assert numbers(text[3], "their sum") == numbers(text[3], "dw2 ") and any(numbers(text[3], "their sum"))
    for section in (4, 5):
        before, after = (numbers(text[section], f"{when}: .*alike") for when in ("before", "after"))
        assert after[1] > 2.5 * after[0] and before[1] < 1.6 * before[0]
        assert after[2] > 0.9 > before[2]


def test_dsh(lesson):
    pytest.importorskip("sklearn")
    text = lesson("12_dsh", "--iterations", "100")
    assert "6 of 12 bits differ: D = 24, margin 24" in text[1]
    assert text[2].count("u_1 moves by -") == 4
    slopes = [numbers(line, "left") for line in text[3].splitlines()[1:]]
    assert len(slopes) == 7 and all(published in (left, right) for left, right, published in slopes)
    ours, theirs = numbers(text[4], "loss by the formula")
    assert ours == theirs
    assert numbers(text[5], "from the code above")[0] < 1e-6
    assert numbers(text[5], "published: .* from the derivative")[0] > 0.01
    assert numbers(text[5], "EXACT: .*derivative")[0] < 1e-6
    assert numbers(text[5], "pairs only: ") == [2, 2, 2, 2]
    rows = [numbers(line, "mAP") for line in text[6].splitlines() if "mAP" in line]
    assert len(rows) == 6 and rows[0][0] < 0.3 and rows[-1][0] > 0.6
    assert rows[-1][-1] < rows[0][-1]  # nearer to -1 and +1
    without, mild, strong = (numbers(text[7], f"t = +{t}: mAP") for t in ("0", "0.05", "1"))
    assert mild[0] > without[0] + 0.05 and strong[0] < 0.2
    assert without[-1] > mild[-1] > strong[-1]


def test_the_slopes_of_the_hashing_loss_at_its_corners():
    f, u, labels = functions("12_dsh"), np.array([[-1.0, 0, 1, 2], [0.5, -0.5, -2, 1]]), np.array([0, 1])
    _, theirs = f["by_blobnet"](u, labels, 8, "tradeoff: 0.25")
    np.testing.assert_allclose(f["published_gradient"](u, labels, 8, 0.25), theirs, atol=1e-12)
