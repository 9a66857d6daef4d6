"""Siamese nets and triplets: who pulls and who pushes, until the classes part.

A classifier has an output for each class. What if there are too many classes, or if new ones come later? Then a net may
learn a place for each image instead: like images near each other, unlike ones far apart. It learns from pairs, seen by
two nets with the same weights (Siamese twins), or from triplets: an image, a like one, and an unlike one.

    contrastive loss of a pair   d^2 / 2 if alike, max(0, m - d)^2 / 2 if not,    d = ||a - b||
    triplet loss                 max(0, m + ||a - p||^2 - ||a - q||^2) / 2

The m is a margin: what is as far apart as that is left in peace.

    python examples/course/11_siamese_and_triplet.py
"""

import argparse
from pathlib import Path

import numpy as np

import blobnet
from blobnet.data.sets.digits import read
from blobnet.proto.messages import new
from blobnet.proto.text import parse

CONTRASTIVE = """
    layer { name: "loss" type: "ContrastiveLoss" bottom: "a" bottom: "b" bottom: "alike" top: "loss"
            contrastive_loss_param { margin: MARGIN } }
"""
TRIPLET = """
    layer { name: "loss" type: "TripletLoss" bottom: "a" bottom: "p" bottom: "q" top: "loss"
            triplet_loss_param { margin: MARGIN } }
"""
TWIN = """
    layer { name: "first_X" type: "InnerProduct" bottom: "image_X" top: "h_X"
            param { name: "w1" } param { name: "b1" }
            inner_product_param { num_output: 32 weight_filler { type: "xavier" } } }
    layer { name: "relu_X" type: "ReLU" bottom: "h_X" top: "h_X" }
    layer { name: "second_X" type: "InnerProduct" bottom: "h_X" top: "X"
            param { name: "w2" } param { name: "b2" }
            inner_product_param { num_output: 2 weight_filler { type: "xavier" } } }
"""
BATCH, CLASSES = 64, 4  # pairs or triplets a step; the digits 0 to 3


def input_layer(name, *shape):
    """An Input layer as text."""
    return (f'layer {{ name: "{name}" type: "Input" top: "{name}" '
            f'input_param {{ shape {{ {" ".join(f"dim: {size}" for size in shape)} }} }} }}\n')


def loss_net(names, loss, margin, more=()):
    """A net of a loss alone: its bottoms `names` are inputs (N, 2), and those in `more` inputs (N,)."""
    inputs = [input_layer(name, 1, 2) for name in names] + [input_layer(name, 1) for name in more]
    text = "force_backward: true\n" + "".join(inputs) + loss.replace("MARGIN", str(margin))
    return blobnet.Net(parse(text, "NetParameter"), blobnet.TRAIN, dtype="float64")


def twins(names, loss, margin, more=()):
    """A net of twins: one for each of `names`, with the same weights, and the loss over their places in the plane."""
    inputs = [input_layer(f"image_{name}", BATCH, 64) for name in names] + [input_layer(name, BATCH) for name in more]
    text = "".join(inputs) + "".join(TWIN.replace("X", name) for name in names) + loss.replace("MARGIN", str(margin))
    return parse(text, "NetParameter")


def digits(split):
    """The images (N, 64), from 0 to 1, and the classes of the first digits."""
    images, labels = read(Path(), split)
    chosen = labels < CLASSES
    return images[chosen].reshape(-1, 64) / 255, labels[chosen]


def draw_pairs(images, labels, rng):
    """A batch of pairs: half of them alike, half of them not."""
    i = rng.integers(len(labels), size=BATCH)
    wanted = np.arange(BATCH) % 2 == 0
    j = [rng.choice(np.flatnonzero((labels == labels[one]) == alike)) for one, alike in zip(i, wanted)]
    return {"image_a": images[i], "image_b": images[j], "alike": wanted}


def draw_triplets(images, labels, rng):
    """A batch of triplets: an image, one of its class, one of another class."""
    i = rng.integers(len(labels), size=BATCH)
    p, q = ([rng.choice(np.flatnonzero((labels == labels[one]) == alike)) for one in i] for alike in (True, False))
    return {"image_a": images[i], "image_p": images[p], "image_q": images[q]}


def solver_of(net):
    """A solver for a NetParameter, by SGD with momentum."""
    return blobnet.get_solver(new("SolverParameter", net_param=net, base_lr=0.05, lr_policy="fixed", momentum=0.9,
                                  random_seed=1))


