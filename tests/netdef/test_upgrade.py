import pytest

from blobnet.errors import NetError, SolverError
from blobnet.netdef import upgrade_net, upgrade_solver
from blobnet.proto.text import dump, parse

INPUT = '''layer { name: "input" type: "Input" top: "a" top: "b"
                   input_param { shape { dim: 1 dim: 2 dim: 3 dim: 4 } shape { dim: 5 dim: 6 dim: 7 dim: 8 } } }
           layer { name: "r" type: "ReLU" bottom: "a" top: "c" }'''
NETS = {
    "input_dim": ('''input: "a" input_dim: 1 input_dim: 2 input_dim: 3 input_dim: 4
                     input: "b" input_dim: 5 input_dim: 6 input_dim: 7 input_dim: 8
                     layer { name: "r" type: "ReLU" bottom: "a" top: "c" }''', INPUT),
    "input_shape, V1": ('''input: "a" input: "b" input_shape { dim: 1 dim: 2 dim: 3 dim: 4 }
                           input_shape { dim: 5 dim: 6 dim: 7 dim: 8 }
                           layers { name: "r" type: RELU bottom: "a" top: "c" }''', INPUT),
    "input_shape of any number of axes": (
        'input: "a" input_shape { dim: 3 }',
        'layer { name: "input" type: "Input" top: "a" input_param { shape { dim: 3 } } }'),
    "input without size": ('name: "weights" input: "a" layer { name: "r" }', 'name: "weights" layer { name: "r" }'),
    "size without input": ("input_dim: 3 input_dim: 4", "input_dim: 3 input_dim: 4"),
    "BatchNorm with three rates": (
        '''layer { type: "BatchNorm" param { name: "m" lr_mult: 1 } param { lr_mult: 0 } param { } }
           layer { type: "Scale" param { lr_mult: 1 } param { lr_mult: 2 } param { lr_mult: 3 } }''',
        '''layer { type: "BatchNorm" param { name: "m" lr_mult: 0 decay_mult: 0 }
                   param { lr_mult: 0 decay_mult: 0 } param { lr_mult: 0 decay_mult: 0 } }
           layer { type: "Scale" param { lr_mult: 1 } param { lr_mult: 2 } param { lr_mult: 3 } }'''),
    "BatchNorm with two rates": ('layer { type: "BatchNorm" param { lr_mult: 1 } param { } }',
                                 'layer { type: "BatchNorm" param { lr_mult: 1 } param { } }'),
    "BatchNorm with scale_bias": (
        '''layer { name: "bn" type: "BatchNorm" bottom: "a" top: "b" include { phase: TRAIN }
                   param { lr_mult: 1 } param { } param { } param { name: "s" lr_mult: 4 } param { lr_mult: 5 }
                   batch_norm_param {
                     eps: 0.1 scale_filler { value: 2 } bias_filler { type: "xavier" } scale_bias: true }
                   blobs { data: 1 } blobs { data: 2 } blobs { data: 3 } blobs { data: 4 } blobs { data: 5 } }
           layer { name: "r" type: "ReLU" }
           layer { name: "two" type: "BatchNorm" top: "c" phase: TEST batch_norm_param { scale_filler { value: 3 } } }
           layer { name: "no" type: "BatchNorm" batch_norm_param { scale_bias: false } }''',
        '''layer { name: "bn" type: "BatchNorm" bottom: "a" top: "b" include { phase: TRAIN }
                   param { lr_mult: 0 decay_mult: 0 } param { lr_mult: 0 decay_mult: 0 }
                   param { lr_mult: 0 decay_mult: 0 } batch_norm_param { eps: 0.1 }
                   blobs { data: 1 } blobs { data: 2 } blobs { data: 3 } }
           layer { name: "bn_scale" type: "Scale" bottom: "b" top: "b" include { phase: TRAIN }
                   param { name: "s" lr_mult: 4 } param { lr_mult: 5 } blobs { data: 4 } blobs { data: 5 }
                   scale_param { bias_term: true filler { value: 2 } bias_filler { type: "xavier" } } }
           layer { name: "r" type: "ReLU" }
           layer { name: "two" type: "BatchNorm" top: "c" phase: TEST batch_norm_param { } }
           layer { name: "two_scale" type: "Scale" bottom: "c" top: "c" phase: TEST
                   scale_param { bias_term: true filler { value: 3 } } }
           layer { name: "no" type: "BatchNorm" batch_norm_param { scale_bias: false } }'''),
    "losses of R-FCN": (
        '''layer { name: "l" type: "SmoothL1Loss" bottom: ["a", "b", "w"] top: "l" }
           layer { name: "m" type: "SmoothL1Loss" bottom: ["a", "b"] top: "m" }
           layer { name: "s" type: "SoftmaxWithLoss" bottom: ["a", "b"] top: ["s", "p", "l"] }''',
        '''layer { name: "l" type: "SmoothL1LossOHEM" bottom: ["a", "b", "w"] top: "l" }
           layer { name: "m" type: "SmoothL1Loss" bottom: ["a", "b"] top: "m" }
           layer { name: "s" type: "SoftmaxWithLossOHEM" bottom: ["a", "b"] top: ["s", "p", "l"] }'''),
    "CuDNNBatchNorm": (
        '''layer { name: "bn" type: "CuDNNBatchNorm" param { lr_mult: 1 } param { } param { } }
           layer { name: "two" type: "CuDNNBatchNorm" top: "c" batch_norm_param { eps: 0.1 scale_bias: true } }''',
        '''layer { name: "bn" type: "BatchNorm" param { lr_mult: 0 decay_mult: 0 } param { lr_mult: 0 decay_mult: 0 }
                   param { lr_mult: 0 decay_mult: 0 } }
           layer { name: "two" type: "BatchNorm" top: "c" batch_norm_param { eps: 0.1 } }
           layer { name: "two_scale" type: "Scale" bottom: "c" top: "c" scale_param { bias_term: true } }'''),
    "BatchNorm with a filler, and Scale": (
        '''layer { name: "bn" type: "BatchNorm" bottom: "a" top: "b"
                   batch_norm_param { eps: 0.1 filler { value: 0 } bias_filler { value: 3 } use_weight_bias: true } }
           layer { name: "other" type: "ReLU" bottom: "a" top: "c" }
           layer { name: "s" type: "Scale" bottom: "b" top: "b" scale_param { filler { value: 2 } bias_term: true } }
           layer { name: "t" type: "Scale" bottom: "b" top: "d" }''',
        '''layer { name: "bn" type: "BatchNorm" bottom: "a" top: "b"
                   batch_norm_param { eps: 0.1 use_weight_bias: true } }
           layer { name: "other" type: "ReLU" bottom: "a" top: "c" }
           layer { name: "s" type: "Scale" bottom: "b" top: "b"
                   scale_param { filler { value: 0 } bias_term: true bias_filler { value: 3 } } }
           layer { name: "t" type: "Scale" bottom: "b" top: "d" }'''),
    "BatchNorm with a filler, without Scale": (
        '''layer { name: "bn" type: "BatchNorm" bottom: "a" top: "b" batch_norm_param { filler { value: 4 } } }
           layer { name: "r" type: "ReLU" bottom: "b" top: "b" }
           layer { name: "s" type: "Scale" bottom: "b" top: "b" }''',
        '''layer { name: "bn" type: "BatchNorm" bottom: "a" top: "b" batch_norm_param { } }
           layer { name: "bn_scale" type: "Scale" bottom: "b" top: "b"
                   scale_param { bias_term: true filler { value: 4 } } }
           layer { name: "r" type: "ReLU" bottom: "b" top: "b" }
           layer { name: "s" type: "Scale" bottom: "b" top: "b" }'''),
    "bn_stats_batch_size": (
        'bn_stats_batch_size: 32 layer { type: "BatchNorm" batch_norm_param { eps: 0.1 } } layer { type: "ReLU" }',
        'layer { type: "BatchNorm" batch_norm_param { eps: 0.1 stats_batch_size: 32 } } layer { type: "ReLU" }'),
    "pairwise_ranking_loss_param": (
        'layer { type: "PairwiseRankingLoss" pairwise_ranking_loss_param { margin: 3 } }',
        'layer { type: "PairwiseRankingLoss" triplet_loss_param { margin: 3 } }'),
    "transform_param in data_param": (
        """layers { type: DATA data_param { source: "d" transform_param { scale: 2 } } }
           layers { type: IMAGE_DATA image_data_param { transform_param { mirror: true } } }""",
        """layer { type: "Data" data_param { source: "d" } transform_param { scale: 2 } }
           layer { type: "ImageData" image_data_param { } transform_param { mirror: true } }"""),
    "concat_dim, slice_dim": (
        '''layer { type: "Concat" concat_param { concat_dim: 0 } } layer { type: "Slice" slice_param { slice_dim: 2 } }
           layer { type: "Concat" concat_param { axis: -1 } }''',
        '''layer { type: "Concat" concat_param { axis: 0 } } layer { type: "Slice" slice_param { axis: 2 } }
           layer { type: "Concat" concat_param { axis: -1 } }'''),
    "concat_dim, V1": ("layers { type: CONCAT concat_param { concat_dim: 1 } }",
                       'layer { type: "Concat" concat_param { axis: 1 } }'),
    "ceil_mode": (
        'layer { pooling_param { kernel_size: 2 ceil_mode: false } } layer { pooling_param { ceil_mode: true } }',
        'layer { pooling_param { kernel_size: 2 round_mode: FLOOR } } layer { pooling_param { round_mode: CEIL } }'),
    "label_dim": ('layer { image_data_param { label_dim: 80 } }', 'layer { image_data_param { label_num: 80 } }'),
    "C3D, V1": (
        '''layers { name: "conv" type: CONVOLUTION3D blobs_lr: 2 convolution_param { num_output: 4 kernel_size: 3
                    kernel_depth: 2 pad: 1 temporal_pad: 1 weight_filler { std: 0.1 } engine: CAFFE } }
           layers { name: "pool" type: POOLING3D pooling_param { pool: AVE kernel_size: 2 kernel_depth: 1 stride: 2 } }
           layers { name: "flat" type: CONVOLUTION convolution_param { kernel_size: 3 } }''',
        '''layer { name: "conv" type: "Convolution3D" param { lr_mult: 2 } convolution3d_param { num_output: 4
                   kernel_size: 3 kernel_depth: 2 pad: 1 temporal_pad: 1 weight_filler { std: 0.1 } } }
           layer { name: "pool" type: "Pooling3D"
                   pooling3d_param { pool: AVE kernel_size: 2 kernel_depth: 1 stride: 2 } }
           layer { name: "flat" type: "Convolution" convolution_param { kernel_size: 3 } }'''),
    "C3D, films": (
        '''layers { name: "d" type: VIDEO_DATA image_data_param { source: "s" batch_size: 3 new_length: 16 new_height: 8
                    new_width: 9 use_image: true show_data: 1 use_label: false sampling_rate: 2 mean_file: "m"
                    crop_size: 7 mirror: true scale: 2 } }
           layers { name: "e" type: VIDEO_DATA image_data_param { mean_value: 128 use_temporal_jitter: true } }''',
        '''layer { name: "d" type: "VideoData" video_data_param { source: "s" batch_size: 3 new_length: 16 new_height: 8
                    new_width: 9 use_image: true show_data: true use_label: false sampling_rate: 2 }
                    transform_param { mean_file: "m" crop_size: 7 mirror: true scale: 2 } }
           layer { name: "e" type: "VideoData" video_data_param { use_temporal_jitter: true }
                   transform_param { mean_value: 128 } }'''),
    "both sizes": ('input: "a" input_dim: 1 input_shape { dim: 2 }',
                   'layer { name: "input" type: "Input" top: "a" input_param { shape { dim: 2 } } }'),
    "present net": ('name: "n" layer { name: "l" type: "ReLU" bottom: "a" top: "a" }',
                    'name: "n" layer { name: "l" type: "ReLU" bottom: "a" top: "a" }'),
}


