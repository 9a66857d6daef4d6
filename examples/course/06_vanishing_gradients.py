"""Deeper nets on real digits: logistic regression, a hidden layer and its features, and gradients that vanish.

The data are the 1,797 handwritten digits of 8 x 8 pixels that scikit-learn ships: 1,437 to learn from, 360 to test.

A layer alone can only weigh pixels. Layers behind each other can do more, if there is a function between them that is
not linear. Which function, matters: backward multiplies with its slope in every layer, and the product of ten small
slopes is nearly nothing. Then the first layers do not learn.

    python examples/course/06_vanishing_gradients.py --out demo_output/vanishing_gradients
"""

import argparse
from pathlib import Path

import numpy as np

import blobnet
from blobnet.data.sets import digits
from blobnet.proto.messages import new
from blobnet.proto.text import parse
from blobnet.view.figure import LINES, PALETTE, new_figure, plain_axes, save

KINDS = {"Sigmoid": "xavier", "TanH": "xavier", "ReLU": "msra"}  # and how weights begin that feed such a function
DEPTH, WIDTH = 10, 32


def read(split):
    """Images as rows of 64 numbers in [0, 1], and their labels."""
    images, labels = digits.read(Path(), split)
    return images.reshape(len(images), -1).astype(np.float32) / 255, labels


def net_text(hidden, kind):
    """The prototxt of a net with so many hidden layers: 64 pixels, `hidden` times ip and act, ten scores, a loss."""
    text = """layer { name: "data" type: "Input" top: "x" top: "label"
              input_param { shape { dim: 1 dim: 64 } shape { dim: 1 } } } """
    bottom = "x"
    for i in range(1, hidden + 1):
        text += f"""
            layer {{ name: "ip{i}" type: "InnerProduct" bottom: "{bottom}" top: "ip{i}"
                     inner_product_param {{ num_output: {WIDTH} weight_filler {{ type: "{KINDS[kind]}" }} }} }}
            layer {{ name: "act{i}" type: "{kind}" bottom: "ip{i}" top: "act{i}" }}"""
        bottom = f"act{i}"
    return text + f"""
        layer {{ name: "score" type: "InnerProduct" bottom: "{bottom}" top: "score"
                 inner_product_param {{ num_output: 10 weight_filler {{ type: "xavier" }} }} }}
        layer {{ name: "loss" type: "SoftmaxWithLoss" bottom: "score" bottom: "label" top: "loss" }}"""


def train(hidden, kind, data, steps, rate=0.1):
    """Learn from all images at once, for so many steps; the net, and the loss of the last step."""
    param = new("SolverParameter", net_param=parse(net_text(hidden, kind), "NetParameter"), base_lr=rate,
                lr_policy="fixed", momentum=0.9, random_seed=1)
    solver = blobnet.get_solver(param)
    solver.net.forward(x=data[0], label=data[1])  # puts the images there, and gives all blobs their shapes
    solver.step(steps)
    return solver.net, solver.loss


def accuracy(net, data):
    """The part of the images whose label has the highest score."""
    net.forward(x=data[0], label=data[1])
    return float((net.blobs["score"].data.argmax(1) == data[1]).mean())


def nearest_mean(train_rows, train_labels, rows, labels):
    """The part of `rows` that lie nearest to the mean of their own class: a classifier that learns nothing."""
    means = np.array([train_rows[train_labels == k].mean(0) for k in range(10)])
    distances = np.square(rows[:, None] - means).sum(-1)
    return float((distances.argmin(1) == labels).mean())


def features(net, data, name="act1"):
    """What the blob `name` says of every image."""
    net.forward(x=data[0], label=data[1])
    return net.blobs[name].data.copy()


def slopes(kind, x):
    """The slope of an activation at every x, by the backward of its layer."""
    net = blobnet.Net(parse(f"""
        force_backward: true
        layer {{ name: "in" type: "Input" top: "x" input_param {{ shape {{ dim: {len(x)} }} }} }}
        layer {{ name: "act" type: "{kind}" bottom: "x" top: "y" }}""", "NetParameter"), dtype="float64")
    net.forward(x=x)
    net.blobs["y"].diff[...] = 1
    net.backward()
    return net.blobs["x"].diff.copy()


def gradient_norms(kind, data):
    """The length of the gradient of every layer's weight in a net that has not learnt yet, from the first to the last
    of the hidden layers."""
    net = blobnet.Net(parse(net_text(DEPTH, kind), "NetParameter"), blobnet.TRAIN, random_seed=1, dtype="float64")
    net.forward(x=data[0], label=data[1])
    net.backward()
    return [float(np.linalg.norm(net.params[f"ip{i}"][0].diff)) for i in range(1, DEPTH + 1)]


