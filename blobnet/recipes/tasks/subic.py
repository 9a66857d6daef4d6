"""Train a net of structured binary codes, and score their retrieval and how well they use their blocks.

The net's code is the output of a BlockSoftmax. Symmetric search ranks by the blocks in which two codes agree,
asymmetric search by the inner product of the query's real-valued code with the codes of the base.
"""

from __future__ import annotations

import numpy as np

from blobnet.hashing.codes import Codes
from blobnet.hashing.metrics import evaluate
from blobnet.hashing.packing import unpack
from blobnet.hashing.protocol import Protocol, get_protocol
from blobnet.recipes.options import Option
from blobnet.recipes.tasks import train_hash
from blobnet.recipes.trial import Trial

OPTIONS = train_hash.OPTIONS | {
    "block_size": Option(int, least=2),  # elements of a block
}
MEASURES = ("mAP symmetric", "mAP asymmetric", "largest", "usage")
METRICS = {"mAP symmetric": "hamming", "mAP asymmetric": "asymmetric"}
check = train_hash.check


def run(trial: Trial) -> dict[str, float]:
    """Train as train_hash does, which leaves structured codes in queries.npz and base.npz.

    Measures: mAP symmetric, mAP asymmetric; largest, the mean over items and blocks of a block's largest element (1 if
    all blocks are one-hot); usage, the entropy of where the base's blocks have their 1, as a share of the largest
    possible, mean over the blocks (1 if all elements of a block are used alike). A protocol in which the queries are
    the base has no base.npz.
    """
    train_hash.run(trial)
    queries = Codes.load(trial.out / "queries.npz")
    alone = get_protocol(trial.options["protocol"]).query_in_database
    base = queries if alone else Codes.load(trial.out / "base.npz")
    measures = {name: evaluate(queries, base, _protocol(trial.options, metric)).mean_average_precision
                for name, metric in METRICS.items()}
    blocks = base.values.reshape(len(base), -1, base.block_size)
    return measures | {"largest": float(blocks.max(axis=2).mean()), "usage": usage(base)}


def usage(codes: Codes) -> float:
    """The entropy of each block of structured codes over the items, as a share of the largest; mean over the blocks."""
    shares = unpack(codes.packed, codes.bits).mean(axis=0).reshape(-1, codes.block_size)
    entropies = -(shares * np.log(np.where(shares > 0, shares, 1))).sum(axis=1)
    return float(entropies.mean() / np.log(codes.block_size))


def footnote(options: dict) -> str:
    """The protocols."""
    return "\n".join(f"{name}: {_protocol(options, metric).describe()}" for name, metric in METRICS.items())


def _protocol(options: dict, metric: str) -> Protocol:
    return get_protocol(options["protocol"], top_k=options["top_k"] or None, metric=metric)
