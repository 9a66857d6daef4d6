"""Layer types are imported when they are asked for, and not before."""

import json
import subprocess
import sys

import pytest

import blobnet
from blobnet.core.registry import LAYERS, VARIANTS


def told(code):
    """What a fresh Python prints as JSON."""
    done = subprocess.run([sys.executable, "-c", "import json, sys, blobnet\n" + code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


PAGES = "[name for name in sys.modules if name.startswith('blobnet.layers.') and name.count('.') == 3]"


def test_importing_blobnet_imports_no_page_nor_what_few_need():
    assert told(f"print(json.dumps({PAGES}))") == []
    loaded = told("print(json.dumps(sorted(sys.modules)))")
    late = {"yaml", "PIL", "lmdb", "h5py", "crc32c", "cramjam", "tqdm", "blobnet.solvers", "blobnet.data",
            "blobnet.proto.hdf5", "blobnet.proto.schema", "google.protobuf.descriptor_pb2", "tempfile", "threadpoolctl"}
    assert not late & {*loaded}


def test_a_net_imports_the_pages_of_its_types():
    text = 'layer { name: "i" type: "Input" top: "x" input_param { shape { dim: 1 } } } ' \
           'layer { name: "r" type: "ReLU" bottom: "x" top: "y" }'
    found = told(f"from blobnet.proto.text import parse\nblobnet.Net(parse({text!r}, 'NetParameter'))\n"
                 f"print(json.dumps([name.split('.')[-1] for name in {PAGES}]))")
    assert {"relu", "input"} <= {*found} and "convolution" not in found


@pytest.mark.parametrize("name", ["LSTM", "Lstm", "SoftmaxWithLoss", "K1_EuclideanLoss", "SegNetBN", "SSDNormalize"])
def test_a_name_finds_its_class(name):
    assert told(f"from blobnet.core.registry import LAYERS\nprint(json.dumps(LAYERS[{name!r}].__name__))") == name


def test_other_spellings_are_no_names():
    assert told("from blobnet.core.registry import LAYERS\n"
                "print(json.dumps([LAYERS.get('relu'), 'softmax_with_loss' in LAYERS, LAYERS.get('', 1)]))") == [
                    None, False, 1]


def test_all_types_are_there_for_who_looks_at_all():
    count = told("from blobnet.core.registry import LAYERS\nprint(json.dumps([len(LAYERS), len(dict(LAYERS))]))")
    assert count == [len(LAYERS)] * 2 and count[0] >= 156


def test_a_class_of_a_user_stays_in_the_place_of_ours():
    code = """
from blobnet.core.registry import LAYERS
@blobnet.register
class ReLU(blobnet.Layer):
    pass
mine = ReLU
list(LAYERS.values())
print(json.dumps(LAYERS["ReLU"] is mine))
"""
    assert told(code) is True


def test_a_class_of_a_user_takes_the_variants_along():
    code = """
from blobnet.core.registry import LAYERS, variants
before = [cls.__name__ for cls in variants("PairwiseLoss")]
@blobnet.register
class PairwiseLoss(blobnet.Layer):
    pass
print(json.dumps([sorted(before), [cls.__name__ for cls in variants("PairwiseLoss")], "PairwiseMeanLoss" in LAYERS]))
"""
    assert told(code) == [["PairwiseDistanceLoss", "PairwiseMeanLoss"], [], False]


def test_the_table_of_variants_is_what_the_types_say():
    said = {}
    for cls in LAYERS.values():
        if cls.__module__.startswith("blobnet.layers.") and vars(cls).get("variant_of"):
            said.setdefault(cls.variant_of, []).append(cls.__name__)
    assert {name: sorted(found) for name, found in VARIANTS.items()} == {
        name: sorted(found) for name, found in said.items()}


def test_names_of_the_package():
    assert blobnet.Solver.__name__ == "Solver" and blobnet.BatchSource.__name__ == "BatchSource"
    with pytest.raises(AttributeError, match="no attribute 'Solvr'"):
        blobnet.Solvr  # noqa: B018


def test_two_threads_may_ask_for_one_type():
    code = """
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from blobnet.core.registry import LAYERS
names, barrier = ["Convolution", "LSTM", "MultiBoxLoss", "Data"], Barrier(8)
def ask(i):
    barrier.wait()
    return [LAYERS.get(name) is not None for name in names[i % 4:] + names[:i % 4]]
with ThreadPoolExecutor(8) as pool:
    print(json.dumps([all(found) for found in pool.map(ask, range(8))]))
"""
    assert told(code) == [True] * 8
