"""A payload made by hand of a tiny net: two images, a convolution, ReLU in place, pooling, inner product, loss."""

from __future__ import annotations

import numpy as np
from arithmetic_cases import convolution, product, scalar, softmax, windows
from hand_payload import Payload, histogram

from blobnet.check.standalone import standalone

WEIGHTS = 'weight_filler { type: "gaussian" std: 0.5 } bias_filler { type: "constant" value: 0.1 }'
LAYERS = {
    "conv": f'layer {{ name: "conv" type: "Convolution" bottom: "data" top: "conv" convolution_param {{ num_output: 2 '
            f'kernel_size: 3 pad: 1 {WEIGHTS} }} }}',
    "relu": 'layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }',
    "pool": 'layer { name: "pool" type: "Pooling" bottom: "conv" top: "pool" pooling_param { kernel_size: 2 '
            'stride: 2 } }',
    "ip": f'layer {{ name: "ip" type: "InnerProduct" bottom: "pool" top: "ip" inner_product_param {{ num_output: 3 '
          f'{WEIGHTS} }} }}',
    "loss": 'layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }',
}
NAMES = ["circle", "square", "star"]
CONV_PAGE = """<p>Slide a bank of filters over the spatial axes.</p>
<pre>y[n, k, p, q] = bias[k] + sum over c, r, s of
    weight[k, c, r, s] * x[n, c, p + r - pad, q + s - pad]</pre>
<dl><dt>Bottoms</dt><dd>x (N, C, H, W)</dd><dt>Tops</dt><dd>y (N, K, P, Q)</dd>
<dt>Paper</dt><dd>LeCun et al., Gradient-based learning applied to document recognition, 1998.</dd></dl>"""


def run(seed: int = 1) -> tuple[dict, dict, dict, dict]:
    """Data and diffs of the net's values by name ("conv in" is conv before its ReLU), parameters and their diffs."""
    rng, layers = np.random.default_rng(seed), {}
    image = rng.normal(size=(2, 1, 6, 6)).astype(np.float32).astype(float)
    data, label = {"data": image}, np.array([2.0, 0.0])
    for name, bottom, top in [("conv", "data", "conv in"), ("relu", "conv in", "conv"), ("pool", "conv", "pool"),
                              ("ip", "pool", "ip"), ("loss", "ip", "loss")]:
        text = LAYERS[name].replace('top: "conv" }', 'top: "y" }') if name == "relu" else LAYERS[name]
        layers[name] = alone = standalone(text, data[bottom], *[label] * (name == "loss"), seed=seed)
        data[top] = alone.forward()[0]
    data["label"], diff = label, {"loss": np.array(1.0)}
    for name, bottom, top in [("loss", "ip", "loss"), ("ip", "pool", "ip"), ("pool", "conv", "pool"),
                              ("relu", "conv in", "conv"), ("conv", "data", "conv in")]:
        alone = layers[name]
        for blob in alone.layer.blobs:
            blob.diff[...] = 0
        diff[bottom] = alone.backward([diff[top]], alone.differentiable())[0]
    params = {name: alone.parameters for name, alone in layers.items()}
    slopes = {name: [np.array(blob.diff) for blob in alone.layer.blobs] for name, alone in layers.items()}
    return data, diff, params, slopes


