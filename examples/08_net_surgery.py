"""Net surgery: write filters by hand, and turn a classifier of small images into one that reads large ones.

First the parameters of a convolution are set to a blur and two edge detectors. Then a net that classifies digits of
16 x 16 has its inner products turned into convolutions, with the same weights: on an image of any size it then gives
a map of answers, one for every place, at the price of little more than one pass. Everything below `import caffe` is
as with Caffe itself.

    python examples/08_net_surgery.py --out demo_output/net_surgery
"""

import argparse
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

import blobnet
from blobnet.view.figure import new_figure, save

blobnet.install_as_caffe()

import caffe  # noqa: E402
from caffe import layers as L  # noqa: E402
from caffe import params as P  # noqa: E402
from caffe.proto import caffe_pb2  # noqa: E402

SIDE, BATCH, NOTHING = 16, 50, 10
TRANSPLANTS = {"fc1": "fc1-conv", "fc2": "fc2-conv"}


def features(n):
    """The layers below the classifier: from 16 x 16 to 4 x 4."""
    filler = dict(type="msra")
    n.conv1 = L.Convolution(n.data, num_output=16, kernel_size=3, pad=1, weight_filler=filler)
    n.relu1 = L.ReLU(n.conv1, in_place=True)
    n.pool1 = L.Pooling(n.relu1, pool=P.Pooling.MAX, kernel_size=2, stride=2)
    n.conv2 = L.Convolution(n.pool1, num_output=32, kernel_size=3, pad=1, weight_filler=filler)
    n.relu2 = L.ReLU(n.conv2, in_place=True)
    n.pool2 = L.Pooling(n.relu2, pool=P.Pooling.MAX, kernel_size=2, stride=2)


def classifier(train):
    """The net for 16 x 16 pixels, with a loss or with probabilities."""
    n = caffe.NetSpec()
    if train:
        n.data, n.label = L.MemoryData(batch_size=BATCH, channels=1, height=SIDE, width=SIDE, ntop=2)
    else:
        n.data = L.Input(shape=dict(dim=[1, 1, SIDE, SIDE]))
    features(n)
    n.fc1 = L.InnerProduct(n.pool2, num_output=64, weight_filler=dict(type="msra"))
    n.relu3 = L.ReLU(n.fc1, in_place=True)
    n.fc2 = L.InnerProduct(n.relu3, num_output=11, weight_filler=dict(type="xavier"))
    if train:
        n.loss = L.SoftmaxWithLoss(n.fc2, n.label)
    else:
        n.prob = L.Softmax(n.fc2)
    return n.to_proto()


def fully_convolutional(side):
    """The net with convolutions in the place of inner products; new names, for their weights have other shapes."""
    n = caffe.NetSpec()
    n.data = L.Input(shape=dict(dim=[1, 1, side, side]))
    features(n)
    n["fc1-conv"] = L.Convolution(n.pool2, num_output=64, kernel_size=4)
    n.relu3 = L.ReLU(n["fc1-conv"], in_place=True)
    n["fc2-conv"] = L.Convolution(n.relu3, num_output=11, kernel_size=1)
    n.prob = L.Softmax(n["fc2-conv"])
    return n.to_proto()


