"""Forward against the formula of the page: what is noticed, where it is said to be wrong, and what is not compared."""

import numpy as np
import pytest

from blobnet.check import check_layer, check_net, format_table
from blobnet.check.forward import check_forward
from blobnet.check.standalone import standalone
from blobnet.core.context import TEST
from blobnet.core.layer import Layer
from blobnet.core.registry import LAYERS, register
from blobnet.proto.text import parse

X = np.random.default_rng(0).normal(size=(2, 6, 4, 5))
AVERAGE = ('layer {{ name: "it" type: "Pooling" bottom: "x" top: "y" pooling_param {{ pool: {} kernel_size: 2 '
           "stride: 2 }} }}").format("AVE")
LRN = 'layer { name: "it" type: "LRN" bottom: "x" top: "y" lrn_param { local_size: 3 alpha: 0.5 } }'


@pytest.fixture
def sums(monkeypatch):
    """Average pooling without the division, in forward and in backward alike."""
    from blobnet.ops import average_pool
    right = average_pool.average_matrices
    monkeypatch.setattr(average_pool, "average_matrices", lambda *args: [np.sign(matrix) for matrix in right(*args)])


@pytest.fixture
def undivided(monkeypatch):
    """LRN without the division of alpha by n, in forward and in backward alike."""
    from blobnet.layers.normalization import lrn
    right = lrn.LocalNorm
    monkeypatch.setattr(lrn, "LocalNorm", lambda axes, size, k, alpha, beta: right(axes, size, k, alpha * size, beta))


@pytest.mark.parametrize(("mistake", "source"), [("sums", AVERAGE), ("undivided", LRN)])
def test_a_wrong_forward_with_its_true_derivative_is_noticed(mistake, source, request):
    assert all(result.passed for result in check_layer(source, X))
    request.getfixturevalue(mistake)
    forward, gradient = check_layer(source, X)
    assert (forward.kind, forward.blob, forward.passed, forward.forward.passed) == ("top", "y", False, False)
    assert (gradient.kind, gradient.passed) == ("bottom", True)


def test_the_first_wrong_element_is_shown(sums):
    wrong, *_ = check_layer(AVERAGE, np.ones((1, 1, 2, 4)))
    assert wrong.note == "at y[0, 0, 0, 0] forward has 4, the formula 1; 2 of 2 are wrong"
    assert (wrong.worst_relative_error, wrong.forward.error) == (3, 3)
    assert format_table([wrong]).endswith(f"  FAIL  FAIL ({wrong.note})")


def test_a_net_is_compared_layer_by_layer(sums):
    text = """
        layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 dim: 4 dim: 4 } } }
        layer { name: "conv" type: "Convolution" bottom: "x" top: "conv"
                convolution_param { num_output: 2 kernel_size: 3 pad: 1 weight_filler { type: "xavier" } } }
        layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
        layer { name: "pool" type: "Pooling" bottom: "conv" top: "y" pooling_param { pool: AVE kernel_size: 2 } }"""
    results = check_net(parse(text, "NetParameter"))
    assert [result.layer for result in results if not result.passed] == ["pool"]
    cells = {result.layer: str(result.forward) for result in results if result.forward}
    assert (cells["relu"], cells["pool"]) == ("plain", "FAIL")
    assert float(cells["conv"]) < 1e-12
    assert [result.forward is None for result in results if result.layer == "conv"] == [False, True, True]


class Twice(Layer):
    """y = 2 x, in two tops."""

    num_tops = 2

    def reshape(self, bottom, top):
        for blob in top:
            blob.reshape(bottom[0].shape)

    def forward(self, bottom, top):
        for blob in top:
            blob.data[...] = 2 * bottom[0].data


class Right(Twice):
    def formula(self, x):
        return x + x, (x + x).ravel()


class OneTop(Twice):
    def formula(self, x):
        return 2 * x


class OtherShape(Twice):
    def formula(self, x):
        return 2 * x, 2 * x[:1]


class NotANumber(Twice):
    def formula(self, x):
        return 2 * x, np.full(x.shape, np.nan)


class SecondTop(Twice):
    def formula(self, x):
        return 2 * x, np.where(x == 3, 2 * x + 1e-9, 2 * x)


class Drawn(Twice):
    def formula(self, x):
        return None


@pytest.fixture
def try_layer():
    """Register a class for one test and compare its forward with its formula."""
    before = dict(LAYERS)

    def run(cls, *values, **more):
        register(cls)
        source = f'layer {{ name: "it" type: "{cls.__name__}" bottom: "x" top: "y" top: "z" }}'
        return check_forward(standalone(source, *values, **more))

    yield run
    LAYERS.clear()
    LAYERS.update(before)


@pytest.mark.parametrize(("cls", "error", "note"), [
    (Right, 0, ""),
    (OneTop, np.inf, "there are 2 tops, the formula has 1"),
    (OtherShape, np.inf, "z has shape (2, 2), the formula (1, 2)"),
    (NotANumber, np.inf, "at z[0, 0] forward has 2, the formula nan; 4 of 4 are wrong"),
    (SecondTop, 1e-9 / 8, "at z[1, 0] forward has 6, the formula 6.000000001; 1 of 4 are wrong"),
    (Drawn, None, "values are drawn"),
    (Twice, None, "plain"),
])
def test_what_is_compared(try_layer, cls, error, note):
    result = try_layer(cls, [[1, 2], [3, 4]])
    assert result.error is None if error is None else result.error == pytest.approx(error, rel=1e-6)
    assert (result.passed, result.note) == (not error, note)


def test_an_empty_batch_is_not_compared(try_layer):
    assert try_layer(Right, np.zeros((0, 2))).error is None


def test_numbers_that_are_not_ordinary_hide_nothing(try_layer):
    class Odd(Twice):
        def forward(self, bottom, top):
            super().forward(bottom, top)
            top[0].data[0] = np.finfo(float).min, np.nan, np.inf

        def formula(self, x):
            y = 2 * x
            y[0] = np.finfo(float).min, np.nan, np.inf
            return y + 1e-6 * (x == 6), 2 * x

    assert try_layer(Odd, [[1, 2, 3], [4, 5, 7]]).passed
    assert not try_layer(Odd, [[1, 2, 3], [4, 5, 6]]).passed


def test_the_formula_cannot_use_what_forward_computed(try_layer):
    class Cheats(Twice):
        def forward(self, bottom, top):
            super().forward(bottom, top)
            self.y = top[0].data.copy()

        def formula(self, x):
            return self.y, self.y

    with pytest.raises(AttributeError, match="'y'"):
        try_layer(Cheats, [1, 2])


def test_drawn_values_and_a_users_class_are_not_compared():
    stochastic = AVERAGE.replace("AVE", "STOCHASTIC")
    (train,), (test,) = check_layer(stochastic, abs(X)), check_layer(stochastic, abs(X), phase=TEST)
    assert (str(train.forward), train.passed) == ("-", True)
    assert float(str(test.forward)) < 1e-12
    source = ('layer { name: "it" type: "Python" bottom: "x" top: "y" '
              'python_param { module: "cases_data" layer: "Affine" param_str: "2" } }')
    first, *_ = check_layer(source, X[0, 0], python_layers=True)
    assert (str(first.forward), first.passed) == ("-", True)
