"""Layers of deep hashing that are no losses."""

from __future__ import annotations

from typing import Any

from blobnet.exchange.onnx.part import Part
from blobnet.exchange.onnx.registry import exports, leaves_out

leaves_out("HashCenter", why="it makes codes from labels, for a loss")


@exports("BlockSoftmax")
def block_softmax(layer: Any, part: Part, x: str) -> str:
    y = part.add("Softmax", part.reshape(x, layer.grouped[:2]), axis=1)
    return part.reshape(y, part.top_shapes[0])


@exports("CrossEntropySimilarity")
def cross_entropy_similarity(layer: Any, part: Part, a: str, b: str) -> str:
    a, b = rows(part, a, b)
    return summed(part, part.add("Sub", part.add("Mul", part.add("Sigmoid", a), b), part.add("Softplus", b)))


@exports("DotProductSimilarity")
def dot_product_similarity(layer: Any, part: Part, a: str, b: str) -> str:
    a, b = rows(part, a, b)
    return summed(part, part.add("Mul", a, b))


@exports("EuclideanSimilarity")
def euclidean_similarity(layer: Any, part: Part, a: str, b: str) -> str:
    a, b = rows(part, a, b)
    difference = part.add("Sub", a, b)
    return summed(part, part.add("Mul", part.add("Mul", difference, difference), -0.5))


def rows(part: Part, *bottoms: str) -> list[str]:
    """The bottoms as (N, elements a row)."""
    return [x if len(shape) == 2 else part.add("Flatten", x, axis=1) for x, shape in zip(bottoms, part.bottom_shapes)]


def summed(part: Part, x: str) -> str:
    """The sums of the rows, as (N, 1, 1, 1)."""
    return part.add("Unsqueeze", part.total(x, [1]), [2, 3])
