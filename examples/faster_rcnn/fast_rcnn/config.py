"""The published settings, and how a layer takes them.

A script may write into them before it builds its net, config.TRAIN.RPN_BATCHSIZE = 128, and a net file may give others
in the param_str of a layer, in small letters: param_str: "{feat_stride: 16, rpn_batchsize: 128}".
"""

import math
from types import SimpleNamespace

import yaml

from blobnet.errors import NetError, close_matches

TRAIN = SimpleNamespace(
    # Images, section 3.3 of Faster R-CNN.
    SCALES=(600,),          # the shorter side of an image, in pixels; one is drawn for each image
    MAX_SIZE=1000,          # that the longer side does not exceed
    IMS_PER_BATCH=2,        # images of a batch of Fast R-CNN; nets with proposals of their own have 1
    USE_FLIPPED=True,       # images come mirrored too
    SOURCE="data/voc_2007_trainval.txt",  # the list of images and boxes, see roi_data_layer/roidb.py

    # The sample of boxes that a detector learns from, section 2.3 of Fast R-CNN.
    BATCH_SIZE=128,         # boxes of all images of a batch together
    FG_FRACTION=0.25,       # the share of them that shows objects, at most
    FG_THRESH=0.5,          # boxes that overlap a true box by this much show its object
    BG_THRESH_HI=0.5,       # boxes whose overlap is below this, and at least LO, show background
    BG_THRESH_LO=0.1,       # 0 in nets with proposals of their own
    BBOX_NORMALIZE_TARGETS=True,             # the offsets to learn are made to have mean 0 and deviation 1, with:
    BBOX_NORMALIZE_MEANS=(0.0, 0.0, 0.0, 0.0),
    BBOX_NORMALIZE_STDS=(0.1, 0.1, 0.2, 0.2),
    BBOX_INSIDE_WEIGHTS=(1.0, 1.0, 1.0, 1.0),

    # The sample of anchors that a region proposal network learns from, section 3.1 of Faster R-CNN.
    RPN_BATCHSIZE=256,      # anchors
    RPN_FG_FRACTION=0.5,    # the share of them that shows objects, at most
    RPN_POSITIVE_OVERLAP=0.7,     # anchors that overlap a true box by this much show an object
    RPN_NEGATIVE_OVERLAP=0.3,     # anchors that overlap none by this much show background
    RPN_CLOBBER_POSITIVES=False,  # the latter also if they overlap a true box most
    RPN_BBOX_INSIDE_WEIGHTS=(1.0, 1.0, 1.0, 1.0),
    RPN_POSITIVE_WEIGHT=-1.0,     # share of the anchors with objects in the weights; below 0: all weigh the same

    # Proposals.
    RPN_NMS_THRESH=0.7,     # a box is dropped that overlaps a better one by more
    RPN_PRE_NMS_TOP_N=12000,      # so many of the best boxes are looked at; all for 0 and below
    RPN_POST_NMS_TOP_N=2000,      # so many come out; all for 0 and below
    RPN_MIN_SIZE=16,        # the least side of a box, in pixels of the original image
)
TEST = SimpleNamespace(**{**vars(TRAIN), "RPN_PRE_NMS_TOP_N": 6000, "RPN_POST_NMS_TOP_N": 300})
PIXEL_MEANS = (102.9801, 115.9465, 122.7717)  # of blue, green, red, which images come without

LARGEST = 1 << 20  # of any setting: more pixels, boxes or classes than a net can have


class _Loader(yaml.SafeLoader):
    """Reads the tuples that old nets write."""


_Loader.add_constructor("tag:yaml.org,2002:python/tuple", lambda loader, node: loader.construct_sequence(node))


def settings(defaults: SimpleNamespace, options: dict, text: str, where: str) -> SimpleNamespace:
    """A layer's `options` and all settings of `defaults`, TRAIN or TEST, with what the YAML `text` gives of them.

    options: their defaults by name, None for one that has to be given. NetError for a text that is none, for names that
    are not known, and for values of another kind than the default, or that are negative, not finite or above 2^20.
    """
    try:
        given = yaml.load(text, _Loader) or {}
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise NetError(where, f"param_str is no YAML: {' '.join(str(error).split())}") from error
    if not isinstance(given, dict):
        raise NetError(where, expected="param_str with names and values", got=repr(text),
                       hint="write param_str: \"'feat_stride': 16\"")
    known = {name.lower(): value for name, value in vars(defaults).items()} | options
    for name, value in given.items():
        if name not in known:
            raise NetError(where, f"no setting {name!r} in param_str", hint=close_matches(str(name), known))
        known[name] = _checked(name, value, known[name], where)
    missing = [name for name, value in known.items() if value is None]
    if missing:
        raise NetError(where, f"no {missing[0]!r} in param_str", hint=f"write param_str: \"'{missing[0]}': …\"")
    return SimpleNamespace(**{name if name in options else name.upper(): value for name, value in known.items()})


def _checked(name: str, value: object, default: object, where: str) -> object:
    """`value`, if it is of the kind and in the range of `default`, None for any number of pixels or classes."""
    if isinstance(default, (str, bool)):
        expected, right = {str: "text", bool: "true or false"}[type(default)], type(value) is type(default)
    elif isinstance(default, tuple):
        positive, four = min(default) > 0, len(default) == 4
        expected = f"{'four' if four else 'one or more'} numbers{' above 0' if positive else ''}"
        right = (isinstance(value, (list, tuple)) and all(map(_is_number, value))
                 and (len(value) == 4 if four else len(value) > 0) and not (positive and min(value) <= 0))
    else:
        whole, least = not isinstance(default, float), 1 if default is None else 0
        anything = name.endswith("top_n") or default is not None and default <= 0
        expected = ("a whole number" if whole else "a number") + ("" if anything else f" of at least {least}")
        right = _is_number(value) and (not whole or isinstance(value, int)) and (anything or value >= least)
    if not right:
        raise NetError(where, f"{name!r} in param_str", expected=expected, got=repr(value))
    return value


def _is_number(value: object) -> bool:
    return type(value) in (int, float) and math.isfinite(value) and abs(value) <= LARGEST
