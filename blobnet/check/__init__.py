"""Proofs: gradients against differences, forwards against formulas, the contract of layers, figures of Caffe 1.0."""

from blobnet.check.case import Case
from blobnet.check.contract import check_contract
from blobnet.check.gradient import assert_gradients, check_layer
from blobnet.check.net import check_net
from blobnet.check.page import check_page
from blobnet.check.results import ForwardResult, GradientResult, GradientResults, format_table

__all__ = ["Case", "ForwardResult", "GradientResult", "GradientResults", "assert_gradients", "check_contract",
           "check_layer", "check_net", "check_page", "format_table"]
