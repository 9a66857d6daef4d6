"""One neuron: its output, its loss, and every derivative, first by hand, then by blobnet.

A neuron multiplies each of its inputs with a weight of its own, adds the products, and adds a bias:

    y = w1 x1 + w2 x2 + b

The loss is one number that says how far y is from the target t, what we want it to be: here (y - t)^2 / 2. Learning
means: change w and b a little, so that the loss becomes smaller. In which direction? The derivatives say it. The
derivative of the loss with respect to w1, in short dw1, is how fast the loss grows when w1 grows and all else stays.

    python examples/course/01_one_neuron.py
"""

import numpy as np

import blobnet
from blobnet.proto.text import parse

NET = """
    force_backward: true  # also compute the derivatives of the inputs, which no learning needs
    layer { name: "data" type: "Input" top: "x" top: "t"
            input_param { shape { dim: 1 dim: 2 } shape { dim: 1 dim: 1 } } }
    layer { name: "neuron" type: "InnerProduct" bottom: "x" top: "y" inner_product_param { num_output: 1 } }
    layer { name: "loss" type: "EuclideanLoss" bottom: "y" bottom: "t" top: "loss" }
"""
START = {"w1": 0.5, "w2": 1.5, "b": 0.25, "x1": 2.0, "x2": -1.0, "t": 1.0}  # the neuron, its input, its target


def loss_of(v):
    """The loss for the six numbers of the dictionary `v`."""
    y = v["w1"] * v["x1"] + v["w2"] * v["x2"] + v["b"]
    return (y - v["t"]) ** 2 / 2


def derivatives(v):
    """The derivative of the loss with respect to each of the six numbers, by the rules of school."""
    dy = v["w1"] * v["x1"] + v["w2"] * v["x2"] + v["b"] - v["t"]  # (y - t)^2 / 2 has the derivative y - t
    return {"w1": dy * v["x1"], "w2": dy * v["x2"], "b": dy,      # y grows x1 times as fast as w1, as fast as b
            "x1": dy * v["w1"], "x2": dy * v["w2"],               # and w1 times as fast as x1
            "t": -dy}                                             # t stands there with a minus


def quotient(v, name, step=1e-5):
    """The difference quotient of the loss: what one number changes, measured and not derived."""
    above, below = v | {name: v[name] + step}, v | {name: v[name] - step}
    return (loss_of(above) - loss_of(below)) / (2 * step)


def by_blobnet(v):
    """The same neuron as a net: its loss, and its derivatives by the names of above."""
    net = blobnet.Net(parse(NET, "NetParameter"), dtype="float64")
    weight, bias = net.params["neuron"]
    weight.data[...] = [[v["w1"], v["w2"]]]
    bias.data[...] = v["b"]
    net.forward(x=[[v["x1"], v["x2"]]], t=[[v["t"]]])
    net.backward()
    numbers = [*weight.diff.flat, *bias.diff.flat, *net.blobs["x"].diff.flat, *net.blobs["t"].diff.flat]
    return net.loss, dict(zip(("w1", "w2", "b", "x1", "x2", "t"), map(float, numbers)))


def main():
    print("1. Forward, to the output and its loss")
    # Forward is the way from the input to the loss.
    v = START
    y = v["w1"] * v["x1"] + v["w2"] * v["x2"] + v["b"]
    print(f"   y    = {v['w1']} * {v['x1']} + {v['w2']} * {v['x2']} + {v['b']} = {y}")
    print(f"   loss = ({y} - {v['t']})^2 / 2 = {loss_of(v)}")

    print("2. Backward, the derivatives by hand")
    # Backward is the way from the loss to the input. First the derivative of y, which the loss gives. Then what y is
    # made of: w1 is multiplied with x1, so a change of w1 arrives at y multiplied with x1. The derivative of w1 is that
    # of y times x1.
    hand = derivatives(v)
    print(f"   dy  = y - t   = {hand['b']}")
    print(f"   dw1 = dy * x1 = {hand['w1']}      dw2 = dy * x2 = {hand['w2']}      db = dy = {hand['b']}")
    print(f"   dx1 = dy * w1 = {hand['x1']}    dx2 = dy * w2 = {hand['x2']}    dt = -dy = {hand['t']}")

    print("3. The difference quotient as a witness")
    # Who believes in derivatives without a proof? Make a number a little larger and a little smaller, and look how much
    # the loss changed: (loss(v + h) - loss(v - h)) / 2h. It knows nothing of the rules of section 2, so if both agree,
    # both are right. `blobnet check` does this with every layer of a net.
    for name, derivative in hand.items():
        print(f"   d{name:2}  by hand {derivative:8.4f}   measured {quotient(v, name):12.8f}")

    print("4. The same by blobnet")
    # A layer of type InnerProduct is a row of neurons; here the row has one. A blob holds values in `data` and their
    # derivatives in `diff`. Forward fills the one, backward the other.
    loss, diffs = by_blobnet(v)
    print(f"   loss {loss}, diffs {diffs}")
    print(f"   largest difference from the numbers by hand: {max(abs(diffs[name] - hand[name]) for name in hand)}")

    print("5. One step of learning")
    # Walk against the derivative: a number with a positive derivative becomes smaller, one with a negative derivative
    # becomes larger. How far, the rate says. Only the neuron learns, the input and the target stay.
    rate = 0.125
    learnt = v | {name: v[name] - rate * hand[name] for name in ("w1", "w2", "b")}
    print(f"   before: w1 {v['w1']}, w2 {v['w2']}, b {v['b']}, loss {loss_of(v)}")
    print(f"   after:  w1 {learnt['w1']}, w2 {learnt['w2']}, b {learnt['b']}, loss {loss_of(learnt):.6f}")
    print(f"   expected from the derivatives: {-rate * np.sum(np.square([hand['w1'], hand['w2'], hand['b']])):.6f}, "
          f"in fact {loss_of(learnt) - loss_of(v):.6f}")

    print("6. Your turn")
    print("   Exercise: exercises/01_neuron.py, a layer of neurons with blanks; `blobnet grade` looks at your answer.")
    print("   a. For which t is every derivative 0? Set it in START and see.")
    print("   b. In section 5 the loss falls by less than the derivatives promise. Is that better or worse with a")
    print("      smaller rate? Try 0.01. And what does a rate of 0.5 do?")
    print("   c. Make the step of the difference quotient 1, then 1e-12. One of them is still right. Why?")


if __name__ == "__main__":
    main()
