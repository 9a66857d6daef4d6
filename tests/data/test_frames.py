"""Lists of films, and the frames that clips and snippets take."""

from __future__ import annotations

import re

import numpy as np
import pytest
from PIL import Image

from blobnet.data.batches.frames import ClipBatches, SnippetBatches, read_films
from blobnet.data.images.transformer import Transformer
from blobnet.errors import DataError
from blobnet.proto.messages import new

LENGTHS = [9, 20]  # frames of the films, of which frame f of film i is a gray image of 10 * i + f


def streams(*key):
    return np.random.default_rng((6, *key))


@pytest.fixture
def films(tmp_path):
    for film, length in enumerate(LENGTHS):
        (tmp_path / f"film{film}").mkdir()
        for frame in range(1, length + 1):
            Image.fromarray(np.full((2, 3, 3), [30 * film + frame, 7, 8], np.uint8)).save(
                tmp_path / f"film{film}" / f"{frame:06d}.jpg", "PNG")

    def read(numbers=LENGTHS, label_num=0, labels=("4", "1")):
        (tmp_path / "films.txt").write_text("".join(
            f"film{i} {number} {label}\n" for i, (number, label) in enumerate(zip(numbers, labels))))
        return read_films(tmp_path / "films.txt", label_num), f"{tmp_path}/"
    return read


def plain():
    return Transformer(new("TransformationParameter"), False)


def clips(films, numbers=(1, 1), size=2, **options):
    found, root = films(numbers)
    return ClipBatches(found, plain(), size, np.float32, streams, root_folder=root, **options)


def snippets(films, numbers=LENGTHS, size=2, pattern=lambda n: [f"{n:06d}.jpg"], **options):
    found, root = films(numbers)
    return SnippetBatches(found, plain(), size, np.float32, streams, root_folder=root, pattern=pattern, **options)


def frames(data):
    """The numbers of the frames in the rows of a batch of clips, which have red = 30 * film + number."""
    return (data[:, 2, :, 0, 0] - 30 * np.arange(len(data))[:, None]).astype(int).tolist()


def test_lists(films):
    found, _ = films()
    assert found.folders == ["film0", "film1"] and found.numbers.tolist() == LENGTHS and found.labels.tolist() == [4, 1]
    assert films(label_num=4, labels=["3,0", "2"])[0].labels.tolist() == [[1, 0, 0, 1], [0, 0, 1, 0]]


@pytest.mark.parametrize("text, label_num, message", [
    ("a 1 2\nb 1\n", 0, "films.txt:2: expected \"folder number label\", without spaces in a name, got 'b 1'"),
    ("a x 2\n", 0, "films.txt:1: expected a whole number from 0 to 2147483647, got 'x'"),
    ("a -1 2\n", 0, "got '-1'"), ("a 1 2147483648\n", 0, "got '2147483648'"), ("a 1 2.5\n", 0, "got '2.5'"),
    ("a 1 0,4\n", 4, "films.txt:1: expected a whole number from 0 to 3, got '4'"), ("a 1 0,\n", 4, "got ''"),
    ("", 0, "got an empty file"), ("a 1 0\n", 4000000000, "1 rows of 4000000000 labels, expected at most")])
def test_wrong_lists(tmp_path, text, label_num, message):
    (tmp_path / "films.txt").write_text(text)
    with pytest.raises(DataError, match=re.escape(message)):
        read_films(tmp_path / "films.txt", label_num)


def test_clips_begin_where_the_list_says(films):
    make = clips(films, (3, 14), length=4)
    assert make.shapes() == [(2, 3, 4, 2, 3), (2,)]
    data, labels = make(0)
    assert frames(data) == [[3, 4, 5, 6], [14, 15, 16, 17]] and labels.tolist() == [4, 1]
    assert (data[:, 1] == 7).all() and (data[:, 0] == 8).all()  # blue, green, red, each of all frames
    assert frames(clips(films, (2, 5), length=3, rate=3)(5)[0]) == [[2, 5, 8], [5, 8, 11]]


def test_clips_begin_anywhere(films):
    make = clips(films, LENGTHS, length=3, rate=2, anywhere=True)
    drawn = [frames(make(n)[0]) for n in range(150)]
    for film, length in enumerate(LENGTHS):
        firsts = [batch[film][0] for batch in drawn]
        assert set(firsts) == set(range(1, length - 6 + 2))
        assert all(batch[film] == [first, first + 2, first + 4] for batch, first in zip(drawn, firsts))
    np.testing.assert_array_equal(make(7)[0], clips(films, LENGTHS, length=3, rate=2, anywhere=True)(7)[0])


