"""Exercises as a course has them, solved, and slips that students make in them."""

import textwrap

HEAD = '''"""An exercise."""

import numpy as np

import blobnet
from blobnet.check.exercise import Exercise

'''


def sample(kind, same_as, bottoms, methods, options="", base="blobnet.Layer", field="", more="", inputs="x"):
    """The text of a file with one exercise."""
    names = " ".join(f'bottom: "{name}"' for name in inputs.split())
    lines = [f"@blobnet.register\nclass {kind}({base}):\n    \"\"\"What a student is to write.\"\"\"\n"]
    lines += [f'    options_field = "{field}"\n'] if field else []
    lines += [textwrap.indent(textwrap.dedent(more).strip("\n"), "    ") + "\n"] if more else []
    lines += [textwrap.indent(textwrap.dedent(methods).strip("\n"), "    "), "\n\n"]
    layer = f'layer {{ name: "e" type: "{kind}" {names} top: "y" {options} }}'
    return (HEAD + "\n".join(lines)
            + f"\nEXERCISE = Exercise(\n    layer='{layer}',\n    bottoms=[{bottoms}],\n    same_as=\"{same_as}\")\n")


RESHAPE_AS_X = """
def reshape(self, bottom, top):
    top[0].reshape(bottom[0].shape)
"""
SIGMOID = sample("MySigmoid", "Sigmoid", "(4, 3)", RESHAPE_AS_X + """
def forward(self, bottom, top):
    top[0].data[...] = 1 / (1 + np.exp(-bottom[0].data))

def backward(self, top, propagate_down, bottom):
    if propagate_down[0]:
        y = top[0].data
        bottom[0].diff[...] = top[0].diff * y * (1 - y)
""", field="sigmoid_param")
TANH = sample("MyTanH", "TanH", "(4, 3)", RESHAPE_AS_X + """
def forward(self, bottom, top):
    top[0].data[...] = np.tanh(bottom[0].data)

def backward(self, top, propagate_down, bottom):
    if propagate_down[0]:
        y = top[0].data
        bottom[0].diff[...] = top[0].diff * (1 - y ** 2)
""")
RELU = sample("MyReLU", "ReLU", "(4, 3)", RESHAPE_AS_X + """
def forward(self, bottom, top):
    top[0].data[...] = np.maximum(bottom[0].data, 0)

def backward(self, top, propagate_down, bottom):
    if propagate_down[0]:
        bottom[0].diff[...] = top[0].diff * (bottom[0].data > 0)
""")
INNER_PRODUCT = sample("MyInnerProduct", "InnerProduct", "(4, 5)", """
def setup(self, bottom, top):
    K = self.options.num_output
    self.add_param((K, bottom[0].shape[1]), self.options.weight_filler)
    self.add_param((K,), self.options.bias_filler)

def reshape(self, bottom, top):
    top[0].reshape((bottom[0].shape[0], self.options.num_output))

def forward(self, bottom, top):
    weight, bias = self.blobs[0].data, self.blobs[1].data
    top[0].data[...] = bottom[0].data @ weight.T + bias

def backward(self, top, propagate_down, bottom):
    dy = top[0].diff
    self.blobs[0].diff[...] += dy.T @ bottom[0].data
    self.blobs[1].diff[...] += dy.sum(axis=0)
    if propagate_down[0]:
        bottom[0].diff[...] = dy @ self.blobs[0].data
""", 'inner_product_param { num_output: 3 weight_filler { type: "xavier" } }', field="inner_product_param")
SQUARE = INNER_PRODUCT.replace("(4, 5)", "(3, 3)")
EUCLIDEAN = sample("MyEuclideanLoss", "EuclideanLoss", "(4, 3), (4, 3)", """
def forward(self, bottom, top):
    self.difference = bottom[0].data - bottom[1].data
    N = bottom[0].shape[0]
    top[0].data[...] = (self.difference ** 2).sum() / (2 * N)

def backward(self, top, propagate_down, bottom):
    N = bottom[0].shape[0]
    if propagate_down[0]:
        bottom[0].diff[...] = top[0].diff * self.difference / N
    if propagate_down[1]:
        bottom[1].diff[...] = -top[0].diff * self.difference / N
""", base="blobnet.LossLayer", more="unforced_bottoms = ()", inputs="a b")
SOFTMAX = sample("MySoftmaxLoss", "SoftmaxWithLoss", "(4, 3), np.array([0, 2, 1, 1])", """
def forward(self, bottom, top):
    x, labels = bottom[0].data, bottom[1].data.astype(int)
    e = np.exp(x - x.max(axis=1, keepdims=True))
    self.p = e / e.sum(axis=1, keepdims=True)
    rows = np.arange(len(x))
    top[0].data[...] = -np.log(self.p[rows, labels]).mean()

def backward(self, top, propagate_down, bottom):
    labels = bottom[1].data.astype(int)
    rows = np.arange(len(labels))
    if propagate_down[0]:
        dx = self.p.copy()
        dx[rows, labels] -= 1
        bottom[0].diff[...] = top[0].diff * dx / len(labels)
""", base="blobnet.LossLayer", inputs="x labels")
POOLING = sample("MyMaxPooling", "Pooling", "(2, 3, 4, 4)", """
def reshape(self, bottom, top):
    N, C, H, W = bottom[0].shape
    top[0].reshape((N, C, H // 2, W // 2))

def forward(self, bottom, top):
    N, C, P, Q = top[0].shape
    self.found = {}
    for n, c, p, q in np.ndindex(N, C, P, Q):
        window = bottom[0].data[n, c, 2 * p:2 * p + 2, 2 * q:2 * q + 2]
        r, s = np.unravel_index(window.argmax(), window.shape)
        self.found[n, c, p, q] = n, c, 2 * p + r, 2 * q + s
        top[0].data[n, c, p, q] = window[r, s]

def backward(self, top, propagate_down, bottom):
    if propagate_down[0]:
        bottom[0].diff[...] = 0
        for place, source in self.found.items():
            bottom[0].diff[source] += top[0].diff[place]
""", "pooling_param { pool: MAX kernel_size: 2 stride: 2 }", field="pooling_param")
CONVOLUTION = sample("MyConvolution", "Convolution", "(2, 2, 4, 4)", """
def setup(self, bottom, top):
    options = self.options
    self.add_param((options.num_output, bottom[0].shape[1], 3, 3), options.weight_filler)
    self.add_param((options.num_output,), options.bias_filler)

def reshape(self, bottom, top):
    N, _, H, W = bottom[0].shape
    top[0].reshape((N, self.options.num_output, H, W))

def forward(self, bottom, top):
    H, W = bottom[0].shape[2:]
    weight = self.blobs[0].data
    self.padded = np.pad(bottom[0].data, WIDTHS)
    y = sum(np.einsum('ncpq,kc->nkpq', self.padded[:, :, r:r + H, s:s + W], weight[:, :, r, s])
            for r, s in np.ndindex(3, 3))
    top[0].data[...] = y + self.blobs[1].data[:, None, None]

def backward(self, top, propagate_down, bottom):
    H, W = bottom[0].shape[2:]
    dy, dx = top[0].diff, np.zeros(self.padded.shape)
    self.blobs[1].diff[...] += dy.sum(axis=(0, 2, 3))
    for r, s in np.ndindex(3, 3):
        part = np.s_[:, :, r:r + H, s:s + W]
        self.blobs[0].diff[:, :, r, s] += np.einsum('nkpq,ncpq->kc', dy, self.padded[part])
        dx[part] += np.einsum('nkpq,kc->ncpq', dy, self.blobs[0].data[:, :, r, s])
    if propagate_down[0]:
        bottom[0].diff[...] = dx[:, :, 1:-1, 1:-1]
""", 'convolution_param { num_output: 3 kernel_size: 3 pad: 1 weight_filler { type: "xavier" } }',
                     field="convolution_param").replace(
                         "\n\n@blobnet", "\nWIDTHS = (0, 0), (0, 0), (1, 1), (1, 1)\n\n\n@blobnet")
