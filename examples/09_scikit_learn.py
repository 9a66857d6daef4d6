"""Nets and hash codes among scikit-learn's tools: pipelines, cross-validation, a grid search, pickles.

The 1,797 handwritten digits that scikit-learn ships. A net that classifies them stands in a pipeline beside
scikit-learn's own; the number of bits of a hash code is found by a grid search; and a net that is written as prototxt
learns codes from images. Nothing is written to files.

    python examples/09_scikit_learn.py
"""

from __future__ import annotations

import argparse
import pickle

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from blobnet.sklearn import HashingTransformer, NetClassifier

NET = """
layer { name: "digits"  type: "Input"  top: "data"  top: "label" }
layer { name: "conv"  type: "Convolution"  bottom: "data"  top: "conv"
        convolution_param { num_output: 16  kernel_size: 3  weight_filler { type: "msra" } } }
layer { name: "relu"  type: "ReLU"  bottom: "conv"  top: "conv" }
layer { name: "pool"  type: "Pooling"  bottom: "conv"  top: "pool"  pooling_param { kernel_size: 2  stride: 2 } }
layer { name: "code"  type: "InnerProduct"  bottom: "pool"  top: "code"
        inner_product_param { num_output: 16  weight_filler { type: "xavier" } } }
layer { name: "loss"  type: "HashingLoss"  bottom: "code"  bottom: "label"  top: "loss"
        hashing_loss_param { bi_margin: 32  tradeoff: 0.01 } }
"""
SOLVER = 'type: "Adam"  base_lr: 0.003  momentum: 0.9  momentum2: 0.999  lr_policy: "fixed"'


def nearest() -> KNeighborsClassifier:
    """The classifier that judges codes: the class of most of the five nearest by Hamming distance."""
    return KNeighborsClassifier(5, metric="hamming", algorithm="brute")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--iterations", type=int, default=300, help="of every net")
    args = parser.parse_args()
    X, y = load_digits(return_X_y=True)
    X, test_X, y, test_y = train_test_split(X, y, test_size=360, random_state=0)

    print("1. a net in a pipeline: accuracy on the digits left out")
    for name, model in (("scikit-learn's MLP", MLPClassifier(random_state=0)),
                        ("blobnet's", NetClassifier(max_iter=args.iterations, random_state=0))):
        pipeline = make_pipeline(StandardScaler(with_std=False), model).fit(X, y)
        print(f"   {name:20} {pipeline.score(test_X, test_y):.3f}")

    print("2. how many bits? a grid search with 3-fold cross-validation")
    pipeline = Pipeline([("scale", StandardScaler()), ("hash", HashingTransformer(random_state=0)),
                         ("nearest", nearest())])
    grid = {"hash__learner": ["lsh", "itq", "sdh"], "hash__bits": [8, 16, 32]}
    search = GridSearchCV(pipeline, grid, cv=3).fit(X, y)
    for settings, score in zip(search.cv_results_["params"], search.cv_results_["mean_test_score"]):
        print(f"   {settings['hash__learner']}  {settings['hash__bits']:2} bits  {score:.3f}")
    best = search.best_params_
    print(f"   best: {best['hash__learner']}, {best['hash__bits']} bits, {search.score(test_X, test_y):.3f} on the "
          "digits left out")

    print("3. codes that a net learns from images, 16 bits")
    images, test_images = (array.reshape(-1, 1, 8, 8).astype(np.float32) / 8 - 1 for array in (X, test_X))
    deep = HashingTransformer(net=NET, solver=SOLVER, max_iter=args.iterations, random_state=0).fit(images, y)
    score = nearest().fit(deep.transform(images), y).score(deep.transform(test_images), test_y)
    print(f"   {score:.3f} on the digits left out")

    again = pickle.loads(pickle.dumps(deep))
    same = np.array_equal(again.transform(test_images), deep.transform(test_images))
    print(f"4. a pickle of it has {len(pickle.dumps(deep)) // 1024} KiB, and gives the same codes: "
          f"{'yes' if same else 'no'}")


if __name__ == "__main__":
    main()
