import pytest

from blobnet.errors import NetError
from blobnet.netdef.upgrade_v1 import TYPES, upgrade_v1
from blobnet.proto import messages
from blobnet.proto.text import parse

NETS = {
    "net fields stay": ('name: "n" force_backward: true debug_info: true state { level: 2 } layers { name: "l" }',
                        'name: "n" force_backward: true debug_info: true state { level: 2 } layer { name: "l" }'),
    "type, bottoms, tops, rules, weights": (
        '''layers { name: "loss" type: SOFTMAX_LOSS bottom: "a" bottom: "b" top: "c" loss_weight: 2
                    include { phase: TEST stage: "s" } exclude { min_level: 1 } softmax_param { axis: 2 }
                    loss_param { ignore_label: 3 } }''',
        '''layer { name: "loss" type: "SoftmaxWithLoss" bottom: "a" bottom: "b" top: "c" loss_weight: 2
                   include { phase: TEST stage: "s" } exclude { min_level: 1 } softmax_param { axis: 2 }
                   loss_param { ignore_label: 3 } }'''),
    "params": (
        '''layers { type: CONVOLUTION param: "w" param: "b" blob_share_mode: PERMISSIVE blobs_lr: 0 blobs_lr: 2
                    weight_decay: 1 weight_decay: 0 weight_decay: 0.5 }''',
        '''layer { type: "Convolution" param { name: "w" share_mode: PERMISSIVE lr_mult: 0 decay_mult: 1 }
                   param { name: "b" lr_mult: 2 decay_mult: 0 } param { decay_mult: 0.5 } }'''),
    "lr of the first only": ("layers { blobs_lr: 3 }", "layer { param { lr_mult: 3 } }"),
    "data": ('layers { type: DATA data_param { source: "d" scale: 0.5 mean_file: "m" crop_size: 4 mirror: true } }',
             '''layer { type: "Data" data_param { source: "d" }
                        transform_param { scale: 0.5 mean_file: "m" crop_size: 4 mirror: true } }'''),
    "images with label images, of DeconvNet": (
        'layers { name: "d" type: IMAGE_SEG_DATA image_data_param { label_type: PIXEL } transform_param { scale: 3 } }',
        'layer { name: "d" type: "ImageSegData" image_data_param { label_type: PIXEL } transform_param { scale: 3 } }'),
    "windows with label images, of DeconvNet": (
        'layers { type: WINDOW_SEG_DATA image_data_param { batch_size: 3 } }',
        'layer { type: "WindowSegData" image_data_param { batch_size: 3 } }'),
    "images, beside transform_param": (
        'layers { type: IMAGE_DATA image_data_param { crop_size: 4 } transform_param { scale: 3 crop_size: 5 } }',
        'layer { type: "ImageData" image_data_param { } transform_param { scale: 3 crop_size: 4 } }'),
    "windows": ("layers { type: WINDOW_DATA window_data_param { mirror: true } }",
                'layer { type: "WindowData" window_data_param { } transform_param { mirror: true } }'),
    "another type's data_param": ("layers { type: RELU data_param { scale: 2 } }",
                                  'layer { type: "ReLU" data_param { scale: 2 } }'),
    "enable, disable": (
        """layers { type: RELU enable { phase: TRAIN } enable { stage: "s" } }
           layers { type: ROIPOOLING roi_pooling_param { pooled_h: 2 } disable { phase: TEST } }""",
        """layer { type: "ReLU" include { phase: TRAIN } include { stage: "s" } }
           layer { type: "ROIPooling" roi_pooling_param { pooled_h: 2 } exclude { phase: TEST } }"""),
    "ELTWISE_PRODUCT": ("layers { type: ELTWISE_PRODUCT }",
                        'layer { type: "Eltwise" eltwise_param { operation: PROD } }'),
    "CROP": ("layers { type: CROP }", 'layer { type: "AutoCrop" }'),
    "BN": ("layers { type: BN blobs_lr: 1 blobs_lr: 2 bn_param { scale_filler { value: 1 } bn_mode: INFERENCE } }",
           '''layer { type: "BN" param { lr_mult: 1 } param { lr_mult: 2 }
                     bn_param { scale_filler { value: 1 } bn_mode: INFERENCE } }'''),
    "no type": ("layers { type: NONE }", 'layer { type: "" }'),
    "present net": ('layer { type: "Data" data_param { scale: 2 } }', 'layer { type: "Data" data_param { scale: 2 } }'),
}


@pytest.mark.parametrize("before, after", NETS.values(), ids=NETS)
def test_net(turns, before, after):
    result = turns(upgrade_v1, before, after)
    assert upgrade_v1(result) is result


def test_every_type_has_its_name():
    names = set(messages.message_class("V1LayerParameter").DESCRIPTOR.enum_types_by_name["LayerType"].values_by_name)
    assert names == set(TYPES)
    differ = {name: kind for name, kind in TYPES.items() if name.replace("_", "").lower() != kind.lower()}
    assert differ == {"NONE": "", "SOFTMAX_LOSS": "SoftmaxWithLoss", "CROP": "AutoCrop",
                      "ELTWISE_PRODUCT": "Eltwise"}


def test_every_options_message_is_carried_over():
    fields = messages.message_class("V1LayerParameter").DESCRIPTOR.fields
    old = messages.new("NetParameter")
    layer = old.layers.add()
    options = [field.name for field in fields if field.name.endswith("_param")]
    for name in options:
        getattr(layer, name).SetInParent()
    new = upgrade_v1(old).layer[0]
    assert len(options) > 25 and sorted(field.name for field, _ in new.ListFields()) == sorted(options)


def test_blobs_are_copied_with_fields_the_schema_does_not_know():
    blob = messages.new("BlobProto", num=1, channels=2, data=[1.5, -2]).SerializeToString() + b"\xf2\x7f\x03abc"
    old = messages.new("NetParameter")
    old.layers.add(name="l").blobs.add().MergeFromString(blob)
    assert upgrade_v1(old).layer[0].blobs[0].SerializeToString() == blob


ERRORS = {
    "mixed": ('layer { name: "a" } layers { name: "b" } layers { name: "c" }',
              ["both 'layer' (1) and 'layers' (2)"]),
    "first generation": ('layers { name: "b" layer { name: "c" } }', ["layer 'b'", "'layer' has no place"]),
}


@pytest.mark.parametrize("text, words", ERRORS.values(), ids=ERRORS)
def test_error(text, words):
    with pytest.raises(NetError) as error:
        upgrade_v1(parse(text, "NetParameter"), "old.prototxt")
    assert all(word in str(error.value) for word in ["old.prototxt: ", *words]), error.value


def test_unknown_fields_of_the_net_stay():
    net = parse('layers { name: "l" type: RELU }', "NetParameter")
    net.MergeFromString(b"\xc2\xb8\x02\x07keep me")  # field 5000
    new = upgrade_v1(net)
    assert new.layer[0].type == "ReLU" and not new.layers
    assert b"keep me" in new.SerializeToString()
