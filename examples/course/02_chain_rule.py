"""The chain rule: two layers, every number in between written out, and a net that does the same.

A net is a chain. Each layer computes from what the one before it gave, and the loss comes last:

    x  -> u = W1 x + b1  -> h = sigmoid(u)  -> y = w2 h + b2  -> loss = (y - t)^2 / 2

How much does the loss change when a weight of W1 changes? The weight changes u, u changes h, h changes y, y changes the
loss. The chain rule says: multiply these four changes. Where several ways lead to the loss, add what comes over each.

Backpropagation is the chain rule in a good order: from the loss to the front, so that each number is computed once and
used by all that lie before it.

    python examples/course/02_chain_rule.py
"""

import numpy as np

import blobnet
from blobnet.errors import NetError
from blobnet.proto.text import parse

NET = """
    layer { name: "data" type: "Input" top: "x" top: "t"
            input_param { shape { dim: 1 dim: 2 } shape { dim: 1 dim: 1 } } }
    layer { name: "first" type: "InnerProduct" bottom: "x" top: "u" inner_product_param { num_output: 2 } }
    layer { name: "squash" type: "Sigmoid" bottom: "u" top: "h" }
    layer { name: "second" type: "InnerProduct" bottom: "h" top: "y" inner_product_param { num_output: 1 } }
    layer { name: "loss" type: "EuclideanLoss" bottom: "y" bottom: "t" top: "loss" }
"""
X, T = np.array([1.0, 2.0]), 1.0                                    # the input and its target
W1, B1 = np.array([[0.5, -1.0], [1.5, 0.25]]), np.array([0.5, -1.5])  # W1[i, j] leads from x[j] to u[i]
W2, B2 = np.array([2.0, -1.0]), 0.25


def sigmoid(u):
    """Squash every number to (0, 1)."""
    return 1 / (1 + np.exp(-u))


def forward(x, t, w1, b1, w2, b2):
    """All numbers from the input to the loss, by name."""
    u = w1 @ x + b1
    h = sigmoid(u)
    y = w2 @ h + b2
    return {"u": u, "h": h, "y": y, "loss": (y - t) ** 2 / 2}


def backward(x, t, w1, w2, n):
    """All derivatives from the loss to the input; `n` holds what forward returned."""
    d = {"y": n["y"] - t}
    d["h"] = d["y"] * w2                     # y holds w2[i] times h[i]
    d["u"] = d["h"] * n["h"] * (1 - n["h"])  # the slope of the sigmoid is h (1 - h)
    d["x"] = d["u"] @ w1                     # x[j] is in every u[i], so it gets a sum
    d["w2"], d["b2"] = d["y"] * n["h"], d["y"]
    d["w1"], d["b1"] = np.outer(d["u"], x), d["u"]
    return d


def build(force):
    """The net, with the weights of above; `force`: whether it computes the derivatives of its inputs too."""
    net = blobnet.Net(parse(f"force_backward: {str(force).lower()} {NET}", "NetParameter"), dtype="float64")
    for name, values in (("first", (W1, B1)), ("second", (W2, B2))):
        for blob, value in zip(net.params[name], values):
            blob.data[...] = value
    return net


