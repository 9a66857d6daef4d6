"""Running means of gradients and of their squares, which solvers of Adam's kind remember."""

from __future__ import annotations

from blobnet.backend import Array, array_module


def follow(gradient: Array, beta1: float, beta2: float, mean: Array, square: Array, scratch: Array) -> None:
    """mean <- beta1 * mean + (1 - beta1) * gradient; square <- beta2 * square + (1 - beta2) * gradient^2."""
    xp = array_module(gradient)
    mean *= beta1
    xp.multiply(gradient, 1 - beta1, out=scratch)
    mean += scratch
    xp.multiply(gradient, gradient, out=scratch)
    scratch *= 1 - beta2
    square *= beta2
    square += scratch
