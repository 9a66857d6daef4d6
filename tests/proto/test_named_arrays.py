"""Files of arrays with names."""

import json
import struct
import sys
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from blobnet.errors import DataError, MissingFile, MissingLibrary
from blobnet.proto.named_arrays import array_format, holds_named_arrays, read_named, write_named

SUFFIXES = [".npz", ".safetensors", ".pt"]
TYPES = st.sampled_from(["float16", "float32", "float64", "int32", "uint8", ">f4"])
NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
ARRAYS = st.dictionaries(NAMES.map("{}.weight".format), TYPES.flatmap(
    lambda kind: arrays(kind, array_shapes(min_dims=0, min_side=0, max_side=4))), max_size=4)


@pytest.fixture(scope="module", params=SUFFIXES)
def suffix(request):
    """Every format; those whose libraries are not there are skipped."""
    if request.param == ".pt":
        pytest.importorskip("torch", reason="PyTorch is not installed: .pt is not tested")
    return request.param


def safetensors(path, header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return path


@settings(max_examples=25, deadline=None)
@given(named=ARRAYS)
def test_round_trip(tmp_path_factory, suffix, named):
    path = tmp_path_factory.mktemp("named") / f"w{suffix}"
    write_named(path, named)
    found = read_named(path)
    assert found.keys() == named.keys()
    for name, array in named.items():
        assert found[name].dtype == array.dtype.newbyteorder("=")
        np.testing.assert_array_equal(found[name], array)
    assert [item.name for item in path.parent.iterdir()] == [path.name]


def test_arrays_of_another_order(tmp_path, suffix):
    array = np.arange(12, dtype=np.float32).reshape(3, 4)
    write_named(tmp_path / f"w{suffix}", {"turned.0": array.T, "part.0": array[:, ::2]})
    found = read_named(tmp_path / f"w{suffix}")
    np.testing.assert_array_equal(found["turned.0"], array.T)
    np.testing.assert_array_equal(found["part.0"], array[:, ::2])


def test_names_in_npz_that_a_zip_cannot_have(tmp_path):
    with pytest.raises(DataError, match=r"w.npz: cannot hold an array called 'a\\x00.weight'"):
        write_named(tmp_path / "w.npz", {"a\0.weight": np.ones(1)})
    assert not [*tmp_path.iterdir()]


def test_the_kind_of_a_file(tmp_path):
    assert [array_format(f"w{end}") for end in (".npz", ".SafeTensors", ".pth", ".pt", ".caffemodel", ".h5")] == [
        "npz", "safetensors", "torch", "torch", "", ""]
    (tmp_path / "train.pt").write_text('name: "net"')
    (tmp_path / "w.pt").write_bytes(b"PK\3\4")
    (tmp_path / "old.pt").write_bytes(b"\x80\2")
    assert [holds_named_arrays(tmp_path / name) for name in ("train.pt", "w.pt", "old.pt", "no.pt", "no.npz")] == [
        False, True, True, False, True]
    with pytest.raises(MissingFile, match="no.npz"):
        read_named(tmp_path / "no.npz")


F32 = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}


@pytest.mark.parametrize("header, data, words", [
    ({"x": F32}, b"abc", "not fully covered"), ({"x": F32}, b"abcde", "not fully covered"),
    ({"x": {**F32, "shape": [1 << 40], "data_offsets": [0, 1 << 42]}}, b"abcd", "not fully covered"),
    ({"x": F32, "y": F32}, b"abcd", "invalid offset"), (b"[" * 10_000, b"", "JSON"), (b"\xff", b"", "UTF-8"),
    ({"x": {**F32, "dtype": "BF16", "data_offsets": [0, 2]}}, b"ab", "array 'x' cannot be read .*single precision"),
    ({"x": {**F32, "shape": [0, 1 << 60, 1 << 60], "data_offsets": [0, 0]}}, b"", "array 'x' cannot be read|overflow"),
    ({"x": {**F32, "shape": [1] * 100}}, b"abcd", "array 'x' cannot be read"),
    ({"x": {**F32, "dtype": "C64", "data_offsets": [0, 8]}}, bytes(8), "array 'x', expected numbers, got complex64")])
def test_safetensors_that_are_wrong(tmp_path, header, data, words):
    with pytest.raises(DataError, match=f"w.safetensors(: cannot be read as safetensors .*|: )({words})"):
        read_named(safetensors(tmp_path / "w.safetensors", header, data))


@pytest.mark.parametrize("content, words", [
    (b"", "cannot be read as safetensors .*damaged or incomplete"), (b"\xff" * 9, "too large")])
