"""NetClassifier: what is read, learned, kept and refused."""

import builtins
import importlib
import pickle
import sys

import numpy as np
import pytest

pytest.importorskip("sklearn", minversion="1.6")
from sklearn.base import clone  # noqa: E402
from sklearn.datasets import load_iris  # noqa: E402
from sklearn.model_selection import GridSearchCV  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402

from blobnet.core.context import TRAIN  # noqa: E402
from blobnet.core.net import Net  # noqa: E402
from blobnet.errors import EstimatorError, MissingLibrary  # noqa: E402
from blobnet.proto.text import parse  # noqa: E402
from blobnet.sklearn import NetClassifier  # noqa: E402

X, Y = load_iris(return_X_y=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])[Y]
SGD = 'base_lr: 0.02 lr_policy: "fixed" momentum: 0.9 max_iter: 80'
NET = '''
name: "published"
layer { name: "d" type: "Data" top: "data" top: "label" include { phase: TRAIN } transform_param { scale: 9 }
        data_param { source: "nowhere" batch_size: 50 } }
layer { name: "d" type: "Data" top: "data" top: "label" include { phase: TEST }
        data_param { source: "nowhere too" batch_size: 5 } }
layer { name: "drop" type: "Dropout" bottom: "data" top: "drop" dropout_param { dropout_ratio: 0.2 } }
layer { name: "ip" type: "InnerProduct" bottom: "drop" top: "ip"
        inner_product_param { num_output: 3 weight_filler { type: "xavier" } } }
layer { name: "aux" type: "InnerProduct" bottom: "data" top: "aux"
        inner_product_param { num_output: 7 weight_filler { type: "xavier" } } }
layer { name: "early" type: "SoftmaxWithLoss" bottom: "aux" bottom: "label" top: "early" loss_weight: 0.3 }
layer { name: "acc" type: "Accuracy" bottom: "ip" bottom: "label" top: "acc" include { phase: TEST } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }
'''


def fitted(**parameters):
    return NetClassifier(**{"max_iter": 60, "random_state": 0} | parameters).fit(X, NAMES)


def test_classes_of_any_kind():
    classifier = fitted()
    assert classifier.classes_.tolist() == ["setosa", "versicolor", "virginica"]
    assert classifier.score(X, NAMES) > 0.9 and classifier.n_features_in_ == 4
    probabilities = classifier.predict_proba(X)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_array_equal(classifier.classes_[probabilities.argmax(axis=1)], classifier.predict(X))
    assert len(classifier.loss_curve_) == classifier.n_iter_ == 60
    assert classifier.loss_curve_[-5:].mean() < 0.5 * classifier.loss_curve_[0]


@pytest.mark.parametrize("from_files", [False, True])
def test_a_published_net(tmp_path, monkeypatch, from_files):
    """It reads no data, tests nothing and writes nothing; the last loss says where the scores are."""
    monkeypatch.chdir(tmp_path)
    net, solver = NET, SGD
    if from_files:
        (tmp_path / "net.prototxt").write_text(NET)
        solver = tmp_path / "solver.prototxt"
        solver.write_text(SGD + ' net: "net.prototxt" test_iter: 3 test_interval: 5 snapshot: 2')
        net = None
    before = set(tmp_path.iterdir())
    classifier = NetClassifier(net, solver, random_state=0).fit(X, NAMES)
    assert classifier.score(X, NAMES) > 0.75 and set(tmp_path.iterdir()) == before
    assert classifier.learned_.blob == "ip" and classifier.n_iter_ == 80
    test = Net(parse(NET, "NetParameter"), dtype="float64", inputs={"data": (150, 4)})
    classifier.learned_.give_weights(test)
    scores = test.forward(end="ip", data=X)["ip"]
    np.testing.assert_array_equal(classifier.classes_[scores.argmax(axis=1)], classifier.predict(X))


def test_what_the_solver_does():
    """The weights are those of a solver that a user would feed with the same batches."""
    data, numbers = X.astype("float32"), np.arange(150) % 3
    classifier = NetClassifier(NET, SGD, max_iter=4, random_state=0, batch_size=150).fit(data, numbers)
    learned = dict(classifier.learned_.weights)
    net = Net(parse(NET, "NetParameter"), TRAIN, inputs={"data": (1, 4)})
    assert [array.shape for array in learned["ip"]] == [blob.shape for blob in net.params["ip"]]
    assert learned["ip"][0].dtype == np.float32
    again = NetClassifier(NET, SGD, max_iter=4, random_state=0, batch_size=150).fit(data, numbers)
    other = NetClassifier(NET, SGD, max_iter=4, random_state=1, batch_size=150).fit(data, numbers)
    np.testing.assert_array_equal(classifier.predict_proba(data), again.predict_proba(data))
    assert (classifier.predict_proba(data) != other.predict_proba(data)).any()


@pytest.mark.parametrize("batch_size, expected", [(None, 3), (70, 2), (1000, 1)])
def test_batches(batch_size, expected):
    """The data layer says 50; partial_fit makes one epoch, of whole batches."""
    classifier = NetClassifier(NET, SGD, batch_size=batch_size, random_state=0)
    assert classifier.partial_fit(X, NAMES, classes=np.unique(NAMES)).n_iter_ == expected


