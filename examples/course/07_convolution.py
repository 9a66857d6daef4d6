"""Convolution: one small set of weights that looks at every place of an image.

An InnerProduct has a weight of its own for every pixel. A convolution has a few weights, the kernel, and lays them on
every place of the image, one after the other. At each place it multiplies what lies under the kernel with the kernel
and adds the products: one output for each place. So it finds the same thing wherever it is, with few weights.

    y[k, p, q] = bias[k] + sum over c, r, s of weight[k, c, r, s] * x[c, p * stride + r - pad, q * stride + s - pad]

This lesson computes it three times: with loops, as the formula says; as one product of matrices, as programs do it; and
by blobnet. All three give the same numbers, forward and backward.

    python examples/course/07_convolution.py
"""

import time

import numpy as np

import blobnet
from blobnet.proto.text import parse

NET = """
    force_backward: true
    layer {{ name: "data" type: "Input" top: "x" input_param {{ shape {{ dim: 1 dim: {channels} dim: 8 dim: 8 }} }} }}
    layer {{ name: "conv" type: "Convolution" bottom: "x" top: "y"
             convolution_param {{ num_output: {outputs} kernel_size: {size} stride: {stride} pad: {pad} }} }}
"""


def count_places(size, kernel, stride, pad):
    """At how many places along an axis of `size` numbers a kernel lies, with `pad` zeros at both ends."""
    return (size + 2 * pad - kernel) // stride + 1


def window(planes, p, q, size, stride):
    """The part (C, R, S) of the planes of one image that lies under the kernel at place p, q."""
    return planes[:, p * stride:p * stride + size, q * stride:q * stride + size]


def padded(x, pad):
    """A copy of the images x (N, C, H, W) with `pad` zeros on all four sides."""
    return np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))


def inner(x, pad):
    """The images without what `padded` put around them."""
    return x[:, :, pad:x.shape[2] - pad, pad:x.shape[3] - pad]


def forward_by_loops(x, weight, bias, stride, pad):
    """The formula: every image n, every output k, every place p, q."""
    size, planes = weight.shape[-1], padded(x, pad)
    rows, columns = (count_places(length, size, stride, pad) for length in x.shape[2:])
    y = np.empty((len(x), len(weight), rows, columns))
    for n, k, p, q in np.ndindex(y.shape):
        y[n, k, p, q] = bias[k] + (weight[k] * window(planes[n], p, q, size, stride)).sum()
    return y


def backward_by_loops(x, weight, dy, stride, pad):
    """dx, dweight and dbias: every dy goes back to all that its y was made of."""
    size, planes = weight.shape[-1], padded(x, pad)
    dplanes, dweight, dbias = np.zeros_like(planes), np.zeros_like(weight), np.zeros(len(weight))
    for n, k, p, q in np.ndindex(dy.shape):
        dweight[k] += dy[n, k, p, q] * window(planes[n], p, q, size, stride)  # a weight was multiplied with a number
        window(dplanes[n], p, q, size, stride)[...] += dy[n, k, p, q] * weight[k]  # and the number with the weight
        dbias[k] += dy[n, k, p, q]
    return inner(dplanes, pad), dweight, dbias


def windows(planes, size, stride):
    """For every place r, s in the kernel: the numbers (N, C, P, Q) that it meets at all p, q. Views, no copies."""
    ends = [length - size + 1 for length in planes.shape[2:]]
    return [planes[:, :, r:r + ends[0]:stride, s:s + ends[1]:stride] for r, s in np.ndindex(size, size)]


def im2col(x, size, stride, pad):
    """The columns (N, C R S, P Q): for every place p, q a column with all numbers under the kernel."""
    columns = np.stack(windows(padded(x, pad), size, stride), axis=2)
    return columns.reshape(len(x), x.shape[1] * size * size, -1)


