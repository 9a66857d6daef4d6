"""Annotation files: the boxes of the objects in an image, as Pascal VOC, MS COCO and lists have them.

The readers give rows (label, xmin, ymin, xmax, ymax, difficult), corners as parts of the image's width and height.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Mapping
from typing import Any
from xml.etree import ElementTree
from xml.parsers import expat

from blobnet.errors import DataError, close_matches
from blobnet.proto.budget import require
from blobnet.proto.storage import require_file

Size = tuple[int, int]  # height, width
Row = tuple[float, ...]
CORNERS = ("xmin", "ymin", "xmax", "ymax")
DEEPEST = 100      # elements in elements of an XML file
LARGE = 1 << 31
GROWTH = 64        # bytes that a byte of a file takes, at most, when it is read


def read_voc_xml(path: str | os.PathLike, size: Size, names: Mapping[str, int]) -> list[Row]:
    """The objects of the XML file at `path`, of an image of `size` unless it tells another; `names` tells the labels.

    Quirk, as in SSD: an object is difficult only if the file says so before its box. An object without a box is left
    out. DataError for other files, with a DTD among them, for names that are not in `names`, and corners that are no
    numbers.
    """
    where, root = os.fspath(path), parse_xml(_content(path), os.fspath(path))
    if root.tag != "annotation":
        raise DataError(where, expected="an element <annotation>", got=f"<{root.tag[:40]}>")
    try:
        size = int(root.findtext("size/height", "")), int(root.findtext("size/width", ""))
    except ValueError:
        pass  # then that of the image
    rows = []
    for item in root.findall("object"):
        label, difficult = None, False
        for part in item:
            if part.tag == "name":
                label = _label(part.text or "", names, where)
            elif part.tag == "difficult":
                difficult = part.text == "1"
            elif part.tag == "bndbox":
                if label is None:
                    raise DataError(where, expected="the name of an object before its box", got="none")
                corners = [_number(part.findtext(corner), where) for corner in CORNERS]
                rows.append(_row(label, corners, size, difficult, where))
    return rows


def read_coco_json(path: str | os.PathLike, size: Size, names: Mapping[str, int]) -> list[Row]:
    """The objects of the JSON file at `path`: {"image": {"height", "width"}, "annotation": [{"category_id", "bbox": [x,
    y, width, height], "iscrowd"}]}, as SSD's scripts write one an image. `names` tells the labels of categories.

    Crowds are difficult. DataError as for `read_voc_xml`.
    """
    where = os.fspath(path)
    try:
        content = json.loads(_content(path))
    except (ValueError, RecursionError) as error:
        raise DataError(where, f"is no JSON file ({error})") from None
    image = _field(content, "image", dict, where)
    try:
        size = int(image["height"]), int(image["width"])
    except (KeyError, TypeError, ValueError, OverflowError):
        pass  # then that of the image
    rows = []
    for item in _field(content, "annotation", list, where):
        box = _field(item, "bbox", list, where)
        if len(box) != 4:
            raise DataError(where, expected="a bbox of 4 numbers", got=len(box))
        x, y, width, height = (_number(value, where) for value in box)
        label = _label(str(_field(item, "category_id", (int, str), where)), names, where)
        rows.append(_row(label, [x, y, x + width, y + height], size, bool(item.get("iscrowd", 0)), where))
    return rows


def read_boxes_txt(path: str | os.PathLike, size: Size, names: Mapping[str, int]) -> list[Row]:
    """The objects of the list at `path`, of an image of `size`: "label xmin ymin xmax ymax" a line, in pixels; `names`
    has no effect. DataError, with the line, for other lines."""
    rows = []
    for number, line in enumerate(_content(path).decode("utf-8", "surrogateescape").splitlines(), 1):
        where, words = f"{os.fspath(path)}:{number}", line.split()
        if not words:
            continue
        try:
            label = int(words[0])
        except ValueError:
            label = LARGE
        if len(words) != 5 or abs(label) >= LARGE:
            raise DataError(where, expected='"label xmin ymin xmax ymax"', got=repr(line[:80]))
        rows.append(_row(label, [_number(word, where) for word in words[1:]], size, False, where))
    return rows


READERS: dict[str, Callable[[str, Size, Mapping[str, int]], list[Row]]] = {
    "xml": read_voc_xml, "json": read_coco_json, "txt": read_boxes_txt}


def read_annotated_list(path: str | os.PathLike) -> tuple[list[str], list[str]]:
    """The paths of images and those of their annotation files in the list at `path`, "image file" a line, without
    blanks in them. DataError, with the line, for other lines and for an empty list."""
    images, files = [], []
    for number, line in enumerate(require_file(path).read_text("utf-8", "surrogateescape").splitlines(), 1):
        words = line.split()
        if len(words) != 2:
            raise DataError(f"{os.fspath(path)}:{number}", expected="the paths of an image and of its annotation",
                            got=repr(line[:80]))
        images.append(words[0])
        files.append(words[1])
    if not images:
        raise DataError(os.fspath(path), expected="lines of an image and its annotation", got="an empty file")
    return images, files


def parse_xml(data: bytes, where: str) -> ElementTree.Element:
    """The root element of an XML text. DataError for a text that is none, for a DTD, in which entities may be defined
    that unpack to any size, and for elements that are nested too deep."""
    builder, parser, depth = ElementTree.TreeBuilder(), expat.ParserCreate(), 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > DEEPEST:
            raise DataError(where, expected=f"elements in at most {DEEPEST} others", got="more")
        builder.start(name, {})  # attributes are not needed

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(name)

    def refuse(*_: object) -> None:
        raise DataError(where, "XML with a document type (<!DOCTYPE …>)", hint="remove it: annotations need none")

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = builder.data, refuse
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, ValueError, LookupError) as error:  # the last two for encodings
        raise DataError(where, f"is no XML file ({error})") from None
    return builder.close()


def _content(path: str | os.PathLike) -> bytes:
    """The bytes of a file; DataError for one that is so large that its objects would take too much memory."""
    data = require_file(path).read_bytes()
    require(GROWTH * len(data), os.fspath(path), f"an annotation file of {len(data)} bytes", len(data))
    return data


def _field(record: Any, name: str, kind: type | tuple[type, ...], where: str) -> Any:
    value = record.get(name) if isinstance(record, dict) else None
    if not isinstance(value, kind):
        raise DataError(where, expected=f"a record with {name!r}", got=repr(value)[:40])
    return value


def _label(name: str, names: Mapping[str, int], where: str) -> int:
    if name not in names:
        raise DataError(where, f"the label map has no name {name[:40]!r}", hint=close_matches(name[:40], names))
    return names[name]


def _number(value: object, where: str) -> float:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not abs(number) < LARGE:
        raise DataError(where, expected="corners of boxes that are numbers of pixels", got=repr(value)[:40])
    return number


def _row(label: int, corners: list[float], size: Size, difficult: bool, where: str) -> Row:
    height, width = size
    if not (0 < height < LARGE and 0 < width < LARGE):
        raise DataError(where, expected="an image of a height and a width above 0", got=f"{height} x {width}"[:40])
    return (label, *(corner / side for corner, side in zip(corners, (width, height) * 2)), difficult)