def examples(rng):
    """Images (N, 1, 16, 16) with a digit of 12 x 12 somewhere near the middle, or, class 10, with parts of digits."""
    digits = load_digits()
    large = np.stack([caffe.io.resize_image(image[:, :, None] / 16, (12, 12))[:, :, 0] for image in digits.images])
    images, labels = [], []
    for digit, label in zip(large, digits.target):
        canvas = np.zeros((SIDE, SIDE), np.float32)
        y, x = rng.integers(0, 5, 2)
        canvas[y:y + 12, x:x + 12] = digit
        images.append(canvas)
        labels.append(label)
        shift = rng.permutation([rng.choice((-1, 1)) * rng.integers(6, 14), rng.integers(-8, 9)])  # off the middle
        canvas = np.zeros((3 * SIDE, 3 * SIDE), np.float32)
        canvas[SIDE + 2:SIDE + 14, SIDE + 2:SIDE + 14] = digit
        images.append(np.roll(canvas, shift, (0, 1))[SIDE:-SIDE, SIDE:-SIDE])
        labels.append(NOTHING)
    order = rng.permutation(len(images) // BATCH * BATCH)
    return np.stack(images)[order, None], np.array(labels, np.float32)[order], large, digits.target


def train(out, images, labels, iterations):
    """Train the classifier; write classifier.caffemodel."""
    (out / "train.prototxt").write_text(str(classifier(train=True)))
    (out / "solver.prototxt").write_text(str(caffe_pb2.SolverParameter(
        train_net=str(out / "train.prototxt"), base_lr=0.02, momentum=0.9, weight_decay=5e-4, lr_policy="fixed",
        random_seed=1, snapshot_prefix=str(out / "classifier"))))
    solver = caffe.SGDSolver(str(out / "solver.prototxt"))
    solver.net.set_input_arrays(images, labels)
    solver.step(iterations)
    solver.net.save(str(out / "classifier.caffemodel"))
    return float(solver.net.blobs["loss"].data)


def edit_filters(out, image):
    """What a blur and two edge detectors make of `image`."""
    n = caffe.NetSpec()
    n.data = L.Input(shape=dict(dim=[1, 1, 10, 10]))
    n.conv = L.Convolution(n.data, num_output=3, kernel_size=5, pad=2)
    (out / "filters.prototxt").write_text(str(n.to_proto()))
    net = caffe.Net(str(out / "filters.prototxt"), caffe.TEST)
    net.blobs["data"].reshape(1, 1, *image.shape)
    net.blobs["data"].data[...] = image
    weights, bias = net.params["conv"]
    y, x = np.mgrid[-2:3, -2:3]
    blur = np.exp(-(x**2 + y**2) / 2)
    weights.data[0] = blur / blur.sum()
    sobel = np.array([[-1, -2, -1], [0, 0, 0], [1, 2, 1]])
    weights.data[1:] = 0
    weights.data[1, 0, 1:-1, 1:-1] = sobel
    weights.data[2, 0, 1:-1, 1:-1] = sobel.T
    shown = net.forward()["conv"][0].copy()
    bias.data[0] = 1
    print(f"   mean of the blurred image {shown[0].mean():.2f}, "
          f"with a bias of 1 {net.forward()['conv'][0, 0].mean():.2f}")
    return shown


def transplant(out, side):
    """The fully convolutional net with the weights of the classifier."""
    (out / "classifier.prototxt").write_text(str(classifier(train=False)))
    (out / "fully_convolutional.prototxt").write_text(str(fully_convolutional(side)))
    weights = str(out / "classifier.caffemodel")
    net = caffe.Net(str(out / "classifier.prototxt"), weights, caffe.TEST)
    dense = caffe.Net(str(out / "fully_convolutional.prototxt"), weights, caffe.TEST)  # what has the same names
    for old, new in TRANSPLANTS.items():
        print(f"   {old} {net.params[old][0].data.shape} -> {new} {dense.params[new][0].data.shape}")
        dense.params[new][0].data.flat = net.params[old][0].data.flat
        dense.params[new][1].data[...] = net.params[old][1].data
    dense.save(str(out / "fully_convolutional.caffemodel"))
    return net, dense


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("demo_output/net_surgery"))
    parser.add_argument("--iterations", type=int, default=600)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    caffe.set_mode_cpu()

    rng = np.random.default_rng(0)
    images, labels, digits, kinds = examples(rng)
    canvas, written = np.zeros((64, 64), np.float32), {}
    for y, x, number in zip((6, 10, 46, 26, 46), (6, 42, 10, 26, 42), rng.permutation(len(digits))):
        canvas[y:y + 12, x:x + 12] = digits[number]
        written[y, x] = kinds[number]

    print("1. filters written by hand")
    filtered = edit_filters(args.out, canvas)

    print("2. train a classifier of 16 x 16 pixels")
    print(f"   loss {train(args.out, images, labels, args.iterations):.3f}")

    print("3. inner products become convolutions")
    net, dense = transplant(args.out, len(canvas))
    answers = dense.forward_all(data=canvas[None, None])["prob"][0]
    net.blobs["data"].data[...] = canvas[28:28 + SIDE, 28:28 + SIDE]
    net.forward()
    dense.blobs["data"].reshape(1, 1, SIDE, SIDE)
    dense.blobs["data"].data[...] = net.blobs["data"].data
    dense.forward()
    difference = np.abs(dense.blobs["prob"].data.ravel() - net.blobs["prob"].data.ravel()).max()
    print(f"   on 16 x 16 pixels both nets give the same, to {difference:.1e}")

    print(f"4. one pass over 64 x 64 pixels: {answers.shape[1]} x {answers.shape[2]} answers, - where none is sure")
    best = np.where(answers.max(0) > 0.9, answers.argmax(0), NOTHING)
    for row in best:
        print("   " + " ".join("-" if answer == NOTHING else str(answer) for answer in row))
    print("   written there: " + ", ".join(f"{kind} in row {(y - 2) // 4}, column {(x - 2) // 4}"
                                           for (y, x), kind in written.items()))

    figure = new_figure(10, 2.6)
    titles = ("image", "blur", "horizontal edges", "vertical edges", "a digit is here")
    for axes, title, shown in zip(figure.subplots(1, 5), titles, (canvas, *filtered, 1 - answers[NOTHING])):
        axes.imshow(shown, cmap="gray")
        axes.set_title(title, fontsize=9)
        axes.set_axis_off()
    save(figure, args.out / "surgery.png")
    print(f"5. pictures: {args.out / 'surgery.png'}")


if __name__ == "__main__":
    main()
