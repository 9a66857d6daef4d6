"""L-BFGS and its line search on functions whose minimum is known."""

import math

import numpy as np
import pytest
from scipy.optimize import minimize as scipy_minimize
from scipy.optimize import rosen, rosen_der

from blobnet.solvers.line_search import CURVATURE, DECREASE, Point, search
from blobnet.solvers.quasi_newton import direction, minimize

FLOAT = np.dtype("float64")


def run(function, start, steps, memory=10, dtype=FLOAT):
    """The end, and the values at all points that were tried."""
    values = []

    def noted(point):
        value, gradient = function(point)
        values.append(value)
        return value, gradient

    return minimize(noted, np.asarray(start, float), steps, [], memory, dtype), values


def valley(point):
    return rosen(point), rosen_der(point)


@pytest.mark.parametrize("size", [2, 10, 100])
def test_the_valley_of_rosenbrock(size):
    """Its end is found, with no more calls than scipy's L-BFGS-B takes, but for a few."""
    start = np.tile([-1.2, 1.0], size // 2)
    end, values = run(valley, start, 2000)
    np.testing.assert_allclose(end, 1, atol=1e-5)
    theirs = scipy_minimize(valley, start, jac=True, method="L-BFGS-B", options={"gtol": 0, "ftol": 2e-16,
                                                                                "maxiter": 2000, "maxfun": 9999})
    assert len(values) < 1.5 * theirs.nfev


def test_a_quadratic_form_takes_as_many_steps_as_dimensions():
    """With all pairs kept, steps of BFGS are those of conjugate gradients, if each goes to the minimum of its line."""
    rng = np.random.default_rng(1)
    matrix = rng.normal(size=(6, 6))
    matrix = matrix @ matrix.T + np.eye(6)
    pairs, point = [], rng.normal(size=6)
    for _ in range(6):
        way = direction(matrix @ point, pairs)
        after = point - way.dot(matrix @ point) / way.dot(matrix @ way) * way
        pairs.insert(0, (after - point, matrix @ (after - point)))
        point = after
    np.testing.assert_allclose(point, 0, atol=1e-8)


def test_the_direction_is_that_of_the_matrix():
    """Two loops over the pairs against the update of the whole matrix H, equation 6.17 of Nocedal and Wright."""
    rng = np.random.default_rng(2)
    pairs = [(step, step + 0.3 * rng.normal(size=5)) for step in rng.normal(size=(3, 5))]
    gradient = rng.normal(size=5)
    step, change = pairs[0]
    inverse = np.eye(5) * step.dot(change) / change.dot(change)
    for step, change in reversed(pairs):
        rho = 1 / step.dot(change)
        left = np.eye(5) - rho * np.outer(step, change)
        inverse = left @ inverse @ left.T + rho * np.outer(step, step)
    np.testing.assert_allclose(direction(gradient, pairs), -inverse @ gradient, rtol=1e-10)


@pytest.mark.parametrize("first", [1e-4, 0.3, 1, 30, 1e6])
@pytest.mark.parametrize("line", [
    lambda t: ((t - 2) ** 2, 2 * (t - 2)), lambda t: (-t / (t * t + 2), (t * t - 2) / (t * t + 2) ** 2),
    lambda t: (t ** 4 - t / 100, 4 * t ** 3 - 1 / 100),
    lambda t: (t ** 2 - t if t < 3 else math.nan, 2 * t - 1)], ids=["parabola", "flat", "steep", "walled"])
def test_what_is_found_meets_the_conditions(first, line):
    found = search(lambda t: Point(t, *line(t), np.zeros(0)), start := Point(0.0, *line(0.0), np.zeros(0)), first)
    assert found.value <= start.value + DECREASE * found.step * start.slope
    assert abs(found.slope) <= CURVATURE * abs(start.slope)


def test_no_way_down_is_none():
    assert search(lambda t: Point(t, t, -1.0, np.zeros(0)), Point(0.0, 0.0, -1.0, np.zeros(0)), 1.0) is None


@pytest.mark.parametrize("function", [
    lambda x: (math.nan, x), lambda x: (math.inf, x), lambda x: (1.0, np.full(2, math.nan)),
    lambda x: (0.0, np.zeros(2))], ids=["nan", "inf", "slopes", "minimum"])
def test_where_nothing_can_be_lowered_nothing_moves(function):
    end, values = run(function, [1, 2], 5)
    assert end.tolist() == [1, 2] and len(values) == 1


def test_never_into_what_is_not_finite():
    """Beyond 3 the function is nan, beyond 3e38 numbers of float32 are inf: both count as too far."""
    end, values = run(lambda x: (float((np.log(x) - 1).dot(np.log(x) - 1)) if x.max() < 3 else math.nan,
                                 2 * (np.log(x) - 1) / x), [0.5, 1], 50)
    np.testing.assert_allclose(end, math.e, rtol=1e-6)
    assert any(math.isnan(value) for value in values) or len(values) < 30
    end, _ = run(lambda x: (float(-x.sum()), np.full(1, -1.0)), [1e38], 9, dtype=np.dtype("float32"))
    assert np.isfinite(end).all()


def test_pairs_without_curvature_are_not_kept():
    pairs = []
    minimize(lambda x: (float(np.cos(x).sum()), -np.sin(x)), np.array([0.3]), 3, pairs, 2, FLOAT)
    assert len(pairs) <= 2 and all(step.dot(change) > 0 for step, change in pairs)


def test_points_are_numbers_of_the_nets_precision():
    seen = []

    def function(point):
        seen.append(point.copy())
        return valley(point)

    pairs = []
    minimize(function, np.array([-1.2, 1.0]).astype("float32").astype(float), 15, pairs, 4, np.dtype("float32"))
    for array in [*seen, *(vector for pair in pairs for vector in pair)]:
        np.testing.assert_array_equal(array, array.astype(np.float32))
