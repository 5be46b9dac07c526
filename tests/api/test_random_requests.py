"""Random requests get a response or a client error of the model, never a server error."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.conformance import assert_error_conforms, assert_response_conforms
from tests.api.request_sites import SERVICE, Shape, get_shape
from tests.support.in_process_api import InProcessApi, serve_api
from tests.support.job import make_two_label_lines
from twofold.api import java_messages
from twofold.settings import ApiOperation

PROTOCOL_ERRORS = ("UnknownOperationException", "SerializationException")

arbitrary = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def api_and_strings(aws: None) -> Iterator[tuple[InProcessApi, list[str]]]:
    """An API, and strings with a meaning in the API: ARNs, tokens, names, labels."""
    with serve_api() as api:
        project, strings = _create_project(api, "known", make_two_label_lines(30))
        pages = [
            api.call_successfully("ListDatasetEntries", DatasetArn=strings[0], MaxResults=3),
            api.call_successfully(
                "ListDatasetEntries", DatasetArn=strings[1], Labeled=True, MaxResults=3
            ),
            api.call_successfully("ListDatasetLabels", DatasetArn=strings[0], MaxResults=1),
        ]
        words = ["known", "cat", "dog", "images/1"]
        yield api, [project, *strings, *words, *(page["NextToken"] for page in pages)]


@pytest.fixture(scope="module")
def deletable_arns(api_and_strings: tuple[InProcessApi, list[str]]) -> list[str]:
    """ARNs for deletions: two datasets, a project with datasets and a project without."""
    api, _ = api_and_strings
    return [
        *_create_project(api, "doomed", make_two_label_lines(3))[1],
        _create_project(api, "to-stay", make_two_label_lines(3))[0],
        api.call_successfully("CreateProject", ProjectName="to-go")["ProjectArn"],
    ]


def _create_project(api: InProcessApi, name: str, lines: list[str]) -> tuple[str, list[str]]:
    project = api.call_successfully("CreateProject", ProjectName=name)["ProjectArn"]
    request = {"ProjectArn": project, "DatasetSource": api.upload_source("\n".join(lines).encode())}
    arns = [
        api.call_successfully("CreateDataset", DatasetType=kind, **request)["DatasetArn"]
        for kind in ("TRAIN", "TEST")
    ]
    return project, arns


def draw_requests(operation: str, strings: list[str]) -> st.SearchStrategy[Any]:
    """Draw requests with valid, nearly valid or arbitrary values."""
    return _draw_shape(SERVICE["operations"][operation]["input"]["shape"], strings)


def _draw_shape(name: str, strings: list[str]) -> st.SearchStrategy[Any]:
    shape = get_shape(name)
    match shape["type"]:
        case "structure":
            members = {
                member: _mix_arbitrary(_draw_shape(link["shape"], strings))
                for member, link in shape["members"].items()
            }
            required = {name: members[name] for name in shape.get("required", ())}
            optional = {name: members[name] for name in members.keys() - required.keys()}
            return st.fixed_dictionaries(required, optional=optional)
        case "list":
            inner = _draw_shape(shape["member"]["shape"], strings)
            return st.lists(inner, min_size=shape.get("min", 0), max_size=3)
        case "map":
            return st.dictionaries(
                _draw_shape(shape["key"]["shape"], strings),
                _draw_shape(shape["value"]["shape"], strings),
                max_size=4,
            )
        case "integer":
            return st.integers(0, 101)
        case "boolean":
            return st.booleans()
        case "blob":
            return st.binary(max_size=60).map(lambda data: base64.b64encode(data).decode())
    fitting = [text for text in [*strings, *shape.get("enum", ())] if _is_fitting(text, shape)]
    if not fitting:
        return st.text(max_size=40)
    right = st.sampled_from(fitting)
    return st.one_of(right, right, right, right, right, right.flatmap(_alter), st.text())


def _is_fitting(text: str, shape: Shape) -> bool:
    """Whether a string satisfies the constraints of a shape."""
    if "enum" in shape and text not in shape["enum"]:
        return False
    if not shape.get("min", 0) <= len(text) <= shape.get("max", len(text)):
        return False
    return "pattern" not in shape or java_messages.match_pattern(shape["pattern"], text)


def _alter(text: str) -> st.SearchStrategy[str]:
    """Replace a character."""
    position = st.integers(0, max(len(text) - 1, 0))
    return st.builds(
        lambda at, new: text[:at] + new + text[at + 1 :], position, st.characters(codec="utf-8")
    )


def _mix_arbitrary(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.integers(0, 24).flatmap(lambda dice: strategy if dice else arbitrary)


def check_response(operation: str, response: tuple[int, dict[str, Any]]) -> None:
    status, body = response
    if status == 200:
        assert_response_conforms(operation, body)
    else:
        assert status == 400, body
        assert set(body) == {"__type", "Code", "Logref", "Message"}
        assert body["Message"]
        if body["__type"] not in PROTOCOL_ERRORS:
            assert_error_conforms(operation, body["__type"])


@pytest.mark.parametrize("operation", list(ApiOperation))
@given(data=st.data())
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_random_request_causes_a_server_error(
    api_and_strings: tuple[InProcessApi, list[str]],
    deletable_arns: list[str],
    operation: ApiOperation,
    data: st.DataObject,
) -> None:
    api, strings = api_and_strings
    request = data.draw(
        draw_requests(operation, deletable_arns if "Delete" in operation else strings)
    )
    check_response(operation, api.call(operation, **request))


@given(
    operation=st.sampled_from(list(ApiOperation)),
    body=st.text(max_size=60) | st.binary(max_size=60).map(lambda raw: raw.decode("latin-1")),
)
@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_random_body_causes_a_server_error(
    api_and_strings: tuple[InProcessApi, list[str]], operation: ApiOperation, body: str
) -> None:
    check_response(operation, api_and_strings[0].send(operation, body))


# Hypothesis draws strings of the code too, names of operations among them.
@given(target=st.text(max_size=30).filter(lambda text: text not in set(ApiOperation)))
@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_random_target_causes_a_server_error(
    api_and_strings: tuple[InProcessApi, list[str]], target: str
) -> None:
    status, body = api_and_strings[0].send(target, "{}")
    assert status == 400
    assert body["__type"] in (*PROTOCOL_ERRORS, "InvalidParameterException")


@pytest.mark.parametrize(
    "body",
    [
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"ProjectName": "p", "ProjectName": "q"}',
        '{"MaxResults": 1e999}',
        '{"MaxResults": ' + "9" * 5_000 + "}",
        json.dumps({"NextToken": base64.urlsafe_b64encode(b"[" * 700).decode()}),
        '"\\ud800"',
        "\x00",
    ],
    ids=lambda body: body[:20],
)
def test_a_malicious_body_is_handled_in_bounded_time(
    api_and_strings: tuple[InProcessApi, list[str]], body: str
) -> None:
    for operation in ApiOperation:
        status, response = api_and_strings[0].send(operation, body)
        assert status in (200, 400), response