@pytest.mark.parametrize("before, after", NETS.values(), ids=NETS)
def test_net(turns, before, after):
    result = turns(upgrade_net, before, after)
    assert upgrade_net(result) is result


DIMS = "input_dim: 1 input_dim: 1 input_dim: 1 "
ERRORS = {
    "mixed": ('layer { name: "a" } layers { name: "b" }', ["both 'layer' (1) and 'layers' (1)"]),
    "three input_dim": (f'input: "a" {DIMS}', ["expected 4 input_dim", "got 3", "input_shape"]),
    "four for two": (f'input: "a" input: "b" {DIMS} input_dim: 1', ["expected 8 input_dim", "got 4"]),
    "one shape for two": ('input: "a" input: "b" input_shape { dim: 1 }', ["expected 2 input_shape", "got 1"]),
    "both axes": ('layer { name: "s" type: "Slice" slice_param { axis: 1 slice_dim: 1 } }',
                  ["layer 's' (Slice)", "both slice_dim and axis"]),
    "both roundings": ('layer { name: "p" type: "Pooling" pooling_param { ceil_mode: true round_mode: FLOOR } }',
                       ["layer 'p' (Pooling)", "both ceil_mode and round_mode"]),
    "flat C3D": ('layer { name: "c" type: "Pooling" pooling_param { temporal_stride: 1 } }',
                 ["layer 'c' (Pooling)", "temporal_stride in pooling_param is for the type Pooling3D"]),
    "C3D twice": ('''layer { name: "c" type: "Convolution3D" convolution_param { kernel_depth: 1 }
                      convolution3d_param { } }''', ["both convolution_param and convolution3d_param"]),
    "C3D, field": ('layer { name: "c" type: "Pooling3D" pooling_param { kernel_depth: 2 kernel_h: 3 } }',
                   ["kernel_h in pooling_param has no place in pooling3d_param", "got 3"]),
    "C3D, list": ('''layer { name: "c" type: "Convolution3D"
                      convolution_param { kernel_depth: 2 kernel_size: 3 kernel_size: 4 } }''',
                  ["kernel_size in convolution_param has no place in convolution3d_param", "got 3, 4"]),
    "C3D, films twice": ('layer { name: "d" type: "VideoData" image_data_param { } video_data_param { } }',
                         ["layer 'd' (VideoData)", "both image_data_param and video_data_param"]),
    "C3D, films, field": ('layer { name: "d" type: "VideoData" image_data_param { label_num: 2 } }',
                          ["label_num in image_data_param has no place in video_data_param"]),
    "axis out of range": ('layer { name: "c" type: "Concat" concat_param { concat_dim: 4294967295 } }',
                          ["layer 'c' (Concat)", "expected concat_dim below 32", "got 4294967295"]),
}


