import io
import json
import subprocess
import sys
import tracemalloc
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from blobnet.errors import BlobnetError, DataError, ShapeError
from blobnet.hashing.codes import Codes
from blobnet.hashing.packing import binarize, one_hot, pack, to_words, unpack

bit_arrays = arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=70), elements=st.integers(0, 1))


def example(**rest) -> Codes:
    values = np.random.default_rng(1).normal(size=(5, 12))
    return Codes.from_values(values, labels=np.arange(5.0), net="a.prototxt", weights="a.caffemodel", blob="u", **rest)


@given(bit_arrays)
def test_unpacking_gives_back_what_was_packed(bits):
    packed = pack(bits)
    assert packed.shape == (len(bits), (bits.shape[1] + 7) // 8)
    assert np.array_equal(unpack(packed, bits.shape[1]), bits)
    as_numbers = [sum(int(bit) << k for k, bit in enumerate(row)) for row in bits]  # bit k has the weight 2**k
    assert [int.from_bytes(row.tobytes(), "little") for row in packed] == as_numbers


@given(bit_arrays)
def test_words_hold_the_ones_of_the_codes(bits):
    words = to_words(pack(bits))
    assert words.flags.c_contiguous and words.shape[1] == len(bits)
    ones = [sum(bin(int(word)).count("1") for word in words[:, row]) for row in range(len(bits))]
    assert ones == bits.sum(axis=1).tolist()


@pytest.mark.parametrize("width, count, dtype", [(1, 1, "u1"), (2, 1, "u2"), (3, 1, "u4"), (5, 1, "u8"), (9, 2, "u8")])
def test_words_are_as_narrow_as_the_codes(width, count, dtype):
    words = to_words(np.ones((4, width), np.uint8))
    assert words.shape == (count, 4) and words.dtype == dtype


@pytest.mark.parametrize("value, threshold, bit", [
    (0.0, 0.0, 1), (-0.0, 0.0, 1), (1e-30, 0.0, 1), (-1e-30, 0.0, 0), (0.5, 0.5, 1), (0.49, 0.5, 0)])
def test_a_bit_is_one_from_the_threshold_on(value, threshold, bit):
    assert binarize(np.array([[value]], np.float32), threshold).item() == bit


@given(st.integers(1, 4), st.integers(2, 9), st.integers(0, 5), st.integers(0, 99))
def test_structured_codes_have_a_one_where_each_block_is_largest(blocks, size, count, seed):
    values = np.random.default_rng(seed).integers(0, 4, (count, blocks * size))  # with equal values
    codes = Codes.from_values(values, block_size=size)
    for row, bits in zip(values.tolist(), unpack(codes.packed, codes.bits).tolist()):
        for start in range(0, len(row), size):
            block = row[start:start + size]
            assert bits[start:start + size] == [int(k == block.index(max(block))) for k in range(size)]
    assert codes.bits == blocks * size and codes.capacity == pytest.approx(blocks * np.log2(size))
    again = Codes.from_values(values, 2.0).in_blocks(size)
    assert np.array_equal(again.packed, codes.packed) and again.rule == codes.rule


@pytest.mark.parametrize("call, error, words", [
    (lambda: one_hot(np.ones((2, 6)), 4), ShapeError, r"blocks of B = 4.*got shape \(2, 6\)"),
    (lambda: one_hot(np.full((1, 2), np.nan), 2), DataError, "got 2 that are not"),
    (lambda: example().in_blocks(5), ShapeError, "B = 5"),
    (lambda: Codes.from_bits(np.eye(4)).in_blocks(2), DataError, "no real values"),
    (lambda: Codes(np.zeros((2, 1), np.uint8), 6, block_size=4), ShapeError, "multiple of the block size, 4.*got 6"),
    (lambda: pack(np.zeros(3)), ShapeError, r"\(N, K\)"),
    (lambda: pack(np.zeros((3, 0))), ShapeError, "K >= 1"),
    (lambda: pack(np.array([[-1, 1]])), DataError, "binarize"),
    (lambda: unpack(np.zeros((2, 3), np.uint8), 12), ShapeError, r"\(N, 2\) for 12 bits"),
    (lambda: binarize(np.array([[np.nan]])), DataError, "got 1 that are not"),
    (lambda: binarize(np.array([[np.inf, -np.inf, 1]])), DataError, "NaN or infinity.*got 2 that are not"),
    (lambda: Codes(np.zeros((1, 1), np.uint8), 2, values=np.array([[0, np.inf]])), DataError, "NaN or infinity"),
    (lambda: binarize(np.ones((1, 1)), np.nan), DataError, "a number as threshold, got nan"),
    (lambda: Codes(np.array(3, np.uint8), 8), ShapeError, r"packed \(N, 1\) uint8 for 8 bits, got \(\) uint8"),
    (lambda: Codes(np.zeros((2, 3), np.uint8), 12), ShapeError, r"\(N, 2\) uint8 for 12 bits"),
    (lambda: Codes(np.full((2, 1), 255, np.uint8), 7), DataError, "ones after the last of 7 bits"),
    (lambda: example(ids=np.arange(4)), ShapeError, r"ids \(5,\)"),
    (lambda: example(ids=np.arange(5.0)), ShapeError, "integers or text"),
    (lambda: Codes.from_bits(np.eye(3), labels=np.zeros(2)), ShapeError, r"labels \(3,\) or \(3, L\)"),
    (lambda: Codes.from_bits(np.eye(3), labels=np.array([0, 1, 0.5])), DataError, "whole numbers"),
    (lambda: Codes.from_bits(np.eye(3), labels=np.array([0, 1, np.nan])), DataError, "whole numbers"),
    (lambda: Codes.from_bits(np.eye(3), labels=np.full((3, 2), 4)), DataError, "0 and 1 in label rows"),
    (lambda: example(classes=["a", "b", "c", "d"]), DataError, "from 0 to 3, for 4 names, got 0 to 4"),
    (lambda: Codes.from_bits(np.eye(2), labels=[-1, 0], classes=["a"]), DataError, "from 0 to 0.*got -1 to 0"),
    (lambda: Codes.from_bits(np.eye(2), labels=np.eye(2), classes=["a"]), ShapeError, "each of 2 labels, got 1"),
    (lambda: Codes.from_bits(np.eye(2), classes=["a", "b", "a"]), DataError, "different names of classes, got 'a'"),
    (lambda: Codes.from_bits(np.eye(2), classes=["a", ""]), DataError, "different names of classes, got ''"),
    (lambda: Codes.from_bits(np.eye(2), classes=["a", 7]), DataError, "different names of classes, got 7"),
    (lambda: Codes.from_bits(np.eye(2), classes="ab"), DataError, "different names of classes, got 'a'"),
    (lambda: Codes(np.zeros((2, 1), np.uint8), 7, values=np.zeros((2, 8))), ShapeError, r"values \(2, 7\)"),
])
def test_errors_say_what_was_expected(call, error, words):
    with pytest.raises(error, match=words):
        call()


@pytest.mark.parametrize("labels, expected", [
    (np.array([[3.0], [1.0]], np.float32), [3, 1]), (np.array([-1, 2], np.int32), [-1, 2]),
    (np.array([[True, False], [True, True]]), [[1, 0], [1, 1]])])
def test_labels_of_caffe_blobs_become_whole_numbers(labels, expected):
    codes = Codes.from_bits(np.eye(2), labels=labels)
    assert codes.labels.tolist() == expected and codes.labels.dtype.kind in "iu"


@pytest.mark.parametrize("codes", [
    example(ids=np.array(["a", "bild ä", "c", "d", "e"])),
    example(threshold=0.5),
    Codes.from_bits(np.eye(9), ids=np.arange(9) + 100, labels=np.eye(9)),
    example(classes=["horse", "dog", "chat noir", "ä", "e"]),
    Codes.from_bits(np.ones((0, 48))),
    example().in_blocks(4),
])
@pytest.mark.parametrize("mmap", [False, True])
def test_a_file_gives_back_what_was_saved(tmp_path, codes, mmap):
    path = tmp_path / "codes.npz"
    codes.save(path)
    loaded = Codes.load(path, mmap)
    assert loaded.mapped == (mmap and len(codes) > 0)
    for name, expected in vars(codes).items():
        got = getattr(loaded, name)
        assert np.array_equal(got, expected) if isinstance(expected, np.ndarray) else got == expected, name
    assert loaded.rule == codes.rule
    codes.save(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == path.read_bytes()  # no dates inside


def rewrite(path, change):
    """Save the example with its arrays changed."""
    example().save(path)
    with np.load(path) as file:
        found = dict(file)
    change(found)
    np.savez(path, **found)


def edit_header(**fields):
    return lambda found: found.update(header=np.array(json.dumps(json.loads(str(found["header"])) | fields)))


@pytest.mark.parametrize("change, words", [
    (edit_header(version=2), "version 1, got .*2"),
    (edit_header(format="neighbours"), "blobnet codes"),
    (edit_header(bits="12"), "damaged header"),
    (edit_header(bits=20), r"\(N, 3\) uint8 for 20 bits"),
    (edit_header(threshold=0.9), "not those of the values"),
    (edit_header(block_size=4, threshold=None), "not those of the values"),
    (edit_header(block_size="4"), "damaged header"),
    (edit_header(classes="abcde"), "damaged header"),
    (edit_header(classes=["a", "b"]), "from 0 to 1"),
    (lambda found: found.pop("header"), "no header"),
    (lambda found: found.pop("labels"), "expected the arrays .*'labels'"),
    (lambda found: found.update(header=np.array("[1]")), "no header"),
    (lambda found: found.pop("packed"), "array.* packed"),
    (lambda found: found.update(more=np.zeros(1)), "more"),
    (lambda found: found.update(labels=np.zeros(2)), "labels"),
    (lambda found: found.update(labels=np.array([{}] * 5)), "whole .npz"),
])
def test_a_wrong_file_is_refused_by_name(tmp_path, change, words):
    rewrite(tmp_path / "codes.npz", change)
    with pytest.raises(BlobnetError, match="codes.npz.*" + words):
        Codes.load(tmp_path / "codes.npz")


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04 and no more"])
def test_a_file_that_is_no_npz_is_refused(tmp_path, content):
    (tmp_path / "codes.npz").write_bytes(content)
    with pytest.raises(DataError, match="not a whole .npz"):
        Codes.load(tmp_path / "codes.npz")


def test_a_single_array_and_a_missing_file_are_refused(tmp_path):
    np.save(tmp_path / "one.npy", np.zeros(3))
    with pytest.raises(DataError, match="not a whole .npz"):
        Codes.load(tmp_path / "one.npy")
    with pytest.raises(DataError, match="no such file"):
        Codes.load(tmp_path / "none.npz")


def test_files_without_later_fields_are_read(tmp_path):
    def forget(found):
        header = json.loads(str(found["header"]))
        del header["block_size"], header["arrays"], header["classes"]
        found.update(header=np.array(json.dumps(header)))

    rewrite(tmp_path / "codes.npz", forget)
    codes = Codes.load(tmp_path / "codes.npz")
    assert codes.block_size is None and codes.classes is None


@pytest.mark.parametrize("fields, names", [
    ({}, [[], []]), ({"classes": ["a", "b"]}, [[], []]), ({"labels": [-1, 7]}, [["-1"], ["7"]]),
    ({"labels": [1, 0], "classes": ["a", "b"]}, [["b"], ["a"]]),
    ({"labels": [[1, 0, 1], [0, 0, 0]]}, [["0", "2"], []]),
    ({"labels": [[1, 0, 1], [0, 1, 0]], "classes": ["a", "b", "c"]}, [["a", "c"], ["b"]])])
def test_items_have_names_of_labels(fields, names):
    codes = Codes.from_bits(np.eye(2), **fields)
    assert [codes.label_names(place) for place in range(2)] == names


def test_a_mapped_file_is_not_read(tmp_path):
    example().save(tmp_path / "codes.npz")
    codes = Codes.load(tmp_path / "codes.npz", mmap=True)
    for array in (codes.packed, codes.values, codes.labels):
        assert isinstance(array, np.memmap) and not array.flags.writeable
    assert np.array_equal(codes.values, example().values) and codes.labels.tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("change, words", [
    (lambda data: data[:-30], "whole .npz"), (lambda data: b"PK" + bytes(80), "whole .npz"),
    (lambda data: data.replace(b"(5, 12)", b"(500,1)"), "whole .npz"),
    (lambda data: data.replace(b"'|u1'", b"'|i1'"), r"uint8 for 12 bits, got \(5, 2\) int8")])
def test_a_damaged_file_is_not_mapped(tmp_path, change, words):
    example().save(tmp_path / "codes.npz")
    (tmp_path / "codes.npz").write_bytes(change((tmp_path / "codes.npz").read_bytes()))
    with pytest.raises(BlobnetError, match="codes.npz.*" + words):
        Codes.load(tmp_path / "codes.npz", mmap=True)


def test_an_array_does_not_reach_beyond_its_part_of_the_file(tmp_path):
    path = tmp_path / "codes.npz"
    Codes.from_bits(np.ones((5, 12))).save(path)
    path.write_bytes(path.read_bytes().replace(b"(5, 2)", b"(9, 2)"))
    with pytest.raises(DataError, match=r"uint8 \(9, 2\) is not in the file"):
        Codes.load(path, mmap=True)


def test_a_compressed_file_is_not_mapped(tmp_path):
    example().save(tmp_path / "codes.npz")
    with np.load(tmp_path / "codes.npz") as file:
        np.savez_compressed(tmp_path / "small.npz", **file)
    assert len(Codes.load(tmp_path / "small.npz")) == 5
    with pytest.raises(DataError, match="small.npz: array 'header' is compressed; read it whole"):
        Codes.load(tmp_path / "small.npz", mmap=True)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 3000), st.integers(0, 255), st.booleans())
