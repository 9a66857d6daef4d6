"""caffe.Classifier and caffe.Detector, on nets whose answers are means of what they see."""

import numpy as np
import pytest
from PIL import Image

from blobnet.errors import BlobnetError
from blobnet.pycaffe.classifier import Classifier
from blobnet.pycaffe.detector import Detector
from blobnet.pycaffe.net import Net

# prob holds the mean of each channel over the whole input of 4 x 4.
NET = """
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: [2, 3, 4, 4] } } }
layer { name: "prob" type: "Pooling" bottom: "data" top: "prob" pooling_param { pool: AVE global_pooling: true } }
"""


@pytest.fixture
def files(tmp_path):
    (tmp_path / "net.prototxt").write_text(NET)
    Net(str(tmp_path / "net.prototxt"), 1).save(str(tmp_path / "net.caffemodel"))
    return str(tmp_path / "net.prototxt"), str(tmp_path / "net.caffemodel")


@pytest.mark.parametrize("oversample", [True, False])
def test_means_of_channels(files, oversample):
    net = Classifier(*files, raw_scale=10, mean=np.array([1.0, 2, 3]), channel_swap=(2, 1, 0), input_scale=2)
    image = np.full((7, 5, 3), (0.1, 0.2, 0.3))
    found = net.predict([image] * 5, oversample=oversample).reshape(5, 3)  # more than a batch
    np.testing.assert_allclose(found, np.tile([(3 - 1) * 2, 0, (1 - 3) * 2], (5, 1)), atol=1e-5)


def test_crops(files):
    net = Classifier(*files, image_dims=(6, 6))
    image = np.zeros((6, 6, 3))
    image[1:5, 1:5] = 1   # what the central crop sees
    assert net.predict([image], oversample=False).ravel().tolist() == [1, 1, 1]
    # a corner sees 9 of the 16, and eight of ten crops are corners
    np.testing.assert_allclose(net.predict([image])[0], (8 * 9 / 16 + 2) / 10, rtol=1e-6)
    with pytest.raises(BlobnetError, match="at least one image"):
        net.predict([])


@pytest.mark.parametrize("oversample", [True, False])
def test_images_smaller_than_the_crop(files, oversample):
    with pytest.raises(ValueError, match="expected crops within the image of 3 x 9, got .4, 4."):
        Classifier(*files, image_dims=[3, 9]).predict([np.zeros((6, 6, 3))], oversample)
    assert list(Classifier(*files, image_dims=[]).image_dims) == [4, 4]


@pytest.fixture
def picture(tmp_path):
    """40 x 40, black but for a white square at rows 10 to 20, columns 12 to 24."""
    pixels = np.zeros((40, 40, 3), np.uint8)
    pixels[10:20, 12:24] = 255
    Image.fromarray(pixels).save(tmp_path / "a.png")
    return str(tmp_path / "a.png")


def test_windows(files, picture):
    windows = [(12, 14, 18, 22), (22, 0, 40, 40), (5, 12, 15, 24)]
    found = Detector(*files).detect_windows(iter([(picture, windows)]))
    assert [item["window"] for item in found] == windows and {item["filename"] for item in found} == {picture}
    assert [round(float(item["prediction"].ravel()[0]), 6) for item in found] == [1, 0, 0.5]


def test_context_shows_what_is_around_and_the_mean_outside(files, picture):
    net = Detector(*files, context_pad=1, mean=np.array([50.0, 60, 70]), raw_scale=100, channel_swap=(2, 1, 0))
    white = np.ones((40, 40, 3), np.float32)
    inside = net.crop(white, np.array([15, 15, 25, 25]))
    assert inside.shape == (4, 4, 3) and np.all(inside == 1)
    corner = net.crop(white, np.array([0, 0, 10, 10]))
    np.testing.assert_allclose(corner[0, 0], [0.7, 0.6, 0.5], rtol=1e-6)  # the mean, in the order and scale of images
    assert np.all(corner[1:, 1:] == 1)
    wide = net.crop(white * 0.5, (0, 0, 40, 40))
    assert np.all(wide[1:3, 1:3] == 0.5) and np.allclose(wide[0, :, 0], 0.7)


def test_a_window_outside(files):
    with pytest.raises(BlobnetError, match="a window in the image of 4 x 5"):
        Detector(*files).crop(np.zeros((4, 5, 3)), (10, 10, 12, 12))


@pytest.mark.parametrize("window", [(1, 2, 3), (1, 2, 3, 4, 5), 3, "abcd", None, [(1, 2, 3, 4)] * 4])
def test_a_window_of_other_than_four_numbers(files, window):
    with pytest.raises(BlobnetError, match=r"expected a window of four numbers \(ymin, xmin, ymax, xmax\), got"):
        Detector(*files).crop(np.zeros((4, 5, 3)), window)


@pytest.mark.parametrize("pad", [2, 5, -1])
def test_a_context_that_leaves_nothing(files, pad):
    with pytest.raises(BlobnetError, match=f"a context_pad below half of the net's side of 4, got {pad}"):
        Detector(*files, context_pad=pad)


def test_settings_of_none(files):
    net = Detector(*files)
    for setting in (net.transformer.mean, net.transformer.raw_scale, net.transformer.channel_swap):
        setting["data"] = None
    net.configure_crop(1)
    assert (net.crop_mean == 0).all()
    net.transformer.set_mean("data", np.ones((1, 4, 4)))
    net.configure_crop(1)
    assert (net.crop_mean == 1).all()


def test_selective_search_is_named_if_it_is_missing(files, picture):
    with pytest.raises(BlobnetError, match="selective_search_ijcv_with_python"):
        Detector(*files).detect_selective_search([picture])
