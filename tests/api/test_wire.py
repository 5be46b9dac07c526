"""Events of API Gateway in, AWS-JSON responses out."""

import base64
import json
import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import botocore.session
import pytest
from botocore.parsers import create_parser
from hypothesis import given
from hypothesis import strategies as st

from twofold.api import wire
from twofold.api.requests import parse_request
from twofold.errors import (
    ClientFault,
    InternalServerError,
    InvalidParameterException,
    ResourceNotFoundException,
    SerializationException,
    ThrottlingException,
    UnknownOperationException,
)
from twofold.settings import ApiOperation

REQUEST_ID = "b25c3c2a-8a6c-4a2e-9f1e-1d9d4a3d0f00"


def make_event(**changes: Any) -> dict[str, Any]:
    """Return API Gateway's event for `aws rekognition describe-projects`."""
    usual = {
        "resource": "/",
        "path": "/",
        "httpMethod": "POST",
        "headers": {
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": "RekognitionService.DescribeProjects",
            "amz-sdk-invocation-id": "an-invocation",
        },
        "body": "{}",
        "isBase64Encoded": False,
        "requestContext": {"requestId": REQUEST_ID},
    }
    return usual | changes


def make_headers(**values: str) -> dict[str, str]:
    usual = {"content-type": "application/json"}
    return usual | {name.replace("_", "-"): value for name, value in values.items()}


@pytest.mark.parametrize("operation", ApiOperation)
def test_a_target_header_names_the_operation(operation: ApiOperation) -> None:
    target = make_headers(x_amz_target=f"RekognitionService.{operation.value}")
    assert wire.parse_call(make_event(headers=target)).api_operation is operation


@pytest.mark.parametrize("operation", ApiOperation)
def test_a_path_names_the_operation_with_or_without_the_same_target(
    operation: ApiOperation,
) -> None:
    resource = f"/{operation.value}"
    target = make_headers(x_amz_target=f"RekognitionService.{operation.value}")
    for sent in (make_headers(), target):
        assert (
            wire.parse_call(make_event(resource=resource, headers=sent)).api_operation is operation
        )


def test_a_target_of_another_operation_than_the_path_is_rejected() -> None:
    smuggled = make_headers(x_amz_target="RekognitionService.DeleteProject")
    with pytest.raises(InvalidParameterException, match="DeleteProject, DescribeProjects"):
        wire.parse_call(make_event(resource="/DescribeProjects", headers=smuggled))


def test_two_targets_are_rejected() -> None:
    two = {
        "X-AMZ-TARGET": [f"RekognitionService.{name}" for name in ("TagResource", "DeleteProject")]
    }
    with pytest.raises(InvalidParameterException, match="DeleteProject, TagResource"):
        wire.parse_call(make_event(headers=make_headers(), multiValueHeaders=two))


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("RekognitionService.DetectLabels", "'DetectLabels'. It has: "),
        ("RekognitionService.", "''. It has: "),
        ("RekognitionService.describeprojects", "'describeprojects'"),
        ("DynamoDB_20120810.ListTables", "'DynamoDB_20120810.ListTables' is not of the form"),
        ("DescribeProjects", "'DescribeProjects' is not of the form"),
        ("", "'' is not of the form"),
        ("x" * 9_000, "is not of the form"),
    ],
    ids=lambda text: text[:40],
)
def test_the_message_names_an_unknown_target(target: str, says: str) -> None:
    with pytest.raises(UnknownOperationException, match=re.escape(says)) as raised:
        wire.parse_call(make_event(headers=make_headers(x_amz_target=target)))
    assert len(raised.value.message) < 1_000


def test_the_message_names_an_unknown_path() -> None:
    with pytest.raises(UnknownOperationException, match="'DetectLabels'"):
        wire.parse_call(make_event(resource="/DetectLabels", headers=make_headers()))


def test_the_message_for_a_missing_operation_has_the_remedy() -> None:
    with pytest.raises(UnknownOperationException, match=r"RekognitionService\.<Operation>"):
        wire.parse_call(make_event(headers=make_headers()))


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_only_post_is_allowed(method: str) -> None:
    with pytest.raises(UnknownOperationException, match="POST"):
        wire.parse_call(make_event(httpMethod=method))


@pytest.mark.parametrize("name", ["content-type", "Content-Type", "CONTENT-TYPE"])
@pytest.mark.parametrize(
    "value",
    ["application/x-amz-json-1.1", "application/json", "Application/JSON; charset=utf-8"],
)
def test_both_content_types_are_accepted_in_any_case(name: str, value: str) -> None:
    sent = {name: value, "X-AMZ-TARGET": "RekognitionService.TagResource"}
    assert wire.parse_call(make_event(headers=sent)).api_operation is ApiOperation.TAG_RESOURCE


@pytest.mark.parametrize("value", ["", "text/plain", "application/x-www-form-urlencoded"])
def test_another_content_type_is_rejected_by_name(value: str) -> None:
    sent = make_headers(x_amz_target="RekognitionService.TagResource") | {"content-type": value}
    with pytest.raises(SerializationException, match=f"Content-Type '{value}'"):
        wire.parse_call(make_event(headers=sent))


