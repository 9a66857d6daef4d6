"""Proofs: gradients against finite differences, the layer contract, figures measured on Caffe 1.0."""

from blobnet.check import declarations  # noqa: F401  (adds its rules to the contract)
from blobnet.check.contract import Case, check_contract
from blobnet.check.gradient import GradientResult, assert_gradients, check_layer, format_table
from blobnet.check.net import check_net
from blobnet.check.page import check_page

__all__ = ["Case", "GradientResult", "assert_gradients", "check_contract", "check_layer", "check_net", "check_page",
           "format_table"]
