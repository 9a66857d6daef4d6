"""LSTM, LSTMUnit and RNN against one sequence at a time, and what becomes of their states."""

from __future__ import annotations

import math

import numpy as np
import pytest
from layer_rows import build
from scipy.special import expit

from blobnet.core.context import TRAIN
from blobnet.core.net import Net
from blobnet.errors import NetError, ShapeError
from blobnet.proto.text import parse

RNG = np.random.default_rng(20)
T, N, H, D, S = 4, 3, 2, 5, 6
X, STATIC = RNG.normal(size=(T, N, 1, D)), RNG.normal(size=(N, S))
H0, C0 = RNG.normal(size=(2, 1, N, H))
CONT = np.array([[0, 1, 1], [1, 0.5, 1], [1, 0, 1], [0, 1, 0.25]])
GAUSS = 'weight_filler { type: "gaussian" std: 0.7 } bias_filler { type: "gaussian" std: 0.5 }'
OPTIONS = f"recurrent_param {{ num_output: {H} {GAUSS} %s }}"
STATES = {"LSTM": 2, "RNN": 1}


def alone(kind, static=False, expose=False, **more):
    count = STATES[kind]
    values = [X, CONT] + [STATIC] * static + [H0, C0][:count * expose]
    tops = "y h c".split()[:1 + count * expose]
    return build(kind, values, OPTIONS % ("expose_hidden: true" if expose else ""), " ".join(tops), **more)


def slow_lstm(params, x, cont, static, h, c):
    """The outputs of one sequence: x (T, D), cont (T), static (S)."""
    w_x, b, *w_static, w_h = params
    weight, outputs = np.hstack([w_x, *w_static, w_h]), []
    for x_t, cont_t in zip(x, cont):
        z = weight @ np.concatenate([x_t, static, cont_t * h]) + b
        i, f, o = (expit(z[k * H:(k + 1) * H]) for k in range(3))
        c = cont_t * f * c + i * np.tanh(z[3 * H:])
        h = o * np.tanh(c)
        outputs.append(h)
    return np.array(outputs), h, c


def slow_rnn(params, x, cont, static, h, _):
    w_x, b, *w_static, w_h, w_o, b_o = params
    weight, outputs = np.hstack([w_x, *w_static, w_h]), []
    for x_t, cont_t in zip(x, cont):
        h = np.tanh(weight @ np.concatenate([x_t, static, cont_t * h]) + b)
        outputs.append(np.tanh(w_o @ h + b_o))
    return np.array(outputs), h


SLOW = {"LSTM": slow_lstm, "RNN": slow_rnn}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("expose", [False, True])
@pytest.mark.parametrize("static", [False, True])
@pytest.mark.parametrize("kind", SLOW)
def test_values(kind, static, expose, dtype):
    layer = alone(kind, static, expose, dtype=dtype)
    tops, params = layer.forward(), [blob.data for blob in layer.layer.blobs]
    for n in range(N):
        want = SLOW[kind](params, X[:, n, 0], CONT[:, n], STATIC[n] if static else [],
                          *(state[0, n] * expose for state in (H0, C0)))
        for top, value in zip(tops, want):
            np.testing.assert_allclose(top[:, n] if top is tops[0] else top[0, n], value,
                                       rtol=2e-5 if dtype == "float32" else 1e-12, atol=1e-6 * (dtype == "float32"))
    assert [top.shape for top in tops] == [(T, N, H)] + [(1, N, H)] * (STATES[kind] * expose)


