"""Pagination tokens cannot be forged, altered or used for another request."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from local.emulator.server import Emulator
from local.emulator.table_schema import TABLE_SCHEMA
from tests.support.in_process_api import InProcessApi, serve_api
from twofold.api import tokens
from twofold.errors import InvalidPaginationTokenException
from twofold.stores.table import Table, calls

KEY = bytes(32)
REQUEST = ["ListDatasetEntries", "birds/train-1", ["cat"], None]
plain = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
any_request = st.lists(plain, max_size=4)


def _list_first_page(api: InProcessApi, name: str) -> tuple[dict[str, object], str]:
    for number in range(2):
        api.call_successfully("CreateProject", ProjectName=f"{name}-{number}")
    names = {"ProjectNames": [f"{name}-0", f"{name}-1"], "MaxResults": 1}
    return names, api.call_successfully("DescribeProjects", **names)["NextToken"]


def test_a_token_of_another_deployment_is_rejected(aws: None) -> None:
    with serve_api() as other:
        _, token = _list_first_page(other, "birds")
    with serve_api() as api:
        names, _ = _list_first_page(api, "birds")
        status, body = api.call("DescribeProjects", **names, NextToken=token)
    assert (status, body["__type"]) == (400, "InvalidPaginationTokenException")


@given(
    key=st.binary(min_size=32, max_size=32).filter(lambda key: key != KEY),
    position=st.tuples(st.text(max_size=40), st.integers()),
)
def test_a_token_with_another_key_is_rejected(key: bytes, position: tuple[str, int]) -> None:
    forged = tokens.encode(key, REQUEST, list(position))
    with pytest.raises(InvalidPaginationTokenException):
        tokens.decode(KEY, REQUEST, forged, str, int)


@given(other=any_request.filter(lambda other: other != REQUEST), position=st.integers())
def test_a_token_is_valid_for_its_own_request_only(other: list[object], position: int) -> None:
    token = tokens.encode(KEY, REQUEST, ["folder", position])
    assert tokens.decode(KEY, REQUEST, token, str, int) == ["folder", position]
    with pytest.raises(InvalidPaginationTokenException):
        tokens.decode(KEY, other, token, str, int)


@given(at=st.integers(0, 200), new=st.characters(codec="utf-8"), cut=st.integers(0, 3))
@settings(max_examples=300)
def test_an_altered_token_is_rejected_or_equivalent(at: int, new: str, cut: int) -> None:
    token = tokens.encode(KEY, REQUEST, ["contents/birds/train-1/a", 12])
    at %= len(token)
    altered = (token[:at] + new + token[at + 1 :])[: len(token) - cut]
    assume(altered != token)
    with pytest.raises(InvalidPaginationTokenException):
        tokens.decode(KEY, REQUEST, altered, str, int)


@pytest.mark.parametrize("position", [["a", 1], ["aa", 1], ["aaa", 1]])
def test_a_token_has_one_spelling(position: list[object]) -> None:
    """Its base64 is without padding, and unused bits are zero."""
    token = tokens.encode(KEY, REQUEST, position)
    successor = token[:-1] + chr(ord(token[-1]) + 1)
    for other in (f"{token}=", f"{token}==", f"{token}====", successor, f" {token}", f"{token}\n"):
        with pytest.raises(InvalidPaginationTokenException):
            tokens.decode(KEY, REQUEST, other, str, int)


@given(token=st.text(max_size=60) | st.binary(max_size=60).map(lambda raw: raw.decode("latin-1")))
@settings(max_examples=300)
def test_any_text_is_rejected_with_the_same_message(token: str) -> None:
    with pytest.raises(InvalidPaginationTokenException, match="Invalid Pagination Token"):
        tokens.decode(KEY, REQUEST, token, str, int)


def test_concurrent_creators_of_the_key_get_the_same_key(
    emulator: Emulator, api_environment: None
) -> None:
    name = f"secrets-{uuid4().hex}"
    emulator.create_client("dynamodb").create_table(TableName=name, **TABLE_SCHEMA)
    with ThreadPoolExecutor(8) as threads:
        keys = list(threads.map(calls._load_pagination_key.__wrapped__, [name] * 8))
    assert len(set(keys)) == 1
    assert len(keys[0]) == 32
    assert calls.get_pagination_key(Table(name)) == keys[0]
