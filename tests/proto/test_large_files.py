"""Models of more than 2 GB, which protobuf's own reader refuses."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
BYTES = 2_300_000_000
RUN = '''
import os, re, sys, threading, time
from pathlib import Path
from blobnet.core.net import Net
from blobnet.proto.binary import read_weights
from blobnet.proto.blobs import blob_array
from blobnet.proto.text import parse

OUTPUTS = 281_000
LAYER = """layer { name: "ip%d" type: "InnerProduct" bottom: "x" top: "ip%d"
           inner_product_param { num_output: 281000 bias_term: false } } """
NET = 'layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 1 dim: 1024 } } } '
path, peak = Path(sys.argv[1]), 0

def held():  # bytes of memory that are not parts of files
    return 1024 * int(re.search(r"RssAnon:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

def watch():
    global peak
    while True:
        peak = max(peak, held())
        time.sleep(0.01)

def build():
    return Net(parse(NET + LAYER % (0, 0) + LAYER % (1, 1), "NetParameter"))

threading.Thread(target=watch, daemon=True).start()
start, net = held(), build()
weights = [parameter.blob.data for parameter in net.parameters]
for k, array in enumerate(weights):
    array[0, 0], array[OUTPUTS // 2, 7], array[-1, -1] = k + 1, k + 2, k + 3
size = sum(array.nbytes for array in weights)
net.save(path)
print(size, path.stat().st_size, peak - start)
del net, weights, array
if path.suffix == ".caffemodel":
    message, arrays = read_weights(path)
    assert [float(blob_array(layer.blobs[0], arrays)[-1]) for layer in message.layer if layer.blobs] == [3, 4]
    print(held() - start)
    del message, arrays
net = build()
for parameter in net.parameters:
    parameter.blob.data[...] = 9
peak = 0
net.copy_from(path)
for k, parameter in enumerate(net.parameters):
    array = parameter.blob.data
    assert (array[0, 0], array[OUTPUTS // 2, 7], array[-1, -1]) == (k + 1, k + 2, k + 3)
    assert array[OUTPUTS // 3].any() == False
print(peak - start)
'''


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("suffix, copies", [(".caffemodel", 1), (".caffemodel.h5", 2)])
def test_a_model_of_more_than_2_gb(tmp_path, suffix, copies):
    """Written and read whole, and no more memory than for `copies` of the weights."""
    if shutil.disk_usage(tmp_path).free < 2 * BYTES:
        pytest.skip("not enough room on the disk")
    path = tmp_path / f"large{suffix}"
    try:
        out = subprocess.check_output([sys.executable, "-c", RUN, path], text=True, cwd=ROOT, timeout=900)
    finally:
        path.unlink(missing_ok=True)
    numbers = [[int(word) for word in line.split()] for line in out.splitlines()]
    (size, written, to_write), *seen, (to_read,) = numbers
    assert size > 1 << 31 and size < written < size + 100_000
    assert to_write < 1.1 * size
    assert all(only_read < 0.1 * size for only_read, in seen)
    assert to_read < (copies + 0.1) * size
