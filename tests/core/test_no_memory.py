"""Nets that need more memory than a process may have."""

from __future__ import annotations

import subprocess
import sys

import pytest

from blobnet.core.net import Net
from blobnet.proto.text import parse

BYTES = 100 << 20  # that the process may take beyond what it has
HEAD = 'force_backward: true layer { name: "x" type: "Input" top: "x" input_param { shape { SHAPE } } }'
CASES = {  # shape of the input, a layer, what runs: what the error says
    "parameter": ("1 100", 'type: "InnerProduct" inner_product_param { num_output: 1000000 }', "pass",
                  "layer 'l' (InnerProduct), parameter 0 of shape (1000000, 100): no memory for 100000000 numbers, 0."),
    "data": ("1 1000000", 'type: "Tile" tile_param { tiles: 40 }', "net.forward()",
             "layer 'l' (Tile), top 'y' of shape (1, 40000000): no memory for 40000000 numbers, 0.149012 GiB; smaller"),
    "diff": ("10 1000000", 'type: "TanH"', "net.forward(); net.backward()",
             "layer 'l' (TanH), top 'y' of shape (10, 1000000): no memory for 10000000 numbers, 0.0372529 GiB"),
    "kept": ("1 1 30000000", 'type: "BatchNorm"', "pass",
             "layer 'l' (BatchNorm): no memory (Unable to allocate 114. MiB for an array with shape (1, 1, 30000000)"),
    "workspace": ("1 16 500 500", 'type: "Convolution" convolution_param { num_output: 1 kernel_size: 9 }',
                  "net.forward()", "layer 'l' (Convolution): no memory (0.132866 GiB of the workspace, in which the"),
    "input": ("1 100", 'type: "TanH"', "net.blobs['x'].reshape(1 << 28); net.blobs['x'].data",
              "layer 'x' (Input), top 'x' of shape (268435456,): no memory for 268435456 numbers, 1 GiB"),
    "history": ("1 10000", 'type: "InnerProduct" inner_product_param { num_output: 1900 } loss_weight: 1', "SOLVER",
                "layer 'l' (InnerProduct): no memory (Unable to allocate 72.5 MiB for an array with shape (1900, 1"),
}
RUN = """
import gc, resource
import blobnet
from blobnet.proto.messages import new
from blobnet.proto.text import parse

def run(net, what):
    taken = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + BYTES, most))
    try:
        definition = parse(net, "NetParameter")
        if what == "SOLVER":
            blobnet.get_solver(new("SolverParameter", net_param=definition, base_lr=1, lr_policy="fixed", type="Adam",
                                   snapshot_after_train=False), device="cpu")
        else:
            net = blobnet.Net(definition, blobnet.TRAIN)
            exec(what)
        print()
    except blobnet.errors.BlobnetError as error:
        print(type(error).__name__, error)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (most, most))

most = resource.getrlimit(resource.RLIMIT_AS)[1]
blobnet.Net(parse(SMALL, "NetParameter")).forward()  # what is loaded late is there
for net, what in NETS:
    run(net, what)
    gc.collect()
"""


def text(shape, layer):
    dims = " ".join(f"dim: {size}" for size in shape.split())
    return f'{HEAD.replace("SHAPE", dims)} layer {{ name: "l" bottom: "x" top: "y" {layer} }}'


@pytest.fixture(scope="module")
def said():
    """What a process with little memory said of each case."""
    if not sys.platform.startswith("linux"):
        pytest.skip("limits of memory are Linux's")
    small = text("1 3 9 9", 'type: "Convolution" convolution_param { num_output: 1 kernel_size: 3 }')
    nets = [(text(shape, layer), what) for shape, layer, what, _ in CASES.values()]
    script = f"BYTES, SMALL, NETS = {BYTES!r}, {small!r}, {nets!r}" + RUN
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert not done.returncode, done.stderr
    return dict(zip(CASES, done.stdout.splitlines(), strict=True))


@pytest.mark.parametrize("case", CASES)
def test_the_error_names_the_layer_the_array_and_its_size(said, case):
    assert said[case].startswith(f"ShapeError {CASES[case][3]}")
    assert "smaller batches (batch_size), images (crop_size) or numbers of outputs take less" in said[case]


def test_a_batch_beyond_all_memory_is_built_at_once():
    """Only running it needs memory: `blobnet summary` and `port` show such a net."""
    net = Net(parse("""
layer { name: "d" type: "Input" top: "x" input_param { shape { dim: [99999999999, 3, 9, 9] } } }
layer { name: "c" type: "Convolution" bottom: "x" top: "y" convolution_param { num_output: 2 kernel_size: 3 } }""",
                    "NetParameter"))
    assert net.blobs["y"].shape == (99999999999, 2, 7, 7)
