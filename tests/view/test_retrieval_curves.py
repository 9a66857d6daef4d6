import io

import numpy as np
import pytest
from PIL import Image

from blobnet.errors import ShapeError
from blobnet.view.curves import Retrieval, plot_retrieval_curves

BLUE, RED = (0x00, 0x72, 0xB2), (0xD5, 0x5E, 0x00)
LINE = np.linspace(0, 1, 200)


def result(name, method, bits, score=0.5, ranks=200):
    return Retrieval(name, method, bits, score, LINE, 1 - LINE, 1 - LINE[:ranks] * score)


def pixels(path, colour):
    """How many pixels of each third of the picture have this colour."""
    picture = np.asarray(Image.open(io.BytesIO(path.read_bytes())).convert("RGB"))
    return [int((part == colour).all(axis=2).sum()) for part in np.array_split(picture, 3, axis=1)]


def test_each_method_has_its_colour_in_every_panel(tmp_path):
    plot_retrieval_curves([result("a", "A", 12), result("b", "B", 24, 0.7)], tmp_path / "two.png")
    assert min(pixels(tmp_path / "two.png", BLUE) + pixels(tmp_path / "two.png", RED)) > 30


def test_results_of_one_method_are_one_line_over_the_bits(tmp_path):
    for method in "AB":
        plot_retrieval_curves([result("48", "A", 48, 0.9), result("12", method, 12, 0.2)], tmp_path / f"{method}.png")
    joined, apart = (pixels(tmp_path / f"{method}.png", BLUE)[2] for method in "AB")
    assert joined > 2 * apart and pixels(tmp_path / "A.png", RED) == [0, 0, 0]


def test_only_the_first_ranks_are_drawn(tmp_path):
    for ranks in (50, 200):
        plot_retrieval_curves([result("a", "A", 12, ranks=ranks)], tmp_path / f"{ranks}.png", ranks=50)
    assert pixels(tmp_path / "50.png", BLUE) == pixels(tmp_path / "200.png", BLUE)


def test_curves_that_do_not_pair_up_are_refused(tmp_path):
    with pytest.raises(ShapeError, match=r"curve 'a'.*\(200,\) and \(3,\)"):
        plot_retrieval_curves([result("a", "A", 12)._replace(precision=np.ones(3))], tmp_path / "curve.png")
