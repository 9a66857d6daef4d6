"""Pooling: one number for each window, and the question who gets the gradient.

Pooling makes planes smaller. It lays windows over a plane and keeps one number of each: the largest one (MAX), or the
average (AVE). It has no weights, so there is nothing to learn here; but on the way back the gradient of the one number
must be given to those that made it, and this is what the lesson is about.

    python examples/course/08_pooling.py
"""

import numpy as np

import blobnet
from blobnet.proto.text import parse

NET = """
    force_backward: true
    layer {{ name: "data" type: "Input" top: "x" input_param {{ shape {{ dim: 1 dim: 1 dim: 4 dim: 4 }} }} }}
    layer {{ name: "pool" type: "Pooling" bottom: "x" top: "y" pooling_param {{ {options} }} }}
"""


def places(plane, kernel, stride):
    """How many windows lie along both axes of a plane: as many as it takes to reach the end, so rounded up."""
    return tuple(-(-(size - kernel) // stride) + 1 for size in plane.shape)  # -(-a // b) rounds up


def window(plane, p, q, kernel, stride):
    """The part of a plane under the window p, q: a view, so what is added to it is added to the plane."""
    return plane[p * stride:p * stride + kernel, q * stride:q * stride + kernel]


def pool(plane, kernel, stride, method):
    """The maxima or the averages of all windows; `method` is np.max or np.mean."""
    y = np.empty(places(plane, kernel, stride))
    for p, q in np.ndindex(y.shape):
        y[p, q] = method(window(plane, p, q, kernel, stride))
    return y


def max_backward(plane, dy, kernel, stride):
    """dx of MAX: each window gives its whole dy to its largest number, of equal ones to the first."""
    dx = np.zeros_like(plane)
    for p, q in np.ndindex(dy.shape):
        values = window(plane, p, q, kernel, stride)
        winner = np.unravel_index(values.argmax(), values.shape)
        window(dx, p, q, kernel, stride)[winner] += dy[p, q]
    return dx


def average_backward(plane, dy, kernel, stride):
    """dx of AVE: each window shares its dy among all its numbers alike."""
    dx = np.zeros_like(plane)
    for p, q in np.ndindex(dy.shape):
        part = window(dx, p, q, kernel, stride)
        part += dy[p, q] / part.size
    return dx


def by_blobnet(plane, options, dy=None):
    """y, and dx for the gradient dy of y (by default 1, 2, 3, …)."""
    net = blobnet.Net(parse(NET.format(options=options), "NetParameter"), dtype="float64")
    y = net.forward(x=plane[None, None])["y"]
    net.blobs["y"].diff[...] = counted(y.shape) if dy is None else dy
    net.backward()
    return y[0, 0], net.blobs["x"].diff[0, 0]


def counted(shape):
    """An array of 1, 2, 3, …: gradients that one can tell apart."""
    return np.arange(1.0, np.prod(shape) + 1).reshape(shape)


def same(ours, theirs):
    """Whether two arrays agree, but for rounding."""
    return "yes" if np.allclose(ours, theirs, atol=1e-12) else "no"


def main():
    np.set_printoptions(precision=4, suppress=True)
    plane = np.array([[1.0, 5, 2, 0], [3, 4, 8, 1], [0, 2, 6, 6], [7, 1, 3, 2]])

    print("1. The largest number, and the average")
    # Windows of 2 x 2 with a stride of 2 lie side by side, and the plane becomes half as high and wide.
    largest, average = pool(plane, 2, 2, np.max), pool(plane, 2, 2, np.mean)
    print(f"   x:\n{plane}\n   MAX:\n{largest}\n   AVE:\n{average}")
    maximum, mean = (by_blobnet(plane, f"pool: {kind} kernel_size: 2 stride: 2") for kind in ("MAX", "AVE"))
    print(f"   as blobnet's: MAX {same(largest, maximum[0])}, AVE {same(average, mean[0])}")

    print("2. Who gets the gradient")
    # Move one number a little: which output moves? For MAX only the largest number of a window moves its output, and it
    # moves it by as much as it moves itself. The others could be anything smaller. So the largest gets all, the others
    # get nothing. For AVE each of the 4 numbers moves the output by a quarter, so each gets a quarter. The gradients of
    # the outputs are 1, 2, 3, 4 here, so that one sees where they went.
    dy = counted((2, 2))
    print(f"   dy:\n{dy}\n   dx of MAX:\n{maximum[1]}\n   dx of AVE:\n{mean[1]}")
    print(f"   as our loops: MAX {same(maximum[1], max_backward(plane, dy, 2, 2))}, "
          f"AVE {same(mean[1], average_backward(plane, dy, 2, 2))}")
    print(f"   both give back what they got: {maximum[1].sum():g} and {mean[1].sum():g} of {dy.sum():g}")

    print("3. Ties")
    # The lower right window holds 6 twice. Raise one of them and the output rises; lower it and the output stays, as
    # the other one is still there. So there is no derivative here, only a slope to each side. Caffe gives all to the
    # first in reading order, and so does blobnet. Planes after a ReLU are full of equal numbers, zeros: there it
    # matters.
    tied = np.array([[2.0, 6], [6, 1]])
    step = 1e-3
    for place in ((0, 1), (1, 0)):
        move = np.zeros_like(tied)
        move[place] = step
        up, down = pool(tied + move, 2, 2, np.max) - 6, 6 - pool(tied - move, 2, 2, np.max)
        print(f"   slope for the 6 at {place}: upwards {up.item() / step:.0f}, downwards {down.item() / step:.0f}")
    print(f"   blobnet's dx of the window, dy = 1:\n{by_blobnet(tied, 'kernel_size: 2 stride: 2')[1]}")
    print(f"   and of a window of zeros:\n{by_blobnet(0 * tied, 'kernel_size: 2 stride: 2')[1]}")

    print("4. Windows that overlap")
    # With a kernel of 2 and a stride of 1 the windows share numbers. One large number can win in several of them, and
    # then it gets several gradients. They add up: the number moves several outputs, and the loss through each of them.
    y, dx = by_blobnet(plane, "kernel_size: 2 stride: 1")
    dy = counted(y.shape)
    print(f"   MAX:\n{y}\n   dy:\n{dy}\n   dx:\n{dx}")
    print(f"   the 8 is the largest of {(y == 8).sum()} windows and gets "
          f"{' + '.join(f'{value:g}' for value in dy[y == 8])} = {dx[1, 2]:g}")
    print(f"   as our loops: {same(dx, max_backward(plane, dy, 2, 1))}")

    print("5. The windows at the edge")
    # A kernel of 3 with a stride of 2 on 4 numbers: the second window stands over the end. Caffe rounds the number of
    # windows up, and what lies outside does not count; a convolution rounds down. Who computes sizes by the wrong rule
    # has a net of other shapes. The corner window of AVE holds 4 numbers, and is divided by 4.
    y, dx = by_blobnet(plane, "pool: AVE kernel_size: 3 stride: 2")
    print(f"   AVE:\n{y}\n   dx:\n{dx}\n   as our loops: {same(dx, average_backward(plane, counted((2, 2)), 3, 2))}")
    floor, _ = by_blobnet(plane, "pool: AVE kernel_size: 3 stride: 2 round_mode: FLOOR")
    print(f"   round_mode: FLOOR leaves {floor.size} window: {floor}")

    print("6. Your turn")
    print("   Exercise: exercises/08_pooling.py, MAX with blanks; `blobnet grade` looks at your answer.")
    print("   a. A window may also be as large as the plane (global_pooling: true). How many numbers get a gradient")
    print("      with MAX, how many with AVE?")
    print("   b. Add 10 to every number of x in section 2. Which of y and dx change, for MAX and for AVE?")
    print("   c. What would go wrong in section 4 if `max_backward` wrote = in the place of +=?")


if __name__ == "__main__":
    main()
