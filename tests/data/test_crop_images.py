"""Images resized and cropped to squares: `blobnet resize_and_crop_images`."""

import io

import numpy as np
import pytest
from PIL import Image

from blobnet.cli import main
from blobnet.data.images import crop as module
from blobnet.data.images.crop import crop_images, crop_opencv, crop_pil
from blobnet.data.images.lists import images_below, images_listed
from blobnet.errors import DataError


def save(path, pixels, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)
    return path


def ramps(height, width):
    """Red grows to the right, green downwards, by one a pixel."""
    down, right = np.mgrid[:height, :width]
    return np.stack([right, down, np.full_like(right, 9)], axis=2).astype(np.uint8)


def read(path):
    return np.asarray(Image.open(io.BytesIO(path.read_bytes())))


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / "images"
    save(folder / "cat" / "one.png", ramps(20, 40))
    save(folder / "cat" / "two cats.png", ramps(40, 20))
    save(folder / "dog" / "three.JPEG", ramps(30, 30))
    save(folder / "four.png", ramps(16, 16)[..., 0])
    (folder / "notes.txt").write_text("no image")
    return folder


@pytest.mark.parametrize("height, width, side, left, top", [
    (20, 40, 20, 10, 0), (40, 20, 20, 0, 10), (20, 20, 20, 0, 0),
    (20, 41, 20, 10, 0), (20, 43, 20, 11, 0), (27, 20, 20, 0, 3),  # an odd rest is cut at the end
])
def test_the_middle_is_kept(tmp_path, height, width, side, left, top):
    crop_opencv(save(tmp_path / "a.png", ramps(height, width)), tmp_path / "b.png", side)
    np.testing.assert_array_equal(read(tmp_path / "b.png"), ramps(60, 60)[top:top + side, left:left + side])


@pytest.mark.parametrize("height, width", [(20, 40), (50, 30), (33, 100), (7, 9)])
def test_opencv_agrees(tmp_path, height, width):
    cv2 = pytest.importorskip("cv2")
    pixels = np.random.default_rng(height).integers(0, 256, (height, width, 3), np.uint8)
    crop_opencv(save(tmp_path / "a.png", pixels), tmp_path / "b.png", 16)
    size = (16, 16 * height // width) if height > width else (16 * width // height, 16)
    resized = cv2.resize(pixels, size)
    top, left = (resized.shape[0] - 16) // 2, (resized.shape[1] - 16) // 2
    np.testing.assert_array_equal(read(tmp_path / "b.png"), resized[top:top + 16, left:left + 16])


def test_gray_images_become_colour_ones(tmp_path):
    crop_opencv(save(tmp_path / "a.png", ramps(8, 8)[..., 0]), tmp_path / "b.png", 8)
    assert read(tmp_path / "b.png").shape == (8, 8, 3)


def test_pillow_smoothes(tmp_path):
    """A fine chequerboard becomes gray with Pillow; OpenCV's four pixels pick out single squares."""
    squares = np.broadcast_to((np.indices((96, 96)).sum(axis=0) % 2 * 255).astype(np.uint8)[..., None], (96, 96, 3))
    path = save(tmp_path / "a.png", np.ascontiguousarray(squares))
    crop_pil(path, tmp_path / "pil.png", 60)
    crop_opencv(path, tmp_path / "opencv.png", 60)
    assert read(tmp_path / "pil.png").std() < 20 < 40 < read(tmp_path / "opencv.png").std()
    assert (tmp_path / "pil.png").read_bytes().startswith(b"\xff\xd8")  # a JPEG all the same


@pytest.mark.parametrize("shape, side, expected", [
    ((40, 40), 16, (16, 16)), ((400, 300), 16, (16, 16)), ((10, 12), 16, (10, 10)), ((5, 5), 16, (5, 5)),
    ((500, 1000), 256, (250, 250))])
def test_pillow_makes_nothing_larger(tmp_path, shape, side, expected):
    crop_pil(save(tmp_path / "a.png", ramps(*shape)), tmp_path / "b.jpg", side)
    assert read(tmp_path / "b.jpg").shape[:2] == expected


def test_pillow_takes_the_middle(tmp_path):
    pixels = np.zeros((40, 120, 3), np.uint8)
    pixels[:, 40:80, 1] = 200
    crop_pil(save(tmp_path / "a.png", pixels), tmp_path / "b.jpg", 20)
    assert read(tmp_path / "b.jpg")[..., 1].min() > 150


@pytest.mark.parametrize("mode", ["P", "1", "L", "LA", "RGBA"])
def test_pillow_writes_all_modes(tmp_path, mode):
    Image.new(mode, (9, 9)).save(tmp_path / "a.png")
    crop_pil(tmp_path / "a.png", tmp_path / "b.jpg", 4)
    assert read(tmp_path / "b.jpg").shape[:2] == (4, 4)


def test_images_below(images):
    assert images_below(images) == ["cat/one.png", "cat/two cats.png", "dog/three.JPEG", "four.png"]


@pytest.mark.parametrize("text, expected", [
    ("cat/one.png\nfour.png\n", ["cat/one.png", "four.png"]),
    ("cat/one.png 3\n\nfour.png 4 5", ["cat/one.png", "four.png"]),
    ("cat/two cats.png\ncat/two cats.png 7\r\n", ["cat/two cats.png"] * 2),
    ("./cat/../four.png", ["four.png"]),
    ("{folder}/cat/one.png 1\n", ["cat/one.png"]),
    ("missing one.png", ["missing"]),
])
def test_lists(images, tmp_path, text, expected):
    (tmp_path / "list.txt").write_text(text.format(folder=images))
    assert images_listed(tmp_path / "list.txt", images) == expected


@pytest.mark.parametrize("threads", [1, 3])
def test_results_come_in_order(images, tmp_path, monkeypatch, threads):
    monkeypatch.setattr(module, "CHUNK", 1)
    names = ["four.png", "no.png", "cat/one.png", "notes.txt", "dog/three.JPEG"]
    results = list(crop_images(names, images, tmp_path / "out", 8, threads))
    assert [result is None for result in results] == [True, False, True, False, True]
    assert "no.png" in str(results[1]) and "notes.txt" in str(results[3])
    assert sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.*")) == [
        "cat/one.png", "dog/three.JPEG", "four.png"]


