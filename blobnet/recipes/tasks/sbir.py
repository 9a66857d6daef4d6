"""Fine-grained retrieval of photos by sketches: train a net, rank the photos of the test split for each sketch."""

from __future__ import annotations

import numpy as np

from blobnet.data.stores.database import open_database
from blobnet.data.stores.hdf5 import read_datasets
from blobnet.data.stores.ids import first_ids
from blobnet.data.stores.records import Records
from blobnet.errors import DataError, close_matches
from blobnet.hashing.codes import Codes
from blobnet.hashing.matches import accuracy_at, match_ranks
from blobnet.recipes.hog import gradient_histograms
from blobnet.recipes.nets import trial_solver
from blobnet.recipes.options import Option
from blobnet.recipes.sources import check_blobs, encode_source
from blobnet.recipes.training import train
from blobnet.recipes.trial import Trial

CELL = 8     # side of the squares whose mean is a pixel feature

OPTIONS = {
    "set": Option(str),                   # a set of sketches and then their photos: qmul_shoes, qmul_chairs
    "features": Option(str, ""),          # rank by features that are not trained: chance, pixels, gradients
    "solver": Option(str, ""),            # or by those of a net: the solver file, beside the recipe
    "blob": Option(str, "embedding"),     # whose values are the features
    "scores": Option(str, ""),            # blob with a score for each attribute, positive if predicted
    "max_iter": Option(int, 0, least=0),  # 0: the solver file's
    "overrides": Option(dict, {}),        # prototxt by layer name, merged into the layer
}
MEASURES = ("acc@1", "acc@10", "attributes")


def check(trial: Trial) -> None:
    """Raise the errors of the kind of features, of the blobs and of the set."""
    options = trial.options
    if bool(options["features"]) == bool(options["solver"]):
        raise DataError(trial.where, expected="either features or a solver",
                        got="both" if options["solver"] else "neither")
    if options["features"]:
        if options["features"] not in ("chance", *FEATURES):
            raise DataError(trial.where, f"unknown features {options['features']!r}",
                            hint=close_matches(options["features"], ["chance", *FEATURES]))
        return
    net = trial_solver(trial).net_param
    _, *widths = check_blobs(trial, net, _test_images(trial), *filter(None, [options["blob"], options["scores"]]))
    for width in widths:
        count = _attributes(trial).shape[1]
        if width != count:
            raise DataError(trial.where, f"blob {options['scores']!r}", expected=f"a score for each attribute, {count}",
                            got=width)


def run(trial: Trial) -> dict[str, float]:
    """acc@1 and acc@10, the shares of sketches whose own photo is the nearest and among the nearest ten.

    With `scores` also attributes, the share of attributes predicted right, over all test images. Trains from the last
    snapshot if the trial was interrupted. Leaves codes.npz, the features of sketches and then photos.
    """
    options = trial.options
    if options["features"]:
        return _untrained(trial)
    param = trial_solver(trial)
    weights = train(trial, param)
    source = _test_images(trial)
    codes = encode_source(trial, param.net_param, weights, options["blob"], source)
    codes.save(trial.out / "codes.npz")
    measures = _score(codes.values, codes.labels)
    if options["scores"]:
        scores = encode_source(trial, param.net_param, weights, options["scores"], source).values
        measures["attributes"] = _right(scores, trial)
    return measures


def footnote(options: dict) -> str:
    """How photos are ranked."""
    return ("Every test sketch ranks all test photos of its set by Euclidean distance; acc@K: the share of sketches "
            "whose own photo is among the first K; photos at the same distance stand before it.")


def _untrained(trial: Trial) -> dict[str, float]:
    """The measures of features that are made of the images alone."""
    kind = trial.options["features"]
    reader = open_database(trial.data / _test_images(trial), "LMDB")
    records = Records(reader)
    if kind == "chance":
        photos = len(records) / 2
        return {f"acc@{k}": min(1.0, k / photos) for k in (1, 10)}
    values = np.stack([FEATURES[kind](image[0]) for image in records.images(range(len(records)))])
    ids = first_ids(reader.keys(), len(records))
    Codes.from_values(values, labels=records.labels(), ids=ids).save(trial.out / "codes.npz")
    return _score(values, records.labels())


def _pixels(image: np.ndarray) -> np.ndarray:
    """Mean darkness of squares of the image (H, W), as a vector of length 1."""
    height, width = (side // CELL for side in image.shape)
    squares = 255.0 - image[:height * CELL, :width * CELL].reshape(height, CELL, width, CELL).mean((1, 3))
    return squares.ravel() / max(np.linalg.norm(squares), 1e-12)


FEATURES = {"pixels": _pixels, "gradients": gradient_histograms}


def _score(values: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """The measures of the features of sketches and then, in the second half, photos."""
    sketches = len(values) // 2
    ranks = match_ranks(values[:sketches], values[sketches:], labels[:sketches], labels[sketches:])
    return {f"acc@{k}": accuracy_at(ranks, k) for k in (1, 10)}


def _right(scores: np.ndarray, trial: Trial) -> float:
    """The share of attributes whose score is positive where the image has them, and not where it has not."""
    return float(((scores > 0) == (_attributes(trial) > 0)).mean())


def _attributes(trial: Trial) -> np.ndarray:
    """What attributes the test images have, (N, A)."""
    return read_datasets(trial.data / f"{trial.options['set']}_test.h5", ["attributes"], np.dtype(np.float32))[0]


def _test_images(trial: Trial) -> str:
    return f"{trial.options['set']}_test_lmdb"
