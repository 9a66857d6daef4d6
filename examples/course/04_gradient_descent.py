"""Gradient descent: a step, its learning rate, and momentum, by hand and by blobnet's solver.

The derivatives of all weights together are the gradient: the direction in which the loss grows fastest. Gradient
descent goes a little against it, again and again:

    w <- w - rate * gradient

Everything of interest can be seen on the simplest loss with two weights, a valley that is steep one way and flat the
other: loss = (w[0]^2 + 16 w[1]^2) / 2. Its gradient is (w[0], 16 w[1]), its lowest point (0, 0).

    python examples/course/04_gradient_descent.py --out demo_output/gradient_descent
"""

import argparse
from pathlib import Path

import numpy as np

import blobnet
from blobnet.proto.messages import new
from blobnet.proto.text import parse
from blobnet.view.figure import PALETTE, new_figure, save

STEEP = np.array([1.0, 16.0])  # the curvatures of the valley, along w[0] and w[1]
START = np.array([8.0, 1.0])
RATES = {"too small": 0.0078125, "good": 0.109375, "too large": 0.12890625}  # sums of powers of 1/2: exact in float32

# The valley as a net: y = x w^T with the rows (1, 0) and (0, 4) of x is (w[0], 4 w[1]). EuclideanLoss against 0 gives
# (w[0]^2 + 16 w[1]^2) / 4, for it divides by the two rows; loss_weight makes up for that.
NET = """
    layer { name: "data" type: "Input" top: "x" top: "zero"
            input_param { shape { dim: 2 dim: 2 } shape { dim: 2 dim: 1 } } }
    layer { name: "valley" type: "InnerProduct" bottom: "x" top: "y"
            inner_product_param { num_output: 1 bias_term: false } }
    layer { name: "loss" type: "EuclideanLoss" bottom: "y" bottom: "zero" top: "loss" loss_weight: 2 }
"""


def loss_of(w):
    """The loss; w may have more axes before the last one."""
    return (STEEP * w ** 2).sum(-1) / 2


def descend(rate, momentum, steps):
    """The weights before the first step and after every step, (steps + 1, 2)."""
    w, v, path = START.copy(), np.zeros(2), [START]
    for _ in range(steps):
        gradient = STEEP * w
        v = momentum * v + rate * gradient
        w = w - v
        path.append(w)
    return np.array(path)


def by_solver(rate, momentum, steps):
    """The same path by blobnet's solver of type SGD."""
    param = new("SolverParameter", net_param=parse(NET, "NetParameter"), type="SGD", base_lr=rate, momentum=momentum,
                lr_policy="fixed", random_seed=1)
    solver = blobnet.get_solver(param, dtype="float64")
    solver.net.blobs["x"].data[...] = [[1, 0], [0, 4]]
    w = solver.net.params["valley"][0].data
    w[...], path = START, [START]
    for _ in range(steps):
        solver.step(1)
        path.append(w[0].copy())
    return np.array(path)


def steps_needed(rate, momentum, goal=1e-6):
    """The number of steps until the loss is below the goal."""
    return int(np.argmax(loss_of(descend(rate, momentum, 2000)) < goal))


def plot(paths, path):
    """The valley from above, and every path in a picture of its own."""
    figure = new_figure(8, 3.4, dpi=90)
    grid = np.stack(np.meshgrid(np.linspace(-9, 9, 120), np.linspace(-2, 2, 60)), axis=-1)
    for axes, colour, (title, points) in zip(figure.subplots(2, 2).flat, PALETTE, paths.items()):
        axes.contour(grid[..., 0], grid[..., 1], loss_of(grid), levels=[4, 16, 36], colors="0.8", linewidths=1)
        axes.plot(*points.T, ".-", color=colour, linewidth=1, markersize=4)
        axes.set(xlim=(-9, 9), ylim=(-2, 2), xticks=(-8, -4, 0, 4, 8), xlabel="w[0]", ylabel="w[1]")
        axes.set_title(title, fontsize=9)
    save(figure, path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("demo_output/gradient_descent"))
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)

    print("1. Steps by hand")
    # The step is long where the gradient is large. In the steep direction one step leads to the other side of the
    # valley, in the flat direction it is short.
    for number, w in enumerate(descend(RATES["good"], 0, 3)):
        print(f"   step {number}: w {w}, gradient {STEEP * w}, loss {loss_of(w):.4f}")

    print("2. The learning rate")
    # Too small: it takes forever. Too large: every step leads higher up on the other side.
    for words, rate in RATES.items():
        losses = loss_of(descend(rate, 0, 40))
        print(f"   {words:9} {rate:<11}: loss {losses[0]:.1f}, after 10 steps {losses[10]:.4f}, "
              f"after 40 steps {losses[40]:.6f}")

    print("3. Why? Every step multiplies")
    # For a curvature a, w - rate * a * w = (1 - rate * a) * w. It becomes smaller if this factor is between -1 and 1,
    # which holds if the rate is below 2 / a. The steepest direction sets the limit, 2 / 16 here, and the flattest must
    # live with it: its factor stays close to 1.
    print(f"   limit of the rate {2 / STEEP.max()}")
    for words, rate in RATES.items():
        print(f"   {words:9} factors {1 - rate * STEEP[0]:.4f} of w[0], {1 - rate * STEEP[1]:.4f} of w[1]")

    print("4. Momentum")
    # The step is not the gradient alone, but also a part of the step before:
    #
    #     v <- momentum * v + rate * gradient,   w <- w - v
    #
    # Across the valley, steps to and fro cancel each other. Along the valley they add up. So the rate may be larger,
    # and the path becomes shorter.
    good, fast, momentum = RATES["good"], 0.15625, 0.375
    print(f"   steps until the loss is below 1e-6: {steps_needed(good, 0)} without momentum (rate {good}), "
          f"{steps_needed(fast, momentum)} with {momentum} (rate {fast})")
    print(f"   that rate without momentum: loss {loss_of(descend(fast, 0, 40))[-1]:.1e} after 40 steps")

    print("5. blobnet's solver goes the same way")
    # A solver runs forward and backward and then makes the step. The numbers are equal to the last bit, for both ways
    # compute in float64 with the same operations in the same order.
    settings = {words: (rate, 0) for words, rate in RATES.items()} | {"momentum": (fast, momentum)}
    for words, (rate, strength) in settings.items():
        hand, solver = descend(rate, strength, 40), by_solver(rate, strength, 40)
        print(f"   {words:9} after 40 steps by hand {hand[-1]}, by the solver {solver[-1]}; "
              f"all equal: {np.array_equal(hand, solver)}")
    titles = {words: f"{words}: rate {rate:g}, momentum {strength}" for words, (rate, strength) in settings.items()}
    plot({titles[words]: descend(rate, strength, 25) for words, (rate, strength) in settings.items()},
         args.out / "paths.png")
    print(f"   picture: {args.out / 'paths.png'}")

    print("6. Your turn")
    print("   There is no exercise with blanks here. Write `descend` for another type of solver: each has a page in")
    print("   `blobnet/solvers/types`. Nesterov and AdaGrad are good ones to begin with. Compare it as section 5 does.")
    print("   a. Which rate is the best without momentum? Look for the one that gives the two factors of section 3 one")
    print("      size, one of them with a minus. How many steps does it need?")
    print("   b. What does a momentum of 0.9 do to the path? And one of 1?")
    print("   c. Make the valley flatter in one direction: STEEP = [0.25, 16]. How many more steps are needed, with")
    print("      and without momentum? (The net of section 5 must follow: x is then [[0.5, 0], [0, 4]].)")


if __name__ == "__main__":
    main()
