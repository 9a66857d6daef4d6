"""LeNet, written and trained in Python: define the nets, step the solver by hand, and watch it learn.

The nets read LMDB databases of the 1,797 digits that scikit-learn ships, enlarged to LeNet's 28 x 28. At the end the
same few lines train a net of another kind, to compare. Everything below `import caffe` is as with Caffe itself.
Paper: LeCun, Bottou, Bengio, Haffner, Gradient-based learning applied to document recognition, 1998.

    python examples/05_learn_lenet.py --out demo_output/lenet
"""

import argparse
import shutil
from pathlib import Path

import lmdb
import numpy as np
from sklearn.datasets import load_digits

import blobnet
from blobnet.view.figure import PALETTE, new_figure, plain_axes, save

blobnet.install_as_caffe()

import caffe  # noqa: E402
from caffe import layers as L  # noqa: E402
from caffe import params as P  # noqa: E402
from caffe.proto import caffe_pb2  # noqa: E402

TRAIN, TEST = slice(0, 1497), slice(1497, 1797)
TEST_BATCH = 100


def write_database(folder, part):
    """A database of digits (1, 28, 28) of 0 to 255, in random order."""
    shutil.rmtree(folder, ignore_errors=True)
    digits = load_digits()
    order = np.random.RandomState(0).permutation(len(digits.images))[part]
    with lmdb.open(str(folder), map_size=1 << 26) as environment, environment.begin(write=True) as transaction:
        for i, number in enumerate(order):
            image = caffe.io.resize_image(digits.images[number][:, :, None] * (255 / 16), (28, 28))
            datum = caffe.io.array_to_datum(np.uint8(np.rint(image)).transpose(2, 0, 1), int(digits.target[number]))
            transaction.put(f"{i:08}".encode(), datum.SerializeToString())


def lenet(database, batch_size):
    """The net as a NetParameter."""
    n = caffe.NetSpec()
    n.data, n.label = L.Data(batch_size=batch_size, backend=P.Data.LMDB, source=str(database),
                             transform_param=dict(scale=1 / 255), ntop=2)
    filler = dict(type="xavier")
    n.conv1 = L.Convolution(n.data, kernel_size=5, num_output=20, weight_filler=filler)
    n.pool1 = L.Pooling(n.conv1, kernel_size=2, stride=2, pool=P.Pooling.MAX)
    n.conv2 = L.Convolution(n.pool1, kernel_size=5, num_output=50, weight_filler=filler)
    n.pool2 = L.Pooling(n.conv2, kernel_size=2, stride=2, pool=P.Pooling.MAX)
    n.fc1 = L.InnerProduct(n.pool2, num_output=500, weight_filler=filler)
    n.relu1 = L.ReLU(n.fc1, in_place=True)
    n.score = L.InnerProduct(n.relu1, num_output=10, weight_filler=filler)
    n.loss = L.SoftmaxWithLoss(n.score, n.label)
    return n.to_proto()


def linear(database, batch_size):
    """Logistic regression on the pixels. Change this one to try nets of your own."""
    n = caffe.NetSpec()
    n.data, n.label = L.Data(batch_size=batch_size, backend=P.Data.LMDB, source=str(database),
                             transform_param=dict(scale=1 / 255), ntop=2)
    n.score = L.InnerProduct(n.data, num_output=10, weight_filler=dict(type="xavier"))
    n.loss = L.SoftmaxWithLoss(n.score, n.label)
    return n.to_proto()


def make_solver(out, name, net, **settings):
    """Write NAME_train, NAME_test and NAME_solver.prototxt, and build the solver."""
    files = {part: out / f"{name}_{part}.prototxt" for part in ("train", "test", "solver")}
    files["train"].write_text(str(net(out / "train_lmdb", 64)))
    files["test"].write_text(str(net(out / "test_lmdb", TEST_BATCH)))
    param = caffe_pb2.SolverParameter(train_net=str(files["train"]), test_net=[str(files["test"])], random_seed=1,
                                      test_interval=10**6, test_iter=[3], test_initialization=False,
                                      snapshot_prefix=str(out / name), **settings)
    files["solver"].write_text(str(param))
    return caffe.get_solver(str(files["solver"]))


