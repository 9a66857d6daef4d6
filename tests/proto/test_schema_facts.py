"""The schema against an independent table of Caffe 1.0's fields, and the errors of .proto text."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from google.protobuf.descriptor import FieldDescriptor as Field

from blobnet.errors import ParseError
from blobnet.proto import messages
from blobnet.proto.notes import note

TABLE = [line.split("\t") for line in (Path(__file__).parent / "caffe_schema.tsv").read_text().splitlines()[1:]]
ALIASES = {(message, "AVERAGE") for message in
           ("PoolingParameter.PoolMethod", "SPPParameter.PoolMethod", "V0LayerParameter.PoolMethod")}
TYPES = {getattr(Field, name): name[5:].lower() for name in dir(Field) if name.startswith("TYPE_")}


def default_of(field):
    if not field.has_default_value:
        return None
    if field.type == Field.TYPE_ENUM:
        return field.enum_type.values_by_number[field.default_value].name
    return field.default_value


def built():
    """Every field and enum value of the schema: {(message, name): (number, label, type, default, packed)}."""
    facts, enums = {}, {}
    for name in messages._pool():
        descriptor = messages.message_class(name).DESCRIPTOR
        for field in descriptor.fields:
            kind = field.message_type or field.enum_type
            label = "repeated" if field.is_repeated else "required" if field.is_required else "optional"
            facts[name, field.name] = (field.number, label, kind.name if kind else TYPES[field.type], default_of(field),
                                       field.GetOptions().packed)
            if field.enum_type:
                enums[field.enum_type.full_name.removeprefix("caffe.")] = field.enum_type
    for name, enum in enums.items():
        facts.update({(name, value.name): (value.number, "enum") for value in enum.values})
    return facts


def test_every_row_is_in_the_schema():
    facts = built()
    for name, field, number, label, *rest in TABLE:
        kind, default, packed = (*rest, "", "", "")[:3]
        got = facts[name, field]
        if label == "enum":
            assert got == (int(number), "enum"), (name, field)
            continue
        assert got[:2] == (int(number), label) and got[4] == bool(packed), (name, field)
        assert got[2] == kind.split(".")[-1], (name, field)
        if not default:
            assert got[3] is None, (name, field)
        elif kind in ("float", "double"):
            assert np.float32(got[3]) == np.float32(default), (name, field)
        elif kind == "bool":
            assert got[3] is (default == "true"), (name, field)
        else:
            assert str(got[3]) == default, (name, field)


def test_caffe_proto_has_nothing_else(monkeypatch):
    monkeypatch.setattr(messages, "SCHEMA_FILES", ("caffe.proto",))
    monkeypatch.setattr(messages, "_extensions", {})
    messages._pool.cache_clear()
    try:
        extra = set(built()) - {(row[0], row[1]) for row in TABLE}
    finally:
        messages._pool.cache_clear()
    assert extra == ALIASES


@pytest.mark.parametrize("text, place, words", [
    ("message A { optional int32 a = x; }", ":1:32", "expected a number, got 'x'"),
    ("message A {\n  optional Bol b = 1;\n}", ":2:3", "unknown type 'Bol'; did you mean 'bool'?"),
    ("message A { optional int32 a = 1 [lazy = true]; }", ":1:13", "got 'lazy'"),
    ("message A { optional int32 a = 1 [ignored = true]; }", ":1:13", "'ignored', expected a text between quotes"),
    ("message A { oneof x {} }", ":1:13", "got 'oneof'"),
    ("message A {", ":1:12", "got 'end of text'"),
    ("message A { enum E { X = y; } }", ":1:26", "enum value 'X'"),
    ("syntax = 'proto2'", ":1:18", "expected ';'"),
    ("enum E {}", ":1:1", "no values"),
    ("import 'x';", ":1:1", "expected message, enum or extend"),
    ("@", ":1:1", "not .proto text"),
    ("extend LayerParametr {}", ":1:1", "did you mean 'LayerParameter'"),
    ("extend LayerParameter.Mode { X = 1; }", ":1:1", "unknown enum 'Mode'"),
    ("extend PoolingParameter.PoolMethd { MIN = 9; }", ":1:1", "did you mean 'PoolMethod'"),
    ("message LayerParameter {}", ":1:1", "defined already"),
    ("extend LayerParameter { optional int32 name = 2000; }", ":1:25", "collides with 'name' = 1"),
    ("extend LayerParameter { optional int32 mine = 100; }", ":1:25", "collides with 'transform_param' = 100"),
    ("message A { optional int32 a = 1 [default = abc]; }", "", "not a valid schema"),
    ("message A { optional int32 a = 0; }", "", "not a valid schema"),
    ("message A { optional int32 a = 99999999999; }", "", "not a valid schema"),
])
def test_errors_of_proto_text(extendable, text, place, words):
    before = set(messages.message_class("LayerParameter").DESCRIPTOR.fields_by_name)
    with pytest.raises(ParseError) as error:
        messages.extend_schema(text, "plug.proto")
    assert error.value.where == "plug.proto" + place and words in str(error.value)
    assert set(messages.message_class("LayerParameter").DESCRIPTOR.fields_by_name) == before
    messages.extend_schema("message Fine { }", "other.proto")  # the broken text is forgotten


def test_proto_text_that_is_accepted(extendable):
    messages.extend_schema("""
        syntax = "proto2"; package mine;  // both without effect
        /* over
           lines */
        enum Colour { RED = 0; DEEP_RED = -1; }
        message Inner { optional string s = 1 [default = 'it"s', deprecated = true]; }
        message Outer {
          message Nested { required float f = 1 [default = -1e+5]; }
          optional Nested nested = 1;
          repeated Inner inner = 2;;
          optional Colour colour = 3 [default = DEEP_RED];
          repeated int32 n = 4 [packed = true];
        }""", "plug.proto")
    message = messages.new("Outer", nested={"f": 2}, inner=[{}])
    assert message.inner[0].s == 'it"s' and message.colour == -1
    assert messages.message_class("Outer").DESCRIPTOR.nested_types_by_name["Nested"].fields[0].default_value == -1e5


def test_notes_of_fields(extendable):
    messages.extend_schema("""message A {
        optional int32 a = 1 [default = 3, ignored = "a 'remark'"];
        repeated A b = 2 [refused = 'öde', packed = false];
        optional int32 c = 3; }""", "plug.proto")
    fields = messages.message_class("A").DESCRIPTOR.fields
    assert [note(field, "ignored") for field in fields] == ["a 'remark'", "", ""]
    assert [note(field, "refused") for field in fields] == ["", "öde", ""]
    assert messages.new("A").a == 3


def test_new_names_close_fields():
    with pytest.raises(ParseError, match="NetState: has no field 'phas'; did you mean 'phase'"):
        messages.new("NetState", phas=1)
    with pytest.raises(ParseError, match="did you mean 'NetState'"):
        messages.new("NetStat")
