"""Deep supervised hashing: a loss from a paper, term by term, and codes of 12 bits from it.

Hashing turns images into short codes of bits, so that like images have like codes. Then a search compares bits, which
is fast and takes little memory. Liu, Wang, Shan and Chen (Deep Supervised Hashing for Fast Image Retrieval, CVPR 2016)
train a net whose outputs u, K real numbers for an image, are nearly bits already. For two images the paper asks:

    1/2 s D + 1/2 (1 - s) max(m - D, 0),   D = ||u_1 - u_2||^2,   s = 1 if they are alike, else 0

and for every number of u in addition t | |u| - 1 |, which is 0 for -1 and +1 only. The bits are the signs of u.

    python examples/course/12_dsh.py
"""

import argparse
from pathlib import Path

import numpy as np

import blobnet
from blobnet.data.sets.digits import read
from blobnet.hashing.codes import Codes
from blobnet.hashing.index import HammingIndex
from blobnet.hashing.metrics import mean_average_precision
from blobnet.hashing.packing import unpack
from blobnet.proto.messages import new
from blobnet.proto.text import parse

BITS, BATCH = 12, 100
LOSS = """
    force_backward: true
    layer { name: "data" type: "Input" top: "u" top: "label"
            input_param { shape { dim: 1 dim: BITS } shape { dim: 1 } } }
    layer { name: "loss" type: "HashingLoss" bottom: "u" bottom: "label" top: "loss"
            hashing_loss_param { bi_margin: MARGIN OPTIONS } }
"""
NET = """
    layer { name: "data" type: "Input" top: "image" top: "label"
            input_param { shape { dim: 100 dim: 64 } shape { dim: 100 } } }
    layer { name: "hidden" type: "InnerProduct" bottom: "image" top: "h"
            inner_product_param { num_output: 128 weight_filler { type: "xavier" } } }
    layer { name: "relu" type: "ReLU" bottom: "h" top: "h" }
    layer { name: "code" type: "InnerProduct" bottom: "h" top: "u"
            inner_product_param { num_output: 12 weight_filler { type: "xavier" } } }
    layer { name: "loss" type: "HashingLoss" bottom: "u" bottom: "label" top: "loss" include { phase: TRAIN }
            hashing_loss_param { bi_margin: 24 OPTIONS } }
"""


def pairs(u, labels):
    """D and s of all pairs, (N, N) each."""
    return ((u[:, None] - u) ** 2).sum(axis=2), labels[:, None] == labels


def hashing_loss(u, labels, margin, t):
    """The loss of a batch: the mean over all pairs i < j, and the mean over images of how far they are from bits."""
    distances, alike = pairs(u, labels)
    costs = np.where(alike, distances, np.maximum(margin - distances, 0)) / 2
    upper = np.triu_indices(len(u), 1)  # i < j: every pair once
    return costs[upper].mean() + t * np.abs(np.abs(u) - 1).sum() / len(u)


def published_gradient(u, labels, margin, t):
    """What the authors' code takes for the derivative; section 5 looks at it closely."""
    distances, alike = pairs(u, labels)
    c = np.where(alike, 1, np.where(distances < margin, -1, 0))
    pulls = (c[:, :, None] * (u[:, None] - u)).sum(axis=1) / (len(u) * (len(u) - 1))
    return pulls + t / len(u) * slope(u)


def slope(u):
    """The slope of | |u| - 1 |, as published: +1 from -1 to 0 and from +1 on, -1 elsewhere."""
    return np.where((u >= 1) | ((u <= 0) & (u >= -1)), 1, -1)


def measured(function, u, step=1e-6):
    """The derivative of a function by every number of u, by difference quotients."""
    result = np.zeros_like(u)
    for place in np.ndindex(u.shape):
        move = np.zeros_like(u)
        move[place] = step
        result[place] = (function(u + move) - function(u - move)) / (2 * step)
    return result


def by_blobnet(u, labels, margin, options):
    """The loss and the gradient of blobnet's HashingLoss."""
    text = LOSS.replace("BITS", str(u.shape[1])).replace("MARGIN", str(margin)).replace("OPTIONS", options)
    net = blobnet.Net(parse(text, "NetParameter"), blobnet.TRAIN, dtype="float64")
    net.forward(u=u, label=labels)
    return net.loss, net.backward()["u"]


def digits(split):
    """The images (N, 64), from 0 to 1, and the classes of all digits."""
    images, labels = read(Path(), split)
    return images.reshape(-1, 64) / 255, labels


