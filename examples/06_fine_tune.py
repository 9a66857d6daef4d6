"""Fine-tuning: what a net learnt on one task helps it to learn another from a few examples.

A net learns to tell ten digits apart. Then the question is another one, is the digit even or odd, and only thirty
answers are given: first a new classifier learns on the features that are there (layers with lr_mult 0 stay as they
are), then all layers, slowly. Beside it the same is done from random weights. Everything below `import caffe` is as
with Caffe itself.

    python examples/06_fine_tune.py --out demo_output/fine_tune
"""

import argparse
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

import blobnet
from blobnet.view.figure import LINES, PALETTE, new_figure, plain_axes, save

blobnet.install_as_caffe()

import caffe  # noqa: E402
from caffe import layers as L  # noqa: E402
from caffe import params as P  # noqa: E402
from caffe.proto import caffe_pb2  # noqa: E402

LEARNED = [dict(lr_mult=1, decay_mult=1), dict(lr_mult=2, decay_mult=0)]  # weights, bias
FROZEN = [dict(lr_mult=0), dict(lr_mult=0)]
FEATURES = ("conv1", "conv2", "fc1")


def feature_net(classes, classifier, batch_size, learn_all=True):
    """Three layers of features and a classifier on them, whose name says which task its weights are for."""
    param, filler = LEARNED if learn_all else FROZEN, dict(type="msra")
    n = caffe.NetSpec()
    n.data, n.label = L.MemoryData(batch_size=batch_size, channels=1, height=8, width=8, ntop=2)
    n.conv1 = L.Convolution(n.data, num_output=16, kernel_size=3, pad=1, param=param, weight_filler=filler)
    n.relu1 = L.ReLU(n.conv1, in_place=True)
    n.pool1 = L.Pooling(n.relu1, pool=P.Pooling.MAX, kernel_size=2, stride=2)
    n.conv2 = L.Convolution(n.pool1, num_output=32, kernel_size=3, pad=1, param=param, weight_filler=filler)
    n.relu2 = L.ReLU(n.conv2, in_place=True)
    n.fc1 = L.InnerProduct(n.relu2, num_output=64, param=param, weight_filler=filler)
    n.relu3 = L.ReLU(n.fc1, in_place=True)
    n[classifier] = L.InnerProduct(n.relu3, num_output=classes, param=LEARNED, weight_filler=dict(type="xavier"))
    n.loss = L.SoftmaxWithLoss(n[classifier], n.label)
    n.accuracy = L.Accuracy(n[classifier], n.label)
    return n.to_proto()


def make_solver(out, name, net, images, labels, base_lr):
    """A solver on the examples given."""
    (out / f"{name}.prototxt").write_text(str(net))
    (out / f"{name}_solver.prototxt").write_text(str(caffe_pb2.SolverParameter(
        train_net=str(out / f"{name}.prototxt"), base_lr=base_lr, momentum=0.9, weight_decay=5e-4, lr_policy="fixed",
        random_seed=2, snapshot_prefix=str(out / name))))
    solver = caffe.get_solver(str(out / f"{name}_solver.prototxt"))
    solver.net.set_input_arrays(images, labels)
    return solver


def accuracy(out, net, weights, images, labels):
    """The part of right answers of the net with the weights of a file."""
    path = out / "test.prototxt"
    path.write_text(str(net))
    test = caffe.Net(str(path), str(weights), caffe.TEST)
    test.set_input_arrays(images, labels)
    return float(test.forward()["accuracy"])


def run(solvers, iterations):
    """Train several solvers in turns; return the losses of each."""
    losses = {name: [] for name in solvers}
    for _ in range(iterations):
        for name, solver in solvers.items():
            solver.step(1)
            losses[name].append(float(solver.net.blobs["loss"].data))
    return losses


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("demo_output/fine_tune"))
    parser.add_argument("--iterations", type=int, default=200)
    args = parser.parse_args()
    out = args.out
    out.mkdir(parents=True, exist_ok=True)
    caffe.set_mode_cpu()

    digits = load_digits()
    order = np.random.RandomState(0).permutation(len(digits.images))
    images = (digits.images[order, None] / 16).astype(np.float32)
    labels = digits.target[order].astype(np.float32)

    print("1. learn ten digits from 1000 examples")
    solver = make_solver(out, "digits", feature_net(10, "score", 50), images[:1000], labels[:1000], 0.02)
    solver.step(args.iterations)
    solver.net.save(str(out / "digits.caffemodel"))
    print(f"   loss {float(solver.net.blobs['loss'].data):.3f}")

    print("2. learn even and odd from 30 others: a new classifier on frozen features")
    given, asked = (images[1000:1030], labels[1000:1030] % 2), (images[1030:], labels[1030:] % 2)
    frozen, test = feature_net(2, "parity", 30, learn_all=False), feature_net(2, "parity", len(asked[0]))
    solvers = {name: make_solver(out, f"classifier_{name}", frozen, *given, 0.02) for name in ("pretrained", "random")}
    solvers["pretrained"].net.copy_from(str(out / "digits.caffemodel"))  # by name: parity keeps its random weights
    before = {name: solvers["pretrained"].net.params[name][0].data.copy() for name in FEATURES}
    losses = {f"{name}, classifier": found for name, found in run(solvers, args.iterations).items()}
    same = all(np.array_equal(solvers["pretrained"].net.params[name][0].data, before[name]) for name in FEATURES)
    print(f"   the frozen layers are as before, bit for bit: {'yes' if same else 'no'}")
    for name, solver in solvers.items():
        solver.net.save(str(out / f"classifier_{name}.caffemodel"))
        score = accuracy(out, test, out / f"classifier_{name}.caffemodel", *asked)
        print(f"   features {name:10}  accuracy {score:.3f}")

    print("3. go on with all layers, at a tenth of the rate")
    learn_all = feature_net(2, "parity", 30)
    solvers = {name: make_solver(out, f"all_{name}", learn_all, *given, 0.002) for name in ("pretrained", "random")}
    for name, solver in solvers.items():
        solver.net.copy_from(str(out / f"classifier_{name}.caffemodel"))
    losses |= {f"{name}, all layers": found for name, found in run(solvers, args.iterations).items()}
    for name, solver in solvers.items():
        solver.net.save(str(out / f"all_{name}.caffemodel"))
        score = accuracy(out, test, out / f"all_{name}.caffemodel", *asked)
        print(f"   features {name:10}  accuracy {score:.3f}")

    figure = new_figure(6.4, 4)
    axes = plain_axes(figure, "iteration", "training loss")
    for colour, line, (name, found) in zip(PALETTE, LINES, losses.items()):
        axes.semilogy(range(1, len(found) + 1), found, color=colour, linestyle=line, label=name)
    axes.legend(frameon=False)
    save(figure, out / "losses.png")
    print(f"4. pictures: {out / 'losses.png'}")


if __name__ == "__main__":
    main()