def test_a_damaged_file_never_loads_as_other_codes(tmp_path_factory, place, byte, cut):
    path = tmp_path_factory.getbasetemp() / "damaged.npz"
    codes = example()
    codes.save(path)
    data = bytearray(path.read_bytes())
    place %= len(data)
    data[place:] = b"" if cut else bytes([byte]) + data[place + 1:]
    path.write_bytes(data)
    try:
        loaded = Codes.load(path)
    except BlobnetError:
        return
    assert np.array_equal(loaded.packed, codes.packed) and np.array_equal(loaded.values, codes.values)


def test_the_file_is_a_plain_uncompressed_npz(tmp_path):
    example().save(tmp_path / "codes.npz")
    with zipfile.ZipFile(io.BytesIO((tmp_path / "codes.npz").read_bytes())) as archive:
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}
        assert archive.namelist() == ["header.npy", "packed.npy", "values.npy", "labels.npy"]


@pytest.mark.parametrize("change", [
    edit_header(threshold=10 ** 400), edit_header(bits=10 ** 400),
    lambda found: found.update(header=np.array('{"bits": ' * 9999)),
    lambda found: found.update(values=np.full((5, 12), "x")),
    lambda found: found.update(values=np.full((5, 12), 1j)),
    lambda found: found.update(values=np.full((5, 12), 1e300)),
    lambda found: found.update(labels=np.full(5, 1e300)),
    lambda found: found.update(labels=np.full(5, 2 ** 63, np.uint64)),
    lambda found: found.update(packed=np.zeros((5, 2), "V1"))])