def col2im(columns, shape, size, stride, pad):
    """The way back: images of `shape` in which every number is the sum of all its copies in the columns."""
    planes = padded(np.zeros(shape), pad)
    parts = windows(planes, size, stride)
    for part, values in zip(parts, columns.reshape(*shape[:2], size * size, -1).transpose(2, 0, 1, 3)):
        part += values.reshape(part.shape)
    return inner(planes, pad)


def forward_by_product(x, weight, bias, stride, pad):
    """All outputs at once: the weights as a matrix (K, C R S), times the columns."""
    size = weight.shape[-1]
    y = weight.reshape(len(weight), -1) @ im2col(x, size, stride, pad) + bias[:, None]
    return y.reshape(len(x), len(weight), *(count_places(length, size, stride, pad) for length in x.shape[2:]))


def backward_by_product(x, weight, dy, stride, pad):
    """dx, dweight and dbias by two more products."""
    size, dy = weight.shape[-1], dy.reshape(*dy.shape[:2], -1)
    columns, matrix = im2col(x, size, stride, pad), weight.reshape(len(weight), -1)
    dweight = (dy @ columns.transpose(0, 2, 1)).sum(axis=0)
    return col2im(matrix.T @ dy, x.shape, size, stride, pad), dweight.reshape(weight.shape), dy.sum(axis=(0, 2))


def build(weight, bias, stride, pad):
    """A net of one Convolution with these weights."""
    text = NET.format(channels=weight.shape[1], outputs=len(weight), size=weight.shape[-1], stride=stride, pad=pad)
    net = blobnet.Net(parse(text, "NetParameter"), dtype="float64")
    net.params["conv"][0].data[...], net.params["conv"][1].data[...] = weight, bias
    return net


def by_blobnet(x, weight, bias, dy, stride, pad):
    """y, dx, dweight and dbias of the net, if the loss has the derivatives dy with respect to y."""
    net = build(weight, bias, stride, pad)
    y = net.forward(x=x)["y"].copy()
    net.blobs["y"].diff[...] = dy
    net.backward()
    return y, net.blobs["x"].diff, *(blob.diff for blob in net.params["conv"])


def largest_difference(ours, theirs):
    """The largest difference of any two numbers in two lists of arrays."""
    return max(np.abs(a - b).max() for a, b in zip(ours, theirs, strict=True))


def milliseconds(function, *arguments):
    """How long a call takes, the best of three."""
    times = []
    for _ in range(3):
        start = time.perf_counter()
        function(*arguments)
        times.append(time.perf_counter() - start)
    return 1000 * min(times)