@pytest.mark.parametrize("kind", SLOW)
def test_many_sequences_that_the_threads_share(kind):
    """Some steps go on in all sequences, some begin in a few."""
    x, cont = RNG.normal(size=(20, 70, D)), np.ones((20, 70))
    cont[[0, 7], 3:50] = 0
    layer = build(kind, [x, cont], f"recurrent_param {{ num_output: 96 {GAUSS.replace('0.7', '0.1')} }}", "y")
    (y,) = layer.forward()
    assert len(layer.layer.recurrence.pieces) == 2
    want, *_ = layer.layer.formula(x, cont, *(blob.data for blob in layer.layer.blobs))
    np.testing.assert_allclose(y, want, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(("kind", "static", "shapes"), [
    ("LSTM", False, [(8, 5), (8,), (8, 2)]),
    ("LSTM", True, [(8, 5), (8,), (8, 6), (8, 2)]),
    ("RNN", False, [(2, 5), (2,), (2, 2), (2, 2), (2,)]),
    ("RNN", True, [(2, 5), (2,), (2, 6), (2, 2), (2, 2), (2,)])])
def test_parameters_in_their_order(kind, static, shapes):
    layer = alone(kind, static).layer
    assert [blob.shape for blob in layer.blobs] == shapes
    assert all(blob.data.any() for blob in layer.blobs)
    weights = sum(T * N * math.prod(shape) for shape in shapes if len(shape) == 2)
    bottom = [np.empty(0)] * 3  # the count follows from the shapes of the last reshape
    assert layer.multiply_adds(bottom, bottom) == weights - static * (T - 1) * N * math.prod(shapes[2])


def test_saturated_gates_are_no_warnings():
    layer = alone("LSTM", dtype="float32")
    layer.values[0] *= 1e30
    assert np.isfinite(layer.forward()[0]).all()
    assert np.isfinite(layer.backward([np.ones((T, N, H))], [True, False])[0]).all()


@pytest.mark.parametrize("kind", SLOW)
def test_states_handed_in_and_out_pass_no_gradient(kind):
    count = STATES[kind]
    layer = alone(kind, expose=True)
    tops = layer.forward()
    wanted = [True, False] + [True] * count
    dx, _, *states = layer.backward([np.ones(top.shape) for top in tops], wanted)
    assert not any(diff.any() for diff in states)
    zeros = [np.ones(tops[0].shape)] + [np.zeros(top.shape) for top in tops[1:]]
    np.testing.assert_array_equal(layer.backward(zeros, wanted)[0], dx)


# The state from one forward to the next.

def net(kind, expose=False, phase=TRAIN, steps=T):
    count = STATES[kind] * expose
    states = [f"s{i}" for i in range(count)]
    inputs = [("x", (steps, N, D)), ("cont", (steps, N))] + [(name, (1, N, H)) for name in states]
    text = "force_backward: true\n" + "".join(
        f'layer {{ name: "{name}" type: "Input" top: "{name}" input_param {{ shape {{ '
        + " ".join(f"dim: {size}" for size in shape) + " } } }\n" for name, shape in inputs)
    text += f'layer {{ name: "it" type: "{kind}" top: "y" ' + "".join(f'bottom: "{name}" ' for name, _ in inputs)
    text += "".join(f'top: "{name}_T" ' for name in states) + OPTIONS % f"expose_hidden: {str(expose).lower()}" + "}"
    return Net(parse(text, "NetParameter"), phase, random_seed=3, dtype="float64")


@pytest.mark.parametrize("phase", [0, 1])
@pytest.mark.parametrize("kind", SLOW)
def test_the_state_goes_on(kind, phase):
    """Two forwards of T steps are one of 2 T, and what is carried is what would be handed out."""
    x, cont = RNG.normal(size=(2 * T, N, D)), np.vstack([CONT, CONT[::-1]])
    carried, whole, exposed = net(kind, phase=phase), net(kind, steps=2 * T), net(kind, expose=True)
    want = whole.forward(x=x, cont=cont)["y"]
    exposed.share_with(carried)
    states = {}
    for part in (slice(0, T), slice(T, 2 * T)):
        np.testing.assert_allclose(carried.forward(x=x[part], cont=cont[part])["y"], want[part], rtol=1e-12)
        exposed.forward(x=x[part], cont=cont[part], **states)
        states = {f"s{i}": exposed.blobs[f"s{i}_T"].data.copy() for i in range(STATES[kind])}
        for other in (carried, exposed):
            other.clear_param_diffs()
            other.blobs["y"].diff[...] = 1
            other.backward()
        np.testing.assert_allclose(carried.blobs["x"].diff, exposed.blobs["x"].diff, rtol=1e-12)
        for mine, theirs in zip(carried.params["it"], exposed.params["it"]):
            np.testing.assert_allclose(mine.diff, theirs.diff, rtol=1e-12)


@pytest.mark.parametrize("kind", SLOW)
def test_seek_forgets_the_state(kind):
    it, x = net(kind), X[:, :, 0]
    ones = np.ones((T, N))
    first = it.forward(x=x, cont=ones)["y"].copy()
    assert not np.allclose(it.forward(x=x, cont=ones)["y"], first)
    it.seek(0)
    np.testing.assert_array_equal(it.forward(x=x, cont=ones)["y"], first)


@pytest.mark.parametrize("kind", SLOW)
def test_the_state_when_the_number_of_sequences_changes(kind):
    it, x, ones = net(kind), RNG.normal(size=(T, N + 1, D)), np.ones((T, N + 1))

    def run(num, other=it):
        return other.forward(x=x[:, :num], cont=ones[:, :num])["y"].copy()

    reference = net(kind)
    run(N)
    run(N, reference)
    np.testing.assert_allclose(run(2), run(N, reference)[:, :2], rtol=1e-12)  # the first sequences go on
    twice = run(N)
    np.testing.assert_allclose(twice[:, :2], run(N, reference)[:, :2], rtol=1e-12)
    fresh = net(kind)
    np.testing.assert_allclose(run(N + 1)[:, :N], run(N, fresh), rtol=1e-12)  # too many: all begin anew


def test_a_longer_sequence_than_the_first():
    layer = alone("LSTM")
    short = layer.forward()[0]
    layer.values = [np.concatenate([X, X]), np.concatenate([CONT, CONT])]
    np.testing.assert_allclose(layer.forward()[0][:T], short, rtol=1e-12)


# LSTMUnit.

@pytest.mark.parametrize("cont", [0.0, 1.0, 0.5])
def test_lstm_unit_by_hand(cont):
    c_prev, x, dc, dh = 0.4, [0.3, -0.2, 1.1, -0.6], 0.7, -1.3
    unit = build("LSTMUnit", [[[[c_prev]]], [[x]], [[cont]]], tops="c h")
    c, h = unit.forward()
    i, f, o = (1 / (1 + math.exp(-value)) for value in x[:3])
    f, g = cont * f, math.tanh(x[3])
    assert c.item() == pytest.approx(f * c_prev + i * g)
    assert h.item() == pytest.approx(o * math.tanh(c.item()))
    e = dc + dh * o / math.cosh(c.item()) ** 2
    want = [e * g * i * (1 - i), e * c_prev * f * (1 - f), dh * math.tanh(c.item()) * o * (1 - o), e * i * (1 - g * g)]
    dc_prev, dx, _ = unit.backward([np.full((1, 1, 1), dc), np.full((1, 1, 1), dh)], [True, True, False])
    assert dc_prev.item() == pytest.approx(e * f)
    np.testing.assert_allclose(dx.ravel(), want)


# What is refused.

STEP = [np.ones((1, 3, 2)), np.ones((1, 3, 8)), np.ones((1, 3))]
NO_STATIC = "recurrent_param { num_output: 2 }"
EXPOSE = "recurrent_param { num_output: 2 expose_hidden: true }"
REFUSED = [
    ("LSTM", [X, CONT], "", "y", NetError, "expected num_output above 0, got 0"),
    ("LSTM", [X, CONT, STATIC, H0], NO_STATIC, "y", NetError, "expected 2 to 3 bottom blobs, got 4"),
    ("LSTM", [X, CONT, H0], EXPOSE, "y h c", NetError, "expected 4 to 5 bottom blobs, got 3"),
    ("RNN", [X, CONT, H0], EXPOSE, "y", NetError, "expected 2 top blobs, got 1"),
    ("LSTM", [X, CONT], NO_STATIC, "y h c", NetError, "expected 1 top blob, got 3"),
    ("LSTM", [CONT, CONT], NO_STATIC, "y", ShapeError, "more than 2 axes, got (4, 3); x is (T, N, ...)"),
    ("RNN", [X, CONT, np.ones(N)], NO_STATIC, "y", ShapeError, "more than 1 axes, got (3,)"),
    ("RNN", [X, CONT.T], NO_STATIC, "y", ShapeError, "bottom 1 'x1', expected shape (4, 3), got (3, 4); cont has one"),
    ("RNN", [X, CONT[:, :, None]], NO_STATIC, "y", ShapeError, "shape (4, 3), got (4, 3, 1)"),
    ("RNN", [X, CONT, np.ones((2, S))], NO_STATIC, "y", ShapeError, "3 rows of x_static, one a sequence, got (2, 6)"),
    ("RNN", [X, CONT, H0[0]], EXPOSE, "y h", ShapeError, "bottom 2 'x2', expected shape (1, 3, 2), got (3, 2)"),
    ("LSTM", [X, CONT, H0, C0[:, :2]], EXPOSE, "y h c", ShapeError, "bottom 3 'x3'"),
    ("LSTM", [X[:0], CONT[:0]], NO_STATIC, "y", ShapeError, "at least one time step"),
    ("LSTMUnit", [STEP[0][0], *STEP[1:]], "", "c h", ShapeError, "c_prev, expected shape (1, N, H), got (3, 2)"),
    ("LSTMUnit", [STEP[0], STEP[0], STEP[2]], "", "c h", ShapeError, "'x1', expected shape (1, 3, 8) beside c_prev"),
    ("LSTMUnit", [*STEP[:2], STEP[0]], "", "c h", ShapeError, "'x2', expected shape (1, 3) beside c_prev"),
]


@pytest.mark.parametrize(("kind", "values", "options", "tops", "error", "message"), REFUSED)
def test_refused(kind, values, options, tops, error, message):
    with pytest.raises(error) as caught:
        build(kind, values, options, tops)
    text = str(caught.value)
    assert text.startswith(f"layer 'it' ({kind}): ")
    assert message in text


def test_inputs_of_another_size_after_the_first():
    layer = alone("RNN", static=True)
    layer.values = [X[..., 1:], CONT, STATIC]
    with pytest.raises(ShapeError, match=r"bottom 0 'x0', expected 5 numbers a row, .*got \(4, 3, 1, 4\)"):
        layer.forward()
    layer.values = [X, CONT, STATIC[:, 1:]]
    with pytest.raises(ShapeError, match="bottom 2 'x2', expected 6 numbers a row"):
        layer.forward()


@pytest.mark.parametrize(("kind", "values", "tops", "wanted"), [
    ("LSTM", [X, CONT], "y", [True, True]), ("RNN", [X, CONT], "y", [False, True]),
    ("LSTMUnit", STEP, "c h", [False, False, True])])
def test_cont_gets_no_gradient(kind, values, tops, wanted):
    layer = build(kind, values, NO_STATIC, tops)
    outputs = layer.forward()
    with pytest.raises(NetError, match=r"\(cont\) have no gradient; let cont come from data"):
        layer.backward(outputs, wanted)


@pytest.mark.parametrize("kind", ["LSTM", "RNN"])
def test_parameters_that_do_not_learn_get_their_gradients(kind):
    """Caffe's unrolled net knows no lr_mult of the layer, so clip_gradients counts them."""
    values = [np.ones((3, 2, 4)), np.ones((3, 2))]
    options = "recurrent_param { num_output: 2 weight_filler { type: 'xavier' } }"
    alike = []
    for rate in ("0", "1"):
        it = build(kind, values, options + f" param {{ lr_mult: {rate} }}")
        it.forward()
        it.backward([np.ones((3, 2, 2))], [False, False])
        alike.append(it.layer.blobs[0].diff.copy())
    assert alike[0].any() and np.array_equal(*alike)


@pytest.mark.parametrize("kind", ["LSTM", "RNN"])
def test_no_sequences(kind):
    it = build(kind, [np.ones((3, 0, 4)), np.ones((3, 0))], "recurrent_param { num_output: 2 }")
    assert it.forward()[0].shape == (3, 0, 2)
    assert it.backward([np.zeros((3, 0, 2))], [True, False])[0].shape == (3, 0, 4)