BATCH_NORM = sample("MyBatchNorm", "BatchNorm", "(4, 3, 2, 2)", RESHAPE_AS_X + """
def forward(self, bottom, top):
    x = bottom[0].data
    m = x.mean(axis=(0, 2, 3), keepdims=True)
    v = x.var(axis=(0, 2, 3), keepdims=True)
    self.s = np.sqrt(v + self.options.eps)
    self.z = (x - m) / self.s
    top[0].data[...] = self.z

def backward(self, top, propagate_down, bottom):
    if propagate_down[0]:
        dy, axes = top[0].diff, (0, 2, 3)
        mean = dy.mean(axis=axes, keepdims=True)
        slope = (dy * self.z).mean(axis=axes, keepdims=True)
        bottom[0].diff[...] = (dy - mean - self.z * slope) / self.s
""", "batch_norm_param { use_global_stats: false eps: 0.01 }", field="batch_norm_param")
RUNNING = BATCH_NORM.replace("""
    def forward""", """
    def setup(self, bottom, top):
        for size in (bottom[0].shape[1], bottom[0].shape[1], 1):
            self.add_param((size,), new("FillerParameter"))

    def forward""").replace("""
        top[0].data[...] = self.z
""", """
        top[0].data[...] = self.z
        M, fraction = x.size // x.shape[1], self.options.moving_average_fraction
        for i, value in enumerate((m.reshape(-1), v.reshape(-1) * M / (M - 1), 1)):
            self.blobs[i].data[...] = fraction * self.blobs[i].data + value
""").replace("import Exercise\n", "import Exercise\nfrom blobnet.proto.messages import new\n")
CONTRASTIVE = sample("MyContrastive", "ContrastiveLoss", "(6, 2), (6, 2), np.array([1, 0, 1, 0, 0, 1])", """
def forward(self, bottom, top):
    self.d = bottom[0].data - bottom[1].data
    y = bottom[2].data
    self.r = np.sqrt((self.d ** 2).sum(axis=1))
    self.gap = np.maximum(self.options.margin - self.r, 0)
    top[0].data[...] = (y * self.r ** 2 + (1 - y) * self.gap ** 2).sum() / (2 * len(y))

def backward(self, top, propagate_down, bottom):
    y = bottom[2].data
    c = np.where(y == 1, 1, -self.gap / self.r)
    da = top[0].diff * c[:, None] * self.d / len(y)
    if propagate_down[0]:
        bottom[0].diff[...] = da
    if propagate_down[1]:
        bottom[1].diff[...] = -da
""", "contrastive_loss_param { margin: 2 }", base="blobnet.LossLayer", field="contrastive_loss_param",
                     more="num_bottoms = 3\nunforced_bottoms = (2,)", inputs="a b y")