def main():
    np.set_printoptions(precision=4, suppress=True)
    print("1. A kernel that sees edges")
    # The image is dark on the left and bright on the right. The kernel subtracts the left neighbour from the right one,
    # so it gives 0 on a flat part and a large number on the edge, in every row the same.
    image = np.array([[0.0, 0, 0, 9, 9, 9]] * 4)
    kernel = np.array([[-1.0, 0, 1]] * 3)
    y = forward_by_loops(image[None, None], kernel[None, None], np.zeros(1), stride=1, pad=0)
    print(f"   image:\n{image}\n   kernel:\n{kernel}\n   output:\n{y[0, 0]}")
    under = window(image[None], 0, 1, 3, 1)[0]
    print(f"   place 0, 1: sum of\n{kernel}\n   times\n{under}\n   is {(kernel * under).sum()}")

    print("2. Padding and stride")
    # A kernel of 3 x 3 fits into 8 x 8 pixels only 6 x 6 times, so every layer would lose a border. Zeros around the
    # image, the padding, keep the size. With a stride of 2 the kernel takes every second place only. The division
    # rounds down: what is left at the end, less than a stride, is not looked at.
    for size, stride, pad in ((3, 1, 0), (3, 1, 1), (3, 2, 1), (5, 1, 2), (5, 3, 0)):
        net = build(np.zeros((1, 1, size, size)), np.zeros(1), stride, pad)
        print(f"   kernel {size}, stride {stride}, pad {pad}: (8 + 2 * {pad} - {size}) / {stride} + 1 = "
              f"{count_places(8, size, stride, pad)}, blobnet has {net.blobs['y'].shape[-1]}")

    print("3. The columns")
    # Write all that lies under the kernel at one place as a column, and the columns of all places side by side. Now the
    # kernel is a row, and row times column is the output of a place. Here an image of 3 x 3 under a kernel of 2 x 2:
    # the 5 in the middle lies in all four columns. On the way back every number gets the sum of its copies, and that is
    # what a gradient needs, as the 5 took part in four outputs.
    image = np.arange(1.0, 10).reshape(1, 1, 3, 3)
    columns = im2col(image, 2, 1, 0)
    print(f"   image:\n{image[0, 0]}\n   columns, one for each of the 4 places:\n{columns[0]}")
    back = col2im(columns, image.shape, 2, 1, 0)
    print(f"   and back again, the copies added:\n{back[0, 0]}")

    print("4. Forward, three times the same")
    # Four images of 3 channels, 5 filters of 3 x 3, stride 2 and padding 1.
    rng = np.random.default_rng(0)
    x, weight, bias = rng.normal(size=(4, 3, 9, 8)), rng.normal(size=(5, 3, 3, 3)), rng.normal(size=5)
    y = forward_by_loops(x, weight, bias, 2, 1)
    dy = rng.normal(size=y.shape)
    theirs = by_blobnet(x, weight, bias, dy, 2, 1)
    product = forward_by_product(x, weight, bias, 2, 1)
    print(f"   x {x.shape}, weight {weight.shape}, y {y.shape}")
    print(f"   largest difference from blobnet: loops {largest_difference([y], theirs[:1]):.1e}, "
          f"product {largest_difference([product], theirs[:1]):.1e}")

    print("5. Backward, three times the same")
    # A weight is used at every place, so its gradient is a sum over all places. A pixel lies under the kernel at
    # several places, so its gradient is a sum as well. In the columns both are products of matrices: dy times the
    # columns gives the weights, the weights times dy give the columns.
    loops, product = backward_by_loops(x, weight, dy, 2, 1), backward_by_product(x, weight, dy, 2, 1)
    for name, *three in zip(("dx", "dweight", "dbias"), loops, product, theirs[1:]):
        print(f"   {name:7} {str(three[2].shape):13} largest difference from blobnet: "
              f"loops {largest_difference(three[:1], three[2:]):.1e}, "
              f"product {largest_difference(three[1:2], three[2:]):.1e}")

    print("6. What columns cost and save")
    # The columns hold most pixels several times over. This is a waste of memory, and it pays: one large product is what
    # computers are best at.
    loop = milliseconds(forward_by_loops, x, weight, bias, 2, 1)
    fast = milliseconds(forward_by_product, x, weight, bias, 2, 1)
    print(f"   columns hold {im2col(x, 3, 2, 1).size} numbers, x holds {x.size}")
    print(f"   forward: loops {loop:.1f} ms, one product {fast:.2f} ms")

    print("7. Your turn")
    print("   Exercise: exercises/07_convolution.py, a convolution with blanks; `blobnet grade` looks at your answer.")
    print("   a. Which kernel of 3 x 3 gives back the image as it is? Which one moves it by one pixel to the left?")
    print("   b. A net has 8 x 8 pixels and 10 outputs. How many weights has an InnerProduct, how many a Convolution")
    print("      with 10 filters of 3 x 3? What does the Convolution not know that the InnerProduct knows?")
    print("   c. Set the stride to 3 with a kernel of 3 and no padding. How many columns does a pixel lie in now, and")
    print("      what does col2im then do with im2col's columns? Try it in section 3 with an image of 6 x 6.")


if __name__ == "__main__":
    main()
