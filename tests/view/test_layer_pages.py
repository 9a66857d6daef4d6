"""The page of a layer type: `blobnet layer NAME`."""

import inspect
import re

import pytest

import blobnet.layers
from blobnet.cli import main
from blobnet.core.registry import LAYERS
from blobnet.proto.messages import message_class
from blobnet.view.layer_pages import layer_page

OURS = [cls for cls in LAYERS.values() if cls.__module__.startswith(blobnet.layers.__name__)]
FIELDS = message_class("LayerParameter").DESCRIPTOR.fields_by_name


@pytest.mark.parametrize("cls", OURS, ids=lambda cls: cls.__name__)
def test_all_options_that_a_page_names_are_printed(cls):
    printed = re.findall(r"^(\w+) \{$", layer_page(cls.__name__), re.MULTILINE)
    assert printed == [field for field in (cls.options_field, *cls.more_options) if field]
    options = re.search(r"Options:(.*?)^(Paper|Quirks):", inspect.getdoc(cls), re.DOTALL | re.MULTILINE)
    named = set(re.findall(r"\b\w+_param\b", options[1] if options else ""))
    own = FIELDS[cls.options_field].message_type.fields_by_name if cls.options_field else ()
    assert named.difference(own) <= set(printed)


def test_variants_of_a_name(capsys):
    """The page of each is shown, and what a net writes for it."""
    assert main(["layer", "PairwiseLoss"]) == 0
    assert "PairwiseLoss (hashing)\n" in (shown := capsys.readouterr().out)
    assert 'type: "PairwiseLoss" with other fields may also be: PairwiseDistanceLoss, PairwiseMeanLoss\n' in shown
    assert main(["layer", "PairwiseMeanLoss"]) == 0
    assert 'PairwiseMeanLoss (hashing) (type: "PairwiseLoss")\n' in capsys.readouterr().out
    assert main(["layers"]) == 0
    assert re.search(r'  PairwiseMeanLoss  .*\. \(type: "PairwiseLoss"\)\n', capsys.readouterr().out)
    assert main(["layers", "--markdown"]) == 0
    assert "PairwiseLoss" in (table := capsys.readouterr().out) and "PairwiseMeanLoss" not in table


def test_fields_and_defaults(capsys):
    assert main(["layer", "SoftmaxWithLoss"]) == 0
    assert """
softmax_param {
  engine  DEFAULT | CAFFE | CUDNN  [DEFAULT]  no effect
  axis    int32                    [1]
}
not done, so refused: hard_ratio, class_weight, hard_mining_label, cutting_point, normalize_type,
label_smooth_factor, margin

loss_param {
  ignore_label           int32
  normalization          FULL | VALID | BATCH_SIZE | NONE | PRE_FIXED  [VALID]
  normalize              bool
  pre_fixed_normalizer   float                                         [1]
  weight_by_label_freqs  bool                                          [false]
  class_weighting        float, repeated
}
not done, so refused: label_smoothing
""" in capsys.readouterr().out
