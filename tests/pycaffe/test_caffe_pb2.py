"""caffe.proto.caffe_pb2: names as protoc gives them, always of the present schema."""

import pytest
from google.protobuf import text_format

from blobnet.proto import messages
from blobnet.pycaffe.proto import caffe_pb2


@pytest.mark.parametrize("read, value", [
    (lambda pb: (pb.TRAIN, pb.TEST), (0, 1)),
    (lambda pb: pb.Phase.Value("TEST"), 1),
    (lambda pb: pb.PoolingParameter.AVE, 1),
    (lambda pb: pb.PoolingParameter.PoolMethod.Name(0), "MAX"),
    (lambda pb: pb.SolverParameter.GPU, 1),
    (lambda pb: pb.V1LayerParameter.LayerType.Name(4), "CONVOLUTION"),
    (lambda pb: pb._V1LAYERPARAMETER_LAYERTYPE.values_by_number[4].name, "CONVOLUTION"),
    (lambda pb: pb._LAYERPARAMETER.fields_by_name["top"].number, 4),
    (lambda pb: pb.DESCRIPTOR.package, "caffe"),
    (lambda pb: pb.LRNParameter().local_size, 5),
    (lambda pb: "NetParameter" in dir(pb) and "TEST" in dir(pb), True),
])
def test_names(read, value):
    assert read(caffe_pb2) == value


def test_star_import():
    names = {}
    exec("from blobnet.pycaffe.proto.caffe_pb2 import *", names)
    assert names["TEST"] == 1 and names["Datum"](channels=3).channels == 3


def test_unknown_name_has_a_hint():
    with pytest.raises(AttributeError, match="NetParameter"):
        caffe_pb2.NetParamter  # noqa: B018
    assert not hasattr(caffe_pb2, "__wrapped__")


def test_text_format():
    net = caffe_pb2.NetParameter()
    text_format.Merge("layer { name: 'a' type: 'Pooling' pooling_param { pool: AVE kernel_size: 2 } }", net)
    assert net.layer[0].pooling_param.pool == caffe_pb2.PoolingParameter.AVE
    assert text_format.Parse(text_format.MessageToString(net), caffe_pb2.NetParameter()) == net


def test_a_plug_in_extends_it(monkeypatch):
    monkeypatch.setattr(messages, "_extensions", dict(messages._extensions))
    try:
        messages.extend_schema("message OwnParameter { optional int32 a = 1 [default = 7]; }"
                               "extend LayerParameter { optional OwnParameter own_param = 2055; }", "test")
        assert caffe_pb2.OwnParameter().a == caffe_pb2.LayerParameter().own_param.a == 7
    finally:
        monkeypatch.undo()
        messages._pool.cache_clear()
    assert not hasattr(caffe_pb2, "OwnParameter")