@pytest.mark.parametrize("text, words", ERRORS.values(), ids=ERRORS)
def test_error(text, words):
    with pytest.raises(NetError) as error:
        upgrade_net(parse(text, "NetParameter"), "net.prototxt")
    assert all(word in str(error.value) for word in ["net.prototxt: ", *words]), error.value


@pytest.mark.parametrize("old, new", [
    ("SGD", "SGD"), ("NESTEROV", "Nesterov"), ("ADAGRAD", "AdaGrad"), ("RMSPROP", "RMSProp"),
    ("ADADELTA", "AdaDelta"), ("ADAM", "Adam"), ("5", "Adam"),
])
def test_solver_type(old, new):
    solver = parse(f"base_lr: 1 solver_type: {old}", "SolverParameter")
    assert dump(upgrade_solver(solver)) == dump(parse(f'base_lr: 1 type: "{new}"', "SolverParameter"))
    assert solver.HasField("solver_type") and not solver.HasField("type")


def test_present_solver_stays():
    solver = parse('type: "Adam"', "SolverParameter")
    assert upgrade_solver(solver) is solver


def test_both_solver_types():
    with pytest.raises(SolverError, match="s.prototxt: both type and solver_type"):
        upgrade_solver(parse('type: "SGD" solver_type: SGD', "SolverParameter"), "s.prototxt")
