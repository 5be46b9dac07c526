"""Items of the table, there and back, as boto3 spells them."""

from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from hypothesis import given
from hypothesis import strategies as st

from twofold.stores.table.items import plain, typed

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**37), 10**37) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.dictionaries(st.text(), VALUES))
def test_what_is_stored_is_what_is_read(item: dict[str, Any]) -> None:
    assert plain(typed(item)) == item


@given(st.dictionaries(st.text(), VALUES))
def test_items_are_spelt_as_boto3_spells_them(item: dict[str, Any]) -> None:
    stored = typed(item)
    assert stored == {name: TypeSerializer().serialize(value) for name, value in item.items()}
    assert plain(stored) == {
        name: TypeDeserializer().deserialize(value) for name, value in stored.items()
    }


def test_what_the_table_cannot_hold_is_named() -> None:
    with pytest.raises(TypeError, match=r"1\.5"):
        typed({"share": 1.5})
