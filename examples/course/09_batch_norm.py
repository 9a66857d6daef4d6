"""Batch normalisation: every channel is brought to mean 0 and variance 1, and the gradient has three parts.

A layer learns best if its inputs keep their size. But they come from layers that learn as well, so they drift. Batch
normalisation takes the drift away: it subtracts the mean m of a channel over the batch, and divides by its deviation s.

    y = (x - m) / s,   s = sqrt(v + eps),   m and v = mean and variance of the channel over all images of the batch

The eps, a tiny number, is there so that nobody divides by 0. Backward is the interesting part: x is in y, but x is also
in m and in v, and through them it moves the y of all its companions.

    python examples/course/09_batch_norm.py
"""

import numpy as np

import blobnet
from blobnet.proto.text import parse

EPS = 1e-5
NET = """
    force_backward: true
    layer { name: "data" type: "Input" top: "x" input_param { shape { dim: 4 dim: CHANNELS } } }
    layer { name: "norm" type: "BatchNorm" bottom: "x" top: "y" batch_norm_param { moving_average_fraction: 0.9 } }
"""
SCALE = """
    layer { name: "scale" type: "Scale" bottom: "y" top: "z" scale_param { bias_term: true } }
"""


def normalise(x):
    """y and s of a batch x (N, C): every column has mean 0 and variance 1 then, but for the eps."""
    s = np.sqrt(x.var(axis=0) + EPS)
    return (x - x.mean(axis=0)) / s, s


def three_parts(y, s, dy):
    """The parts of dx: x moves its own y; x moves the mean, which moves all y; x moves the variance, likewise."""
    direct = dy / s
    through_mean = np.broadcast_to(-dy.mean(axis=0) / s, y.shape)
    through_variance = -y * (dy * y).mean(axis=0) / s
    return direct, through_mean, through_variance


def measured(x, dy, step=1e-5):
    """dx by difference quotients of sum(dy * y): the witness that knows no rule."""
    dx = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        move = np.zeros_like(x)
        move[place] = step
        dx[place] = (dy * (normalise(x + move)[0] - normalise(x - move)[0])).sum() / (2 * step)
    return dx


def build(text, phase=blobnet.TRAIN, channels=1):
    """A net in float64."""
    return blobnet.Net(parse(text.replace("CHANNELS", str(channels)), "NetParameter"), phase, dtype="float64")


def drift(parts, steps=200, rate=0.5):
    """How far a bias b goes that is added to x before it is normalised.

    The loss is the mean of (y - t)^2 / 2. b moves all x alike, so its gradient is the sum of dx; `parts` chooses which
    parts of dx are used.
    """
    rng = np.random.default_rng(1)
    x, target, b = rng.normal(size=(8, 1)), rng.normal(1, 1, size=(8, 1)), 0.0
    losses = []
    for _ in range(steps):
        y, s = normalise(x + b)
        losses.append(float(((y - target) ** 2).mean() / 2))
        b -= rate * sum(part for use, part in zip(parts, three_parts(y, s, (y - target) / len(x))) if use).sum()
    return b, losses


def tidy(value):
    """The number or array without the dust that rounding leaves where it should be 0."""
    return np.round(value, 9) + 0


