"""Rows of the layers of forks that move numbers."""

from layer_rows import row

CASES = {
    "Permute": row("Permute", [(2, 3, 4, 5)], "permute_param { order: 0 order: 2 order: 3 order: 1 }"),
    "Permute first": row("Permute", [(2, 3, 4)], "permute_param { order: 2 }"),
    "Permute natural": row("Permute", [(2, 3, 4)], "permute_param { order: 0 order: 1 }"),
    "Transpose": row("Transpose", [(2, 3, 4)], "transpose_param { dim: 2 dim: 0 dim: 1 }"),
    "Reverse": row("Reverse", [(4, 3)]),
    "Reverse axis": row("Reverse", [(2, 4, 3)], "reverse_param { axis: 1 }"),
    "Flip": row("Flip", [(2, 2, 3, 4)]),
    "Flip both": row("Flip", [(2, 2, 3, 4)], "flip_param { flip_height: true }"),
    "Flip height": row("Flip", [(2, 2, 3, 4)], "flip_param { flip_width: false flip_height: true }"),
    "ShuffleChannel": row("ShuffleChannel", [(2, 6, 2, 3)], "shuffle_channel_param { group: 2 }"),
    "ShuffleChannel of two axes": row("ShuffleChannel", [(2, 6)], "shuffle_channel_param { group: 3 }"),
    "Reorg": row("Reorg", [(2, 4, 4, 6)], "reorg_param { stride: 2 }"),
    "Reorg reverse": row("Reorg", [(2, 8, 3, 2)], "reorg_param { stride: 2 reverse: true }"),
}
