"""What is inside files of weights."""

import numpy as np
import pytest

from blobnet.core.context import TEST
from blobnet.core.net import Net
from blobnet.errors import DataError
from blobnet.proto.blobs import write_blob
from blobnet.proto.text import parse
from blobnet.view.weight_files import Row, weight_rows, weight_table

NET = """layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 2 dim: 4 } } }
layer { name: "a/b" type: "InnerProduct" bottom: "x" top: "y" inner_product_param { num_output: 3 } }
layer { name: "p" type: "PReLU" bottom: "y" top: "z" }"""


@pytest.mark.parametrize("file", ["net.caffemodel", "net.caffemodel.h5"])
def test_arrays_of_layers(tmp_path, file):
    net = Net(parse(NET, "NetParameter"), TEST)
    net.params["a/b"][0].data[...] = np.arange(12).reshape(3, 4)
    net.params["p"][0].data[...] = [1, np.nan, -3]
    net.save(tmp_path / file)
    weight, bias, slopes = weight_rows(tmp_path / file)
    assert weight == Row("a/b", 0, (3, 4), 12, 5.5, pytest.approx(np.arange(12).std()), pytest.approx(1 / 12), 0)
    assert bias == Row("a/b", 1, (3,), 3, 0.0, 0.0, 1.0, 0)
    assert slopes == Row("p", 0, (3,), 3, -1.0, 2.0, 0.0, 1)
    text = weight_table([weight, bias, slopes])
    assert "\na/b         0  3x4       12   5.5      3.452    8.3%\n" in text
    assert text.endswith("3 arrays, 18 numbers\nnot finite: 1 of the numbers of layer 'p', number 0")


@pytest.mark.parametrize("ending", ["npz", "safetensors"])
def test_named_arrays(tmp_path, ending):
    net = Net(parse(NET, "NetParameter"), TEST)
    net.params["a/b"][0].data[...] = np.arange(12).reshape(3, 4)
    net.save(tmp_path / f"w.{ending}")
    rows = sorted(weight_rows(tmp_path / f"w.{ending}"), key=lambda row: (row.layer, row.number), reverse=True)
    assert [(row.layer, row.number, row.shape, row.mean) for row in rows] == [
        ("p", "weight", (3,), 0.25), ("a/b", "weight", (3, 4), 5.5), ("a/b", "bias", (3,), 0.0)]
    assert "\na/b    weight  3x4       12   5.5      3.452    8.3%\n" in weight_table(rows)


def test_a_mean_and_a_file_that_has_no_weights(tmp_path):
    write_blob(tmp_path / "mean.binaryproto", np.full((3, 2, 2), 7.0))
    assert weight_rows(tmp_path / "mean.binaryproto") == [Row("", 0, (1, 3, 2, 2), 12, 7.0, 0.0, 0.0, 0)]
    with pytest.raises(DataError, match="no such file"):
        weight_rows(tmp_path / "none.caffemodel")