def tiny_payload(**fields) -> Payload:
    """The payload of the net: data, label (index 0), conv 1, relu 2, pool 3, ip 4, loss 5."""
    data, diff, params, slopes = run()
    made = Payload("Tiny net", loss=float(data["loss"]), **fields)
    values = [("data", "data", 0, 0, [(1, 0)], {"role": "image"}),
              ("label", "label", 0, 1, [(5, 1)], {"role": "label", "names": NAMES}),
              ("conv in", "conv", 1, 0, [(2, 0)], {}), ("conv", "conv", 2, 0, [(3, 0)], {}),
              ("pool", "pool", 3, 0, [(4, 0)], {}), ("ip", "ip", 4, 0, [(5, 0)], {"names": NAMES}),
              ("loss", "loss", 5, 0, [], {})]
    given = {key: diff[key] for key in diff if key != "data"}
    ids = {key: made.value(name, data[key], given.get(key), layer, top, readers, **more)
           for key, name, layer, top, readers, more in values}
    made.header["values"][ids["data"]]["diff"] = made.array(diff["data"])
    pool = {"kind": "pool", "method": "MAX", **windows((6, 6), (2, 2), (2, 2), (0, 0), (3, 3))}
    made.layer("data", "Input", [], [ids["data"], ids["label"]], family="data")
    made.layer("conv", "Convolution", [ids["data"]], [ids["conv in"]], parameters(made, params, slopes, "conv"),
               convolution([3, 3], [1, 1], [1, 1], [1, 1]), page=CONV_PAGE,
               letters=[["N", "2"], ["C", "1"], ["H", "6"], ["W", "6"], ["K", "2"], ["R", "3"], ["S", "3"], ["P", "6"],
                        ["Q", "6"]],
               options=[["num_output", "2", "", True], ["kernel_size", "3", "", True], ["pad", "1", "0", True],
                        ["stride", "1", "1", False], ["dilation", "1", "1", False], ["group", "1", "1", False]],
               check=[{"blob": "weight", "kind": "param", "checked": 18, "skipped": 0, "error": 3e-10, "passed": True,
                       "note": ""},
                      {"blob": "data", "kind": "bottom", "checked": 40, "skipped": 2, "error": 1e-9, "passed": True,
                       "note": "2 near a kink"}],
               forward_check={"error": 1.2e-16, "passed": True, "note": ""})
    made.layer("relu", "ReLU", [ids["conv in"]], [ids["conv"]], (), scalar("max(x, 0)", "where(x > 0, 1, 0)"),
               family="activation", marks=[{"kind": "dead", "text": "1 of 2 channels is 0 for every image."}])
    made.layer("pool", "Pooling", [ids["conv"]], [ids["pool"]], (), pool, family="pooling")
    made.layer("ip", "InnerProduct", [ids["pool"]], [ids["ip"]], parameters(made, params, slopes, "ip"),
               product(2, 18, 3))
    made.layer("loss", "SoftmaxWithLoss", [ids["ip"], ids["label"]], [ids["loss"]], (), softmax([2, 3, 1], 2),
               family="loss", loss_weights=[1])
    return made


def parameters(made: Payload, params: dict, slopes: dict, name: str) -> list[dict]:
    return [made.param(word, value, slope, 0.1 * slope)
            for word, value, slope in zip(("weight", "bias"), params[name], slopes[name])]


def training(made: Payload, steps: int = 6) -> dict:
    """A training that nobody ran: curves, and frames of the tiny net with other weights."""
    iterations, frames, rng = list(range(0, 10 * steps, 10)), [], np.random.default_rng(8)
    for i, step in enumerate(iterations):
        data, diff, params, slopes = run(seed=steps - i)
        keys = {"2": "conv in", "3": "conv", "4": "pool", "5": "ip"}
        frames.append({"step": step, "loss": float(data["loss"]),
                       "values": {key: {"data": made.bytes_of(data[name]), "diff": made.bytes_of(diff[name])}
                                  for key, name in keys.items()},
                       "params": {"1.0": {"data": made.bytes_of(params["conv"][0]),
                                          "diff": made.bytes_of(slopes["conv"][0]),
                                          "histogram": {"data": histogram(params["conv"][0]),
                                                        "diff": histogram(slopes["conv"][0])}}},
                       "value_histograms": {key: {"data": histogram(data[name]), "diff": histogram(diff[name])}
                                            for key, name in keys.items()}})
    every = range(0, 10 * steps, 2)
    norms = [{"layer": layer, "param": number, "name": f"{name}.{word}",
              "values": [float(value) for value in np.exp(rng.normal(-layer, 0.4, steps))]}
             for layer, name in [(1, "conv"), (4, "ip")] for number, word in enumerate(("weight", "bias"))]
    return {"steps": iterations, "frames": frames, "gradient_norms": norms,
            "loss": [[i, float(1.2 * np.exp(-i / 25) + 0.05 * rng.random())] for i in every],
            "outputs": {"accuracy": [[i, float(1 - 0.7 * np.exp(-i / 20))] for i in iterations]},
            "rate": [[i, 0.1 if i < 30 else 0.01] for i in every],
            "update_ratios": [{**one, "values": [value * 2e-3 for value in one["values"]]} for one in norms]}