@pytest.mark.parametrize("flags, count, side", [
    ([], 4, 256), (["--output_side_length", "8"], 4, 8), (["-output_side_length=8", "-num_clients", "2"], 4, 8),
    (["--output-side-length", "8", "--threads", "1", "--image_lib", "PIL", "--launch", "local"], 4, 8),
    (["--output_side_length=8", "--input", "list.txt"], 2, 8),
])
def test_command(images, tmp_path, monkeypatch, capsys, flags, count, side):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "list.txt").write_text("cat/one.png 0\nfour.png 1\n")
    assert main(["resize_and_crop_images", "--input_folder", "images", "--output_folder", "out/here", *flags]) == 0
    assert capsys.readouterr().out == f"{count} images in out/here\n"
    made = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert len(made) == count and all(read(path).shape == (side, side, 3) or "PIL" in flags for path in made)


def test_what_cannot_be_read_is_left_out(images, tmp_path, capsys):
    (images / "broken.jpg").write_bytes(b"no image")
    save(images / "deep.png", np.ones((8, 8), np.uint16))
    assert main(["resize_and_crop_images", "--input_folder", str(images), "--output_folder", str(tmp_path / "out"),
                 "--output_side_length", "8"]) == 0
    output = capsys.readouterr()
    assert output.out.startswith("4 images in") and "2 of 6 images could not be made." in output.err
    assert "broken.jpg" in output.err and "8 bits a channel" in output.err
    assert not (tmp_path / "out" / "broken.jpg").exists()


@pytest.mark.parametrize("flags, status, says", [
    ({"--input_folder": "imags"}, 1, "imags: no such folder"),
    ({"--input_folder": "empty"}, 1, "no image in this folder"),
    ({"--output_folder": "images/../images"}, 1, "the images would take the place of the originals"),
    ({"--input": "lst.txt"}, 1, "did you mean 'list.txt'"),
    ({"--input": "empty.txt"}, 1, "expected paths of images, one a line, got an empty list"),
    ({"--input": "out.txt"}, 1, "out.txt:2: expected a path in the folder 'images', got '../secret.png'"),
    ({"--input": "missing.txt"}, 1, "none of 2 images could be made"),
    ({"--output_side_length": "0"}, 2, "a whole number of at least 1"),
    ({"--threads": "many"}, 2, "a whole number of at least 1"),
    ({"--image_lib": "gd"}, 2, "invalid choice"),
    ({"--launch": "slurm"}, 2, "invalid choice"),
    ({"--output_folder": None}, 2, "required: --output_folder"),
])
def test_errors(images, tmp_path, monkeypatch, capsys, flags, status, says):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    for name, text in {"list.txt": "four.png\n", "empty.txt": "\n", "out.txt": "four.png\n../secret.png\n",
                       "missing.txt": "a.png\nb.png\n"}.items():
        (tmp_path / name).write_text(text)
    words = {"--input_folder": "images", "--output_folder": "out", **flags}
    try:
        got = main(["resize_and_crop_images", *(word for pair in words.items() if pair[1] for word in pair)])
    except SystemExit as stop:
        got = stop.code
    assert got == status and says in capsys.readouterr().err
    assert not [path for path in (tmp_path / "out").rglob("*") if path.is_file()]


@pytest.mark.parametrize("crop", [crop_opencv, crop_pil])
def test_cropping_errors(tmp_path, crop):
    (tmp_path / "a.jpg").write_bytes(b"no image")
    with pytest.raises(DataError, match="a.jpg"):
        crop(tmp_path / "a.jpg", tmp_path / "b.jpg", 4)
    save(tmp_path / "c.png", ramps(4, 4))
    with pytest.raises(DataError, match="image format among"):
        crop_opencv(tmp_path / "c.png", tmp_path / "b.xyz", 4)
    assert not (tmp_path / "b.xyz").exists() and not (tmp_path / "b.jpg").exists()