@pytest.mark.parametrize("mmap", [False, True])
def test_odd_values_are_refused_by_name(tmp_path, change, mmap):
    rewrite(tmp_path / "codes.npz", change)
    with pytest.raises(BlobnetError, match="codes.npz"):
        Codes.load(tmp_path / "codes.npz", mmap)


def npy_header(shape, size=0, kind="|u1"):
    text = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode() + bytes(size)


@pytest.mark.parametrize("content, packing, words", [
    (npy_header((4, 1 << 40), 64), zipfile.ZIP_DEFLATED, "is not in the file"),
    (npy_header((-4, 2), 64), zipfile.ZIP_STORED, "is not in the file"),
    (npy_header((4,), 64, "|O"), zipfile.ZIP_STORED, "is not in the file"),
    (npy_header((1 << 22, 16), 1 << 26), zipfile.ZIP_DEFLATED, "the arrays, expected at most 50.0 MiB.*MAX_MEMORY=1G"),
    (npy_header((4, 4), 16), zipfile.ZIP_LZMA, "packed in another way")])
def test_archives_that_ask_for_too_much(tmp_path, monkeypatch, content, packing, words):
    """Before any memory is taken."""
    monkeypatch.setenv("BLOBNET_MAX_MEMORY", "50M")
    with zipfile.ZipFile(tmp_path / "codes.npz", "w", packing) as archive:
        archive.writestr("packed.npy", content)
    tracemalloc.start()
    with pytest.raises(DataError, match="codes.npz.*" + words):
        Codes.load(tmp_path / "codes.npz")
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()


def test_a_mapped_file_that_is_cut_off_meanwhile(tmp_path):
    """The system would end the process at a look behind the end."""
    path = tmp_path / "codes.npz"
    Codes.from_bits(np.ones((200_000, 64))).save(path)
    script = ("import sys, os, numpy as np\n"
              "from blobnet.hashing.codes import Codes\n"
              "from blobnet.hashing.index import HammingIndex\n"
              "base = Codes.load(sys.argv[1], mmap=True)\n"
              "os.truncate(sys.argv[1], 5000)\n"
              "for look in (lambda: base.packed[100_000:], lambda: base.packed[:5][3],\n"
              "             lambda: HammingIndex(base).search(Codes.from_bits(np.ones((1, 64))), 3)):\n"
              "    try: look()\n"
              "    except Exception as error: print(error)\n")
    done = subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.count("codes.npz: was cut off while it was read") == 3, done


def test_labels_of_half_precision():
    """2^63, above which no label is, is beyond float16."""
    assert Codes.from_bits(np.eye(3), labels=np.array([0, 7, 2], np.float16)).labels.tolist() == [0, 7, 2]
