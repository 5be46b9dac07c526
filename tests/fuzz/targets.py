"""Inputs that outsiders can send, and properties that must hold for any input. Each target takes one drawn input."""

import json
import time
from collections.abc import Callable, Mapping
from html.parser import HTMLParser
from typing import Any

from hypothesis import strategies as st

from tests.report.sample_reports import build_sample_report
from tests.support.manifest_lines import lines as nearly_right_lines
from twofold.api import requests, tokens, wire
from twofold.arns import Scope
from twofold.errors import ClientFault, InvalidPaginationTokenException, ResourceNotFoundException
from twofold.manifest.grouping.group_by import GroupBy, UngroupedError
from twofold.manifest.line.byte_ranges import read_lines
from twofold.manifest.line.entry import Entry, read_entry
from twofold.manifest.line.listing import add_service_members, strip_service_members
from twofold.records import DatasetId, DatasetType
from twofold.report import render_page
from twofold.settings import ApiOperation
from twofold.stores import keys

SECONDS = 5
"""The limit of processor time for one input; most inputs take microseconds."""

KEY = bytes(range(32))
MALICIOUS = [
    "../../etc/passwd", "..", ".", "\x00", "\ud800", "</script><script>", "<!--", "]]>", "\u2028", "${jndi:ldap://x}",
    "'; DROP TABLE", "=cmd|' /C calc'!A0", "%2e%2e%2f", "\r\nX-Injected: 1", "\U0001d4b3" * 40, "\u202e", "{{7*7}}", "a" * 300,
]  # fmt: skip

Target = Callable[[Any], None]

texts = st.text(max_size=60) | st.sampled_from(MALICIOUS)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


