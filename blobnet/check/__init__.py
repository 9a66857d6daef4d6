"""Proofs: gradients against finite differences, the layer contract, figures measured on Caffe 1.0."""

from blobnet.check.gradient import GradientResult, assert_gradients, check_layer, format_table
from blobnet.check.net import check_net

__all__ = ["GradientResult", "assert_gradients", "check_layer", "check_net", "format_table"]
