"""The file that keeps lists of neighbours."""

import json

import numpy as np
import pytest

from blobnet.errors import DataError, MissingFile
from blobnet.hashing import Codes, HammingIndex, Neighbours


def test_a_file_gives_back_what_was_found(tmp_path):
    codes = Codes.from_bits(np.random.default_rng(0).integers(0, 2, (20, 5)))
    found = HammingIndex(codes).search(codes, radius=1)
    assert len(set(np.diff(found.offsets))) > 1  # lists of several lengths
    found.save(tmp_path / "near.npz", metric="hamming")
    again = Neighbours.load(tmp_path / "near.npz")
    for kept, array in zip(again, found):
        np.testing.assert_array_equal(kept, array)
        assert kept.dtype == array.dtype
    with np.load(tmp_path / "near.npz") as file:
        assert json.loads(str(file["header"]))["metric"] == "hamming"


def test_lists_become_neighbours_at_their_ranks():
    near = Neighbours.of_lists([[4, 1, 3], [], np.array([2])])
    assert [part.tolist() for part in near] == [[0, 3, 3, 4], [4, 1, 3, 2], [0, 1, 2, 0]]
    assert [part.tolist() for part in Neighbours.of_lists([])] == [[0], [], []]


GOOD = {"header": json.dumps({"format": "blobnet neighbours", "version": 1}), "offsets": np.array([0, 2, 3]),
        "indices": np.array([5, 0, 5]), "distances": np.zeros(3)}


@pytest.mark.parametrize("changes, words", [
    ({"header": "{}"}, "expected blobnet neighbours, version 1"),
    ({"header": "[]"}, "not a file of neighbours"),
    ({"header": json.dumps({"format": "blobnet codes", "version": 1})}, "got .*'blobnet codes'"),
    ({"more": np.zeros(1)}, "with distances, indices, more, offsets"),
    ({"offsets": np.array([0, 3, 2])}, "no lists of neighbours"),
    ({"offsets": np.array([1, 2, 3])}, "no lists of neighbours"),
    ({"offsets": np.array([0, 2, 4])}, "no lists of neighbours"),
    ({"offsets": np.array([], int)}, "no lists of neighbours"),
    ({"offsets": np.array([[0, 2, 3]])}, "no lists of neighbours"),
    ({"indices": np.array([5.0, 0, 5])}, "no lists of neighbours"),
    ({"distances": np.zeros(2)}, "no lists of neighbours"),
    ({"indices": np.array([5, 5, 5])}, "place 5 is twice in the list of query 0"),
    ({"indices": np.array([5, -2, 5])}, "places in the base, from 0, got -2"),
])
def test_other_files_are_refused(tmp_path, changes, words):
    path = tmp_path / "near.npz"
    np.savez(path, **GOOD)
    Neighbours.load(path)
    np.savez(path, **{**GOOD, **changes})
    with pytest.raises(DataError, match=f"near.npz: .*{words}"):
        Neighbours.load(path)


def test_a_damaged_or_missing_file_is_named(tmp_path):
    (tmp_path / "near.npz").write_bytes(b"PK")
    with pytest.raises(DataError, match=r"near.npz: .*'blobnet search --out'"):
        Neighbours.load(tmp_path / "near.npz")
    with pytest.raises(MissingFile, match="did you mean 'near.npz'"):
        Neighbours.load(tmp_path / "nears.npz")
