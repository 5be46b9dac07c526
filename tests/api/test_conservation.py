"""Arbitrary lines and operations: no entry is lost, repeated or changed, and every operation is all or nothing."""

import base64
import json
from typing import Any
from uuid import uuid4

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from tests.api.api_calls import make_box_line, make_line_with_error
from tests.support.in_process_api import InProcessApi, serve_api
from tests.support.job import make_line
from twofold.manifest.line.byte_ranges import read_lines
from twofold.manifest.line.entry import Entry, read_entry
from twofold.manifest.line.listing import add_service_members, strip_service_members

label = st.sampled_from(["ant", "bee", "cat"])
image = st.integers(0, 25)
good_line = st.one_of(
    st.builds(
        lambda number, labels: make_line(number, *labels), image, st.lists(label, max_size=2)
    ),
    st.builds(
        lambda number, labels: make_box_line(number, *labels), image, st.lists(label, max_size=3)
    ),
    st.builds(make_line_with_error, image),
    st.builds(lambda number: f' {{"source-ref" :"s3://example-images/{number}.jpg"}}\r', image),
).map(str.encode)
junk = st.one_of(
    st.binary(max_size=30),
    st.sampled_from([b"", b"{}", b"[1]", b'{"source-ref":1}', b'{"source-ref":"s3://other/1"}']),
)
any_lines = st.one_of(
    st.lists(good_line, min_size=1, max_size=20),
    st.lists(st.one_of(good_line, good_line, good_line, junk), min_size=1, max_size=12),
).map(b"\n".join)


def accept_lines(manifest: bytes, *, update: bool) -> dict[str, bytes] | None:
    """Return the accepted lines of a manifest or update by source-ref; None for too many rejected lines."""
    # The text of an update may begin and end with blank lines.
    text = manifest.strip(b"\n") if update else manifest
    lines = [line for _, line in read_lines([text], 0, len(text))]
    accepted_lines: dict[str, bytes] = {}
    for line in lines:
        assert line is not None
        plain = strip_service_members(line) if update else line
        entry = read_entry(plain)
        if isinstance(entry, Entry):
            accepted_lines.setdefault(entry.source_ref, plain)
    if not lines or (len(lines) - len(accepted_lines)) * 5 > len(lines):
        return None
    return accepted_lines


def find_buckets(lines: dict[str, bytes]) -> set[str]:
    return {source_ref.split("/")[2] for source_ref in lines}