def train(solver, draw, images, labels, iterations):
    """Train twins on batches that `draw` gives; return the mean losses of the first and the last tenth."""
    rng, losses = np.random.default_rng(0), []
    for _ in range(iterations):
        for name, values in draw(images, labels, rng).items():
            solver.net.blobs[name].data[...] = values
        solver.step(1)
        losses.append(solver.net.loss)
    tenth = max(1, iterations // 10)
    return np.mean(losses[:tenth]), np.mean(losses[-tenth:])


def embed(net, images):
    """The places (N, 2) of images in the plane: one of the twins, run on all of them."""
    one = blobnet.Net(parse(input_layer("image_a", 1, 64) + TWIN.replace("X", "a"), "NetParameter"))
    one.share_with(net)
    return one.forward(image_a=images)["a"].copy()


def report(places, labels):
    """In words: mean distances, and how often the nearest other image is of the same class."""
    distances = np.sqrt(((places[:, None] - places) ** 2).sum(axis=2))
    alike, others = labels[:, None] == labels, ~np.eye(len(labels), dtype=bool)
    nearest = np.where(others, distances, np.inf).argmin(axis=1)
    return (f"mean distance alike {distances[alike & others].mean():.3f}, unlike {distances[~alike].mean():.3f}; "
            f"nearest of the same class {(labels[nearest] == labels).mean():.3f}")


def plane(places, labels, rows=12, columns=64):
    """The plane as text: the class of an image where the image is."""
    low, high = places.min(axis=0), places.max(axis=0)
    spots = ((places - low) / (high - low) * (columns - 1, rows - 1)).round().astype(int)
    text = np.full((rows, columns), " ")
    for (x, y), label in zip(spots, labels):
        text[y, x] = label
    return "\n".join("   |" + "".join(row) for row in text)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--iterations", type=int, default=400)
    args = parser.parse_args()
    np.set_printoptions(precision=4, suppress=True)

    print("1. Who pulls and who pushes in a pair")
    # a stands at 0, b stands d to the right. A step of learning goes against the gradient, so a moves by -da. Like
    # pairs pull, the harder the farther they are apart. Unlike pairs push, the harder the nearer they are, and rest
    # from the margin on: without it they would push for ever. b moves by as much to the other side.
    b, alike = np.array([[0.5, 0], [3, 0], [0.5, 0], [1.5, 0], [3, 0]]), np.array([1, 1, 0, 0, 0])
    net = loss_net("ab", CONTRASTIVE, margin=2, more=["alike"])
    net.forward(a=0 * b, b=b, alike=alike)
    net.backward()
    for (d, _), same, da, db in zip(b, alike, net.blobs["a"].diff, net.blobs["b"].diff):
        cost = (d if same else max(0, 2 - d)) ** 2 / 2
        print(f"   {'alike ' if same else 'unlike'} d {d:.1f}: costs {cost:.3f}, "
              f"a moves by {-len(b) * da[0] + 0:7.4f}, b by {-len(b) * db[0] + 0:7.4f}")
    mean = np.mean(np.where(alike, b[:, 0], np.maximum(0, 2 - b[:, 0])) ** 2 / 2)
    print(f"   blobnet's loss {net.loss:.4f}, the mean of the costs {mean:.4f}; 0.0001 in its divisor makes the push "
          "slightly weaker")

    print("2. Three that move together")
    # The anchor a stands at 0, the like one p at 1, the unlike one q somewhere. Where q is far enough, all rest,
    # although a and p are not at one place: a triplet only asks for an order. Otherwise p comes to a, q goes away from
    # a, and a does both: it moves by p - q.
    q = np.array([[3.0, 0], [1.2, 0], [0.5, 0], [-0.5, 0]])
    p, net = np.ones((4, 1)) * (1, 0), loss_net("apq", TRIPLET, margin=1)
    net.forward(a=0 * q, p=p, q=q)
    net.backward()
    for i, (place, _) in enumerate(q):
        steps = {name: -4 * net.blobs[name].diff[i, 0] + 0 for name in "apq"}
        print(f"   q at {place:4.1f}: h = max(0, 1 + 1 - {place ** 2:.2f}) = {max(0, 2 - place ** 2):.2f};  moves: "
              + ", ".join(f"{name} {step:5.2f}" for name, step in steps.items())
              + f";  their sum {sum(steps.values()):.2f}")

    print("3. Twins share their weights")
    # Both twins name their parameters w1, b1, w2 and b2, so these exist once. A weight is used by both twins; so its
    # gradient is the sum of what comes from either.
    images, labels = digits("train")
    solver = solver_of(twins("ab", CONTRASTIVE, margin=2, more=["alike"]))
    net = solver.net
    net.forward(**draw_pairs(images, labels, np.random.default_rng(0)))
    net.clear_param_diffs()
    net.backward()
    parts = [net.blobs[name].diff.T @ net.blobs[f"h_{name}"].data for name in "ab"]
    shared = net.params["second_a"][0]
    print(f"   one array for both: {np.shares_memory(shared.data, net.params['second_b'][0].data)}")
    for name, values in (("from a", parts[0]), ("from b", parts[1]), ("their sum", sum(parts)), ("dw2", shared.diff)):
        print(f"   {name:10}" + " ".join(f"{value:8.4f}" for value in values[0, :6]) + " …")

    print("4. Pairs of digits")
    # The digits 0 to 3, half of the pairs alike. The test images below were never seen in training.
    test_images, test_labels = digits("test")
    print(f"   before: {report(embed(solver.net, test_images), test_labels)}")
    first, last = train(solver, draw_pairs, images, labels, args.iterations)
    places = embed(solver.net, test_images)
    print(f"   after:  {report(places, test_labels)}\n   loss {first:.4f} at first, {last:.4f} at last")
    print(plane(places, test_labels))

    print("5. Triplets of digits")
    # The same twins, now three of them.
    solver = solver_of(twins("apq", TRIPLET, margin=1))
    print(f"   before: {report(embed(solver.net, test_images), test_labels)}")
    first, last = train(solver, draw_triplets, images, labels, args.iterations)
    places = embed(solver.net, test_images)
    print(f"   after:  {report(places, test_labels)}\n   loss {first:.4f} at first, {last:.4f} at last")
    print(plane(places, test_labels))

    print("6. Your turn")
    print("   Exercises: exercises/11_contrastive_loss.py and exercises/11_triplet_loss.py, both with blanks;")
    print("   `blobnet grade` looks at your answers.")
    print("   a. What would a net learn from like pairs alone? And from unlike pairs alone, without a margin?")
    print("   b. Double the margin in section 4. Do the classes part better, or is the plane only larger?")
    print("   c. Late in section 5 most triplets rest. How many of a batch have h = 0? Which would you draw in their")
    print("      place? And where do two dimensions end? Try CLASSES = 10.")


if __name__ == "__main__":
    main()