def accuracy(net):
    """The part of right answers over the whole test database."""
    right = 0
    for _ in range(300 // TEST_BATCH):
        net.forward()
        right += (net.blobs["score"].data.argmax(1) == net.blobs["label"].data).sum()
    return right / 300


def run(solver, iterations, interval):
    """Train; return losses, (iteration, test accuracy) pairs, and the scores of 8 test images, over time."""
    test, losses, scores = solver.test_nets[0], [], []
    accuracies = [(0, accuracy(test))]
    for i in range(1, iterations + 1):
        solver.step(1)
        losses.append(float(solver.net.blobs["loss"].data))
        test.forward(start=test._layer_names[1])  # all but the data layer: the images stay the same
        scores.append(test.blobs["score"].data[:8].copy())
        if i % interval == 0 or i == iterations:
            accuracies.append((i, accuracy(test)))  # reads the whole database, so that it ends where it began
    return losses, accuracies, np.array(scores)


def plot_training(runs, path):
    """Loss and test accuracy of several runs by name."""
    figure = new_figure(6.4, 4)
    axes = plain_axes(figure, "iteration", "training loss")
    right = axes.twinx()
    right.set(ylabel="test accuracy (dashed)", ylim=(0, 1))
    for colour, (name, (losses, accuracies, _)) in zip(PALETTE, runs.items()):
        axes.plot(range(1, len(losses) + 1), losses, color=colour, label=name)
        right.plot(*zip(*accuracies), color=colour, linestyle="--", marker="o", markersize=3)
    axes.legend(frameon=False, loc="center right")
    save(figure, path)


def plot_scores(images, scores, path):
    """Test images, and beside each how the probabilities of the ten digits developed over the iterations."""
    figure = new_figure(9, 5)
    axes = figure.subplots(len(images), 2, width_ratios=(1, 10))
    odds = np.exp(scores - scores.max(-1, keepdims=True))
    odds /= odds.sum(-1, keepdims=True)
    for (left, right), image, values in zip(axes, images, odds.transpose(1, 2, 0)):
        left.imshow(image, cmap="gray")
        left.set_axis_off()
        right.imshow(values, cmap="gray", aspect="auto", interpolation="nearest", vmin=0, vmax=1)
        right.set(yticks=(0, 9), xticks=())
    axes[0, 1].set_title("probability of the digits 0 (above) to 9 (below), over the iterations")
    save(figure, path)


def plot_gradients(net, path):
    """The first images of a batch, and what they would change in the filters of conv1."""
    figure = new_figure(8, 3)
    above, below = figure.subplots(2, 1)
    above.imshow(net.blobs["data"].data[:8, 0].transpose(1, 0, 2).reshape(28, 8 * 28), cmap="gray")
    below.imshow(net.params["conv1"][0].diff[:, 0].reshape(2, 10, 5, 5).transpose(0, 2, 1, 3).reshape(10, 50),
                 cmap="gray")
    for axes, title in ((above, "first images of a batch"), (below, "gradients of the filters of conv1")):
        axes.set_title(title)
        axes.set_axis_off()
    save(figure, path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("demo_output/lenet"))
    parser.add_argument("--iterations", type=int, default=100)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    caffe.set_mode_cpu()

    print("1. databases and nets")
    write_database(args.out / "train_lmdb", TRAIN)
    write_database(args.out / "test_lmdb", TEST)
    solver = make_solver(args.out, "lenet", lenet, base_lr=0.01, momentum=0.9, weight_decay=5e-4, lr_policy="inv",
                         gamma=1e-4, power=0.75)
    for name, blob in solver.net.blobs.items():
        print(f"   {name:6} {blob.data.shape}")

    print("2. one step, looked at closely")
    print(f"   loss of an untrained net {float(solver.net.forward()['loss']):.3f}; of guessing: ln 10 = 2.303")
    solver.step(1)
    plot_gradients(solver.net, args.out / "gradients.png")

    print(f"3. {args.iterations} iterations of LeNet, and of a linear net with another solver")
    runs = {"LeNet": run(solver, args.iterations, 25)}
    images = solver.test_nets[0].blobs["data"].data[:8, 0].copy()
    rival = make_solver(args.out, "linear", linear, type="Adam", base_lr=0.002, momentum=0.9, momentum2=0.999,
                        lr_policy="fixed")
    runs["linear, Adam"] = run(rival, args.iterations, 25)
    for name, (losses, accuracies, _) in runs.items():
        print(f"   {name:12}  loss {np.mean(losses[-10:]):.3f}, test accuracy {accuracies[-1][1]:.3f}")

    plot_training(runs, args.out / "training.png")
    plot_scores(images, runs["LeNet"][2], args.out / "scores.png")
    print(f"4. pictures: {', '.join(str(path) for path in sorted(args.out.glob('*.png')))}")


if __name__ == "__main__":
    main()