class DatasetsMachine(RuleBasedStateMachine):
    """A project with up to two datasets. `expected_lines` are the lines of each; None after a failed creation."""

    api: InProcessApi

    def __init__(self) -> None:
        super().__init__()
        self.arns: dict[str, str] = {}
        self.expected_lines: dict[str, dict[str, bytes] | None] = {}
        name = uuid4().hex
        self.project = self.api.call_successfully("CreateProject", ProjectName=name)["ProjectArn"]

    def create(self, kind: str, **source: Any) -> tuple[int, dict[str, Any]]:
        return self.api.call("CreateDataset", ProjectArn=self.project, DatasetType=kind, **source)

    def get_status(self, kind: str) -> str:
        described = self.api.call_successfully("DescribeDataset", DatasetArn=self.arns[kind])
        status: str = described["DatasetDescription"]["Status"]
        return status

    @rule(kind=st.sampled_from(["TRAIN", "TEST"]), manifest=any_lines)
    def create_from_manifest(self, kind: str, manifest: bytes) -> None:
        status, body = self.create(kind, DatasetSource=self.api.upload_source(manifest))
        if kind in self.arns:
            assert body["__type"] == "ResourceAlreadyExistsException"
            return
        assert status == 200, body
        self.arns[kind] = body["DatasetArn"]
        lines = accept_lines(manifest, update=False)
        complete = lines is not None and len(find_buckets(lines)) == 1
        self.expected_lines[kind] = lines if complete else None
        assert self.get_status(kind) == ("CREATE_COMPLETE" if complete else "CREATE_FAILED")

    @rule(kind=st.sampled_from(["TRAIN", "TEST"]))
    def create_empty(self, kind: str) -> None:
        status, body = self.create(kind)
        if kind in self.arns:
            assert body["__type"] == "ResourceAlreadyExistsException"
        else:
            assert status == 200, body
            self.arns[kind], self.expected_lines[kind] = body["DatasetArn"], {}

    @rule(kind=st.sampled_from(["TRAIN", "TEST"]))
    def copy(self, kind: str) -> None:
        other = "TEST" if kind == "TRAIN" else "TRAIN"
        if kind in self.arns or other not in self.arns:
            return
        status, body = self.create(kind, DatasetSource={"DatasetArn": self.arns[other]})
        if self.expected_lines[other] is None:
            assert body["__type"] == "InvalidParameterException"
        else:
            assert status == 200, body
            self.arns[kind], self.expected_lines[kind] = (
                body["DatasetArn"],
                dict(self.expected_lines[other] or {}),
            )

    @rule(kind=st.sampled_from(["TRAIN", "TEST"]), changes=any_lines)
    def update(self, kind: str, changes: bytes) -> None:
        if kind not in self.arns or not changes:
            return
        current_lines = self.expected_lines[kind]
        blob = {"GroundTruth": base64.b64encode(changes).decode()}
        status, body = self.api.call(
            "UpdateDatasetEntries", DatasetArn=self.arns[kind], Changes=blob
        )
        if current_lines is None:
            assert body["__type"] == "InvalidParameterException"
            return
        assert status == 200, body
        lines = accept_lines(changes, update=True)
        if lines is None or len(find_buckets(current_lines | lines)) > 1:
            assert self.get_status(kind) == "UPDATE_FAILED"
        else:
            assert self.get_status(kind) == "UPDATE_COMPLETE"
            self.expected_lines[kind] = current_lines | lines

    @rule()
    def distribute(self) -> None:
        if len(self.arns) < 2:
            return
        train, test = self.expected_lines["TRAIN"], self.expected_lines["TEST"]
        datasets = [{"Arn": self.arns[kind]} for kind in ("TEST", "TRAIN")]
        status, body = self.api.call("DistributeDatasetEntries", Datasets=datasets)
        if train is None or test is None:
            assert body["__type"] == "ResourceNotReadyException"
        elif test or not train:
            assert body["__type"] == "InvalidParameterException"
        else:
            assert status == 200, body
            assert self.get_status("TRAIN") == self.get_status("TEST")
            if self.get_status("TRAIN") == "UPDATE_COMPLETE":
                self.check_distribution(train)

    def check_distribution(self, train: dict[str, bytes]) -> None:
        """Check the number and the order of the moved entries; other tests check the choice."""
        listed = self.list_entries("TEST")
        refs = [json.loads(entry)["source-ref"] for entry in listed]
        assert len(refs) == (len(train) * 2 + 5) // 10
        assert refs == [ref for ref in train if ref in set(refs)]
        self.expected_lines["TEST"] = {ref: train[ref] for ref in refs}
        self.expected_lines["TRAIN"] = {ref: train[ref] for ref in train if ref not in set(refs)}

    @rule(kind=st.sampled_from(["TRAIN", "TEST"]))
    def delete(self, kind: str) -> None:
        if kind in self.arns:
            self.api.call_successfully("DeleteDataset", DatasetArn=self.arns.pop(kind))
            del self.expected_lines[kind]

    def list_entries(self, kind: str) -> list[str]:
        entries: list[str] = []
        token: dict[str, str] = {}
        while True:
            request = {"DatasetArn": self.arns[kind], "MaxResults": 7, **token}
            response = self.api.call_successfully("ListDatasetEntries", **request)
            entries += response["DatasetEntries"]
            if "NextToken" not in response:
                return entries
            token = {"NextToken": response["NextToken"]}

    @invariant()
    def check_contents(self) -> None:
        for kind, lines in self.expected_lines.items():
            expected = [add_service_members(text) for text in (lines or {}).values()]
            assert self.list_entries(kind) == expected
            described = self.api.call_successfully("DescribeDataset", DatasetArn=self.arns[kind])
            stats = described["DatasetDescription"]["DatasetStats"]
            assert stats["TotalEntries"] == len(expected)


def test_no_sequence_of_operations_loses_an_entry(aws: None) -> None:
    with serve_api() as api:
        machine = type("Machine", (DatasetsMachine,), {"api": api})
        run_state_machine_as_test(
            machine, settings=settings(max_examples=12, stateful_step_count=10, deadline=None)
        )
