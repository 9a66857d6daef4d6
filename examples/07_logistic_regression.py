"""Logistic regression from HDF5 files, beside scikit-learn's; then the same with one hidden layer.

A net of one InnerProduct with SoftmaxWithLoss is logistic regression, and the solver's weight decay its penalty. Both
programs see the same points in four dimensions and find the same plane. A hidden layer with a ReLU finds more.
Everything below `import caffe` is as with Caffe itself.

    python examples/07_logistic_regression.py --out demo_output/logistic_regression
"""

import argparse
from pathlib import Path

import h5py
import numpy as np
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression

import blobnet
from blobnet.view.figure import PALETTE, new_figure, save

blobnet.install_as_caffe()

import caffe  # noqa: E402
from caffe import layers as L  # noqa: E402
from caffe.proto import caffe_pb2  # noqa: E402

DECAY, BATCH = 5e-4, 50


def write_hdf5(out, name, points, labels):
    """NAME.h5 with the sets data and label, and NAME.txt, the list of files that a layer reads; return its path."""
    with h5py.File(out / f"{name}.h5", "w") as file:
        file.create_dataset("data", data=points, compression="gzip", compression_opts=1)
        file["label"] = labels.astype(np.float32)
    (out / f"{name}.txt").write_text(f"{out / name}.h5\n")
    return out / f"{name}.txt"


def logistic(source):
    """Logistic regression: one layer."""
    n = caffe.NetSpec()
    n.data, n.label = L.HDF5Data(batch_size=BATCH, source=str(source), ntop=2)
    n.ip1 = L.InnerProduct(n.data, num_output=2, param=[dict(), dict(decay_mult=0)], weight_filler=dict(type="xavier"))
    n.accuracy = L.Accuracy(n.ip1, n.label)
    n.loss = L.SoftmaxWithLoss(n.ip1, n.label)
    return n.to_proto()


def hidden(source):
    """The same with 40 hidden units."""
    n = caffe.NetSpec()
    n.data, n.label = L.HDF5Data(batch_size=BATCH, source=str(source), ntop=2)
    n.ip1 = L.InnerProduct(n.data, num_output=40, weight_filler=dict(type="xavier"))
    n.relu1 = L.ReLU(n.ip1, in_place=True)
    n.ip2 = L.InnerProduct(n.relu1, num_output=2, weight_filler=dict(type="xavier"))
    n.accuracy = L.Accuracy(n.ip2, n.label)
    n.loss = L.SoftmaxWithLoss(n.ip2, n.label)
    return n.to_proto()


def learn(out, name, net, train, test, test_count, iterations):
    """Train a net by its solver file; return the solver and the accuracy on the test set."""
    (out / f"{name}_train.prototxt").write_text(str(net(train)))
    (out / f"{name}_test.prototxt").write_text(str(net(test)))
    settings = caffe_pb2.SolverParameter()
    settings.train_net = str(out / f"{name}_train.prototxt")
    settings.test_net.append(str(out / f"{name}_test.prototxt"))
    settings.test_iter.append(test_count // BATCH)
    settings.test_interval = 10**6
    settings.max_iter = iterations
    settings.base_lr = 0.02
    settings.lr_policy = "step"
    settings.gamma = 0.1
    settings.stepsize = max(iterations // 2, 1)
    settings.momentum = 0.9
    settings.weight_decay = DECAY
    settings.random_seed = 1
    settings.snapshot_prefix = str(out / name)
    (out / f"{name}_solver.prototxt").write_text(str(settings))

    solver = caffe.get_solver(str(out / f"{name}_solver.prototxt"))
    solver.solve()
    net = solver.test_nets[0]
    accuracies = [float(net.forward()["accuracy"]) for _ in range(test_count // BATCH)]
    return solver, np.mean(accuracies)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("demo_output/logistic_regression"))
    parser.add_argument("--iterations", type=int, default=3000)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    caffe.set_mode_cpu()

    points, labels = make_classification(n_samples=10000, n_features=4, n_redundant=0, n_informative=2,
                                         n_clusters_per_class=2, hypercube=False, random_state=0)
    points, labels, test_points, test_labels = points[:7500], labels[:7500], points[7500:], labels[7500:]
    train = write_hdf5(args.out, "train", points, labels)
    test = write_hdf5(args.out, "test", test_points, test_labels)

    # Two outputs with weights w and -w, each with a penalty of DECAY w^2 / 2, are one output 2 w with half of it.
    theirs = LogisticRegression(C=2 / (DECAY * len(points))).fit(points, labels)
    print(f"scikit-learn            accuracy {theirs.score(test_points, test_labels):.3f}")
    solver, found = learn(args.out, "logistic", logistic, train, test, len(test_points), args.iterations)
    print(f"one layer               accuracy {found:.3f}")
    weights = solver.net.params["ip1"][0].data
    for name, plane in (("scikit-learn", theirs.coef_[0]), ("one layer", weights[1] - weights[0])):
        print(f"  weights, {name:12} " + " ".join(f"{value:7.3f}" for value in plane))
    _, found = learn(args.out, "hidden", hidden, train, test, len(test_points), args.iterations)
    print(f"with 40 hidden units    accuracy {found:.3f}")

    figure = new_figure(9, 2.6)
    for axes, (x, y) in zip(figure.subplots(1, 3), ((0, 1), (0, 3), (1, 3))):
        for kind in (0, 1):
            chosen = test_points[test_labels == kind][:400]
            axes.plot(chosen[:, x], chosen[:, y], ".x"[kind], color=PALETTE[kind], markersize=3, label=f"class {kind}")
        axes.set(xlabel=f"feature {x}", ylabel=f"feature {y}")
    axes.legend(frameon=False, fontsize=8)
    save(figure, args.out / "points.png")
    print(f"picture: {args.out / 'points.png'}")


if __name__ == "__main__":
    main()
