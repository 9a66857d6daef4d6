"""What parameters are called in files of named arrays."""

import numpy as np
from layer_rows import build

from blobnet.core.weights_named import parameter_names


def test_every_parameter_of_ours_has_a_name(case):
    """One each, no more than there are; the parameters of the type Python are its class's own."""
    layer = case.build().layer
    count = len(layer.blobs)
    names = parameter_names(layer.param, count)
    assert len(set(names)) == count
    if layer.type != "Python":
        assert not any(name.isdecimal() or "." in name for name in names)


def test_names_go_with_the_bottoms():
    for type_name, shapes, options, expected in [
            ("Scale", [(2, 3)], "scale_param { bias_term: true }", ["weight", "bias"]),
            ("Scale", [(2, 3), (3,)], "scale_param { bias_term: true }", ["bias"]),
            ("LSTM", [(4, 2, 3), (4, 2)], "recurrent_param { num_output: 5 }", ["W_xc", "b_c", "W_hc"]),
            ("LSTM", [(4, 2, 3), (4, 2), (2, 6)], "recurrent_param { num_output: 5 }",
             ["W_xc", "b_c", "W_xc_static", "W_hc"])]:
        layer = build(type_name, [np.ones(shape) for shape in shapes], options).layer
        assert parameter_names(layer.param, len(layer.blobs)) == expected
