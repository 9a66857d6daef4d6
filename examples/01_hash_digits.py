"""A hashing network from its prototxt to pictures: train, encode, search, score, explain.

DSH (Liu et al., CVPR 2016), adapted in size, on the 1,797 handwritten digits that scikit-learn ships.
Run it from the root of the repository, or where `blobnet prototxt copy examples dsh` put the files that it needs:

    python examples/01_hash_digits.py --out demo_output
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

import blobnet
from blobnet.data.batches.datums import DatumBatches
from blobnet.data.images.transformer import Transformer
from blobnet.data.sets import import_set
from blobnet.data.stores.lmdb_reader import LmdbReader
from blobnet.explain import Question, explain
from blobnet.hashing.encode import encode
from blobnet.hashing.index import HammingIndex
from blobnet.hashing.metrics import curve_by_radius, evaluate
from blobnet.netdef.load import load
from blobnet.proto.messages import new
from blobnet.view.curves import plot_loss, plot_precision_recall
from blobnet.view.grid import plot_retrieval

NET = "prototxt/dsh/digits_train_test.prototxt"


def train(out: Path, iterations: int) -> blobnet.Solver:
    """Train as the solver file says, and draw the loss."""
    solver = blobnet.get_solver("prototxt/dsh/digits_solver.prototxt")
    solver.param.snapshot_prefix = str(out / "dsh_digits")
    losses, start = [], time.time()
    for _ in range(iterations):
        solver.step(1)
        losses.append(solver.net.loss)
        if solver.iter % 250 == 0:
            print(f"  iteration {solver.iter:5}  loss {np.mean(losses[-100:]):.3f}  {time.time() - start:4.0f} s",
                  flush=True)
    plot_loss(np.arange(iterations), losses, out / "loss.png")
    return solver


def hash_codes(weights: str, database: str):
    """The codes of every image of a database."""
    definition = load(NET, blobnet.TEST)
    definition.layer[0].data_param.source = database
    net = blobnet.Net(definition, blobnet.TEST, weights)
    return encode(net, "ip1", len(LmdbReader(database)), net_file=NET, weights_file=weights)


def pictures(database: str) -> np.ndarray:
    """Every image of a database, (N, C, H, W)."""
    reader = LmdbReader(database)
    return DatumBatches(reader, Transformer(new("TransformationParameter"), False), len(reader))(0)[0].astype(np.uint8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("demo_output"), help="folder for pictures and codes")
    parser.add_argument("--iterations", type=int, default=2000)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)

    print("1. data: handwritten digits")
    import_set("digits", "data")

    print(f"2. training {NET}")
    solver = train(args.out, args.iterations)
    weights, _ = solver.snapshot()

    print("3. codes of 12 bits")
    queries, base = hash_codes(weights, "data/digits_test_lmdb"), hash_codes(weights, "data/digits_train_lmdb")
    queries.save(args.out / "queries.npz")
    base.save(args.out / "base.npz")

    print("4. search and score")
    score = evaluate(queries, base)
    print(score)
    plot_precision_recall({"DSH, 12 bits": curve_by_radius(queries, base)}, args.out / "precision_recall.png")
    chosen = np.arange(0, len(queries), len(queries) // 10)[:10]
    found = HammingIndex(base).search(queries, top=10).indices.reshape(-1, 10)[chosen]
    plot_retrieval(pictures("data/digits_test_lmdb")[chosen], pictures("data/digits_train_lmdb")[found],
                   base.labels[found] == queries.labels[chosen][:, None], args.out / "retrieval.png")
    print(f"5. pictures: {', '.join(str(path) for path in sorted(args.out.glob('*.png')))}")

    explain(Question(NET), args.out / "explain.html", [weights])
    print(f"6. every number of the trained net, forward and backward: open {args.out / 'explain.html'} in a browser")


if __name__ == "__main__":
    main()