def broken() -> dict:
    rows = [[i, float(1.2 * np.exp(-i / 25))] for i in range(0, 60, 2)]
    check = {"blob": "weight", "kind": "param", "checked": 18, "skipped": 0, "error": 0.33, "passed": False, "note": ""}
    return {"layer": 4, "name": "ip", "factor": 1.5, "check": [check], "healthy": rows,
            "faulty": [[i, value * (1 + i / 80)] for i, value in rows],
            "text": "The gradient of ip was multiplied by 1.5. Training goes on all the same, only worse; the check "
                    "sees it at once."}


def pairs(made: Payload, count: int = 8, bits: int = 6) -> dict:
    """Codes that come closer together where their labels are equal."""
    rng, labels = np.random.default_rng(6), [i % 3 for i in range(count)]
    ends, frames = np.sign(rng.normal(size=(3, bits)))[labels], []
    noise = rng.normal(size=(count, bits))
    for step in range(0, 60, 15):
        codes = ends * step / 60 + noise * (1 - step / 60)
        distances = np.square(codes[:, None] - codes[None]).sum(-1)
        frames.append({"step": step, "distances": made.array(distances), "codes": made.array(codes),
                       "histogram": histogram(codes)})
    similar = np.equal.outer(labels, labels)
    force = np.where(similar, 1.0, -1.0 * (distances < 12.0))
    return {"layer": 5, "name": "loss", "margin": 12.0, "labels": labels, "codes": codes.tolist(), "frames": frames,
            "similar": made.bytes_of(similar), "force": made.array(force * rng.random(force.shape))}


def full_payload() -> Payload:
    """The tiny net with everything that a page can show."""
    made = tiny_payload(left_out=["conv.weight: 10 of 50 rows are here"])
    made.header["training"], made.header["broken"], made.header["pairs"] = training(made), broken(), pairs(made)
    return made


BOXES = [("data", "data"), ("conv", "weighted"), ("relu", "activation"), ("pool", "pooling"), ("ip", "weighted"),
         ("loss", "loss")]


def drawing() -> str:
    """The net from left to right, as the page takes it."""
    parts = []
    for i, (name, family) in enumerate(BOXES):
        mark = f'<g data-mark="{i}" transform="translate({100 + i * 150},20)"/>'
        parts.append(f'<g class="layer family-{family}" data-layer="{i}"><rect x="{10 + i * 150}" y="20" width="90" '
                     f'height="40" rx="4"/><text x="{55 + i * 150}" y="44" text-anchor="middle">{name}</text>{mark}'
                     "</g>")
    for i, blob in enumerate(["data", "conv", "conv", "pool", "ip"]):
        left, right = 100 + i * 150, 160 + i * 150
        parts.append(f'<g class="wire" data-blob="{blob}"><path class="data" d="M{left},36H{right}"/>'
                     f'<path class="diff" d="M{left},46H{right}"/></g>'
                     f'<text class="blob" data-blob="{blob}" x="{left + 30}" y="28" text-anchor="middle">{blob}</text>')
    return f'<svg class="net-drawing" viewBox="0 0 870 80" width="870" height="80">{"".join(parts)}</svg>'


