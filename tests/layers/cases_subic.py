"""Rows of the layers of structured binary codes."""

import numpy as np
from layer_rows import row

BLOCKS = np.random.default_rng(6).dirichlet(np.ones(3), (4, 2)).clip(0.02).reshape(4, 6)  # probabilities, nearly

CASES = {
    "BlockSoftmax": row("BlockSoftmax", [(4, 6)], "block_param { block_size: 3 }"),
    "BlockSoftmax of a map": row("BlockSoftmax", [(2, 4, 1, 2)], "block_param { block_size: 4 }"),
    "MeanEntropyLoss": row("MeanEntropyLoss", [BLOCKS], "loss_weight: 0.7 block_param { block_size: 3 }"),
    "MeanEntropyLoss with axes": row("MeanEntropyLoss", [BLOCKS.reshape(4, 3, 2, 1)]),
    "BatchEntropyLoss": row("BatchEntropyLoss", [BLOCKS], "loss_weight: 0.7 block_param { block_size: 3 }"),
    "BatchEntropyLoss with axes": row("BatchEntropyLoss", [BLOCKS.reshape(4, 3, 2, 1)]),
}