def test_safetensors_without_a_header(tmp_path, content, words):
    (tmp_path / "w.safetensors").write_bytes(content)
    with pytest.raises(DataError, match=words):
        read_named(tmp_path / "w.safetensors")


def test_npz_without_python_objects_and_text(tmp_path):
    np.savez(tmp_path / "w.npz", x=np.array([{}], object))
    with pytest.raises(DataError, match="w.npz: cannot be read as npz .*is not in the file"):
        read_named(tmp_path / "w.npz")
    np.savez(tmp_path / "w.npz", x=np.array("text"))
    with pytest.raises(DataError, match="w.npz: array 'x', expected numbers, got <U4"):
        read_named(tmp_path / "w.npz")


def test_what_unpacks_to_too_much(tmp_path, monkeypatch):
    monkeypatch.setenv("BLOBNET_MAX_MEMORY", "1M")
    np.savez_compressed(tmp_path / "w.npz", x=np.zeros(1 << 19))
    with pytest.raises(DataError, match="w.npz: the arrays, expected at most 1.0 MiB in memory, got 4.0 MiB"):
        read_named(tmp_path / "w.npz")


@pytest.mark.parametrize("library, name, words", [
    ("safetensors", "w.safetensors", r"files: need safetensors .*pip install 'blobnet\[safetensors\]', or use .npz"),
    ("torch", "w.pt", "files: need PyTorch .*pip install torch, or use .npz")])
def test_without_the_library(tmp_path, monkeypatch, library, name, words):
    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.setitem(sys.modules, f"{library}.numpy", None)
    (tmp_path / name).write_bytes(b"PK")
    with pytest.raises(MissingLibrary, match=words):
        read_named(tmp_path / name)
    with pytest.raises(MissingLibrary, match=words):
        write_named(tmp_path / name, {})


class TestTorch:
    """PyTorch's files; without PyTorch skipped."""

    @pytest.fixture
    def torch(self):
        return pytest.importorskip("torch", reason="PyTorch is not installed: .pt is not tested")

    def test_a_state_dict(self, torch, tmp_path):
        model = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 2), torch.nn.BatchNorm2d(4)).to(torch.bfloat16)
        torch.save(model.state_dict(), tmp_path / "w.pth")
        found = read_named(tmp_path / "w.pth")
        assert found["0.weight"].shape == (4, 3, 2, 2) and found["0.weight"].dtype == np.float32
        np.testing.assert_array_equal(found["0.bias"], model[0].bias.detach().float().numpy())
        assert found["1.num_batches_tracked"] == 0

    def test_no_code_runs(self, torch, tmp_path):
        class Evil:
            def __reduce__(self):
                return exec, (f"open({str(tmp_path / 'ran')!r}, 'w')",)
        torch.save({"x.weight": Evil()}, tmp_path / "w.pt")
        with pytest.raises(DataError, match="w.pt: cannot be read as torch"):
            read_named(tmp_path / "w.pt")
        assert not (tmp_path / "ran").exists()

    @pytest.mark.parametrize("content, words", [
        (lambda torch: [torch.ones(2)], "expected names and dense tensors, as state_dict.. gives them, got list"),
        (lambda torch: {"epoch": 3}, "got int"), (lambda torch: {3: torch.ones(2)}, "got Tensor"),
        (lambda torch: {"x": torch.eye(3).to_sparse()}, "got Tensor"),
        (lambda torch: {"x": torch.ones(1, dtype=torch.complex64)}, "array 'x', expected numbers, got complex64"),
        (lambda torch: {"x": torch.ones(1).expand(1 << 20)}, "the tensors, expected at most 1.0 MiB in memory, got 4")])
    def test_what_is_no_state_dict(self, torch, tmp_path, monkeypatch, content, words):
        monkeypatch.setenv("BLOBNET_MAX_MEMORY", "1M")
        torch.save(content(torch), tmp_path / "w.pt")
        with pytest.raises(DataError, match=f"w.pt: {words}|w.pt: .*{words}"):
            read_named(tmp_path / "w.pt")

    def test_packed_and_old_files(self, torch, tmp_path, monkeypatch):
        monkeypatch.setenv("BLOBNET_MAX_MEMORY", "1M")
        with zipfile.ZipFile(tmp_path / "w.pt", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("w/data/0", bytes(1 << 22))
        with pytest.raises(DataError, match="the tensors, expected at most 1.0 MiB in memory, got 4.0 MiB"):
            read_named(tmp_path / "w.pt")
        torch.save({"x": torch.ones(2)}, tmp_path / "w.pt", _use_new_zipfile_serialization=False)
        with pytest.raises(DataError, match="w.pt: expected a file as PyTorch 1.6 and later write it, .*torch.save it"):
            read_named(tmp_path / "w.pt")
