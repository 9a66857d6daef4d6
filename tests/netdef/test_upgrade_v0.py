import pytest

from blobnet.errors import NetError
from blobnet.netdef import upgrade_net
from blobnet.netdef.upgrade_v0 import upgrade_v0
from blobnet.proto import messages
from blobnet.proto.text import parse


def one_layer(before, after):
    """Nets of one layer with every bottom and top that the row needs."""
    return (f'input: "x" layers {{ bottom: "x" top: "y" layer {{ name: "l" {before} }} }}',
            f'input: "x" layers {{ bottom: "x" top: "y" name: "l" {after} }}')


LAYERS = {
    "accuracy": ('type: "accuracy"', "type: ACCURACY"),
    "conv": ('''type: "conv" num_output: 96 biasterm: true kernelsize: 11 stride: 4 pad: 2 group: 2
                weight_filler { type: "gaussian" std: 0.01 } bias_filler { type: "constant" value: 0.5 }
                blobs_lr: 1. blobs_lr: 2. weight_decay: 1. weight_decay: 0.''',
             '''type: CONVOLUTION blobs_lr: 1 blobs_lr: 2 weight_decay: 1 weight_decay: 0
                convolution_param { num_output: 96 bias_term: true kernel_size: 11 stride: 4 pad: 2 group: 2
                  weight_filler { type: "gaussian" std: 0.01 } bias_filler { type: "constant" value: 0.5 } }'''),
    "innerproduct": ('''type: "innerproduct" num_output: 10 biasterm: false weight_filler { type: "xavier" }
                        bias_filler { value: 1 }''',
                     '''type: INNER_PRODUCT inner_product_param { num_output: 10 bias_term: false
                        weight_filler { type: "xavier" } bias_filler { value: 1 } }'''),
    "pool": ('type: "pool" pool: AVE kernelsize: 3 stride: 2 pad: 1',
             "type: POOLING pooling_param { pool: AVE kernel_size: 3 stride: 2 pad: 1 }"),
    "dropout": ('type: "dropout" dropout_ratio: 0.2', "type: DROPOUT dropout_param { dropout_ratio: 0.2 }"),
    "lrn": ('type: "lrn" local_size: 7 alpha: 0.001 beta: 0.5 k: 2',
            "type: LRN lrn_param { local_size: 7 alpha: 0.001 beta: 0.5 k: 2 }"),
    "concat": ('type: "concat" concat_dim: 0', "type: CONCAT concat_param { concat_dim: 0 }"),
    "data": ('''type: "data" source: "db" meanfile: "mean" batchsize: 256 cropsize: 227 mirror: true scale: 0.25
                rand_skip: 7''',
             '''type: DATA data_param { source: "db" batch_size: 256 rand_skip: 7 }
                transform_param { mean_file: "mean" crop_size: 227 mirror: true scale: 0.25 }'''),
    "images": ('''type: "images" source: "list" batchsize: 8 rand_skip: 1 shuffle_images: true new_height: 256
                  new_width: 128''',
               '''type: IMAGE_DATA image_data_param { source: "list" batch_size: 8 rand_skip: 1 shuffle: true
                  new_height: 256 new_width: 128 }'''),
    "window_data": ('''type: "window_data" source: "w" batchsize: 4 det_fg_threshold: 0.6 det_bg_threshold: 0.4
                       det_fg_fraction: 0.3 det_context_pad: 16 det_crop_mode: "square" cropsize: 9''',
                    '''type: WINDOW_DATA window_data_param { source: "w" batch_size: 4 fg_threshold: 0.6
                       bg_threshold: 0.4 fg_fraction: 0.3 context_pad: 16 crop_mode: "square" }
                       transform_param { crop_size: 9 }'''),
    "hdf5_data": ('type: "hdf5_data" source: "h" batchsize: 5',
                  'type: HDF5_DATA hdf5_data_param { source: "h" batch_size: 5 }'),
    "hdf5_output": ('type: "hdf5_output" hdf5_output_param { file_name: "o" }',
                    'type: HDF5_OUTPUT hdf5_output_param { file_name: "o" }'),
    "infogain_loss": ('type: "infogain_loss" source: "H"', 'type: INFOGAIN_LOSS infogain_loss_param { source: "H" }'),
    "softmax_loss": ('type: "softmax_loss"', "type: SOFTMAX_LOSS"),
    "scale anywhere": ('type: "relu" scale: 2', "type: RELU transform_param { scale: 2 }"),
    "no type": ("", ""),
}


@pytest.mark.parametrize("before, after", LAYERS.values(), ids=LAYERS)
def test_layer(turns, before, after):
    turns(upgrade_v0, *one_layer(before, after))


