"""Annotation files: figures by hand, and files that cannot be."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blobnet.data.images.annotations import READERS, parse_xml, read_annotated_list
from blobnet.errors import BlobnetError, DataError

SIZE = 40, 50  # height, width
NAMES = {"cat": 1, "dog": 5, "18": 18}
BOX = "<bndbox><xmin>5</xmin><ymin>4</ymin><xmax>25</xmax><ymax>40</ymax></bndbox>"
ROW = (0.1, 0.1, 0.5, 1.0)


def read(folder, kind, text):
    (folder / f"a.{kind}").write_bytes(text if isinstance(text, bytes) else text.encode())
    return READERS[kind](folder / f"a.{kind}", SIZE, NAMES)


def voc(*objects, size="<size><width>50</width><height>40</height></size>"):
    return f"<annotation>{size}" + "".join(f"<object>{each}</object>" for each in objects) + "</annotation>"


@pytest.mark.parametrize("text, rows", [
    (voc(f"<name>cat</name><difficult>1</difficult>{BOX}"), [(1, *ROW, True)]),
    (voc(f"<name>cat</name>{BOX}<difficult>1</difficult>"), [(1, *ROW, False)]),  # too late
    (voc(f"<name>dog</name>{BOX}", f"<name>cat</name><difficult>0</difficult>{BOX}"),
     [(5, *ROW, False), (1, *ROW, False)]),
    (voc(f"<name>cat</name>{BOX}", size=""), [(1, *ROW, False)]),                 # the image's own size
    (voc(f"<name>cat</name>{BOX}", size="<size><width>?</width><height>9</height></size>"), [(1, *ROW, False)]),
    (voc(f"<name>cat</name>{BOX}", size="<size><width>100</width><height>80</height></size>"),
     [(1, 0.05, 0.05, 0.25, 0.5, False)]),
    (voc("<name>cat</name><part><name>head</name></part>"), []), (voc(), []),
    (voc("<name>cat</name>" + BOX.replace("25", "20.5")), [(1, 0.1, 0.1, 0.41, 1, False)]),
    (b'<?xml version="1.0" encoding="utf-16"?>'.decode().encode("utf-16"), None),
])
def test_voc(tmp_path, text, rows):
    if rows is None:
        text, rows = (text.decode("utf-16") + voc(f"<name>cat</name>{BOX}")).encode("utf-16"), [(1, *ROW, False)]
    assert read(tmp_path, "xml", text) == rows


def coco(*objects, image=None):
    return json.dumps({"image": image or {"height": 40, "width": 50}, "annotation": list(objects)})


@pytest.mark.parametrize("text, rows", [
    (coco({"category_id": 18, "bbox": [5, 4, 20, 36]}), [(18, *ROW, False)]),
    (coco({"category_id": "cat", "bbox": [5, 4, 20, 36], "iscrowd": 1}), [(1, *ROW, True)]),
    (coco({"category_id": 18, "bbox": [5, 4, 20, 36]}, image={"id": 3}), [(18, *ROW, False)]), (coco(), []),
])
def test_coco(tmp_path, text, rows):
    assert read(tmp_path, "json", text) == rows


def test_lists_of_boxes(tmp_path):
    assert read(tmp_path, "txt", "7 5 4 25 40\n\n-1 5. 4e0 25 40\n") == [(7, *ROW, False), (-1, *ROW, False)]


BOMB = ('<!DOCTYPE a [<!ENTITY x "ha">' + "".join(f'<!ENTITY x{i} "{f"&x{i - 1 if i else str()};" * 10}">'
                                                 for i in range(9)) + "]><annotation>&x8;</annotation>")
OUTSIDE = '<!DOCTYPE a SYSTEM "file:///etc/passwd"><annotation/>'


@pytest.mark.parametrize("kind, text, words", [
    ("xml", BOMB, "a.xml: XML with a document type"), ("xml", OUTSIDE, "a.xml: XML with a document type"),
    ("xml", BOMB.encode("utf-16"), "document type"), ("xml", "<annotation>", r"a.xml: is no XML file \(no element"),
    ("xml", "", "is no XML file"), ("xml", "<a/>", "an element <annotation>, got <a>"),
    ("xml", "<?xml version='1.0' encoding='no'?><annotation/>", "is no XML file"),
    ("xml", "<a>" * 500 + "</a>" * 500, "elements in at most 100 others"),
    ("xml", voc(f"<name>cow</name>{BOX}"), "the label map has no name 'cow'"),
    ("xml", voc(f"<name/>{BOX}"), "the label map has no name ''"),
    ("xml", voc(BOX), "the name of an object before its box"),
    ("xml", voc("<name>cat</name>" + BOX.replace("25", "wide")), "numbers of pixels, got 'wide'"),
    ("xml", voc("<name>cat</name>" + BOX.replace("25", "nan")), "numbers of pixels, got 'nan'"),
    ("xml", voc("<name>cat</name><bndbox/>"), "numbers of pixels, got None"),
    ("xml", voc(f"<name>cat</name>{BOX}", size="<size><width>0</width><height>9</height></size>"), "got 9 x 0"),
    ("json", "[" * 100000, "is no JSON file"), ("json", "{", "is no JSON file"), ("json", "[]", "with 'image'"),
    ("json", b"\xff\xfe", "is no JSON file"), ("json", '{"image": {}}', "with 'annotation', got None"),
    ("json", coco(7), "a record with 'bbox', got None"), ("json", coco({"bbox": [1, 2, 3]}), "4 numbers, got 3"),
    ("json", coco({"bbox": [1, 2, 3, 4]}), "with 'category_id'"),
    ("json", coco({"bbox": [1, 2, 3, 4], "category_id": 1}), "no name '1'"),
    ("json", coco({"bbox": [1, 2, 3, [4]], "category_id": 18}), "numbers of pixels"),
    ("json", coco({"bbox": [1, 2, 3, 10**400], "category_id": 18}), "numbers of pixels"),
    ("json", coco({"bbox": [1, 2, 3, 4], "category_id": 18}, image={"height": -1, "width": 10**30}), "got -1 x 1000"),
    ("txt", "1 2 3 4\n", 'a.txt:1: expected "label xmin ymin xmax ymax", got'),
    ("txt", "1 2 3 4 5\ncat 2 3 4 5\n", "a.txt:2: expected"), ("txt", "3000000000 0 0 1 1", "a.txt:1: expected"),
    ("txt", "1 0 0 inf 1", "numbers of pixels, got 'inf'"),
])
def test_files_that_cannot_be(tmp_path, kind, text, words):
    begin = time.monotonic()
    with pytest.raises(DataError, match=words):
        read(tmp_path, kind, text)
    assert time.monotonic() - begin < 5


def test_a_huge_file_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setenv("BLOBNET_MAX_MEMORY", "1K")
    with pytest.raises(DataError, match="an annotation file of 1200 bytes, expected at most .* in memory"):
        read(tmp_path, "txt", "1 0 0 1 1\n" * 120)


@given(st.binary(max_size=60) | st.text("<>/a&;!\"'= []?xmlDOCTYPE", max_size=60).map(str.encode))
def test_any_bytes_are_xml_or_an_error(data):
    try:
        parse_xml(data, "a file")
    except BlobnetError as error:
        assert str(error).startswith("a file: ")


TEXT = st.text("abc 019.<>&\n-e", max_size=8)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
                    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
                        st.sampled_from(["image", "annotation", "bbox", "category_id", "iscrowd", "height", "width"]),
                        inner, max_size=4)))
def test_any_json_is_rows_or_an_error(tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("json")
    for value in (content, {"image": content, "annotation": [content]}, {"image": {}, "annotation": content}):
        try:
            rows = read(folder, "json", json.dumps(value))
        except BlobnetError:
            continue
        assert all(len(row) == 6 for row in rows)


def test_lists(tmp_path):
    (tmp_path / "list.txt").write_text("a.jpg a.xml\nb/b.jpg b.xml\n")
    assert read_annotated_list(tmp_path / "list.txt") == (["a.jpg", "b/b.jpg"], ["a.xml", "b.xml"])
    for text, words in (("", "got an empty file"), ("a.jpg a.xml\na b c\n", "list.txt:2: .*got 'a b c'")):
        (tmp_path / "list.txt").write_text(text)
        with pytest.raises(DataError, match=words):
            read_annotated_list(tmp_path / "list.txt")