def make_solver(options):
    """A solver for a small net of 12 bits, with `options` of its HashingLoss."""
    net = parse(NET.replace("OPTIONS", options), "NetParameter")
    return blobnet.get_solver(new("SolverParameter", net_param=net, base_lr=0.05, lr_policy="fixed", momentum=0.9,
                                  random_seed=1))


def train(solver, images, labels, iterations, rng):
    """Train on batches drawn from the images; return the mean loss."""
    losses = []
    for _ in range(iterations):
        chosen = rng.integers(len(labels), size=BATCH)
        solver.net.blobs["image"].data[...], solver.net.blobs["label"].data[...] = images[chosen], labels[chosen]
        solver.step(1)
        losses.append(solver.net.loss)
    return float(np.mean(losses))


def outputs(solver, images):
    """The outputs u of the net for any number of images."""
    net = blobnet.Net(parse(NET.replace("OPTIONS", ""), "NetParameter"), blobnet.TEST)
    net.share_with(solver.net)
    return net.forward(image=images, label=np.zeros(len(images)))["u"].copy()


def encode(solver, images, labels):
    """The codes of images: their bits, and the outputs that the bits were made of."""
    return Codes.from_values(outputs(solver, images), labels=labels)


def describe(queries, base):
    """In words: how well the queries find their classes in the base, and how near their outputs are to bits."""
    return (f"mAP {mean_average_precision(queries, base):.4f}, mean distance to -1 and +1 "
            f"{np.abs(np.abs(queries.values) - 1).mean():.3f}")