def test_rates_are_drawn(films):
    make = clips(films, LENGTHS, length=3, rate=3, rates=True, anywhere=True)
    drawn = [clip for n in range(150) for clip in frames(make(n)[0])]
    assert {second - first for first, second, _ in drawn} == {1, 2, 3}
    assert all(third - second == second - first and third <= 20 for first, second, third in drawn)
    assert max(clip[0] for clip in drawn) == 18  # 20 frames, at rate 1


def test_snippets_of_the_middle(films):
    """Of parts of 3 and 6 frames the middle 2: before them, (3 - 2 + 1) // 2 = 1 and (6 - 2 + 1) // 2 = 2 are left out.
    """
    make = snippets(films, length=2, segments=3)
    assert make.shapes() == [(2, 18, 2, 3), (2,)]
    data, labels = make(0)
    numbers = data.reshape(2, 6, 3, 2, 3)[:, :, 2, 0, 0] - [[0], [30]]
    assert numbers.tolist() == [[2, 3, 5, 6, 8, 9], [3, 4, 9, 10, 15, 16]] and labels.tolist() == [4, 1]


def test_snippets_anywhere_in_their_part(films):
    make = snippets(films, length=2, segments=3, anywhere=True)
    drawn = np.array([make(n)[0].reshape(2, 6, 3, 2, 3)[:, ::2, 2, 0, 0] - [[0], [30]] for n in range(150)])
    for film, part in enumerate((3, 6)):
        for segment in range(3):
            starts = set(drawn[:, film, segment].astype(int).tolist())
            assert starts == {1 + segment * part + i for i in range(part - 1)}


@pytest.mark.parametrize("anywhere", [False, True])
def test_parts_that_are_shorter_than_a_snippet(films, anywhere):
    data, _ = snippets(films, length=4, segments=3, anywhere=anywhere)(0)
    numbers = data.reshape(2, 3, 4, 3, 2, 3)[0, :, :, 2, 0, 0]
    assert numbers.tolist() == [[1, 2, 3, 4]] * 3
    assert snippets(films, segments=50)(0)[0].shape == (2, 150, 2, 3)


def test_two_files_a_frame(films):
    make = snippets(films, pattern=lambda n: [f"{n:06d}.jpg", f"{n + 1:06d}.jpg"], length=2, color=False)
    assert make.shapes()[0] == (2, 4, 2, 3)
    np.testing.assert_array_equal(make(0)[0], make(1)[0])


def test_order(films):
    found, root = films()
    make = ClipBatches(found._replace(numbers=np.array([1, 1])), plain(), 3, np.float32, streams, root_folder=root,
                       length=1, shuffle=True)
    labels = np.concatenate([make(n)[1] for n in range(8)]).reshape(-1, 2)
    assert all(sorted(epoch) == [1, 4] for epoch in labels.tolist()) and len(np.unique(labels, axis=0)) == 2


@pytest.mark.parametrize("numbers, message", [
    ((9, 8), r"films.txt:1: .*film0/000010.jpg: no such file"), ((1, 20), r"films.txt:2: .*film1/000021.jpg: no such")])
def test_missing_frames(films, numbers, message):
    with pytest.raises(DataError, match=message):
        clips(films, numbers, length=2)(0)


def test_errors(films, tmp_path):
    with pytest.raises(DataError, match="films.txt:1: expected at least 10 frames, got 9; leave short films out"):
        clips(films, LENGTHS, length=5, rate=2, anywhere=True)
    with pytest.raises(DataError, match="films.txt:1: expected at least 12 frames, got 9"):
        snippets(films, length=12)
    found, root = films(labels=["1", str(1 << 24)])
    with pytest.raises(DataError, match="films.txt:2: expected a label below 16777216"):
        ClipBatches(found, plain(), 1, np.float32, streams, root_folder=root, length=1)
    Image.fromarray(np.zeros((5, 3, 3), np.uint8)).save(tmp_path / "film0" / "000002.jpg", "PNG")
    with pytest.raises(DataError, match=r"films.txt:1: expected all frames of one size, got .2, 3. and .5, 3.; set"):
        clips(films, length=2)(0)
    assert clips(films, length=2, image_size=(4, 4))(0)[0].shape == (2, 3, 2, 4, 4)
