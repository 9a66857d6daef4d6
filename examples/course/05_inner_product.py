"""The inner product: a layer of neurons in loops, then as products of matrices, and why diffs accumulate.

A batch x has N rows of C numbers, the layer K neurons, each with C weights and a bias. Every neuron sees every row:

    y[n, k] = sum over c of x[n, c] * w[k, c], plus b[k]

That is all; the rest of this lesson says the same in other ways. Backward gets dy, one derivative for every number of
y, and gives dx, dw and db, each of the shape of what it belongs to.

    python examples/course/05_inner_product.py
"""

import time

import numpy as np

import blobnet
from blobnet.proto.text import parse

N, C, K = 16, 60, 40
NET = f"""
    force_backward: true
    layer {{ name: "data" type: "Input" top: "x" input_param {{ shape {{ dim: {N} dim: {C} }} }} }}
    layer {{ name: "ip" type: "InnerProduct" bottom: "x" top: "y" inner_product_param {{ num_output: {K} }} }}
"""
TWICE = """
    force_backward: true
    layer { name: "data" type: "Input" top: "x" top: "other" input_param { shape { dim: 2 dim: 3 } } }
    layer { name: "a" type: "InnerProduct" bottom: "x" top: "y" param { name: "w" }
            inner_product_param { num_output: 1 bias_term: false } }
    layer { name: "b" type: "InnerProduct" bottom: "other" top: "z" param { name: "w" }
            inner_product_param { num_output: 1 bias_term: false } }
"""


def forward_loops(x, w, b):
    """y, number by number."""
    y = np.empty((len(x), len(w)))
    for n in range(len(x)):
        for k in range(len(w)):
            y[n, k] = b[k]
            for c in range(x.shape[1]):
                y[n, k] += x[n, c] * w[k, c]
    return y


def backward_loops(x, w, dy):
    """dx, dw and db, number by number."""
    dx, dw, db = np.zeros(x.shape), np.zeros(w.shape), np.zeros(len(w))
    for n in range(len(x)):
        for k in range(len(w)):
            db[k] += dy[n, k]
            for c in range(x.shape[1]):        # y[n, k] has the product x[n, c] * w[k, c] in it:
                dx[n, c] += dy[n, k] * w[k, c]  # for x[n, c], w[k, c] is the factor
                dw[k, c] += dy[n, k] * x[n, c]  # and the other way round
    return dx, dw, db


def forward_products(x, w, b):
    """The same y; @ multiplies matrices."""
    return x @ w.T + b


def backward_products(x, w, dy):
    """The same dx, dw and db."""
    return dy @ w, dy.T @ x, dy.sum(0)


def seconds(function, *arguments):
    """How long a call takes, the best of three."""
    times = []
    for _ in range(3):
        start = time.perf_counter()
        function(*arguments)
        times.append(time.perf_counter() - start)
    return min(times)


def difference(found, wanted):
    """The largest difference of arrays, pair by pair."""
    return max(float(np.abs(a - b).max()) for a, b in zip(found, wanted))


def run(net, x, dy):
    """Forward and backward; dy is written where a loss would have written it."""
    net.forward(x=x)
    net.blobs["y"].diff[...] = dy
    net.backward()


