"""Nets that benchmarks run and prototxt/ does not hold, written from their papers as prototxt, with losses."""

from __future__ import annotations

import pathlib

ROOT = pathlib.Path(__file__).resolve().parent.parent
PUBLISHED = {  # the nets of prototxt/ that benchmarks run: file, shapes of data and labels
    "lenet": ("prototxt/lenet/train_test.prototxt", (64, 1, 28, 28), (64,)),
    "dsh": ("prototxt/dsh/train_test_12.prototxt", (200, 3, 32, 32), (200,)),
    "dnnh48": ("prototxt/dnnh/train_test_48.prototxt", (48, 3, 32, 32), None),
    "alexnet": ("prototxt/alexnet/train_val.prototxt", (16, 3, 227, 227), (16,)),
    "resnet50": ("prototxt/resnet/train_val_50.prototxt", (4, 3, 224, 224), (4,)),
    "vgg16": ("prototxt/vgg/train_val_16.prototxt", (2, 3, 224, 224), (2,)),
    "fcn8s": ("prototxt/fcn/train_test_8s.prototxt", (1, 3, 500, 500), (1, 1, 500, 500)),
}


def definition(name: str, phase: int, shapes: dict[str, tuple[int, ...]]):
    """The net of that name without its data, a NetParameter; `shapes` take the place of its own."""
    from blobnet.core.without_data import without_data
    from blobnet.netdef.load import load
    from blobnet.proto.text import parse

    if name not in PUBLISHED:
        return without_data(load(parse(NETS[name](), "NetParameter", origin=name), phase), shapes)
    path, data, label = PUBLISHED[name]
    own = {"data": data} | ({"label": label} if label else {})
    return without_data(load(ROOT / path, phase), own | shapes)


def peak() -> float:
    """The peak of this process in MB; Linux only."""
    lines = dict(line.split(":", 1) for line in pathlib.Path("/proc/self/status").read_text().splitlines())
    return int(lines["VmHWM"].split()[0]) / 1024


class Text:
    """A net that grows layer by layer; every method adds one and gives the name of its top."""

    def __init__(self, *shape: int, label: tuple[int, ...] = ()):
        self.layers: list[str] = []
        dims = [" ".join(f"dim: {size}" for size in sizes) for sizes in (shape, label) if sizes]
        sizes = " ".join(f"shape {{ {each} }}" for each in dims)
        tops = 'top: "data" top: "label"' if label else 'top: "data"'
        self.layers.append(f'layer {{ name: "data" type: "Input" {tops} input_param {{ {sizes} }} }}')

    def add(self, kind: str, name: str, bottoms: str, options: str = "", top: str | None = None) -> str:
        read = " ".join(f'bottom: "{bottom}"' for bottom in bottoms.split())
        self.layers.append(f'layer {{ name: "{name}" type: "{kind}" {read} top: "{top or name}" {options} }}')
        return top or name

    def conv(self, name: str, bottom: str, outputs: int, kernel: int, pad: int = 0, stride: int = 1,
             relu: bool = True, more: str = "") -> str:
        self.add("Convolution", name, bottom, f"convolution_param {{ num_output: {outputs} kernel_size: {kernel} "
                 f"pad: {pad} stride: {stride} {more} }}")
        return self.add("ReLU", f"{name}/relu", name, top=name) if relu else name

    def pool(self, name: str, bottom: str, kernel: int, stride: int, method: str = "MAX") -> str:
        return self.add("Pooling", name, bottom,
                        f"pooling_param {{ pool: {method} kernel_size: {kernel} stride: {stride} }}")

    def vgg(self, stages: list[int]) -> str:
        """The stages of VGG, of so many convolutions each, with the pools between them; the last has none."""
        top = "data"
        for stage, count in enumerate(stages, 1):
            for i in range(1, count + 1):
                top = self.conv(f"conv{stage}_{i}", top, min(64 << stage - 1, 512), 3, 1)
            if stage < len(stages):
                top = self.pool(f"pool{stage}", top, 2, 2)
        return top

    def __str__(self) -> str:
        return "\n".join(self.layers) + "\n"


