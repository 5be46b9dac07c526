"""What outsiders can send, and what must be true of it whatever it is. Each target is a function of one drawn input."""

import json
import time
from collections.abc import Callable, Mapping
from html.parser import HTMLParser
from typing import Any

from hypothesis import strategies as st

from tests.report.made import report_of
from tests.unit.any_lines import lines as nearly_right_lines
from twofold.api import contract, tokens, wire
from twofold.arns import Scope
from twofold.errors import ClientFault, InvalidPaginationTokenException, ResourceNotFoundException
from twofold.manifest.groups import GroupBy, UngroupedError
from twofold.manifest.lines import Entry, list_entry, read_entry, strip_annotations
from twofold.manifest.reader import lines_of_range
from twofold.records import DatasetId, DatasetType
from twofold.report import page
from twofold.settings import Operation
from twofold.stores import keys

SECONDS = 5
"""Of processor time: no input may take longer; most take microseconds."""

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


def _mutated(line: bytes, cuts: list[tuple[int, bytes]]) -> bytes:
    for at, piece in cuts:
        at %= len(line) + 1
        line = line[:at] + piece + line[at + len(piece) // 2 :]
    return line


any_line = st.one_of(
    st.binary(max_size=200),
    values.map(lambda value: json.dumps(value).encode(errors="surrogatepass")),
    nearly_right_lines,
    st.builds(
        _mutated,
        nearly_right_lines,
        st.lists(st.tuples(st.integers(0, 2_000), st.binary(max_size=6)), max_size=4),
    ),
)


def said(message: str) -> None:
    """A refusal tells why, in text that can be sent."""
    assert message
    message.encode(errors="surrogatepass")


def read_a_line(line: bytes) -> None:
    """A line is an entry or is rejected; an entry is listed as JSON with the same image, and comes back as it was."""
    found = read_entry(line)
    if not isinstance(found, Entry):
        return
    listed = json.loads(list_entry(line))
    assert listed["source-ref"] == found.source_ref
    again = read_entry(strip_annotations(list_entry(line).encode()))
    assert isinstance(again, Entry)
    assert (again.source_ref, again.labels, again.boxes) == (
        found.source_ref,
        found.labels,
        found.boxes,
    )


def read_a_manifest(manifest: bytes) -> None:
    """Wherever it is cut, each line is read once."""
    whole = list(lines_of_range([manifest], 0, len(manifest)))
    cut = len(manifest) // 2
    parts = list(lines_of_range([manifest], 0, cut))
    parts += lines_of_range([manifest[max(cut - 1, 0) :]], cut, len(manifest))
    assert parts == whole


def parse_a_request(request: tuple[Operation, bytes]) -> None:
    try:
        contract.parse(*request)
    except ClientFault as error:
        said(error.message)


def read_an_event(event: dict[str, Any]) -> None:
    try:
        wire.read(event)
    except ClientFault as error:
        said(error.message)
        wire.failure("request", error)["body"].encode()


def read_a_token(token: str) -> None:
    try:
        tokens.decode(KEY, ["ListDatasetEntries", "birds/train-1"], token, str, int)
    except InvalidPaginationTokenException:
        return
    raise AssertionError("A token was forged.")


def group_by_an_expression(drawn: tuple[str, bytes]) -> None:
    expression, line = drawn
    try:
        group_by = GroupBy.of(expression)
    except ValueError as error:
        said(str(error))
        return
    try:
        assert group_by.key(line)
    except UngroupedError as error:
        said(str(error))


def name_a_resource(drawn: tuple[str, str]) -> None:
    """An ARN names one dataset; no dataset's folder is another's, or lies in it, whatever their names.

    No part of a folder is a dot segment, and no project's name is what stands for one.
    """
    scope = Scope("aws", "us-east-1", "123456789012")
    folders = []
    for project in drawn:
        arn = f"arn:aws:rekognition:us-east-1:123456789012:project/{project}/dataset/train/1"
        try:
            dataset = scope.dataset_of(arn, "me", Operation.DESCRIBE_DATASET)
        except (ResourceNotFoundException, ClientFault):
            continue
        assert dataset == DatasetId(project=project, type=DatasetType.TRAIN, created=1)
        folder = keys.contents(dataset.path, "")
        spelled = f"~{project}" if project in (".", "..") else project
        assert folder.split("/") == ["contents", spelled, "train-1", ""]
        folders.append(folder)
    if len(set(folders)) == len(drawn):
        first, second = folders
        assert not first.startswith(second)
        assert not second.startswith(first)


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, frozenset[str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, frozenset(name for name, _ in attrs)))


def _tags(label: str) -> list[tuple[str, frozenset[str]]]:
    reader = _Tags()
    text = page(report_of([[label], ["other"]] * 5))
    text.encode()
    reader.feed(text)
    return reader.tags


_PLAIN = _tags("plain")


def report_a_label(label: str) -> None:
    """The page has the same elements with the same attributes whatever a label is called."""
    assert _tags(label) == _PLAIN


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
    "requests": (st.tuples(st.sampled_from(Operation), any_body), parse_a_request),
    "events": (any_event, read_an_event),
    "tokens": (as_in_urls | texts, read_a_token),
    "group expressions": (st.tuples(any_expression, any_line | long_line), group_by_an_expression),
    "names": (st.tuples(names, names).filter(lambda pair: pair[0] != pair[1]), name_a_resource),
    "labels in reports": (labels, report_a_label),
}


def attempt(target: Target, drawn: Any) -> None:
    """Raises AssertionError too if it takes too long."""
    began = time.thread_time()
    target(drawn)
    assert time.thread_time() - began < SECONDS
