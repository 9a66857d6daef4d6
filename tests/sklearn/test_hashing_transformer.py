"""HashingTransformer: every learner, nets, what is kept and what is refused."""

import pickle

import numpy as np
import pytest

pytest.importorskip("sklearn", minversion="1.6")
from sklearn.datasets import load_digits  # noqa: E402
from sklearn.model_selection import GridSearchCV  # noqa: E402
from sklearn.neighbors import KNeighborsClassifier  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402

from blobnet.errors import EstimatorError  # noqa: E402
from blobnet.hashing.learners import SUPERVISED, UNSUPERVISED  # noqa: E402
from blobnet.sklearn import HashingTransformer  # noqa: E402

X, Y = (array[:400] for array in load_digits(return_X_y=True))
ADAM = 'type: "Adam" base_lr: 0.003 lr_policy: "fixed" momentum: 0.9 momentum2: 0.999 max_iter: 60'
NET = '''
layer { name: "d" type: "ImageData" top: "pixels" top: "kind" image_data_param { source: "nowhere" batch_size: 100 } }
layer { name: "conv" type: "Convolution" bottom: "pixels" top: "conv"
        convolution_param { num_output: 8 kernel_size: 3 weight_filler { type: "msra" } } }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
layer { name: "u" type: "InnerProduct" bottom: "conv" top: "u"
        inner_product_param { num_output: 12 weight_filler { type: "xavier" } } }
layer { name: "loss" type: "HashingLoss" bottom: "u" bottom: "kind" top: "loss"
        hashing_loss_param { bi_margin: 24 tradeoff: 0.01 } }
'''


def agreement(transformer, data=X):
    """How often the nearest other code is of the same class."""
    codes = transformer.transform(data)
    apart = (codes[:, None] != codes).sum(axis=2) + 1000 * np.eye(len(codes), dtype=int)
    return (Y[apart.argmin(axis=1)] == Y).mean()


@pytest.mark.parametrize("learner", [*UNSUPERVISED, *SUPERVISED])
def test_every_learner(learner):
    transformer = HashingTransformer(16, learner, anchors=60, random_state=0).fit(X, Y)
    codes = transformer.transform(X)
    assert codes.shape == (400, 16) and codes.dtype == np.uint8 and set(codes.ravel()) == {0, 1}
    fit = (UNSUPERVISED | SUPERVISED)[learner]
    seed = int(np.random.RandomState(0).randint(np.iinfo(np.int32).max))
    expected = fit(X, 16, seed) if learner in UNSUPERVISED else fit(X, Y, 16, seed, 60)
    np.testing.assert_array_equal(codes, expected.encode(X) >= 0)
    assert agreement(transformer) > 0.6


def test_a_net():
    shape = {"input_shape": (1, 8, 8), "random_state": 0, "blob": "u"}
    transformer = HashingTransformer(net=NET, solver=ADAM, **shape).fit(X / 4, Y)
    assert agreement(transformer, X / 4) > 0.8 > agreement(HashingTransformer(
        net=NET, solver=ADAM, max_iter=1, **shape).fit(X / 4, Y), X / 4)
    assert transformer.n_iter_ == 60
    images = (X / 4).reshape(-1, 1, 8, 8)
    np.testing.assert_array_equal(
        HashingTransformer(net=NET, solver=ADAM, random_state=0, blob="u").fit_transform(images, Y),
        transformer.transform(X / 4))


def test_a_net_learns_from_labels_of_any_kind():
    """Names are the numbers of their order; rows of several labels go to the net as they are."""
    net = NET.replace("HashingLoss", "CrossEntropySimilarity").split("layer { name: \"loss\"")[0] + \
        'layer { name: "loss" type: "SigmoidCrossEntropyLoss" bottom: "u" bottom: "kind" top: "loss" }'
    rows = np.eye(12)[Y]
    codes = HashingTransformer(net=net, solver=ADAM, blob="u", input_shape=(1, 8, 8)).fit_transform(X / 8, rows)
    assert (codes == rows).mean() > 0.95
    names = np.array(list("abcdefghij"))[Y]
    one, other = (HashingTransformer(net=NET, solver=ADAM, max_iter=3, blob="u", input_shape=(1, 8, 8), random_state=0)
                  .fit_transform(X, labels) for labels in (Y, names))
    np.testing.assert_array_equal(one, other)


def test_a_net_without_labels():
    net = NET.replace('top: "pixels" top: "kind"', 'top: "pixels"').split("layer { name: \"loss\"")[0] + \
        'layer { name: "loss" type: "QuantizationLoss" bottom: "u" top: "loss" }'
    codes = HashingTransformer(net=net, solver=ADAM, max_iter=2, blob="u", input_shape=(1, 8, 8)).fit_transform(X)
    assert codes.shape == (400, 12)


@pytest.mark.parametrize("parameters", [{"learner": "ksh", "anchors": 50}, {"net": NET, "solver": ADAM, "max_iter": 2,
                                                                            "blob": "u", "input_shape": (1, 8, 8)}])
def test_pickles(parameters):
    transformer = HashingTransformer(**parameters).fit(X, Y)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(transformer)).transform(X), transformer.transform(X))


def test_a_search_in_a_pipeline():
    pipeline = make_pipeline(HashingTransformer(random_state=0), KNeighborsClassifier(1, metric="hamming"))
    search = GridSearchCV(pipeline, {"hashingtransformer__bits": [1, 24]}, cv=2).fit(X, Y)
    assert search.best_params_ == {"hashingtransformer__bits": 24} and search.best_score_ > 0.8


def test_names_of_the_bits():
    transformer = HashingTransformer(3).fit(X)
    assert transformer.get_feature_names_out().tolist() == [f"hashingtransformer{bit}" for bit in range(3)]
    assert transformer.set_output(transform="default").transform(X).shape == (400, 3)


@pytest.mark.parametrize("bits, rows, expected", [(None, 400, 32), (None, 20, 19), (5, 20, 5)])
def test_how_many_bits(bits, rows, expected):
    assert HashingTransformer(bits).fit_transform(X[:rows]).shape == (rows, expected)


@pytest.mark.parametrize("parameters, y, words", [
    ({"learner": "itg"}, Y, "unknown learner 'itg'; did you mean 'itq'"),
    ({"bits": 65}, Y, "expected 1 to 64 bits of the learner 'itq', for n_samples = 400 and n_features = 64, got 65"),
    ({"bits": 0, "learner": "lsh"}, Y, "expected 1 to inf bits"),
    ({"learner": "sdh"}, None, "requires y to be passed, but the target y is None"),
    ({"learner": "sdh"}, np.eye(400), r"expected classes \(n,\) for the learner 'sdh', got y \(400, 400\)"),
    ({"solver": ADAM}, Y, "expected a net, got none; give net=FILE.prototxt, or its text"),
    ({"net": NET, "blob": "u", "bits": 8, "input_shape": (1, 8, 8)}, Y, "blob 'u', expected 8 bits, got 12"),
    ({"net": NET, "blob": "u", "input_shape": (1, 8, 8)}, None, "but the target y is None: the net reads 'kind'"),
])
def test_parameters_that_cannot_be(parameters, y, words):
    with pytest.raises(EstimatorError, match=words):
        HashingTransformer(**parameters).fit(X, y)