DROPOUT = sample("MyDropout", "Dropout", "(40, 10)", RESHAPE_AS_X + """
def forward(self, bottom, top):
    ratio = self.options.dropout_ratio
    self.mask = (self.random().random(bottom[0].shape) >= ratio) / (1 - ratio)
    if self.phase == blobnet.TEST:
        self.mask = np.ones(bottom[0].shape)
    top[0].data[...] = bottom[0].data * self.mask

def backward(self, top, propagate_down, bottom):
    if propagate_down[0]:
        bottom[0].diff[...] = top[0].diff * self.mask
""", "dropout_param { dropout_ratio: 0.25 }", field="dropout_param")
SOFTMAX_LAYER = sample("MySoftmax", "Softmax", "(4, 5)", RESHAPE_AS_X + """
def forward(self, bottom, top):
    x = bottom[0].data
    e = np.exp(x - x.max(axis=1, keepdims=True))
    top[0].data[...] = e / e.sum(axis=1, keepdims=True)

def backward(self, top, propagate_down, bottom):
    if propagate_down[0]:
        y, dy = top[0].data, top[0].diff
        bottom[0].diff[...] = y * (dy - (dy * y).sum(axis=1, keepdims=True))
""")
SAMPLES = {
    "sigmoid": SIGMOID, "tanh": TANH, "relu": RELU, "inner product": INNER_PRODUCT, "square product": SQUARE,
    "euclidean": EUCLIDEAN, "softmax loss": SOFTMAX, "max pooling": POOLING, "convolution": CONVOLUTION,
    "batch norm": BATCH_NORM, "running sums": RUNNING, "contrastive": CONTRASTIVE, "dropout": DROPOUT,
    "softmax": SOFTMAX_LAYER,
}
