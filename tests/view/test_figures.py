import io
import sys

import numpy as np
import pytest
from PIL import Image

from blobnet.errors import BlobnetError, DataError, ShapeError
from blobnet.view.boxes import plot_boxes
from blobnet.view.curves import plot_loss, plot_precision_recall, plot_rates
from blobnet.view.grid import plot_retrieval
from blobnet.view.masks import plot_masks

GREEN, RED, BLUE = (0x00, 0x9E, 0x73), (0xD5, 0x5E, 0x00), (0x00, 0x72, 0xB2)


def read(path) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(path.read_bytes())).convert("RGB"))


def pixels(path, colour) -> int:
    """How many pixels of the picture have this colour."""
    return int((read(path) == colour).all(axis=2).sum())


def images(*shape) -> np.ndarray:
    return np.full(shape, 7, np.uint8)


def test_a_loss_curve_is_drawn(tmp_path):
    plot_loss([0, 100, 200], [3.0, 2.0, 1.5], tmp_path / "loss.png")
    assert pixels(tmp_path / "loss.png", BLUE) > 300


@pytest.mark.parametrize("suggestion, lines", [(1e-3, True), (None, False)])
def test_rates(tmp_path, suggestion, lines):
    rates = np.geomspace(1e-5, 1, 30)
    plot_rates(rates, np.cos(rates), np.sin(rates), suggestion, tmp_path / "rates.png")
    assert pixels(tmp_path / "rates.png", BLUE) > 300
    assert (pixels(tmp_path / "rates.png", RED) > 100) == lines


def test_every_curve_has_its_colour(tmp_path):
    line = np.linspace(0, 1, 30)
    plot_precision_recall({"12 bits": (line, 1 - line), "48 bits": (line, 1 - line**2)}, tmp_path / "pr.png")
    assert pixels(tmp_path / "pr.png", BLUE) > 300 and pixels(tmp_path / "pr.png", RED) > 300


def test_a_long_name_does_not_squeeze_the_curve(tmp_path):
    plot_precision_recall({"a name " * 40: ([0, 1], [1, 0])}, tmp_path / "pr.png")
    assert pixels(tmp_path / "pr.png", BLUE) > 300


@pytest.mark.parametrize("shape", [(8, 9), (1, 8, 9), (3, 8, 9), (8, 9, 1), (8, 9, 3)])
def test_frames_say_which_results_are_relevant(tmp_path, shape):
    draw = tmp_path / "grid.png"
    counts = []
    for hits in ([[True, True], [True, True]], [[True, False], [False, False]]):
        plot_retrieval(images(2, *shape), images(2, 2, *shape), hits, draw)
        counts.append((pixels(draw, GREEN), pixels(draw, RED)))
    (all_green, no_red), (green, red) = counts
    assert no_red == 0 and red > 100 and green == pytest.approx(all_green / 4, rel=0.05)


def test_only_ten_results_are_drawn(tmp_path):
    sizes = []
    for count in (9, 10, 14):
        plot_retrieval(images(1, 4, 4), images(1, count, 4, 4), np.ones((1, count)), tmp_path / "grid.png")
        sizes.append(read(tmp_path / "grid.png").shape[1])
    assert sizes[0] < sizes[1] == sizes[2]


def test_colours_of_images_are_kept_in_both_layouts(tmp_path):
    red_image = np.zeros((1, 3, 6, 6), np.uint8)
    red_image[:, 0] = 200
    for layout in (red_image, red_image.transpose(0, 2, 3, 1)):
        plot_retrieval(layout, layout[:, None], [[True]], tmp_path / "grid.png")
        assert pixels(tmp_path / "grid.png", (200, 0, 0)) > 8000