def squeezenet() -> str:
    """Iandola et al., SqueezeNet, 2016, table 1."""
    net = Text(8, 3, 227, 227, label=(8,))
    top = net.pool("pool1", net.conv("conv1", "data", 96, 7, stride=2), 3, 2)
    for i, squeeze in enumerate([16, 16, 32, 32, 48, 48, 64, 64], 2):
        s = net.conv(f"fire{i}/squeeze1x1", top, squeeze, 1)
        wide = [net.conv(f"fire{i}/expand{k}x{k}", s, 4 * squeeze, k, k // 2) for k in (1, 3)]
        top = net.add("Concat", f"fire{i}/concat", " ".join(wide))
        if i in (4, 8):
            top = net.pool(f"pool{i}", top, 3, 2)
    top = net.conv("conv10", net.add("Dropout", "drop9", top, top=top), 1000, 1)
    net.add("Pooling", "pool10", top, "pooling_param { pool: AVE global_pooling: true }")
    net.add("SoftmaxWithLoss", "loss", net.add("Flatten", "scores", "pool10") + " label")
    return str(net)


def mobilenet() -> str:
    """Howard et al., MobileNets, 2017, table 1, with a convolution of groups for each channel."""
    net = Text(4, 3, 224, 224, label=(4,))

    def normed(name: str, bottom: str, outputs: int, kernel: int, pad: int, stride: int, group: int = 1) -> str:
        net.conv(name, bottom, outputs, kernel, pad, stride, relu=False, more=f"group: {group} bias_term: false")
        net.add("BatchNorm", f"{name}/bn", name, top=name)
        net.add("Scale", f"{name}/scale", name, "scale_param { bias_term: true }", top=name)
        return net.add("ReLU", f"{name}/relu", name, top=name)

    top, channels = normed("conv1", "data", 32, 3, 1, 2), 32
    blocks = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1)]
    for i, (outputs, stride) in enumerate(blocks, 2):
        top = normed(f"conv{i}/dw", top, channels, 3, 1, stride, channels)
        top, channels = normed(f"conv{i}/sep", top, outputs, 1, 0, 1), outputs
    net.add("Pooling", "pool", top, "pooling_param { pool: AVE global_pooling: true }")
    net.add("InnerProduct", "scores", "pool", "inner_product_param { num_output: 1000 }")
    net.add("SoftmaxWithLoss", "loss", "scores label")
    return str(net)


def pose() -> str:
    """Cao et al., Realtime multi-person 2D pose estimation using part affinity fields, CVPR 2017, figure 3."""
    net = Text(1, 3, 368, 368)
    features = net.conv("conv4_4", net.conv("conv4_3", net.vgg([2, 2, 4, 2]), 256, 3, 1), 128, 3, 1)
    bottom = features
    for stage in range(1, 7):
        ends = []
        for branch, outputs in ((1, 38), (2, 19)):
            top, deep, kernel, wide = bottom, 3 if stage == 1 else 5, 3 if stage == 1 else 7, 512 if stage == 1 else 128
            for i in range(1, deep + 1):
                top = net.conv(f"stage{stage}_{branch}_{i}", top, 128, kernel, kernel // 2)
            top = net.conv(f"stage{stage}_{branch}_{deep + 1}", top, wide, 1)
            ends.append(net.conv(f"stage{stage}_{branch}", top, outputs, 1, relu=False))
            net.add("Reduction", f"loss{stage}_{branch}", ends[-1],
                    "reduction_param { operation: SUMSQ } loss_weight: 1")
        bottom = net.add("Concat", f"concat{stage}", " ".join([*ends, features])) if stage < 6 else ""
    return str(net)


NETS = {"squeezenet": squeezenet, "mobilenet": mobilenet, "pose": pose}
