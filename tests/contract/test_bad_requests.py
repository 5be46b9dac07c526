"""What is wrong with a request is said in AWS's words, by name, and in bounded time whatever the body holds."""

import json
import time
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contract.sites import shape_of, sites
from twofold.api.constraints import validate, violations
from twofold.api.contract import parse
from twofold.errors import (
    ClientFault,
    SerializationException,
    UnknownOperationException,
    ValidationException,
)
from twofold.settings import Operation

DATASET = "arn:aws:rekognition:us-east-1:123456789012:project/p/dataset/train/1690405809285"

any_value = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
any_operation = st.sampled_from(list(Operation))


def body(**members: Any) -> bytes:
    return json.dumps(members).encode()


def refusal(operation: str, request: bytes) -> str:
    with pytest.raises(ValidationException) as refused:
        parse(operation, request)
    return refused.value.message


def malformed(operation: str, request: bytes) -> str:
    with pytest.raises(SerializationException) as refused:
        parse(operation, request)
    return refused.value.message


def test_one_violation_reads_as_from_aws() -> None:
    assert refusal("DescribeProjects", body(MaxResults=101)) == (
        "1 validation error detected: Value '101' at 'maxResults' failed to satisfy constraint: "
        "Member must have value less than or equal to 100"
    )


def test_several_violations_come_in_one_message() -> None:
    assert refusal("CreateDataset", body(ProjectArn="it's", DatasetType="train")) == (
        "3 validation errors detected: "
        "Value 'train' at 'datasetType' failed to satisfy constraint: "
        "Member must satisfy enum value set: [TRAIN, TEST]; "
        r"Value 'it\'s' at 'projectArn' failed to satisfy constraint: "
        "Member must have length greater than or equal to 20; "
        r"Value 'it\'s' at 'projectArn' failed to satisfy constraint: "
        f"Member must satisfy regular expression pattern: {shape_of('ProjectArn')['pattern']}"
    )


def test_a_structure_in_a_list_is_named_by_its_place() -> None:
    message = refusal("DistributeDatasetEntries", body(Datasets=[{"Arn": DATASET}, {}]))
    assert message == (
        "1 validation error detected: Value null at 'datasets.2.member.arn' "
        "failed to satisfy constraint: Member must not be null"
    )


def test_a_null_in_a_list_of_structures_is_named_by_its_place() -> None:
    message = refusal("DistributeDatasetEntries", body(Datasets=[None, {"Arn": DATASET}]))
    assert "Value null at 'datasets.1.member' failed" in message


def test_elements_of_a_list_are_reported_once_with_all_their_rules() -> None:
    assert refusal("ListDatasetEntries", body(DatasetArn=DATASET, ContainsLabels=["", None])) == (
        "1 validation error detected: Value '[, null]' at 'containsLabels' failed to satisfy "
        "constraint: Member must satisfy constraint: "
        "[Member must have length less than or equal to 255, "
        "Member must have length greater than or equal to 1, "
        "Member must satisfy regular expression pattern: .{1,}, Member must not be null]"
    )


def test_the_length_of_a_blob_is_that_of_its_bytes() -> None:
    message = refusal("UpdateDatasetEntries", body(DatasetArn=DATASET, Changes={"GroundTruth": ""}))
    assert message == (
        "1 validation error detected: Value 'java.nio.HeapByteBuffer[pos=0 lim=0 cap=0]' at "
        "'changes.groundTruth' failed to satisfy constraint: "
        "Member must have length greater than or equal to 1"
    )


@pytest.mark.parametrize("text", ["a", "ab=", "ab==x", "a b=", "aGk=\n", "é", "-_-_"])
def test_what_is_not_base64_is_refused_by_name(text: str) -> None:
    request = body(DatasetArn=DATASET, Changes={"GroundTruth": text})
    assert "'changes.groundTruth'" in malformed("UpdateDatasetEntries", request)


NOT_JSON = {
    "unfinished": b"{",
    "no JSON": b"nonsense",
    "NaN": b'{"MaxResults": NaN}',
    "infinite": b'{"MaxResults": 1e999}',
    "lone surrogate": b'{"NextToken": "\\ud800"}',
    "no UTF-8": b'{"NextToken": "\xff"}',
    "byte order mark": b"\xef\xbb\xbf{}",
    "deep list": b"[" * 100_000,
    "deep object": b'{"a":' * 100_000,
}


