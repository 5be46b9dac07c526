"""Whatever is sent, the API answers as its model says, and never with a server's error."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.conformance import assert_error_conforms, assert_response_conforms
from tests.contract.sites import SERVICE, Shape, shape_of
from tests.handlers.in_process import Api, serving
from tests.job import two_labels
from twofold.api import java
from twofold.settings import Operation

BETWEEN_CLIENT_AND_OPERATION = ("UnknownOperationException", "SerializationException")

arbitrary = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def known(aws: None) -> Iterator[tuple[Api, list[str]]]:
    """A service, and strings that mean something to it: ARNs, tokens, names, labels."""
    with serving() as api:
        project, strings = _project(api, "known", two_labels(30))
        tokens = [
            api.done("ListDatasetEntries", DatasetArn=strings[0], MaxResults=3),
            api.done("ListDatasetEntries", DatasetArn=strings[1], Labeled=True, MaxResults=3),
            api.done("ListDatasetLabels", DatasetArn=strings[0], MaxResults=1),
        ]
        words = ["known", "cat", "dog", "images/1"]
        yield api, [project, *strings, *words, *(one["NextToken"] for one in tokens)]


@pytest.fixture(scope="module")
def doomed(known: tuple[Api, list[str]]) -> list[str]:
    """ARNs that may go: two datasets, a project with one and a project without."""
    api, _ = known
    return [
        *_project(api, "doomed", two_labels(3))[1],
        _project(api, "to-stay", two_labels(3))[0],
        api.done("CreateProject", ProjectName="to-go")["ProjectArn"],
    ]


def _project(api: Api, name: str, lines: list[str]) -> tuple[str, list[str]]:
    project = api.done("CreateProject", ProjectName=name)["ProjectArn"]
    request = {"ProjectArn": project, "DatasetSource": api.source("\n".join(lines).encode())}
    arns = [
        api.done("CreateDataset", DatasetType=kind, **request)["DatasetArn"]
        for kind in ("TRAIN", "TEST")
    ]
    return project, arns


def requests(operation: str, strings: list[str]) -> st.SearchStrategy[Any]:
    """Members of the model with values that are right, nearly right or anything."""
    return _of_shape(SERVICE["operations"][operation]["input"]["shape"], strings)


def _of_shape(name: str, strings: list[str]) -> st.SearchStrategy[Any]:
    shape = shape_of(name)
    match shape["type"]:
        case "structure":
            members = {
                member: _mostly(_of_shape(link["shape"], strings))
                for member, link in shape["members"].items()
            }
            required = {one: members[one] for one in shape.get("required", ())}
            optional = {one: members[one] for one in members.keys() - required.keys()}
            return st.fixed_dictionaries(required, optional=optional)
        case "list":
            inner = _of_shape(shape["member"]["shape"], strings)
            return st.lists(inner, min_size=shape.get("min", 0), max_size=3)
        case "map":
            return st.dictionaries(
                _of_shape(shape["key"]["shape"], strings),
                _of_shape(shape["value"]["shape"], strings),
                max_size=4,
            )
        case "integer":
            return st.integers(0, 101)
        case "boolean":
            return st.booleans()
        case "blob":
            return st.binary(max_size=60).map(lambda data: base64.b64encode(data).decode())
    fitting = [one for one in [*strings, *shape.get("enum", ())] if _fits(one, shape)]
    if not fitting:
        return st.text(max_size=40)
    right = st.sampled_from(fitting)
    return st.one_of(right, right, right, right, right, right.flatmap(_altered), st.text())


def _fits(text: str, shape: Shape) -> bool:
    """Whether a string is one that the model allows there."""
    if "enum" in shape and text not in shape["enum"]:
        return False
    if not shape.get("min", 0) <= len(text) <= shape.get("max", len(text)):
        return False
    return "pattern" not in shape or java.matches(shape["pattern"], text)


def _altered(text: str) -> st.SearchStrategy[str]:
    """With one character another, as a token or an ARN may come back."""
    place = st.integers(0, max(len(text) - 1, 0))
    return st.builds(
        lambda at, new: text[:at] + new + text[at + 1 :], place, st.characters(codec="utf-8")
    )


def _mostly(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.integers(0, 24).flatmap(lambda dice: strategy if dice else arbitrary)


def check(operation: str, answer: tuple[int, dict[str, Any]]) -> None:
    status, body = answer
    if status == 200:
        assert_response_conforms(operation, body)
    else:
        assert status == 400, body
        assert set(body) == {"__type", "Code", "Logref", "Message"}
        assert body["Message"]
        if body["__type"] not in BETWEEN_CLIENT_AND_OPERATION:
            assert_error_conforms(operation, body["__type"])


@pytest.mark.parametrize("operation", list(Operation))
@given(data=st.data())
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_request_gets_a_servers_error(
    known: tuple[Api, list[str]], doomed: list[str], operation: Operation, data: st.DataObject
) -> None:
    api, strings = known
    request = data.draw(requests(operation, doomed if "Delete" in operation else strings))
    check(operation, api.call(operation, **request))


@given(
    operation=st.sampled_from(list(Operation)),
    body=st.text(max_size=60) | st.binary(max_size=60).map(lambda raw: raw.decode("latin-1")),
)
@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_body_gets_a_servers_error(
    known: tuple[Api, list[str]], operation: Operation, body: str
) -> None:
    check(operation, known[0].send(operation, body))


# Hypothesis draws strings of the code too, names of operations among them.
@given(target=st.text(max_size=30).filter(lambda text: text not in set(Operation)))
@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_operation_gets_a_servers_error(known: tuple[Api, list[str]], target: str) -> None:
    status, body = known[0].send(target, "{}")
    assert status == 400
    assert body["__type"] in (*BETWEEN_CLIENT_AND_OPERATION, "InvalidParameterException")


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
def test_a_hostile_body_is_refused_in_good_time(known: tuple[Api, list[str]], body: str) -> None:
    for operation in Operation:
        status, answer = known[0].send(operation, body)
        assert status in (200, 400), answer
