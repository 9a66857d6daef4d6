"""Rows of the layers of deep supervised hashing beside HashingLoss: its data layers, and its loss for given pairs."""

import numpy as np
from layer_rows import row


def hashing_images(options, transform="", tops="x l", **more):
    return row("HashingImageData", [], f'image_data_param {{ source: "FOLDER/images.txt" root_folder: "FOLDER/" '
               f"batch_size: 4 new_height: 5 new_width: 4 {options} }} transform_param {{ {transform} }}", tops=tops,
               **more)


def pairs(options):
    return row("PairData", [], 'data_param { source: "FOLDER/lmdb" backend: LMDB batch_size: 3 } transform_param '
               f"{{ crop_size: 3 mirror: true }} pair_data_param {{ {options} }}", tops="a b s")


def loss(similar, options, shape=(4, 5)):
    return row("PairwiseHashingLoss", [shape, shape, np.array(similar)], options)


CASES = {
    "HashingImageData": hashing_images("cat_per_iter: 2"),
    "HashingImageData remainder": hashing_images("cat_per_iter: 3 is_color: false", "crop_size: 3 mirror: true"),
    "Data by classes": row("Data", [], 'data_param { source: "FOLDER/lmdb" backend: LMDB batch_size: 6 '
                           "cat_per_iter: 2 } transform_param { crop_size: 3 mirror: true }", tops="x l"),
    "PairData": pairs("count: 7 seed: 3"),
    "PairwiseHashingLoss": loss([1, 0, 0, 1], "loss_weight: 0.7 hashing_loss_param { bi_margin: 10 tradeoff: 0.1 }"),
    "PairwiseHashingLoss rows of maps": loss([0, 1, 0], "hashing_loss_param { bi_margin: 12 }", (3, 2, 3, 1)),
}
