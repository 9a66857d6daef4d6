"""Rows of the layers of sketch-based image retrieval, and the list of triplets that they read."""

import h5py
import numpy as np
from layer_rows import row

from blobnet.core.context import TEST


def fill(folder):
    """Make the list in `folder`, which stands for FOLDER in the rows, of the five records of the LMDB there."""
    with h5py.File(folder / "triplets.h5", "w") as file:
        file["triplets"] = np.array([[0, 2, 1], [2, 0, 3], [4, 2, 3]])
        file["attributes"] = np.eye(5, 2)


def listed(options, transform="", attributes=2, tops="x t", **more):
    return row("TripletListData", [], f'data_param {{ source: "FOLDER/lmdb" backend: LMDB {options} }} '
               f'triplet_list_param {{ source: "FOLDER/triplets.h5" attributes: {attributes} }} '
               f"transform_param {{ {transform} }}", tops=tops, **more)


CASES = {
    "CrossEntropySimilarity": row("CrossEntropySimilarity", [(3, 4)] * 2),
    "CrossEntropySimilarity deep": row("CrossEntropySimilarity", [(2, 3, 1, 2)] * 2),
    "TripletListData": listed("batch_size: 6", "crop_size: 3 mirror: true"),
    "TripletListData images": listed("batch_size: 3", attributes=0, tops="x"),
    "TripletListData TEST": listed("batch_size: 9", "crop_size: 3", phase=TEST),
}
