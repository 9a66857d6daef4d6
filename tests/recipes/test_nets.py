"""The solver and the net of a trial: where the net is looked for, and what replaces what the files say."""

import pytest

from blobnet.errors import SolverError
from blobnet.recipes.nets import trial_solver
from blobnet.recipes.trial import Trial

NET = """
layer { name: "conv" type: "Convolution" bottom: "x" top: "y" loss_weight: 1
  convolution_param { num_output: 2 kernel_size: 3 weight_filler { type: "xavier" std: 3 } } }
"""
CHANGE = 'convolution_param { kernel_size: 5 weight_filler { type: "gaussian" } } loss_weight: 2'


def solver_of(folder, text):
    (folder / "net.prototxt").write_text(NET)
    (folder / "solver.prototxt").write_text(text + ' base_lr: 1 lr_policy: "fixed"')
    options = {"solver": "solver.prototxt", "overrides": {"conv": CHANGE}}
    return trial_solver(Trial("method", options, 1, folder, folder, folder))


@pytest.mark.parametrize("field", ["net", "train_net"])
def test_the_net_is_beside_the_solver_by_either_name(field, tmp_path):
    solver = solver_of(tmp_path, f'{field}: "elsewhere/net.prototxt"')
    assert solver.net_param.layer[0].name == "conv" and not solver.net and not solver.train_net


def test_lists_are_replaced_and_messages_merged(tmp_path):
    layer = solver_of(tmp_path, 'net: "net.prototxt"').net_param.layer[0]
    options = layer.convolution_param
    assert (list(options.kernel_size), options.num_output, list(layer.loss_weight)) == ([5], 2, [2])
    assert (options.weight_filler.type, options.weight_filler.std) == ("gaussian", 3)


def test_a_solver_without_a_net(tmp_path):
    with pytest.raises(SolverError, match="expected one of train_net_param, .* got none"):
        solver_of(tmp_path, "")
