"""Edge maps after Canny."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blobnet.data.sets.canny import edge_map


def square(inside=0, outside=255):
    image = np.full((64, 64), outside, np.uint8)
    image[20:44, 20:44] = inside
    return image


def test_the_outline_of_a_square_is_drawn_where_it_is_and_nothing_else():
    edges = edge_map(square())
    dark = edges < 64
    middle = dark[30:34]  # rows that cross the left and the right side
    assert (middle.sum(1) == 2).all()  # lines of one pixel
    assert {tuple(np.flatnonzero(row)) for row in middle} <= {(a, b) for a in (19, 20) for b in (43, 44)}
    assert (edges[:, 30:34] < 64).sum(0).tolist() == [2] * 4
    assert (edges[26:38, 26:38] == 255).all() and (edges[:12] == 255).all()


@pytest.mark.parametrize("turn", [1, 2, 3])
def test_a_turned_image_has_turned_edges(turn):
    image = np.full((64, 64), 200, np.uint8)
    image[10:40, 30:50] = 90
    first, second = edge_map(image) < 128, np.rot90(edge_map(np.rot90(image, turn)) < 128, -turn)
    near = np.pad(first, 1)
    near = near[:-2, 1:-1] | near[2:, 1:-1] | near[1:-1, :-2] | near[1:-1, 2:] | first
    assert second.sum() > 80 and near[second].all()  # a line may be on either side of the step


def test_faint_edges_are_pale_and_steep_ones_black():
    image = square()
    image[28:36, 28:36] = 40  # a small step within the large one
    edges = edge_map(image)
    assert edges[15:25, 32].min() < 10 and 150 < edges[26:31, 32].min() < 250


@given(st.integers(0, 255))
def test_nothing_is_drawn_where_there_is_nothing(value):
    assert (edge_map(np.full((16, 20), value, np.uint8)) == 255).all()


def test_noise_stays_pale():
    assert edge_map(np.random.default_rng(0).integers(120, 124, (64, 64)).astype(np.uint8)).min() > 150


@pytest.mark.parametrize("up", [True, False])
def test_the_last_bits_of_a_processors_functions_play_no_part(monkeypatch, up):
    rng = np.random.default_rng(2)
    images = [square(), np.kron(rng.integers(0, 256, (16, 16)), np.ones((4, 4))).astype(np.uint8),
              rng.integers(0, 256, (64, 64)).astype(np.uint8),
              np.add.outer(np.arange(64), np.arange(64)).astype(np.uint8)]
    wanted = [edge_map(image) for image in images]
    for name in ("arctan2", "arctan", "hypot", "exp", "sin", "cos", "tan"):
        exact = getattr(np, name)
        monkeypatch.setattr(np, name, lambda *args, exact=exact: np.nextafter(exact(*args), np.inf if up else -np.inf))
    for image, edges in zip(images, wanted):
        assert np.array_equal(edge_map(image), edges)