def histogram(u):
    """How the outputs lie, as text: a line for each interval."""
    counts, edges = np.histogram(u, np.linspace(-2.1, 2.1, 15))
    return "\n".join(f"   {low:4.1f} to {high:4.1f}  {'#' * round(40 * count / counts.max())}"
                     for count, low, high in zip(counts, edges, edges[1:]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--iterations", type=int, default=300)
    args = parser.parse_args()
    np.set_printoptions(precision=4, suppress=True, linewidth=110)
    rng = np.random.default_rng(0)

    print("1. Bits and distances")
    # Let the outputs be -1 and +1. Where two codes differ, (1 - -1)^2 = 4, so D is 4 times the number of bits in which
    # they differ. A margin of m = 2 K then means: unlike images should differ in half of the bits. The paper uses it.
    one = np.ones(BITS)
    for differing in (0, 1, 6, 12):
        other = np.where(np.arange(BITS) < differing, -1, 1)
        print(f"   {differing:2} of {BITS} bits differ: D = {((one - other) ** 2).sum():g}, margin {2 * BITS}")

    print("2. One pair")
    # As in lesson 11, like pairs pull, unlike pairs push until the margin. But here the margin is one of squared
    # distances: the push is u_1 - u_2, as much as the derivative of D / 2, and so it is weak for pairs that are near,
    # while that of the contrastive loss is the strongest there. Two codes of 1 bit, so m = 2; u_2 = 0.
    for alike in (True, False):
        for d in (0.1, 1.0, 1.4, 1.5):
            cost = (d * d if alike else max(2 - d * d, 0)) / 2
            step = (-d if alike else d * (d * d < 2)) + 0.0
            print(f"   {'alike ' if alike else 'unlike'} u_1 = {d}: D = {d * d:.2f}, costs {cost:.3f}, "
                  f"u_1 moves by {step:4.1f}")

    print("3. Towards -1 and +1")
    # Signs throw away what the outputs say beyond them. The regulariser makes this a small loss: it pulls every output
    # to the nearer one of -1 and +1, always with the same force. At -1, 0 and 1 the slope jumps, so there is a choice;
    # the paper's choice is in the last column.
    for u in (-1.5, -1.0, -0.4, 0.0, 0.4, 1.0, 1.5):
        sides = [(abs(abs(u + step) - 1) - abs(abs(u) - 1)) / step for step in (-1e-6, 1e-6)]
        print(f"   u {u:4.1f}: costs {abs(abs(u) - 1):.1f}, slope from the left {sides[0]:4.1f}, from the right "
              f"{sides[1]:4.1f}, published {slope(np.array(u)):4.1f}")

    print("4. All pairs of a batch")
    # Twins see one pair at a time. Here one net runs on a batch, and every image is paired with every other one: N
    # images make N (N - 1) / 2 pairs at nearly no cost. The 1/2 of the formula and the mean over the pairs together
    # give the factor 1 / (N (N - 1)) that the page of the layer shows: `blobnet layer HashingLoss`.
    u, labels = rng.normal(size=(6, 4)), np.array([0, 1, 0, 2, 1, 0])
    loss, gradient = by_blobnet(u, labels, 8, "tradeoff: 0.1")
    distances, alike = pairs(u, labels)
    upper = np.triu_indices(6, 1)
    print(f"   {len(upper[0])} pairs of 6 images: {alike[upper].sum()} alike, "
          f"{((distances < 8) & ~alike)[upper].sum()} unlike within the margin, "
          f"{((distances >= 8) & ~alike)[upper].sum()} at rest;  a batch of {BATCH} has {BATCH * (BATCH - 1) // 2}")
    print(f"   loss by the formula {hashing_loss(u, labels, 8, 0.1):.6f}, by blobnet {loss:.6f}")

    print("5. A gradient that is not the derivative")
    # The derivative of D / 2 by u_1 is u_1 - u_2, and a mean over N (N - 1) / 2 pairs divides by their number. The
    # authors' code divides its gradient by N (N - 1), so its pairs pull and push half as hard as the loss says, while
    # the regulariser is as it should be. Nets were trained with that balance. blobnet trains as published, so that a
    # published net learns as it did; gradient: EXACT takes the derivative.
    exact = by_blobnet(u, labels, 8, "tradeoff: 0.1 gradient: EXACT")[1]
    alone = by_blobnet(u, labels, 8, "tradeoff: 0")[1]
    truth = measured(lambda u: hashing_loss(u, labels, 8, 0.1), u)
    pairs_only = measured(lambda u: hashing_loss(u, labels, 8, 0), u)
    print(f"   published: largest difference from the code above "
          f"{np.abs(gradient - published_gradient(u, labels, 8, 0.1)).max():.1e}, from the derivative "
          f"{np.abs(gradient - truth).max():.4f}")
    print(f"   EXACT: largest difference from the derivative {np.abs(exact - truth).max():.1e}")
    print(f"   derivative / published gradient, pairs only: {pairs_only[0] / alone[0]}")

    print("6. A net learns codes")
    # 64 pixels, 128 hidden units, 12 outputs. The score is the mean average precision, mAP: search the codes of the
    # training images with those of the test images; 1 means that all images of the class come first.
    sets, part = (digits("test"), digits("train")), max(1, args.iterations // 5)
    solver = make_solver("tradeoff: 0.05")
    codes = [encode(solver, *each) for each in sets]
    print(f"   untrained:                      {describe(*codes)}\n{histogram(codes[0].values)}")
    for _ in range(5):
        loss = train(solver, *sets[1], part, rng)
        codes = [encode(solver, *each) for each in sets]
        print(f"   iteration {solver.iter:4}: mean loss {loss:6.3f}, {describe(*codes)}")
    print(histogram(codes[0].values))

    print("7. How strong a regulariser")
    # Without it the pairs ask for distances alone, and nothing keeps an output from being 0.1 or 3: signs lose a lot.
    # With too much of it the outputs run to the nearer side at once, before the pairs have sorted them: perfect bits
    # that say nothing. The paper has 0.01, and 70,000 iterations.
    for t in (0, 0.01, 0.05, 0.3, 1):
        rival = make_solver(f"tradeoff: {t}")
        train(rival, *sets[1], args.iterations, np.random.default_rng(0))
        print(f"   t = {t:4}: {describe(*[encode(rival, *each) for each in sets])}")

    print("8. A search")
    # The first test images, and for each the classes of its ten nearest codes, with the bits in which they differ.
    queries, base = codes
    found = HammingIndex(base).search(queries, top=10)
    nearest, bits = found.indices.reshape(-1, 10), found.distances.reshape(-1, 10)
    for i in range(5):
        code = "".join(map(str, unpack(queries.packed[i:i + 1], BITS)[0]))
        print(f"   a {queries.labels[i]}, code {code}: finds {base.labels[nearest[i]]}, bits {bits[i]}")

    print("9. Your turn")
    print("   Exercise: exercises/12_hashing_loss.py, HashingLoss with blanks; `blobnet grade` looks at your answer.")
    print("   a. Give section 6 three times the iterations. What do histogram and mAP say?")
    print("   b. Give make_solver 'tradeoff: 0.05 gradient: EXACT'. Is that the same as another base_lr? (Section 5")
    print("      says what is doubled, and what is not.)")
    print("   c. How many codes of 12 bits are there, and how many do the ten classes use? Count those in `codes`.")
    print("   Where to go on: prototxt/dsh has the net of the paper, with convolutions, its solvers and its results;")
    print("   `blobnet run dsh/digits` compares it with fixed pairs, other lengths, and EXACT.")


if __name__ == "__main__":
    main()
