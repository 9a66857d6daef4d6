"""Encoding from Python: which layers run, which labels belong to the codes, and what is refused."""

import numpy as np
import pytest

from blobnet.core.context import TEST
from blobnet.core.net import Net
from blobnet.data.stores.datum import array_to_datum
from blobnet.data.stores.lmdb_writer import LmdbWriter
from blobnet.errors import DataError, ShapeError
from blobnet.hashing.encode import encode
from blobnet.proto.text import parse

NET = """
layer {{ name: "data" type: "Data" top: "data" top: "given"
  data_param {{ source: "{folder}/images_lmdb" backend: LMDB batch_size: 2 }} }}
layer {{ name: "ip" type: "InnerProduct" bottom: "data" top: "ip"
  inner_product_param {{ num_output: 4 weight_filler {{ type: "xavier" }} }} }}
layer {{ name: "relabel" type: "Power" bottom: "given" top: "label" power_param {{ shift: 1 }} }}
layer {{ name: "halves" type: "Reshape" bottom: "ip" top: "halves" reshape_param {{ shape {{ dim: 4 dim: 2 }} }} }}
"""


@pytest.fixture
def net(tmp_path):
    """A net over five random images with the labels 10 … 14, which makes its labels after its codes."""
    with LmdbWriter(tmp_path / "images_lmdb") as writer:
        for i in range(5):
            image = np.random.default_rng(i).integers(0, 256, (1, 4, 4), dtype=np.uint8)
            writer.put(b"%d" % i, array_to_datum(image, label=10 + i).SerializeToString())
    return Net(parse(NET.format(folder=tmp_path), "NetParameter"), TEST, random_seed=1)


def test_labels_may_be_made_after_the_codes(net):
    codes = encode(net, "ip", 5)
    assert codes.labels.tolist() == [11, 12, 13, 14, 15]
    np.testing.assert_array_equal(codes.values, encode(net, "ip", 5, "given").values)
    assert encode(net, "ip", 3, None).labels is None


@pytest.mark.parametrize("count", [6, 0, -1])
def test_counts_that_the_database_does_not_have(net, count):
    with pytest.raises(DataError, match=f"expected 1 to 5 images, got a count of {count}"):
        encode(net, "ip", count)


def test_keys_become_ids(net):
    assert encode(net, "ip", 3).ids.tolist() == encode(net, "ip", 3).ids.tolist() == ["0", "1", "2"]


def test_labels_of_other_rows_are_refused(net):
    with pytest.raises(ShapeError, match=r"blob 'label': expected 4 rows of labels, as 'halves' has, got shape \(2,\)"):
        encode(net, "halves", 4)