def main():
    np.set_printoptions(precision=4, suppress=True)
    x = np.array([[1.0, 200], [2, 100], [4, 500], [5, 400]])

    print("1. Normalise")
    # Two channels of very different size, four images. Afterwards both have the same size.
    y, s = normalise(x)
    theirs = build(NET, channels=2).forward(x=x)["y"]
    print(f"   x:\n{x}\n   mean {x.mean(axis=0)}, deviation {s}")
    print(f"   y:\n{y}\n   mean {tidy(y.mean(axis=0))}, variance {tidy(y.var(axis=0))}")
    print(f"   largest difference from blobnet: {np.abs(y - theirs).max():.1e}")

    print("2. Three ways to the loss")
    # Let the loss want more of y[0] alone: dy is 1 there and 0 elsewhere. One might think that only x[0] gets a
    # gradient. But all four x are in the mean and in the variance. Each part below is what comes over one of the ways;
    # their sum is what the difference quotient measures, and what blobnet has.
    x, dy = np.array([[1.0], [2.0], [4.0], [5.0]]), np.array([[1.0], [0.0], [0.0], [0.0]])
    y, s = normalise(x)
    parts = three_parts(y, s, dy)
    net = build(NET)
    net.forward(x=x)
    net.blobs["y"].diff[...] = dy
    columns = {"direct": parts[0], "through the mean": parts[1], "through the variance": parts[2], "sum": sum(parts),
               "measured": measured(x, dy), "blobnet": net.backward()["x"]}
    for name, values in columns.items():
        print(f"   {name:21} " + " ".join(f"{value:8.4f}" for value in values[:, 0]))

    print("3. What the sum cannot do")
    # Add 10 to all x, and y stays. Double all x, and y stays. So dx must not ask for either: it adds up to 0, and so do
    # its products with x - m (nearly: there is the eps). The part through the mean takes away the first, that through
    # the variance the second.
    for use in ((1, 0, 0), (1, 1, 0), (1, 1, 1)):
        dx = sum(part for chosen, part in zip(use, parts) if chosen)
        print(f"   {sum(use)} of 3 parts: sum of dx {tidy(dx.sum()):7.4f}, "
              f"sum of dx (x - m) {(dx * (x - x.mean())).sum().round(4) + 0:7.4f}")

    print("4. Who forgets the mean")
    # A bias before a normalisation can do nothing: the mean takes it away. With the whole gradient it stays where it
    # is. Without the part through the mean its gradient is not 0, and it walks away, step by step, and no loss stops
    # it, as none depends on it. Nothing looks wrong but a number that grows.
    for name, use in (("whole gradient", (1, 1, 1)), ("without the mean", (1, 0, 1))):
        bias, losses = drift(use)
        print(f"   {name:17} bias after 200 steps {tidy(bias):9.4f}, loss {losses[0]:.6f} -> {losses[-1]:.6f}")

    print("5. TRAIN and TEST")
    # In TRAIN the y of an image depends on its companions in the batch. That must not be when the net is used: an
    # answer must not depend on who else asks. So TRAIN also keeps sums of the means and variances it saw, in three
    # parameter blobs, and TEST divides by the third: mean = blob 0 / blob 2, variance = blob 1 / blob 2. Old batches
    # count less: every forward first multiplies the sums with moving_average_fraction.
    train, test, rng = build(NET), build(NET, blobnet.TEST), np.random.default_rng(0)
    for batches in (1, 10, 200):
        while train.context.step < batches:
            train.forward(x=rng.normal(5, 3, size=(32, 1)))
        mean, variance, factor = (blob.data[0] for blob in train.params["norm"])
        print(f"   after {batches:3} batches of N(5, 3^2): sums {mean:8.4f} {variance:8.4f} {factor:7.4f}, "
              f"mean {mean / factor:.4f}, variance {variance / factor:.4f}")
    test.share_with(train)
    batches = [np.array([[8.0], [first], [second]]) for first, second in ((0, 1), (30, 40))]
    answers = [[net.forward(x=batch)["y"][0, 0] for batch in batches] for net in (test, train)]
    for batch, in_test, in_train in zip(batches, *answers):
        print(f"   y of 8 in the batch {batch[:, 0]}: in TEST {in_test:.4f}, in TRAIN {in_train:.4f}")

    print("6. Scale comes after")
    # Mean 0 and variance 1 need not be what the next layer wants. The paper ends with z = gamma * y + beta, which are
    # learned. Caffe has a layer of its own for that, Scale. Their gradients are sums over the batch. With gamma = s and
    # beta = m the Scale undoes the normalisation, so nothing is lost.
    net = build(NET + SCALE)
    gamma, beta = net.params["scale"]
    gamma.data[...], beta.data[...] = s, x.mean()
    z = net.forward(x=x)["z"]
    net.blobs["z"].diff[...] = dz = np.array([[1.0], [-2.0], [0.5], [3.0]])
    net.backward()
    print(f"   x {x[:, 0]}, z {z[:, 0]}")
    print(f"   dgamma = sum of dz y = {(dz * y).sum():.4f}, blobnet {gamma.diff[0]:.4f};   "
          f"dbeta = sum of dz = {dz.sum():.4f}, blobnet {beta.diff[0]:.4f}")

    print("7. Your turn")
    print("   Exercise: exercises/09_batch_norm.py, BatchNorm with blanks; `blobnet grade` looks at your answer.")
    print("   a. What is y for a batch of one image, and what is dx? Why does nobody train with such batches?")
    print("   b. Leave out the part through the variance in section 4, and keep that through the mean. What happens to")
    print("      the bias, and which number would walk away now? (Multiply x with a weight w instead of adding b.)")
    print("   c. use_global_stats: true makes a net in TRAIN take the sums. Which of the three parts are left?")


if __name__ == "__main__":
    main()
