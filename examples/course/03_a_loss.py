"""What a loss does: the Euclidean loss and the softmax with its loss, on points of the plane.

The loss decides what "wrong" means, and its derivative with respect to the scores is all that the layers below ever
hear of it. Two losses see the same scores here:

    EuclideanLoss     sum of (score - target)^2 / 2, with target 1 for the right class and 0 for the others
    SoftmaxWithLoss   p[k] = exp(score[k]) / (sum of all exp(score)),  loss = -log p[label]

    python examples/course/03_a_loss.py --out demo_output/a_loss
"""

import argparse
from pathlib import Path

import numpy as np

import blobnet
from blobnet.proto.text import parse
from blobnet.view.figure import LINES, PALETTE, new_figure, plain_axes, save

LOSSES = {"EuclideanLoss": "dim: 1 dim: 2", "SoftmaxWithLoss": "dim: 1"}  # and the shape of what they compare with
NET = """
    layer { name: "data" type: "Input" top: "x" top: "wanted" input_param { shape { dim: 1 dim: 2 } shape { SHAPE } } }
    layer { name: "scores" type: "InnerProduct" bottom: "x" top: "s" inner_product_param { num_output: 2 } }
    layer { name: "loss" type: "LOSS" bottom: "s" bottom: "wanted" top: "loss" }
"""


def softmax(scores):
    """Probabilities: all above 0, and 1 in sum. The largest score is subtracted first, so that exp stays small."""
    e = np.exp(scores - scores.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def softmax_loss(scores, label):
    """-log of the probability of the label."""
    return -np.log(softmax(scores)[label])


def build(loss):
    """Two scores that are linear in x, and a loss."""
    text = NET.replace("LOSS", loss).replace("SHAPE", LOSSES[loss])
    return blobnet.Net(parse(text, "NetParameter"), dtype="float64")


def wanted(loss, labels):
    """What the loss compares scores with: targets of 0 and 1, or the labels themselves."""
    return np.eye(2)[labels] if loss == "EuclideanLoss" else labels


def score_diff(loss, score):
    """What the loss sends back to the score of the right class, where the other one is 0."""
    net = build(loss)
    net.forward(start="loss", s=[[0, score]], wanted=wanted(loss, np.array([1])))
    net.backward(end="loss")  # of all layers only the loss
    return float(net.blobs["s"].diff[0, 1])


def make_points(far):
    """Two clouds of 50 points, class 0 on the left and 1 on the right, and `far` points of class 1 far on the right."""
    rng = np.random.default_rng(0)
    left, right = rng.normal((-1.2, 0), 0.6, (50, 2)), rng.normal((1.2, 0), 0.6, (50, 2))
    x = np.concatenate([left, right, rng.normal((14, 0), 0.6, (far, 2))])
    return x, np.repeat([0, 1], [50, 50 + far])


def learn(loss, x, labels, steps=1000, rate=0.06):
    """Weight (2, 2) and bias (2,) of the scores, learnt from points and their labels."""
    net = build(loss)
    for _ in range(steps):
        net.clear_param_diffs()
        net.forward(x=x, wanted=wanted(loss, labels))
        net.backward()
        for blob in net.params["scores"]:
            blob.data[...] -= rate * blob.diff
    weight, bias = (blob.data.copy() for blob in net.params["scores"])
    return weight, bias


def right(weights, x, labels):
    """The part of the points whose class has the larger score."""
    return float(((x @ weights[0].T + weights[1]).argmax(1) == labels).mean())


def plot(x, labels, found, path):
    """The points, and for every loss the line where both scores are equal."""
    axes = plain_axes(new_figure(7, 2.6), "x[0]", "x[1]")
    for kind in (0, 1):
        axes.plot(*x[labels == kind].T, ".x"[kind], color=PALETTE[kind], label=f"class {kind}")
    height = np.array([-2.0, 2.0])
    for style, colour, (loss, (weight, bias)) in zip(LINES, PALETTE[2:], found.items()):
        w, b = weight[1] - weight[0], bias[1] - bias[0]
        axes.plot(-(b + w[1] * height) / w[0], height, style, color=colour, label=loss)
    axes.legend(frameon=False, fontsize=8, loc="upper center", ncols=4)
    axes.set_ylim(-2.2, 3)
    save(axes.figure, path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("demo_output/a_loss"))
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    np.set_printoptions(precision=4, suppress=True)

    print("1. From scores to probabilities to a loss")
    # A score may be any number. exp makes it positive, the division makes the sum 1. A loss of 0 means: the label has
    # the probability 1. Only differences of scores count: 100 more for all of them changes nothing.
    scores, label = np.array([2.0, 1.0, -1.0]), 1
    p = softmax(scores)
    print(f"   scores {scores} -> p {p}, loss if the label is {label}: -log {p[label]:.4f} = "
          f"{softmax_loss(scores, label):.4f}")
    print(f"   scores {scores + 100} -> p {softmax(scores + 100)}")

    print("2. Its derivative is p - [class is label]")
    # The loss is -log p[label] = log(sum of all exp(s)) - s[label]. With respect to the score s[k], the first part has
    # the derivative exp(s[k]) / sum = p[k], and s[label] has 1 if k is the label, else 0. So the derivative of the loss
    # is the probability, minus 1 at the label. Its sum is 0: what pushes one score up pushes the others down.
    derived, step = p - (np.arange(3) == label), 1e-6 * np.eye(3)
    measured = [(softmax_loss(scores + h, label) - softmax_loss(scores - h, label)) / 2e-6 for h in step]
    print(f"   derived  {derived}, sum {abs(derived.sum()):.1f}")
    print(f"   measured {np.array(measured)}")

    print("3. What each loss says to one score")
    # Two classes, the score of the wrong one is 0. A derivative below 0 says: this score should grow. The softmax is
    # content once the right score is far above the other, and never pulls harder than 1. The Euclidean loss wants the
    # score to be 1: it calls 5 as wrong as -3, though 5 is the safer answer.
    print("   score of the right class   " + "  ".join(LOSSES))
    for score in (-6, -3, 0, 1, 2, 5):
        print(f"   {score:24}   " + "  ".join(f"{score_diff(loss, score):{len(loss)}.4f}" for loss in LOSSES))

    print("4. Points of the plane")
    # So the two losses learn different lines from the same points. Two clouds both of them tell apart. Now ten points
    # more of class 1, far away on the right: any good line has them on the correct side already, so they should change
    # nothing. But the Euclidean loss calls their scores too large, and to make them smaller it turns the line away from
    # where it was good.
    for far in (0, 10):
        x, labels = make_points(far)
        found = {loss: learn(loss, x, labels) for loss in LOSSES}
        words = ", ".join(f"{loss} {right(weights, x, labels):.3f}" for loss, weights in found.items())
        print(f"   {far:2} far points; the part of all points on the correct side: {words}")
    plot(x, labels, found, args.out / "lines.png")
    print(f"   picture: {args.out / 'lines.png'}")

    print("5. Your turn")
    print("   Exercises: exercises/03_euclidean_loss.py and exercises/03_softmax_with_loss.py, with blanks.")
    print("   a. Which scores make the loss of section 1 exactly 0? Why does training never get there?")
    print("   b. One label is wrong: a point in the middle of cloud 0 has label 1. How hard can each of the losses")
    print("      pull at it? The table of section 3 tells.")
    print("   c. Put the ten far points at 3 in place of 14. From where on does the Euclidean loss lose points?")


if __name__ == "__main__":
    main()
