"""Rows of the twins in ops/cuda/linear.py."""

from twin_rows import call

from blobnet.ops.linear import Product


def products(*shapes, views=()):
    """A row of products of (M, K, N); `views` are what a, b and out become of the arrays that are made."""
    def row(kernel, xp, rng, dtype):
        made = []
        for i, (rows, inner, columns) in enumerate(shapes):
            arrays = [view(xp.asarray(rng.normal(size=shape).astype(dtype)), *shape)
                      for view, shape in zip(views or [whole] * 3, ((rows, inner), (inner, columns), (rows, columns)))]
            made.append(Product(*arrays, add=bool(i % 2)))
        kernel(*made)
        return [product.out for product in made]
    return row


def whole(array, rows, columns):
    return array


def turned(array, rows, columns):
    return array.reshape(columns, rows).T


def rows_apart(array, rows, columns):
    return array.repeat(2, axis=0).reshape(rows, 2 * columns)[:, :columns]


def columns_apart(array, rows, columns):
    return array.reshape(columns, rows).repeat(2, axis=0).reshape(columns, 2 * rows)[:, :rows].T


def nothing_side_by_side(array, rows, columns):
    return array.repeat(2, axis=1).reshape(rows, columns, 2)[..., 0]


def backwards(array, rows, columns):
    return array[::-1]


SIZES = (3, 4, 5), (6, 1, 2), (1, 7, 3), (4, 2, 1), (1, 3, 1), (2, 0, 3), (0, 3, 2), (1, 0, 1)
ALONG = {  # shapes (outer, count, inner) that blocks of threads read in all their ways
    "rows": (3, 5, 40), "one number": (300, 2, 1), "long": (2, 3, 700), "one row": (1, 2, 9), "two": (7, 3, 2),
    "none": (0, 4, 3), "empty": (2, 4, 0)}


def shaped(*counts):
    """Plain arguments for every shape: of (outer, count, inner), or (count), or None."""
    return [call(lambda rng, shape=shape: [kind if kind is None else rng.normal(size=kind(shape)) for kind in counts])
            for shape in ALONG.values()]


def full(shape):
    return shape


def count(shape):
    return shape[1]


ROWS = {
    "matrix_product": [*(call(lambda rng, m=m, k=k, n=n: (rng.normal(size=(m, k)), rng.normal(size=(k, n))))
                         for m, k, n in SIZES), call(lambda rng: (rng.normal(size=(4, 3)), rng.normal(size=3))),
                       call(lambda rng: (rng.normal(size=(4, 3)).astype("float32"), rng.normal(size=(3, 2)))),
                       call(lambda rng: (rng.integers(0, 9, (4, 3)), rng.integers(0, 9, (3, 2))))],
    "multiply": [products(*SIZES)] + [
        products(*SIZES, views=views) for views in (
            (turned, turned, whole), (whole, turned, turned), (turned, whole, turned),
            (rows_apart, columns_apart, whole), (columns_apart, rows_apart, rows_apart), (whole, whole, columns_apart),
            (nothing_side_by_side, backwards, whole), (backwards, nothing_side_by_side, turned))],
    "scale_shift": shaped(full, count, count, full) + shaped(full, None, count, full) + shaped(full, count, None, full),
    "channel_sums": shaped(full) + shaped(full, full),
    "sums": shaped(full) + shaped(full, full),
    "add_sums": shaped(full, None, count) + shaped(full, full, count),
    "add_rows": [call(lambda rng, shape=shape: (rng.normal(size=shape), rng.normal(size=shape[1])))
                 for shape in ((4, 3), (1, 2), (300, 5), (0, 2))],
}


def in_place(kernel, xp, rng, dtype):
    x = xp.asarray(rng.normal(size=(2, 3, 4)).astype(dtype))
    kernel(x, *(xp.asarray(rng.normal(size=3).astype(dtype)) for _ in range(2)), x)
    return [x]


ROWS["scale_shift"].append(in_place)
