"""Fields that plug-ins add to the schema."""

from __future__ import annotations

import pytest

from blobnet.errors import ParseError
from blobnet.proto import binary, messages, text, yaml

PLUGIN = """
message SharpenParameter { optional float amount = 1 [default = 2]; }
extend LayerParameter { optional SharpenParameter sharpen_param = 2001; }
"""
NET = 'layer {\n  name: "s"\n  sharpen_param {\n    amount: 3\n  }\n}\n'

pytestmark = pytest.mark.usefixtures("extendable")


def test_an_added_field_is_like_any_other():
    messages.extend_schema(PLUGIN, "sharpen.proto")
    net = text.parse(NET, "NetParameter")
    assert net.layer[0].sharpen_param.amount == 3 and messages.new("SharpenParameter").amount == 2
    assert text.dump(net) == NET
    assert yaml.parse_yaml(yaml.dump_yaml(net), "NetParameter") == net
    assert binary.parse_binary(net.SerializeToString(), "NetParameter") == net


def test_without_the_plugin_the_field_is_unknown():
    with pytest.raises(ParseError, match="LayerParameter has no field 'sharpen_param'"):
        text.parse(NET, "NetParameter")


def test_a_binary_net_keeps_fields_of_a_plugin_that_is_not_loaded():
    messages.extend_schema(PLUGIN, "sharpen.proto")
    data = text.parse(NET, "NetParameter").SerializeToString()
    messages._extensions.clear()
    messages._pool.cache_clear()
    net = binary.parse_binary(data, "NetParameter")
    assert net.SerializeToString() == data
    for dump in (text.dump, yaml.dump_yaml):
        with pytest.raises(ParseError, match=r"NetParameter.layer\[0\]: field number 2001 .*load the plug-in"):
            dump(net)
    messages.extend_schema(PLUGIN, "sharpen.proto")
    assert messages.convert(net).layer[0].sharpen_param.amount == 3


def test_convert_brings_an_older_message_to_the_present_schema():
    old = messages.new("NetParameter", name="n", layer=[{"name": "a", "clip_param": {"min": 1}}])
    messages.extend_schema(PLUGIN, "sharpen.proto")
    new = messages.convert(old)
    assert new is messages.convert(new) and new is not old
    assert new.layer[0].clip_param.min == 1  # although the required `max` is missing
    new.layer[0].sharpen_param.amount = 1


def test_the_same_origin_replaces_its_text():
    messages.extend_schema(PLUGIN, "sharpen.proto")
    messages.extend_schema(PLUGIN.replace("amount", "strength"), "sharpen.proto")
    assert messages.new("SharpenParameter").strength == 2
    with pytest.raises(ParseError, match="sharpen.proto:1:24: expected optional, .*, got 'end of text'"):
        messages.extend_schema("extend LayerParameter {", "sharpen.proto")
    assert messages.new("SharpenParameter").strength == 2  # a failed replacement changes nothing


def test_two_plugins_that_collide():
    messages.extend_schema(PLUGIN, "sharpen.proto")
    with pytest.raises(ParseError) as error:
        messages.extend_schema("extend LayerParameter { optional int32 mine = 2001; }", "mine.proto")
    assert error.value.where == "mine.proto:1:25" and "collides with 'sharpen_param' = 2001" in str(error.value)
    messages.extend_schema("extend SharpenParameter { optional int32 mine = 2; }", "mine.proto")
    assert messages.new("SharpenParameter", mine=1).amount == 2
