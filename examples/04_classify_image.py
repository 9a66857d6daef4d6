"""Classify an image with a trained net, and look at what it computes on the way.

A small net learns to read coloured digits (made of the 1,797 that scikit-learn ships). Then comes what every user of
Caffe did first: load the net and its weights, turn an image file into the numbers that the net wants, run it, and look
at its blobs, its filters and its answer. Everything below `import caffe` is as it would be with Caffe itself.

    python examples/04_classify_image.py --out demo_output/classify
"""

import argparse
import time
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

import blobnet
from blobnet.view.figure import new_figure, save

blobnet.install_as_caffe()

import caffe  # noqa: E402
from caffe import layers as L  # noqa: E402
from caffe import params as P  # noqa: E402
from caffe.proto import caffe_pb2  # noqa: E402

SIDE, BATCH = 16, 50


def coloured_digits(rng):
    """Images (N, 24, 24, 3) in red, green, blue from 0 to 1, bright ink on dark paper, and their labels."""
    digits = load_digits()
    order = rng.permutation(len(digits.images))
    ink = np.stack([caffe.io.resize_image(image[:, :, None] / 16, (24, 24)) for image in digits.images[order]])
    bright, dark = rng.uniform(0.6, 1, (len(ink), 1, 1, 3)), rng.uniform(0, 0.4, (len(ink), 1, 1, 3))
    return (dark + ink * (bright - dark)).astype(np.float32), digits.target[order]


def body(n):
    """The layers that the net has in training and afterwards."""
    filler = dict(type="xavier")
    n.conv1 = L.Convolution(n.data, num_output=16, kernel_size=5, weight_filler=filler)
    n.pool1 = L.Pooling(n.conv1, pool=P.Pooling.MAX, kernel_size=2, stride=2)
    n.relu1 = L.ReLU(n.pool1, in_place=True)
    n.conv2 = L.Convolution(n.relu1, num_output=32, kernel_size=3, weight_filler=filler)
    n.relu2 = L.ReLU(n.conv2, in_place=True)
    n.score = L.InnerProduct(n.relu2, num_output=10, weight_filler=filler)


def write_nets(out):
    """The files train.prototxt, with labels and a loss, and deploy.prototxt, with an input and probabilities."""
    n = caffe.NetSpec()
    n.data, n.label = L.MemoryData(batch_size=BATCH, channels=3, height=SIDE, width=SIDE, ntop=2)
    body(n)
    n.loss = L.SoftmaxWithLoss(n.score, n.label)
    (out / "train.prototxt").write_text(str(n.to_proto()))
    n = caffe.NetSpec()
    n.data = L.Input(shape=dict(dim=[10, 3, SIDE, SIDE]))
    body(n)
    n.prob = L.Softmax(n.score)
    (out / "deploy.prototxt").write_text(str(n.to_proto()))


def make_transformer(mean):
    """From images (H, W, 3) of 0 to 1, red, green, blue, to (3, 16, 16) of 0 to 255, blue, green, red, without mean."""
    transformer = caffe.io.Transformer({"data": (1, 3, SIDE, SIDE)})
    transformer.set_transpose("data", (2, 0, 1))
    transformer.set_channel_swap("data", (2, 1, 0))
    transformer.set_raw_scale("data", 255)
    transformer.set_mean("data", mean)
    transformer.set_input_scale("data", 1 / 64)
    return transformer


def train(out, images, labels, iterations):
    """Train the net of train.prototxt, write its weights, and return the loss of every iteration."""
    settings = caffe_pb2.SolverParameter(net=str(out / "train.prototxt"), base_lr=0.01, momentum=0.9, lr_policy="fixed",
                                         random_seed=1, snapshot_prefix=str(out / "snapshot"))
    (out / "solver.prototxt").write_text(str(settings))
    solver = caffe.SGDSolver(str(out / "solver.prototxt"))
    solver.net.set_input_arrays(images, labels.astype(np.float32))
    losses = []
    for _ in range(iterations):
        solver.step(1)
        losses.append(float(solver.net.blobs["loss"].data))
    solver.net.save(str(out / "digits.caffemodel"))
    return losses