def test_partial_fit_goes_on():
    classifier = fitted(max_iter=30)
    before = classifier.loss_curve_[-1]
    for _ in range(30):
        classifier.partial_fit(X, NAMES)
    assert classifier.n_iter_ == 60 and classifier.loss_curve_[-1] < 0.8 * before
    copy = pickle.loads(pickle.dumps(classifier))
    np.testing.assert_array_equal(copy.predict_proba(X), classifier.predict_proba(X))
    assert copy.partial_fit(X, NAMES).n_iter_ == 61


def test_a_pickle_holds_the_weights():
    classifier = fitted(hidden_layer_sizes=(1000,))
    classifier.predict(X)
    data = pickle.dumps(classifier)
    assert len(data) < 1.2 * 8 * 8003 + 4000  # float64 numbers, and little else
    np.testing.assert_array_equal(pickle.loads(data).predict_proba(X), classifier.predict_proba(X))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_precision_is_that_of_the_data(dtype):
    classifier = NetClassifier(max_iter=2, random_state=0).fit(X.astype(dtype), Y)
    assert {str(array.dtype) for _, arrays in classifier.learned_.weights for array in arrays} == {dtype}


CONVOLUTION = '''
layer { name: "d" type: "Input" top: "data" top: "label" }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
        convolution_param { num_output: 3 kernel_size: 2 weight_filler { type: "xavier" } } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "conv" bottom: "label" top: "loss" }
'''


def test_images():
    images = X.reshape(-1, 1, 2, 2)
    one = NetClassifier(CONVOLUTION, SGD, random_state=0).fit(images, Y)
    other = NetClassifier(CONVOLUTION, SGD, random_state=0, input_shape=(1, 2, 2)).fit(X, Y)
    np.testing.assert_array_equal(one.predict_proba(images), other.predict_proba(X))
    assert one.n_features_in_ == 4 and one.score(images, Y) > 0.9


def test_a_search_in_a_pipeline():
    pipeline = make_pipeline(StandardScaler(), NetClassifier(max_iter=60, random_state=0))
    search = GridSearchCV(pipeline, {"netclassifier__hidden_layer_sizes": [(2,), (20,)]}, cv=2).fit(X, NAMES)
    assert search.best_score_ > 0.8
    assert clone(search.best_estimator_[-1]).get_params()["hidden_layer_sizes"] in [(2,), (20,)]


PAIRS = NET.replace('top: "data" top: "label"', 'top: "data" top: "other" top: "label"')
UNREAD = NET.split('layer { name: "early"')[0] + \
    'layer { name: "s" type: "Silence" bottom: "label" bottom: "aux" } ' \
    'layer { name: "loss" type: "EuclideanLoss" bottom: "ip" bottom: "ip" top: "loss" }'
ALONE = 'layer { name: "d" type: "Input" top: "data" } layer { name: "s" type: "Silence" bottom: "data" }'


@pytest.mark.parametrize("parameters, words", [
    ({"net": NET.replace("num_output: 3", "num_output: 4")}, "expected 3 scores in blob 'ip', one a class, got 4; ch"),
    ({"net": NET, "blob": "aux"}, "expected 3 scores in blob 'aux', one a class, got 7"),
    ({"net": PAIRS}, "expected a net that reads X, or X and y, got data, other, label"),
    ({"net": ALONE}, "expected a net that reads X and y, got data"),
    ({"net": UNREAD}, "expected a loss that reads 'label', got none; give the blob"),
    ({"input_shape": (1, 3, 3)}, r"expected an input_shape of 4 numbers, the features of X, got \(1, 3, 3\)"),
    ({"max_iter": 0}, "expected a max_iter of at least 1, got 0"),
    ({"batch_size": -1}, "expected a batch_size of at least 1, got -1"),
])
def test_parameters_that_cannot_be(parameters, words):
    with pytest.raises(ValueError, match=words) as caught:
        NetClassifier(**{"max_iter": 2} | parameters).fit(X, Y)
    assert isinstance(caught.value, EstimatorError)


def test_classes_of_partial_fit():
    with pytest.raises(EstimatorError, match="needs the classes in its first call"):
        NetClassifier().partial_fit(X, Y)
    with pytest.raises(EstimatorError, match=r"expected classes among \[0, 1\], got \[2\]"):
        NetClassifier().partial_fit(X, Y, classes=[0, 1])


def test_without_scikit_learn(monkeypatch):
    real = builtins.__import__

    def without(name, *rest):
        if name.split(".")[0] == "sklearn":
            raise ImportError("No module named 'sklearn'")
        return real(name, *rest)

    for name in [name for name in sys.modules if name.startswith("blobnet.sklearn")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingLibrary, match=r"needs scikit-learn, 1.6 or newer .*; pip install 'blobnet\[sklearn\]'") \
            as caught:
        importlib.import_module("blobnet.sklearn")
    assert isinstance(caught.value, ImportError)