def main():
    np.set_printoptions(precision=6, suppress=True)
    print("1. Forward, step by step")
    n = forward(X, T, W1, B1, W2, B2)
    for i in range(2):
        print(f"   u[{i}] = {W1[i, 0]} * {X[0]} + {W1[i, 1]} * {X[1]} + {B1[i]} = {n['u'][i]:.6f}"
              f"     h[{i}] = sigmoid(u[{i}]) = {n['h'][i]:.6f}")
    print(f"   y = {W2[0]} * {n['h'][0]:.6f} + {W2[1]} * {n['h'][1]:.6f} + {B2} = {n['y']:.6f}")
    print(f"   loss = (y - {T})^2 / 2 = {n['loss']:.6f}")

    print("2. Backward, step by step")
    # In the reverse order. Every line needs the derivative of the line before it, and a number that forward left. dh
    # means: the derivative of the loss with respect to h.
    d = backward(X, T, W1, W2, n)
    print(f"   dy = y - t        = {d['y']:.6f}")
    print(f"   dh = dy * w2      = {d['h']}       dw2 = dy * h = {d['w2']}    db2 = dy = {d['b2']:.6f}")
    print(f"   du = dh * h (1-h) = {d['u']}")
    print(f"   dx = du W1        = {d['x']}       dW1[i, j] = du[i] * x[j] = {d['w1'][0]} {d['w1'][1]}")

    print("3. One way from a weight to the loss")
    # W1[0, 1] reaches the loss on one way only: over u[0], h[0] and y. Its derivative is the product of four factors,
    # one for each step of the way.
    factors = {"d loss / dy": n["y"] - T, "dy / dh[0]": W2[0], "dh[0] / du[0]": n["h"][0] * (1 - n["h"][0]),
               "du[0] / dW1[0, 1]": X[1]}
    for name, factor in factors.items():
        print(f"   {name:18} {factor:10.6f}")
    product = np.prod(list(factors.values()))
    print(f"   their product      {product:10.6f}, and dW1[0, 1] of section 2 is {d['w1'][0, 1]:.6f}")

    print("4. Two ways are added")
    # x[0] reaches the loss over h[0] and over h[1]. Each way gives a product, and x[0] gets the sum.
    ways = [(n["y"] - T) * W2[i] * n["h"][i] * (1 - n["h"][i]) * W1[i, 0] for i in range(2)]
    print(f"   over h[0] {ways[0]:.6f}, over h[1] {ways[1]:.6f}, their sum {sum(ways):.6f}")
    print(f"   dx[0] of section 2 is {d['x'][0]:.6f}")

    print("5. A net does the same")
    # A blob has the name that the prototxt gives it: net.blobs["u"].data is u, net.blobs["u"].diff is du. Parameters
    # stand under the name of their layer: net.params["first"] is W1 and b1.
    net = build(force=True)
    net.forward(x=X[None], t=[[T]])
    net.backward()
    for name in ("u", "h", "y"):
        print(f"   {name}: data {net.blobs[name].data[0]}, diff {net.blobs[name].diff[0]}")
    pairs = [(net.blobs[name].diff, d[name]) for name in ("x", "u", "h", "y")]
    pairs += zip([*(blob.diff for blob in net.params["first"]), *(blob.diff for blob in net.params["second"])],
                 [d["w1"], d["b1"], d["w2"], d["b2"]])
    print(f"   largest difference of all diffs from section 2: {max(np.abs(a - b).max() for a, b in pairs):.1e}")

    print("6. What nobody asks for is not computed")
    # To learn, a net needs the derivatives of its parameters; that of the input would be work for nothing. So dx stays
    # 0 unless the net says force_backward: true, as in section 5.
    net = build(force=False)
    net.forward(x=X[None], t=[[T]])
    net.backward()
    dw1 = net.params["first"][0].diff
    print(f"   without force_backward: dx {net.blobs['x'].diff[0]}, dW1 {dw1[0]} {dw1[1]}")
    try:
        build(force=True).backward()
    except NetError as error:  # backward uses numbers that forward left: h for the slope of the sigmoid, x for dW1
        print(f"   backward before forward: {error}")

    print("7. Your turn")
    print("   Exercise: exercises/02_sigmoid.py, the sigmoid with blanks; `blobnet grade` looks at your answer.")
    print("   a. Make W1 ten times as large. What happens to h, and why do dW1 and dx nearly vanish? (Lesson 06.)")
    print("   b. Exchange Sigmoid for TanH in NET. What must change in `forward` and in `backward`?")
    print("   c. Which diffs stay as they are when B2 and T both grow by 1?")


if __name__ == "__main__":
    main()
