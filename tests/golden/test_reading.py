"""Batches that Caffe 1.0's data layers read from files, against what ours read from the same files."""

from pathlib import Path

import numpy as np
import pytest

from blobnet.core.context import TEST
from blobnet.core.net import Net
from blobnet.proto.text import parse

FILES = Path(__file__).with_name("files")


@pytest.mark.parametrize("path", sorted(FILES.glob("read_*.npz")), ids=lambda path: path.stem)
def test_same_batches_as_caffe(path, monkeypatch):
    monkeypatch.chdir(FILES)
    with np.load(path) as case:
        net = Net(parse(str(case["prototxt"]), "NetParameter"), TEST)
        batches = sorted({key.split("/")[1] for key in case if "/" in key})
        assert len(batches) == 4
        for n in batches:
            net.forward()
            for name in ("data", "label"):
                np.testing.assert_array_equal(net.blobs[name].data, case[f"{name}/{n}"])