def _mutate_line(line: bytes, cuts: list[tuple[int, bytes]]) -> bytes:
    for at, piece in cuts:
        at %= len(line) + 1
        line = line[:at] + piece + line[at + len(piece) // 2 :]
    return line


any_line = st.one_of(
    st.binary(max_size=200),
    values.map(lambda value: json.dumps(value).encode(errors="surrogatepass")),
    nearly_right_lines,
    st.builds(
        _mutate_line,
        nearly_right_lines,
        st.lists(st.tuples(st.integers(0, 2_000), st.binary(max_size=6)), max_size=4),
    ),
)


def check_message(message: str) -> None:
    """A refusal has a reason, as text that can be encoded."""
    assert message
    message.encode(errors="surrogatepass")


def read_a_line(line: bytes) -> None:
    """A line is an entry or is rejected. A listed entry is JSON that reads as the same entry."""
    entry = read_entry(line)
    if not isinstance(entry, Entry):
        return
    listed = json.loads(add_service_members(line))
    assert listed["source-ref"] == entry.source_ref
    again = read_entry(strip_service_members(add_service_members(line).encode()))
    assert isinstance(again, Entry)
    assert (again.source_ref, again.labels, again.boxes) == (
        entry.source_ref,
        entry.labels,
        entry.boxes,
    )


def read_a_manifest(manifest: bytes) -> None:
    """Each line is read once, at any cut of the manifest."""
    whole = list(read_lines([manifest], 0, len(manifest)))
    cut = len(manifest) // 2
    parts = list(read_lines([manifest], 0, cut))
    parts += read_lines([manifest[max(cut - 1, 0) :]], cut, len(manifest))
    assert parts == whole


def parse_a_request(request: tuple[ApiOperation, bytes]) -> None:
    try:
        requests.parse_request(*request)
    except ClientFault as error:
        check_message(error.message)


def read_an_event(event: dict[str, Any]) -> None:
    try:
        wire.parse_call(event)
    except ClientFault as error:
        check_message(error.message)
        wire.build_error_response("request", error)["body"].encode()


def read_a_token(token: str) -> None:
    try:
        tokens.decode(KEY, ["ListDatasetEntries", "birds/train-1"], token, str, int)
    except InvalidPaginationTokenException:
        return
    raise AssertionError("A token was forged.")


def group_by_an_expression(drawn: tuple[str, bytes]) -> None:
    expression, line = drawn
    try:
        group_by = GroupBy.parse(expression)
    except ValueError as error:
        check_message(str(error))
        return
    try:
        assert group_by.extract_key(line)
    except UngroupedError as error:
        check_message(str(error))


def name_a_resource(drawn: tuple[str, str]) -> None:
    """An ARN names one dataset. For any names, the folders of two datasets are different and neither contains the other.

    No part of a folder is a dot segment, and no project's name equals the escaped form of a dot segment.
    """
    scope = Scope("aws", "us-east-1", "123456789012")
    folders = []
    for project in drawn:
        arn = f"arn:aws:rekognition:us-east-1:123456789012:project/{project}/dataset/train/1"
        try:
            dataset = scope.parse_dataset_arn(arn, "me", ApiOperation.DESCRIBE_DATASET)
        except (ResourceNotFoundException, ClientFault):
            continue
        assert dataset == DatasetId(project=project, type=DatasetType.TRAIN, created=1)
        folder = keys.build_contents_folder(dataset.path, "")
        escaped = f"~{project}" if project in (".", "..") else project
        assert folder.split("/") == ["contents", escaped, "train-1", ""]
        folders.append(folder)
    if len(set(folders)) == len(drawn):
        first, second = folders
        assert not first.startswith(second)
        assert not second.startswith(first)


class _TagCollector(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, frozenset[str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, frozenset(name for name, _ in attrs)))


def _collect_tags(label: str) -> list[tuple[str, frozenset[str]]]:
    reader = _TagCollector()
    text = render_page(build_sample_report([[label], ["other"]] * 5))
    text.encode()
    reader.feed(text)
    return reader.tags


_PLAIN = _collect_tags("plain")


def report_a_label(label: str) -> None:
    """The page has the same elements with the same attributes for any label name."""
    assert _collect_tags(label) == _PLAIN


any_body = st.one_of(
    st.binary(max_size=200),
    values.map(lambda value: json.dumps(value).encode(errors="surrogatepass")),
)
any_event = st.fixed_dictionaries(
    {
        "httpMethod": st.sampled_from(["POST", "GET", "", "post"]),
        "resource": st.sampled_from(["/", "/CreateProject", "/{proxy+}", ""]) | texts,
        "requestContext": st.just({"requestId": "request"}),
        "headers": st.none()
        | st.dictionaries(
            st.sampled_from(["X-Amz-Target", "Content-Type", "x-amz-target"]) | texts,
            st.sampled_from(["RekognitionService.CreateProject", "application/json"]) | texts,
            max_size=4,
        ),
        "body": st.none() | texts,
        "isBase64Encoded": st.booleans(),
    }
)
any_expression = st.one_of(
    texts,
    st.text("()[]{}*+?|\\.^$-,:=<!PiLmsux0123456789ab", max_size=40),
    st.sampled_from(
        [
            "(a+)+$",
            "(a|a)*b",
            "([a-z]+)*x",
            "(.*)(.*)",
            "(a{1,1000}){1,1000}",
            "(a{99999999999})",
            "(" * 990,
            "([[a])",
            "([a--b])",
        ]
    ),
)
long_line = st.integers(1, 2_000).map(
    lambda size: json.dumps({"source-ref": "s3://b/" + "a" * size}).encode()
)
as_in_urls = st.text(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=", max_size=80
)
dot_segments = st.sampled_from([".", "..", "~.", "~..", "...", "~"])
names = st.text("abAB01_.-/%~", min_size=1, max_size=12) | dot_segments | texts
labels = texts.filter(
    lambda label: label != "other" and label.encode(errors="ignore").decode() == label
)

TARGETS: Mapping[str, tuple[st.SearchStrategy[Any], Target]] = {
    "lines": (any_line, read_a_line),
    "manifests": (st.lists(any_line, max_size=4).map(b"\n".join), read_a_manifest),
    "requests": (st.tuples(st.sampled_from(ApiOperation), any_body), parse_a_request),
    "events": (any_event, read_an_event),
    "tokens": (as_in_urls | texts, read_a_token),
    "group expressions": (st.tuples(any_expression, any_line | long_line), group_by_an_expression),
    "names": (st.tuples(names, names).filter(lambda pair: pair[0] != pair[1]), name_a_resource),
    "labels in reports": (labels, report_a_label),
}


def run_target(target: Target, drawn: Any) -> None:
    """Run a target with an input. Raises AssertionError if a property fails or the run takes too long."""
    began = time.thread_time()
    target(drawn)
    assert time.thread_time() - began < SECONDS
