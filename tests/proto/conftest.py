"""Random messages for the round trips."""

from __future__ import annotations

import pytest
from google.protobuf.descriptor import FieldDescriptor as Field
from hypothesis import strategies as st

from blobnet.proto import messages

SCALARS = {Field.TYPE_FLOAT: st.floats(width=32), Field.TYPE_DOUBLE: st.floats(), Field.TYPE_BOOL: st.booleans(),
           Field.TYPE_INT32: st.integers(-2**31, 2**31 - 1), Field.TYPE_UINT32: st.integers(0, 2**32 - 1),
           Field.TYPE_INT64: st.integers(-2**63, 2**63 - 1), Field.TYPE_STRING: st.text(max_size=8),
           Field.TYPE_BYTES: st.binary(max_size=8)}


@st.composite
def fill(draw, message, depth):
    """`message` with some of its fields, submessages `depth` levels deep, and all required ones."""
    fields = [field for field in message.DESCRIPTOR.fields if field.full_name != "caffe.BlobProto.array"
              and (depth or field.type != Field.TYPE_MESSAGE)]
    chosen = draw(st.lists(st.sampled_from(fields), max_size=5, unique_by=lambda field: field.name)) if fields else []
    for field in {*chosen, *(field for field in fields if field.is_required)}:
        for _ in range(draw(st.integers(0, 3)) if field.is_repeated else 1):
            if field.type == Field.TYPE_MESSAGE:
                inner = getattr(message, field.name)
                inner = inner.add() if field.is_repeated else inner
                inner.SetInParent()
                draw(fill(inner, depth - 1))
                continue
            if field.type == Field.TYPE_ENUM:
                value = draw(st.sampled_from([value.number for value in field.enum_type.values]))
            else:
                value = draw(SCALARS[field.type])
            if field.is_repeated:
                getattr(message, field.name).append(value)
            else:
                setattr(message, field.name, value)
    return message


@pytest.fixture(scope="session")
def random_messages():
    """A strategy for messages of the types that files hold."""
    names = ["NetParameter", "SolverParameter", "SolverState", "LayerParameter", "Datum", "BlobProto"]
    return st.sampled_from(names).flatmap(lambda name: fill(messages.new(name), 3))
