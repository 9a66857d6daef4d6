"""scikit-learn's own checks of every estimator."""

import pytest

pytest.importorskip("sklearn", minversion="1.6")
from sklearn.utils.estimator_checks import parametrize_with_checks  # noqa: E402

from blobnet.sklearn import HashingTransformer, NetClassifier  # noqa: E402

NET = '''
layer { name: "d" type: "Input" top: "x" top: "y" }
layer { name: "code" type: "InnerProduct" bottom: "x" top: "code"
        inner_product_param { num_output: 3 weight_filler { type: "xavier" } } }
layer { name: "loss" type: "HashingLoss" bottom: "code" bottom: "y" top: "loss" hashing_loss_param { bi_margin: 6 } }
'''
QUICK = 'type: "Adam" base_lr: 0.05 lr_policy: "fixed" momentum: 0.9 momentum2: 0.999 max_iter: 25'


@parametrize_with_checks([
    HashingTransformer(), HashingTransformer(4, "lsh"), HashingTransformer(2, "sdh"),
    HashingTransformer(net=NET, solver=QUICK, max_iter=3),
    NetClassifier(solver=QUICK, hidden_layer_sizes=(10,)),
])
def test_checks_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.mark.slow
@parametrize_with_checks([HashingTransformer(learner="pcah"), HashingTransformer(4, "sh"), HashingTransformer(4, "ksh"),
                          NetClassifier()])
def test_checks_of_other_settings(estimator, check):
    check(estimator)