def test_boxes_have_the_colours_of_their_classes_where_they_are(tmp_path):
    found = np.array([[1, 1, 0.9, 0, 0, 0.5, 1], [0, 2, 0.8, 0.2, 0.2, 0.7, 0.7], [5, 1, 0.9, 0, 0, 1, 1]])
    plot_boxes(images(2, 10, 20, 3), np.zeros((0, 6)), found, ["disc", "square"], tmp_path / "boxes.png")
    shown = read(tmp_path / "boxes.png")
    first, second = ((shown == colour).all(axis=2) for colour in (RED, GREEN))  # of class 1 and of class 2
    assert first.sum() > 500 and second.sum() > 500
    assert first.nonzero()[1].min() > second.nonzero()[1].max()  # class 1 is in the second image
    plot_boxes(images(2, 10, 20, 3), found[:, [0, 1, 3, 4, 5, 6]], found[:0], [], tmp_path / "boxes.png")
    assert pixels(tmp_path / "boxes.png", RED) == pixels(tmp_path / "boxes.png", GREEN) == 0


def test_masks_have_the_colours_of_their_classes(tmp_path):
    truth = np.repeat([0, 1, 2, 255], 8).reshape(1, 4, 8)
    counts = []
    for found in (truth, np.zeros_like(truth)):
        plot_masks(images(1, 4, 8, 3), truth, found, ["ground", "disc", "square"], tmp_path / "masks.png")
        counts.append([pixels(tmp_path / "masks.png", colour) for colour in ((0, 0, 0), BLUE, RED)])
    (ground, disc, square), (more, half, other) = counts
    assert min(ground, disc, square) > 500 and more > 2 * ground
    assert half == pytest.approx(disc / 2, rel=0.2) and other == pytest.approx(square / 2, rel=0.2)


@pytest.mark.parametrize("suffix, start", [
    (".png", b"\x89PNG"), (".pdf", b"%PDF"), (".svg", b"<?xml"), ("", b"\x89PNG")])
def test_the_suffix_names_the_format(tmp_path, suffix, start):
    plot_loss([1, 2], [1, 2], tmp_path / f"loss{suffix}")
    assert (tmp_path / f"loss{suffix}").read_bytes().startswith(start)


@pytest.mark.parametrize("call, error, words", [
    (lambda to: plot_loss([1, 2], [1], to), ShapeError, r"iterations \(n,\).*\(2,\) and \(1,\)"),
    (lambda to: plot_rates([1, 2], [1, 2], [1], None, to), ShapeError, r"smoothed \(n,\).*\(2,\) and \(1,\)"),
    (lambda to: plot_precision_recall({"12 bits": ([1, 2], [[1, 2]])}, to), ShapeError, "curve '12 bits'"),
    (lambda to: plot_retrieval(images(2, 4, 4), images(2, 3, 4, 5), np.ones((2, 3)), to), ShapeError, "like images"),
    (lambda to: plot_retrieval(images(2, 4, 4), images(2, 3, 4, 4), np.ones((2, 2)), to), ShapeError, "like images"),
    (lambda to: plot_retrieval(images(0, 4, 4), images(0, 3, 4, 4), np.ones((0, 3)), to), ShapeError, "like images"),
    (lambda to: plot_retrieval(images(1, 2, 4, 4), images(1, 1, 2, 4, 4), [[1]], to), ShapeError, "C = 1 or 3"),
    (lambda to: plot_retrieval(images(1, 4, 4) / 2, images(1, 1, 4, 4), [[1]], to), DataError, "uint8"),
    (lambda to: plot_boxes(images(1, 4, 4, 3), np.ones((1, 5)), np.ones((1, 7)), [], to), ShapeError, "truth .G, 6"),
    (lambda to: plot_masks(images(1, 4, 4, 3), images(1, 4, 4), images(1, 4, 5), [], to), ShapeError, "and found"),
    (lambda to: plot_loss([1], [1], to.with_suffix(".xyz")), BlobnetError, "png.*got 'xyz'"),
])
def test_errors_say_what_was_expected_and_leave_no_file(tmp_path, call, error, words):
    with pytest.raises(error, match=words):
        call(tmp_path / "picture.png")
    assert list(tmp_path.iterdir()) == []


def test_without_matplotlib_the_error_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(BlobnetError, match=r"pip install 'blobnet\[view\]'"):
        plot_loss([1], [1], tmp_path / "loss.png")


def test_drawing_leaves_pyplot_alone(tmp_path):
    plot_loss([1], [1], tmp_path / "loss.png")
    assert "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()
    assert read(tmp_path / "loss.png").shape == (480, 768, 3)