@pytest.mark.parametrize("text", NOT_JSON.values(), ids=NOT_JSON)
def test_what_is_not_json_is_refused(text: bytes) -> None:
    assert malformed("DescribeProjects", text).startswith("The body is not JSON: ")


@pytest.mark.parametrize("text", [b"[]", b"null", b"1", b'"x"', b"true"])
def test_a_request_is_an_object(text: bytes) -> None:
    assert malformed("DescribeProjects", text)


WRONG_TYPES = {
    "string": [1, 1.5, True, [], {}],
    "blob": [1, 1.5, True, [], {}],
    "integer": ["1", True, [], {}],
    "long": ["1", True, [], {}],
    "boolean": ["true", 1, [], {}],
    "list": ["a", 1, True, {}],
    "map": ["a", 1, True, []],
    "structure": ["a", 1, True, []],
}
TYPED_SITES = [site for site in sites() if site.collection != "Map keys"]


@pytest.mark.parametrize("site", TYPED_SITES, ids=str)
def test_another_json_type_than_the_models_is_refused_by_name(site: Any) -> None:
    for wrong in WRONG_TYPES[site.shape["type"]]:
        message = malformed(site.operation, json.dumps(site.request(wrong)).encode())
        assert message.endswith(f" at '{site.path}'")


def test_the_wrong_type_is_said_in_the_words_of_aws() -> None:
    says = "can not be converted to"
    assert malformed("CreateProject", body(ProjectName=1)).startswith(
        f"NUMBER_VALUE {says} a String"
    )
    assert malformed("DescribeProjects", body(MaxResults=False)).startswith(
        f"FALSE_VALUE {says} an Integer"
    )
    assert malformed("DescribeProjects", body(Features="x")).startswith("Expected list or null")


def test_an_operation_of_another_service_is_unknown() -> None:
    with pytest.raises(UnknownOperationException, match="'DetectLabels'"):
        parse("DetectLabels", b"{}")


def test_validating_leaves_the_request_as_it_was() -> None:
    request = {"Datasets": [{"Arn": DATASET, "Extra": 1}, {"Arn": DATASET}]}
    before = json.dumps(request)
    validate("DistributeDatasetEntries", request)
    assert json.dumps(request) == before


@given(any_operation, st.binary())
def test_arbitrary_bytes_are_a_request_or_the_callers_fault(operation: str, text: bytes) -> None:
    with suppress(ValidationException, SerializationException):
        assert type(parse(operation, text)).__name__ == f"{operation}Request"


@given(st.sampled_from(sites()), any_value)
def test_an_arbitrary_value_in_any_place_is_a_request_or_the_callers_fault(
    site: Any, value: Any
) -> None:
    key = site.collection == "Map keys"
    request = site.request(str(value) if key else value)
    with suppress(ValidationException, SerializationException):
        assert parse(site.operation, json.dumps(request).encode())


@given(st.sampled_from(sites()), any_value)
def test_a_message_is_bounded_whatever_the_value(site: Any, value: Any) -> None:
    text = value if site.collection == "Map keys" and isinstance(value, str) else "x" * 5_000
    request = site.request(text if site.collection == "Map keys" else value)
    with suppress(SerializationException):
        assert sum(map(len, violations(site.operation, request))) < 10_000


@pytest.mark.parametrize(
    ("operation", "members"),
    [
        ("DistributeDatasetEntries", {"Datasets": [{}] * 3_000_000}),
        ("UntagResource", {"ResourceArn": DATASET, "TagKeys": [""] * 2_000_000}),
        ("TagResource", {"ResourceArn": DATASET, "Tags": {str(n): "" for n in range(700_000)}}),
        ("CreateProject", {"ProjectName": "a" * 9_000_000 + "\n"}),
        ("ListDatasetEntries", {"DatasetArn": DATASET, "SourceRefContains": " " * 9_000_000}),
        (
            "ListDatasetEntries",
            {"DatasetArn": DATASET, "SourceRefContains": "a" * 9_000_000 + "\n"},
        ),
        (
            "UpdateDatasetEntries",
            {"DatasetArn": DATASET, "Changes": {"GroundTruth": "A" * 9_999_996}},
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_body_of_ten_megabytes_is_refused_in_bounded_time(
    operation: str, members: dict[str, Any]
) -> None:
    text = json.dumps(members, separators=(",", ":")).encode()
    started = time.process_time()
    with pytest.raises(ClientFault) as refused:
        parse(operation, text)
    assert time.process_time() - started < 5
    assert len(refused.value.message) < 2_000
