"""Dropout: a random part of the units is silent in every step, and yet nothing changes on average.

Units of a net learn to rely on each other, and then the net knows its training images too well. Dropout silences a
random part of the units in every step, so no unit can rely on another one. When the net is used, all units speak.

    TRAIN: y = x * m / (1 - ratio), m = 0 with probability ratio, else 1        TEST: y = x

    python examples/course/10_dropout.py
"""

import numpy as np

import blobnet
from blobnet.proto.text import parse

NET = """
    force_backward: true
    layer { name: "data" type: "Input" top: "x" input_param { shape { dim: 1 dim: 10 } } }
    layer { name: "drop" type: "Dropout" bottom: "x" top: "y" dropout_param { dropout_ratio: 0.4 OPTIONS } }
"""
HIDDEN = """
    layer { name: "data" type: "Input" top: "x" input_param { shape { dim: 1 dim: 5 } } }
    layer { name: "first" type: "InnerProduct" bottom: "x" top: "h"
            inner_product_param { num_output: 40 weight_filler { type: "xavier" } } }
    layer { name: "relu" type: "ReLU" bottom: "h" top: "h" }
    layer { name: "drop" type: "Dropout" bottom: "h" top: "d" }
    layer { name: "second" type: "InnerProduct" bottom: "d" top: "y"
            inner_product_param { num_output: 1 weight_filler { type: "xavier" } } }
    layer { name: "squash" type: "Sigmoid" bottom: "y" top: "p" }
"""


def build(text, phase=blobnet.TRAIN, seed=1, options=""):
    """A net in float64 whose random numbers come from `seed`."""
    return blobnet.Net(parse(text.replace("OPTIONS", options), "NetParameter"), phase, dtype="float64",
                       random_seed=seed)


def masks(net, x, count):
    """What stays (1) and what is silent (0) in the next `count` steps of the net; all x must be above 0."""
    return np.array([(net.forward(x=x)["y"] > 0).astype(int)[0] for _ in range(count)])


def mean_output(net, x, name, count):
    """The mean of a blob over `count` masks: one step with as many copies of x, each with its own mask."""
    net.forward(x=np.repeat(x, count, axis=0))
    return net.blobs[name].data.mean(axis=0)


def main():
    np.set_printoptions(precision=4, suppress=True, linewidth=110)
    x = np.arange(1.0, 11)[None]

    print("1. A mask, and a scale")
    # With a ratio of 0.4 a unit is silent in 4 of 10 steps. The others are multiplied with 1 / (1 - 0.4) = 1.6667, to
    # make up for those that are silent.
    net = build(NET)
    y = net.forward(x=x)["y"].copy()
    print(f"   x:\n{x[0]}\n   y:\n{y[0]}\n   y / x:\n{(y / x)[0]}")

    print("2. The expectation is kept")
    # In the mean over many masks, y is 0.6 * 1.6667 x + 0.4 * 0 = x. So the next layer sees inputs of the size that it
    # will see in TEST.
    for count in (10, 100, 10000):
        mean = mean_output(build(NET), x, "y", count)
        print(f"   mean of y / x over {count:5} masks: from {(mean / x).min():.3f} to {(mean / x).max():.3f}")

    print("3. The same step, the same mask")
    # Random, but not arbitrary: a mask of blobnet is a function of the net's seed, the layer and the step, and of
    # nothing else. So a run can be repeated, and one that was interrupted goes on as if nothing had been.
    first, again, other = (masks(build(NET, seed=seed), x, 3) for seed in (1, 1, 2))
    for name, rows in (("seed 1", first), ("seed 1 again", again), ("seed 2", other)):
        print(f"   {name:13} steps 0, 1, 2: " + "  ".join("".join(map(str, row)) for row in rows))
    net = build(NET)
    net.seek(2)
    print(f"   seed 1, sought to step 2:               {''.join(map(str, masks(net, x, 1)[0]))}")

    print("4. Backward takes the mask of its forward")
    # y = x times a factor, so dx = dy times the same factor: a unit that was silent gets no gradient in this step. Who
    # draws a new mask for backward has a gradient of another net.
    net = build(NET)
    y = net.forward(x=x)["y"]
    net.blobs["y"].diff[...] = 1
    dx = net.backward()["x"]
    print(f"   y / x:\n{(y / x)[0]}\n   dx for dy = 1:\n{dx[0]}")

    print("5. TEST")
    # TEST lets all pass. The paper did it the other way round: silence without a scale in TRAIN, and multiply with
    # 1 - ratio in TEST. scale_train: false does so. The means are the same in both.
    for name, options in (("scaled in TRAIN", ""), ("scaled in TEST", "scale_train: false")):
        train = mean_output(build(NET, options=options), x, "y", 10000)
        test = build(NET, blobnet.TEST, options=options).forward(x=x)["y"]
        print(f"   {name:15}  TEST: y / x = {(test / x).mean():.4f}   "
              f"TRAIN, mean of 10000 masks: {(train / x).mean():.4f}")

    print("6. One net in the place of many")
    # Every mask is another net, and they share their weights. The mean of their answers would be a good answer, but who
    # has the time? TEST is one pass in its place. Up to y, after a linear layer, its answer is the mean of all masks;
    # of 10000 it is nearly that. After a sigmoid the two differ, as the mean of a curve is not the curve of the mean.
    sample = np.random.default_rng(0).normal(size=(1, 5))
    train, test = build(HIDDEN), build(HIDDEN, blobnet.TEST)
    test.share_with(train)
    test.forward(x=sample)
    for name, words in (("y", "before the sigmoid"), ("p", "after the sigmoid")):
        mean = mean_output(train, sample, name, 10000)
        print(f"   {words:18}: TEST {test.blobs[name].data.item():7.4f}, mean of 10000 masks {mean.item():7.4f}")
    answers = [train.forward(x=sample)["p"].item() for _ in range(5)]
    print("   single masks, after the sigmoid: " + " ".join(f"{answer:.4f}" for answer in answers))

    print("7. Your turn")
    print("   Exercise: exercises/10_dropout.py, Dropout with blanks; `blobnet grade` looks at your answer.")
    print("   a. Why is a dropout_ratio of 1 refused? Try it in NET and read the error.")
    print("   b. The ratio of section 6 is 0.5. Make it 0.9: how do the single masks differ now, and the mean of them?")
    print("   c. `blobnet check` compares dropout with difference quotients. How can it, when every forward draws a")
    print("      mask? (Section 3 has the answer.)")


if __name__ == "__main__":
    main()
