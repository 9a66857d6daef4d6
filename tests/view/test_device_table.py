"""`blobnet layers --devices`: what computes each kernel."""

import pytest
from twin_rows import ROWS

from blobnet.cli import main
from blobnet.ops.cuda.launch import signatures
from blobnet.view.device_table import WORDS, device_table


@pytest.fixture(scope="module")
def rows():
    """The cells of each kernel, by its name."""
    heads, *lines = device_table().splitlines()
    starts = [heads.index(head) for head in ("kernel", "what", "CPU", "GPU")]
    cells = [[line[a:b].strip() for a, b in zip(starts, [*starts[1:], None])] for line in lines]
    return {name: rest for name, *rest in cells}


def test_every_kernel_with_a_twin_has_a_row(rows):
    assert rows.keys() == ROWS.keys()
    assert all(purpose and len(purpose) <= WORDS and cpu == "NumPy" and gpu for purpose, cpu, gpu in rows.values())


@pytest.mark.parametrize("name, gpu", [
    ("relu_forward", "relu_forward"),
    ("class_members", "CuPy's operations"),
    ("multiply", "cuBLAS"),
    ("standardize", "part_moments, standardize"),  # by functions of its module
    ("channel_sums", "channel_sums"),
])
def test_what_computes_a_kernel_on_a_gpu(rows, name, gpu):
    assert rows[name][-1] == gpu


def test_a_product_and_kernels_of_other_modules_are_named_too(rows):
    assert {"cuBLAS", "im2col", "col2im"} <= {*rows["Convolution"][-1].split(", ")}


def test_kernels_are_named_as_their_text_names_them(rows):
    named = {word for *_, gpu in rows.values() for word in gpu.split(", ")}
    assert named - {"cuBLAS", "CuPy's operations"} <= signatures().keys()


def test_the_first_sentence_says_what_it_is(rows):
    assert rows["sum_where"][0] == "The sum of the values where the mask, bool of the same shape, is true"
    assert rows["tally"][0].startswith("How often each of 0 ... ")


def test_the_command_prints_it(capsys):
    assert main(["layers", "--devices"]) == 0
    assert capsys.readouterr().out.rstrip("\n") == device_table()
