"""Messages in files, whatever the format; and files that are missing or half written."""

from __future__ import annotations

import os
import stat

import pytest
from hypothesis import given

from blobnet.errors import DataError, MissingFile, ParseError
from blobnet.proto import binary, files, messages, text, yaml

NET = "name: 'n' layer { name: 'a' type: 'ReLU' blobs { data: [0.1, nan] } }"


def test_every_format_gives_the_same_message(tmp_path):
    net = text.parse(NET, "NetParameter")
    for name in ("a.prototxt", "b.yaml", "c.caffemodel", "d.YML", "e.txt", "f.pt", "g.binaryproto"):
        files.write_message(tmp_path / name, net)
        assert text.dump(files.read_message(tmp_path / name, "NetParameter")) == text.dump(net)
    assert (tmp_path / "a.prototxt").read_text().count("layer {") == 1
    assert (tmp_path / "b.yaml").read_text().count("- name: a") == 1


@pytest.mark.parametrize(("content", "name", "layers"), [
    (NET.encode(), "n", ["a"]), (b"layer:\n- name: a\n", "", ["a"]),
    (text.parse(NET, "NetParameter").SerializeToString(), "n", ["a"]), (b"", "", []),
    (b"name: 'a' # \xe4", "a", []), (b"\xef\xbb\xbfname: 'a'\r\n", "a", []),
], ids=["prototxt", "yaml", "binary", "empty", "latin", "bom"])
def test_other_extensions_go_by_the_content(tmp_path, content, name, layers):
    (tmp_path / "net").write_bytes(content)
    if content.endswith(b"\xe4"):
        (tmp_path / "net").rename(tmp_path / "net.prototxt")
    net = files.read_message(next(tmp_path.iterdir()), "NetParameter")
    assert (net.name, [layer.name for layer in net.layer]) == (name, layers)


@pytest.mark.parametrize("name, content, words", [
    ("net", "layer { nam: 'a' }", "net:1:9: LayerParameter has no field 'nam'"),
    ("net", "layer:\n- nam: a", "net:2:3: LayerParameter has no field 'nam'"),
    ("net.yaml", "layer { name: 'a' }", "net.yaml:1:"),
    ("net.caffemodel", "layer { name: 'a' }", "net.caffemodel: expected a binary NetParameter, got text"),
    *[(name, "layer { }".encode("utf-16"), f"{name}: this file is UTF-16; save it as UTF-8")
      for name in ("net.prototxt", "net.yaml", "net")],
    ("net.prototxt", "layer { }".encode("utf-16-le"), "net.prototxt:1:2: a NUL character"),
    ("net.prototxt", b"\n\xa2\x06layer", "net.prototxt:2:1: expected a field name"),
    ("net.prototxt", b"name: 'a\\", "net.prototxt:1:7: this string does not end"),
    ("net.prototxt", b"\x89HDF\r\n\x1a\n\0", "net.prototxt:3:1: a NUL character"),
    ("net.yaml", b"\xa2\x06layer", "net.yaml:1:1: not UTF-8"), ("net.yaml", b"name: 'a", "net.yaml:1:9: "),
    ("net.yaml", "layer: a".encode("utf-16-le"), "net.yaml:1:2: YAML does not allow the character '\\x00'"),
])
def test_errors_name_the_file_and_the_place(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ParseError) as error:
        files.read_message(tmp_path / name, "NetParameter")
    assert str(error.value).startswith(str(tmp_path)) and words in str(error.value)
    assert str(error.value).encode()  # it can be printed


def test_missing_files_name_what_is_there(tmp_path):
    (tmp_path / "train_val.prototxt").touch()
    with pytest.raises(DataError) as error:
        files.read_message(tmp_path / "trainval.prototxt", "NetParameter")
    assert f"no such file in {str(tmp_path)!r}; did you mean 'train_val.prototxt'?" in str(error.value)
    with pytest.raises(DataError, match="there is no folder"):
        files.read_message(tmp_path / "no" / "net.prototxt", "NetParameter")
    with pytest.raises(DataError, match="expected a file, got a folder"):
        files.read_message(tmp_path, "NetParameter")


def test_a_name_without_a_format_is_not_written(tmp_path):
    with pytest.raises(ParseError, match="cannot tell a format"):
        files.write_message(tmp_path / "net", messages.new("NetParameter"))


def test_atomic_write_leaves_the_old_file_when_it_fails(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(RuntimeError), files.atomic_write(path) as file:
        file.write(b"half of the n")
        raise RuntimeError
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]
    with files.atomic_write(path) as file:
        file.write(b"new")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new" and list(tmp_path.iterdir()) == [path]
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask


def test_atomic_write_where_it_cannot(tmp_path):
    with pytest.raises(DataError, match="there is no folder"), files.atomic_write(tmp_path / "no" / "file"):
        pass
    with pytest.raises(DataError, match="a folder has this name"), files.atomic_write(tmp_path):
        pass


@pytest.mark.parametrize("name, content, place", [
    ("net.prototxt", "layer { name: 'a' type: 'X' }", ":1:25"), ("net.yaml", "layer: {name: b}", ""),
    ("net.yaml", "layer: [{name: a, type: X}]", ":1:25"), ("net", "layer: [{name: a, type: X}]", ":1:25"),
    ("solver.yaml", "net_param:\n  layer: {name: b}\ntest_net_param:\n- layer: [{name: a, type: X}]", ":4:27"),
    ("net.caffemodel", "", ""), ("net.yaml", "", ""), ("net.yaml", "- a", ""), ("net.yaml", "a", ""),
])
def test_locate_layer_in_a_file(tmp_path, name, content, place):
    (tmp_path / name).write_text(content)
    assert files.locate_layer(tmp_path / name, "a") == str(tmp_path / name) + place


def test_any_message_survives_every_format(random_messages):
    @given(random_messages)
    def check(message):
        name, shown = message.DESCRIPTOR.name, text.dump(message)
        assert text.dump(text.parse(shown, name)) == shown
        assert text.dump(yaml.parse_yaml(yaml.dump_yaml(message), name)) == shown
        data = message.SerializeToString()
        assert binary.parse_binary(data, name).SerializeToString() == data
        light, arrays = binary.read_weights(data, name)
        assert b"".join(binary._pieces(light, arrays, "")) == data
    check()


@pytest.mark.parametrize("path", ["layer { name: 'a' }", "net: 'a'\nbase_lr: 1", NET * 100])
def test_text_in_the_place_of_a_path(path):
    with pytest.raises(MissingFile, match="this is text, not the name of a file; write it to a file, or") as caught:
        files.read_message(path, "NetParameter")
    assert len(str(caught.value)) < 200


def test_a_file_may_have_a_brace_in_its_name(tmp_path):
    (tmp_path / "{a}.prototxt").write_text("name: 'n'")
    assert files.read_message(tmp_path / "{a}.prototxt", "NetParameter").name == "n"