@pytest.mark.parametrize("fields, kept, said", [
    ('type: "relu" num_output: 3', "type: RELU", ["num_output for layer type relu"]),
    ('type: "data" batchsize: 2 det_fg_threshold: 0.5 det_crop_mode: "warp"', "type: DATA data_param { batch_size: 2 }",
     ["det_fg_threshold for layer type data", "det_crop_mode for layer type data"]),
    ('type: "relu" hdf5_output_param { } weight_filler { }', "type: RELU",
     ["weight_filler for layer type relu", "hdf5_output_param for layer type relu"]),
    ('type: "data" shuffle_images: true', "type: DATA", ["shuffle for layer type data"]),
    ("num_output: 3", "", ["num_output for layer type "]),
    ('type: "conv" new_num: 3 new_channels: 2', "type: CONVOLUTION", []),
    ('type: "data" scale: 2', "type: DATA transform_param { scale: 2 }", []),
])
def test_fields_of_other_types_are_left_out_with_a_warning(turns, caplog, fields, kept, said):
    turns(upgrade_v0, *one_layer(fields, kept))
    lines = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    end = ["Warning: had one or more problems upgrading V0NetParameter to NetParameter (see above); continuing anyway."]
    assert lines == [f"Unknown parameter {line}" for line in said] + end * bool(said)


def test_every_field_has_one_place():
    from blobnet.netdef import upgrade_v0 as module
    fields = set(messages.message_class("V0LayerParameter").DESCRIPTOR.fields_by_name)
    layer, places = messages.new("V1LayerParameter"), [module.OPTIONS, module.LAYER_FIELDS, module.TRANSFORM_FIELDS]
    assert sum(map(len, places)) == len(set().union(*places))
    assert fields - set().union(*places) == {"type", "hdf5_output_param", "new_num", "new_channels"}
    for name, kinds in module.OPTIONS.values():
        for kind in kinds.split():
            getattr(getattr(layer, module.TYPES[kind][1]), name)


def test_padding_layer_is_folded_into_its_readers(turns):
    turns(upgrade_v0, '''
        name: "n" input: "x" input_dim: 1 force_backward: true
        layers { bottom: "x" top: "p" layer { name: "pad" type: "padding" pad: 2 } }
        layers { bottom: "p" top: "c" layer { name: "conv" type: "conv" pad: 9 kernelsize: 5 } }
        layers { bottom: "p" top: "q" layer { name: "pool" type: "pool" kernelsize: 5 } }
        layers { bottom: "c" top: "p" layer { name: "again" type: "relu" } }
        layers { bottom: "p" top: "d" layer { name: "unpadded" type: "conv" } }
        ''', '''
        name: "n" input: "x" input_dim: 1 force_backward: true
        layers { bottom: "x" top: "c" name: "conv" type: CONVOLUTION convolution_param { pad: 2 kernel_size: 5 } }
        layers { bottom: "x" top: "q" name: "pool" type: POOLING pooling_param { pad: 2 kernel_size: 5 } }
        layers { bottom: "c" top: "p" name: "again" type: RELU }
        layers { bottom: "p" top: "d" name: "unpadded" type: CONVOLUTION }
        ''')


def test_through_both_generations(turns):
    turns(upgrade_net, '''
        layers { bottom: "x" top: "y" layer { name: "l" type: "conv" num_output: 3 pad: 1
                 blobs_lr: 1 blobs_lr: 2 weight_decay: 0.5 } }
        input: "x" input_dim: 1 input_dim: 1 input_dim: 4 input_dim: 4''', '''
        layer { name: "input" type: "Input" top: "x" input_param { shape { dim: 1 dim: 1 dim: 4 dim: 4 } } }
        layer { name: "l" type: "Convolution" bottom: "x" top: "y" param { lr_mult: 1 decay_mult: 0.5 }
                param { lr_mult: 2 } convolution_param { num_output: 3 pad: 1 } }''')


PAD = 'input: "x" layers { bottom: "x" top: "p" layer { name: "pad" type: "padding" pad: 1 } } '
ERRORS = {
    "type": (one_layer('type: "convo"', "")[0], ["unknown type 'convo'", "did you mean 'conv'"]),
    "padded relu": (PAD + 'layers { bottom: "p" top: "r" layer { name: "r" type: "relu" } }',
                    ["layer 'r' (relu)", "'pad'", "expected a conv or pool"]),
    "padding twice": (PAD + 'layers { bottom: "p" top: "q" layer { name: "pad2" type: "padding" } }',
                      ["layer 'pad2' (padding)"]),
    "two bottoms": (PAD + 'layers { bottom: "x" bottom: "p" top: "c" layer { name: "c" type: "conv" } }',
                    ["layer 'c' (conv)", "expected 1 bottom", "got 2"]),
    "two pads": ('''input: "x" layers { bottom: "x" bottom: "x" top: "p" layer { name: "pad" type: "padding" } }
                    layers { bottom: "p" top: "c" layer { name: "c" type: "conv" } }''',
                 ["expected 1 bottom and 1 top", "got 2 and 1"]),
    "bottom": ('input: "data" layers { bottom: "dat" top: "c" layer { name: "c" type: "conv" } }',
               ["unknown bottom 'dat'", "did you mean 'data'"]),
    "two generations": (
        'layers { layer { type: "data" } top: "x" } layers { name: "r" type: RELU bottom: "x" top: "x" }',
        ["layer 'r'", "one generation"]),
    "fields of both": ('layers { name: "r" loss_weight: 1 layer { type: "data" } top: "x" }',
                       ["layer 'r'", "name, loss_weight"]),
}


@pytest.mark.parametrize("text, words", ERRORS.values(), ids=ERRORS)
def test_error(text, words):
    with pytest.raises(NetError) as error:
        upgrade_v0(parse(text, "NetParameter"), "old.prototxt")
    assert str(error.value).startswith("old.prototxt: ")
    assert all(word in str(error.value) for word in words), error.value