def plot(norms, path):
    """A line for every activation: the length of the gradient against the number of the layer."""
    axes = plain_axes(new_figure(6, 3.2), "layer", "length of the gradient")
    for style, colour, (kind, values) in zip(LINES, PALETTE, norms.items()):
        axes.semilogy(range(1, DEPTH + 1), values, style, color=colour, marker="o", markersize=4, label=kind)
    axes.set_xticks(range(1, DEPTH + 1))
    axes.legend(frameon=False)
    save(axes.figure, path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("demo_output/vanishing_gradients"))
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    data, test = read("train"), read("test")

    print("1. Logistic regression, without a hidden layer")
    # Ten scores, each a weighted sum of the pixels: InnerProduct and SoftmaxWithLoss. Statistics has the name for it.
    linear, loss = train(0, "ReLU", data, 200)
    print(f"   {data[0].shape[0]} images, loss {loss:.3f}, test accuracy {accuracy(linear, test):.3f}")

    print("2. One hidden layer")
    # Two InnerProducts behind each other are still one weighted sum. With a function between them that is not linear,
    # here ReLU, the net can say "this pixel counts only if that one is dark".
    shallow, loss = train(1, "ReLU", data, 200)
    print(f"   loss {loss:.3f}, test accuracy {accuracy(shallow, test):.3f}")

    print("3. Features, which the hidden layer has learnt")
    # The scores are logistic regression again, but on 32 numbers that the net has made from the pixels. Are they better
    # than pixels? Ask a classifier that learns nothing: which class has its mean nearest to the image?
    start, _ = train(1, "ReLU", data, 0)
    named = {"pixels": (data[0], test[0]), "features, not learnt": (features(start, data), features(start, test)),
             "features, learnt": (features(shallow, data), features(shallow, test))}
    for words, (rows, test_rows) in named.items():
        print(f"   nearest mean of {words:21} {nearest_mean(rows, data[1], test_rows, test[1]):.3f}")

    print("4. So why not ten hidden layers?")
    # If one hidden layer is good, ten might be better. With sigmoids, as nets had them for decades, the loss stays that
    # of a net which knows nothing: ln 10 = 2.303. With the others the net learns. (For digits as small as these, one
    # hidden layer is enough, and ten take more steps.)
    for kind in KINDS:
        net, loss = train(DEPTH, kind, data, 100, rate=0.01)
        print(f"   {kind:8} loss after 100 steps {loss:.3f}, test accuracy {accuracy(net, test):.3f}")

    print("5. The slopes")
    # Backward through an activation multiplies with its slope. That of the sigmoid is 1/4 at best, that of tanh 1 at
    # best, and both are flat far from 0. ReLU has the slope 1 wherever it lets something through.
    x = np.array([-4.0, -2, -1, 0, 1, 2, 4])
    print("   x        " + " ".join(f"{value:7.0f}" for value in x))
    for kind in KINDS:
        print(f"   {kind:8} " + " ".join(f"{value:7.4f}" for value in slopes(kind, x)))
    print(f"   the largest slope of the sigmoid to the power of {DEPTH}: {0.25 ** DEPTH:.1e}")

    print("6. Gradients by depth")
    # The length of the gradient of each layer's weight, before the first step. From the last layer down, every layer of
    # sigmoids makes it smaller by about the same factor.
    norms = {kind: gradient_norms(kind, data) for kind in KINDS}
    print("   layer    " + " ".join(f"{i:7}" for i in range(1, DEPTH + 1)))
    for kind, values in norms.items():
        print(f"   {kind:8} " + " ".join(f"{value:7.0e}" for value in values))
    for kind, values in norms.items():
        print(f"   {kind:8} first layer / last layer: {values[0] / values[-1]:.1e}")
    plot(norms, args.out / "norms.png")
    print(f"   picture: {args.out / 'norms.png'}")

    print("7. Your turn")
    print("   Exercises: exercises/06_tanh.py and exercises/06_relu.py, with blanks.")
    print("   a. Leave the act layers out of net_text. Is a net of ten linear layers better than that of section 1?")
    print("   b. Let the weights begin ten times as large: what do the norms of section 6 do, for each of the three?")
    print("   c. A ReLU whose input is below 0 for every image has the slope 0 for all of them. Can the weights before")
    print("      it ever learn again?")


if __name__ == "__main__":
    main()