def main():
    rng = np.random.default_rng(0)
    x, w, b, dy = (rng.normal(size=shape) for shape in ((N, C), (K, C), (K,), (N, K)))

    print("1. In loops")
    # The product x[n, c] * w[k, c] is in y[n, k] once, for every n, k and c. So forward has three loops, and backward
    # the same three: each derivative takes the part of dy[n, k] that comes back over this product. Where several parts
    # come to one place, they are added: x[n, c] is used by all K neurons, w[k, c] by all N rows.
    y = forward_loops(x, w, b)
    dx, dw, db = backward_loops(x, w, dy)
    print(f"   {N} * {K} * {C} = {N * K * C} products forward, twice as many backward")

    print("2. As products of matrices")
    # A product of matrices is a sum over the index that stands inside. Forward sums over c, dx over k, dw over n.
    print("   y  = x w^T + b       " + f"{x.shape} {w.T.shape} -> {y.shape}")
    print("   dx = dy w            " + f"{dy.shape} {w.shape} -> {dx.shape}")
    print("   dw = dy^T x          " + f"{dy.T.shape} {x.shape} -> {dw.shape}")
    print("   db = sum of the rows of dy, " + f"{dy.shape} -> {db.shape}")
    products = [forward_products(x, w, b), *backward_products(x, w, dy)]
    print(f"   largest difference from the loops: {difference(products, [y, dx, dw, db]):.1e}")

    print("3. Shapes know the formula")
    # Who forgets the formulas can find them again: dw must have the shape (K, C), it is made of dy (N, K) and x (N, C),
    # and only one product of the two has that shape. Here are all that can be written:
    orders = {"dy x": (dy, x), "dy^T x": (dy.T, x), "dy x^T": (dy, x.T), "x^T dy": (x.T, dy)}
    for words, (left, right) in orders.items():
        fits = left.shape[1] == right.shape[0]
        shape = (left @ right).shape if fits else "does not fit"
        print(f"   {words:8} {left.shape} {right.shape} -> {shape}")

    print("4. What it costs")
    # The arithmetic is the same. But a loop of Python asks for every number anew what it is and how it is added; a
    # product of matrices says once what is wanted, and a library for this very task does it.
    slow, fast = seconds(backward_loops, x, w, dy), seconds(backward_products, x, w, dy)
    print(f"   backward in loops {slow * 1e3:.1f} ms, as products {fast * 1e3:.3f} ms: {slow / fast:.0f} times as fast")

    print("5. blobnet's layer")
    # `blobnet layer InnerProduct` prints its page. It is the three lines of section 2.
    net = blobnet.Net(parse(NET, "NetParameter"), dtype="float64")
    weight, bias = net.params["ip"]
    weight.data[...], bias.data[...] = w, b
    run(net, x, dy)
    found = [net.blobs["y"].data, net.blobs["x"].diff, weight.diff, bias.diff]
    print(f"   largest difference from the loops: {difference(found, [y, dx, dw, db]):.1e}")

    print("6. Diffs of parameters accumulate")
    # Backward overwrites dx: a blob belongs to one batch. But it adds to dw and db: a parameter belongs to all batches.
    before = [net.blobs["x"].diff.copy(), weight.diff.copy()]
    run(net, x, dy)
    print(f"   after a second backward dx is {np.median(net.blobs['x'].diff / before[0]):.3f} times what it was, "
          f"dw {np.median(weight.diff / before[1]):.3f} times")
    # So a batch may come in parts, where memory is short; a solver's iter_size does this.
    net.clear_param_diffs()
    for part in (slice(0, N // 2), slice(N // 2, N)):
        run(net, x[part], dy[part])
    print(f"   the batch in two halves: dw differs from that of the whole by {difference([weight.diff], [dw]):.1e}")
    # And one weight may stand at several places of a net, which all have their part in its derivative.
    twins = blobnet.Net(parse(TWICE, "NetParameter"), dtype="float64")
    twins.forward(x=[[1, 2, 3], [4, 5, 6]], other=[[10, 20, 30], [40, 50, 60]])
    for name in ("y", "z"):
        twins.blobs[name].diff[...] = 1
    twins.backward()
    print(f"   a weight that two layers share: {twins.params['a'][0].diff[0]}, the sum of all four rows")

    print("7. Your turn")
    print("   Exercise: exercises/05_inner_product.py, the layer as products; `blobnet grade` looks at your answer.")
    print("   a. Set N, C, K to 1, 1, 1, then to 2, 3, 4. Are products always faster? From which size on?")
    print("   b. Leave out net.clear_param_diffs() in section 6. What does dw become, and why do solvers call it?")
    print("   c. np.einsum('nc,kc->nk', x, w) is y without b. Write dx and dw in the same way: which letter is summed?")


if __name__ == "__main__":
    main()