def tiles(data):
    """Maps (N, H, W) or (N, H, W, 3) as one picture, side by side in a square, stretched to 0 to 1."""
    data = (data - data.min()) / (data.max() - data.min() or 1)
    side = int(np.ceil(len(data) ** 0.5))
    data = np.pad(data, [(0, side**2 - len(data)), (0, 1), (0, 1)] + [(0, 0)] * (data.ndim - 3), constant_values=1)
    height, width, *rest = data.shape[1:]
    return data.reshape(side, side, height, width, *rest).swapaxes(1, 2).reshape(side * height, side * width, *rest)


def pictures(net, image, path):
    """The image, the filters of conv1, the maps they give, and the probabilities."""
    figure = new_figure(10, 3)
    axes = figure.subplots(1, 4)
    filters = net.params["conv1"][0].data[:, ::-1].transpose(0, 2, 3, 1)  # to red, green, blue
    for place, title, shown in zip(axes, ("image", "filters of conv1", "conv1"),
                                   (image, tiles(filters), tiles(net.blobs["conv1"].data[0]))):
        place.imshow(shown, cmap="gray")
        place.set_title(title)
        place.set_axis_off()
    axes[3].bar(range(10), net.blobs["prob"].data[0])
    axes[3].set(title="prob", xlabel="digit", xticks=range(10), ylim=(0, 1))
    save(figure, path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("demo_output/classify"))
    parser.add_argument("--iterations", type=int, default=400)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)

    print("1. train a net, so that there is one")
    images, labels = coloured_digits(np.random.default_rng(0))
    mean = 255 * images[:1400].mean((0, 1, 2))[::-1]  # of blue, green, red
    transformer = make_transformer(mean)
    write_nets(args.out)
    losses = train(args.out, np.stack([transformer.preprocess("data", image) for image in images[:1400]]),
                   labels[:1400], args.iterations)
    print(f"   loss {losses[0]:.3f} at first, {np.mean(losses[-20:]):.3f} at the end")

    print("2. load it with its weights")
    caffe.set_mode_cpu()
    net = caffe.Net(str(args.out / "deploy.prototxt"), str(args.out / "digits.caffemodel"), caffe.TEST)
    for name, blob in net.blobs.items():
        print(f"   blob  {name:6} {blob.data.shape}")
    for name, (weights, bias) in net.params.items():
        print(f"   param {name:6} {weights.data.shape} {bias.data.shape}")

    print("3. classify an image file")
    path = args.out / "digit.png"
    Image.fromarray(np.uint8(np.rint(255 * images[1500]))).save(path)
    image = caffe.io.load_image(str(path))
    net.blobs["data"].reshape(1, 3, SIDE, SIDE)
    net.blobs["data"].data[...] = transformer.preprocess("data", image)
    prob = net.forward()["prob"][0]
    print(f"   {path} shows a {labels[1500]}; the net's five best: "
          + ", ".join(f"{digit} ({prob[digit]:.3f})" for digit in prob.argsort()[::-1][:5]))
    start = time.perf_counter()
    for _ in range(20):
        net.forward()
    print(f"   a forward pass takes {(time.perf_counter() - start) / 20 * 1e3:.2f} ms")
    pictures(net, image, args.out / "classify.png")

    print("4. many images: caffe.Classifier")
    classifier = caffe.Classifier(str(args.out / "deploy.prototxt"), str(args.out / "digits.caffemodel"),
                                  image_dims=(18, 18), mean=mean, raw_scale=255, channel_swap=(2, 1, 0),
                                  input_scale=1 / 64)
    for oversample in (False, True):
        found = classifier.predict(list(images[1400:1600]), oversample=oversample).argmax(1)
        print(f"   {'ten crops, half of them mirrored' if oversample else 'central crop':32} "
              f"{np.mean(found == labels[1400:1600]):.1%} of 200 are right")
    print("   (mirrored digits are no digits: oversampling is for pictures of things)")
    print(f"5. pictures: {args.out / 'classify.png'}")


if __name__ == "__main__":
    main()
