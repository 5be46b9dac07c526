"""Encoding of items, compared with boto3."""

from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from hypothesis import given
from hypothesis import strategies as st

from twofold.stores.table.items import decode_item, encode_item

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**37), 10**37) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
ITEMS = st.dictionaries(st.text(), VALUES, max_size=4)


@given(ITEMS)
def test_decoding_reverses_encoding(item: dict[str, Any]) -> None:
    assert decode_item(encode_item(item)) == item


@given(ITEMS)
def test_items_are_encoded_as_by_boto3(item: dict[str, Any]) -> None:
    stored = encode_item(item)
    assert stored == {name: TypeSerializer().serialize(value) for name, value in item.items()}
    assert decode_item(stored) == {
        name: TypeDeserializer().deserialize(value) for name, value in stored.items()
    }


def test_an_unsupported_value_is_named_in_the_error() -> None:
    with pytest.raises(TypeError, match=r"1\.5"):
        encode_item({"share": 1.5})