def test_a_call_has_its_request_and_invocation_ids() -> None:
    call = wire.parse_call(make_event())
    assert (call.request_id, call.invocation_id) == (REQUEST_ID, "an-invocation")
    assert (
        wire.parse_call(make_event(resource="/TagResource", headers=make_headers())).invocation_id
        == ""
    )


@given(st.binary())
def test_a_base64_body_is_decoded(content: bytes) -> None:
    encoded = base64.b64encode(content).decode()
    assert wire.parse_call(make_event(body=encoded, isBase64Encoded=True)).body == content


@given(st.text())
def test_a_text_body_is_encoded_as_utf_8(text: str) -> None:
    assert wire.parse_call(make_event(body=text)).body == text.encode()


def test_a_missing_body_is_empty() -> None:
    assert wire.parse_call(make_event(body=None)).body == b""


def test_a_body_of_invalid_base64_is_rejected() -> None:
    with pytest.raises(SerializationException, match="not valid base64"):
        wire.parse_call(make_event(body="a", isBase64Encoded=True))


def test_a_lone_surrogate_in_the_body_is_rejected_as_invalid_json() -> None:
    call = wire.parse_call(make_event(body='{"NextToken": "\ud800"}'))
    with pytest.raises(SerializationException, match="The body is not JSON"):
        parse_request(call.api_operation, call.body)


def test_a_success_has_the_result_as_aws_json() -> None:
    created = datetime(2023, 7, 26, 21, 10, 9, 285_499, tzinfo=UTC)
    there = created.astimezone(timezone(timedelta(hours=9)))
    result = {"DatasetDescription": {"CreationTimestamp": created, "LastUpdatedTimestamp": there}}
    assert wire.build_response(REQUEST_ID, result) == {
        "statusCode": 200,
        "headers": {"Content-Type": "application/x-amz-json-1.1", "x-amzn-RequestId": REQUEST_ID},
        "body": '{"DatasetDescription":{"CreationTimestamp":1690405809.285,'
        '"LastUpdatedTimestamp":1690405809.285}}',
        "isBase64Encoded": False,
    }
    assert wire.build_response(REQUEST_ID, {})["body"] == "{}"


def test_a_naive_datetime_raises_a_type_error() -> None:
    with pytest.raises(TypeError):
        wire.build_response(REQUEST_ID, {"CreationTimestamp": datetime(2023, 7, 26)})  # noqa: DTZ001


def test_an_error_has_the_four_members_in_rekognitions_order() -> None:
    response = wire.build_error_response(
        REQUEST_ID, ResourceNotFoundException("No such «dataset».")
    )
    body = json.loads(response["body"])
    assert list(body) == ["__type", "Code", "Logref", "Message"]
    assert body["__type"] == body["Code"] == "ResourceNotFoundException"
    assert body["Message"] == "No such «dataset»."
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", body["Logref"])
    assert body["Logref"] != response["headers"]["x-amzn-RequestId"] == REQUEST_ID


@pytest.mark.parametrize("fault", ClientFault.__subclasses__())
def test_a_client_fault_is_400(fault: type[ClientFault]) -> None:
    assert wire.build_error_response(REQUEST_ID, fault("message"))["statusCode"] == 400


@pytest.mark.parametrize("fault", [InternalServerError, ThrottlingException])
def test_a_server_fault_is_500(fault: type[InternalServerError]) -> None:
    assert wire.build_error_response(REQUEST_ID, fault("message"))["statusCode"] == 500


def parse_with_botocore(operation: str, response: wire.Response) -> dict[str, Any]:
    model = botocore.session.get_session().get_service_model("rekognition")
    http_response = {
        "status_code": response["statusCode"],
        "headers": {name.lower(): value for name, value in response["headers"].items()},
        "body": response["body"].encode(),
    }
    shape = model.operation_model(operation).output_shape
    assert shape is not None
    parsed: dict[str, Any] = create_parser("json").parse(http_response, shape)
    return parsed


def test_botocore_reads_an_error_with_code_message_and_request_id() -> None:
    parsed = parse_with_botocore(
        "TagResource", wire.build_error_response(REQUEST_ID, ThrottlingException("Slow down"))
    )
    assert parsed["Error"] == {"Code": "ThrottlingException", "Message": "Slow down"}
    assert parsed["ResponseMetadata"]["RequestId"] == REQUEST_ID


def test_botocore_reads_back_a_timestamp_to_the_millisecond() -> None:
    created = datetime(2023, 7, 26, 21, 10, 9, 285_000, tzinfo=UTC)
    result = {"DatasetDescription": {"CreationTimestamp": created}}
    parsed = parse_with_botocore("DescribeDataset", wire.build_response(REQUEST_ID, result))
    assert parsed["DatasetDescription"]["CreationTimestamp"] == created
