"""Arbitrary lines through arbitrary operations: no entry is lost, doubled or changed, and nothing is half done."""

import base64
import json
from typing import Any
from uuid import uuid4

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from tests.handlers.any_request import boxed, faulty
from tests.handlers.in_process import Api, serving
from tests.job import line
from twofold.manifest.lines import Entry, list_entry, read_entry, strip_annotations
from twofold.manifest.reader import lines_of_range

label = st.sampled_from(["ant", "bee", "cat"])
image = st.integers(0, 25)
good_line = st.one_of(
    st.builds(lambda number, labels: line(number, *labels), image, st.lists(label, max_size=2)),
    st.builds(lambda number, labels: boxed(number, *labels), image, st.lists(label, max_size=3)),
    st.builds(faulty, image),
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


def accepted(manifest: bytes, *, update: bool) -> dict[str, bytes] | None:
    """What a manifest, or an update, has by itself: lines by source-ref, or None if it is refused."""
    lines = [found for _, found in lines_of_range([manifest], 0, len(manifest))]
    kept: dict[str, bytes] = {}
    for text in lines:
        assert text is not None
        plain = strip_annotations(text) if update else text
        entry = read_entry(plain)
        if isinstance(entry, Entry):
            kept.setdefault(entry.source_ref, plain)
    if not lines or (len(lines) - len(kept)) * 5 > len(lines):
        return None
    return kept


def buckets(lines: dict[str, bytes]) -> set[str]:
    return {source_ref.split("/")[2] for source_ref in lines}


class Datasets(RuleBasedStateMachine):
    """One project after the other; `train` and `test` are what its datasets should hold, None where there is none."""

    api: Api

    def __init__(self) -> None:
        super().__init__()
        self.arns: dict[str, str] = {}
        self.held: dict[str, dict[str, bytes] | None] = {}
        name = uuid4().hex
        self.project = self.api.done("CreateProject", ProjectName=name)["ProjectArn"]

    def create(self, kind: str, **source: Any) -> tuple[int, dict[str, Any]]:
        return self.api.call("CreateDataset", ProjectArn=self.project, DatasetType=kind, **source)

    def status(self, kind: str) -> str:
        described = self.api.done("DescribeDataset", DatasetArn=self.arns[kind])
        status: str = described["DatasetDescription"]["Status"]
        return status

    @rule(kind=st.sampled_from(["TRAIN", "TEST"]), manifest=any_lines)
    def from_manifest(self, kind: str, manifest: bytes) -> None:
        status, body = self.create(kind, DatasetSource=self.api.source(manifest))
        if kind in self.arns:
            assert body["__type"] == "ResourceAlreadyExistsException"
            return
        assert status == 200, body
        self.arns[kind] = body["DatasetArn"]
        lines = accepted(manifest, update=False)
        complete = lines is not None and len(buckets(lines)) == 1
        self.held[kind] = lines if complete else None
        assert self.status(kind) == ("CREATE_COMPLETE" if complete else "CREATE_FAILED")

    @rule(kind=st.sampled_from(["TRAIN", "TEST"]))
    def empty(self, kind: str) -> None:
        status, body = self.create(kind)
        if kind in self.arns:
            assert body["__type"] == "ResourceAlreadyExistsException"
        else:
            assert status == 200, body
            self.arns[kind], self.held[kind] = body["DatasetArn"], {}

    @rule(kind=st.sampled_from(["TRAIN", "TEST"]))
    def copy(self, kind: str) -> None:
        other = "TEST" if kind == "TRAIN" else "TRAIN"
        if kind in self.arns or other not in self.arns:
            return
        status, body = self.create(kind, DatasetSource={"DatasetArn": self.arns[other]})
        if self.held[other] is None:
            assert body["__type"] == "InvalidParameterException"
        else:
            assert status == 200, body
            self.arns[kind], self.held[kind] = body["DatasetArn"], dict(self.held[other] or {})

    @rule(kind=st.sampled_from(["TRAIN", "TEST"]), changes=any_lines)
    def update(self, kind: str, changes: bytes) -> None:
        if kind not in self.arns or not changes:
            return
        held = self.held[kind]
        blob = {"GroundTruth": base64.b64encode(changes).decode()}
        status, body = self.api.call(
            "UpdateDatasetEntries", DatasetArn=self.arns[kind], Changes=blob
        )
        if held is None:
            assert body["__type"] == "InvalidParameterException"
            return
        assert status == 200, body
        lines = accepted(changes, update=True)
        if lines is None or len(buckets(held | lines)) > 1:
            assert self.status(kind) == "UPDATE_FAILED"
        else:
            assert self.status(kind) == "UPDATE_COMPLETE"
            self.held[kind] = held | lines

    @rule()
    def distribute(self) -> None:
        if len(self.arns) < 2:
            return
        train, test = self.held["TRAIN"], self.held["TEST"]
        datasets = [{"Arn": self.arns[kind]} for kind in ("TEST", "TRAIN")]
        status, body = self.api.call("DistributeDatasetEntries", Datasets=datasets)
        if train is None or test is None:
            assert body["__type"] == "ResourceNotReadyException"
        elif test or not train:
            assert body["__type"] == "InvalidParameterException"
        else:
            assert status == 200, body
            assert self.status("TRAIN") == self.status("TEST")
            if self.status("TRAIN") == "UPDATE_COMPLETE":
                self.moved(train)

    def moved(self, train: dict[str, bytes]) -> None:
        """Which entries went is not this test's matter; that it is a fifth, and in order, is."""
        listed = self.listed("TEST")
        refs = [json.loads(entry)["source-ref"] for entry in listed]
        assert len(refs) == (len(train) * 2 + 5) // 10
        assert refs == [one for one in train if one in set(refs)]
        self.held["TEST"] = {one: train[one] for one in refs}
        self.held["TRAIN"] = {one: train[one] for one in train if one not in set(refs)}

    @rule(kind=st.sampled_from(["TRAIN", "TEST"]))
    def delete(self, kind: str) -> None:
        if kind in self.arns:
            self.api.done("DeleteDataset", DatasetArn=self.arns.pop(kind))
            del self.held[kind]

    def listed(self, kind: str) -> list[str]:
        entries: list[str] = []
        token: dict[str, str] = {}
        while True:
            request = {"DatasetArn": self.arns[kind], "MaxResults": 7, **token}
            answer = self.api.done("ListDatasetEntries", **request)
            entries += answer["DatasetEntries"]
            if "NextToken" not in answer:
                return entries
            token = {"NextToken": answer["NextToken"]}

    @invariant()
    def every_dataset_holds_what_it_should(self) -> None:
        for kind, held in self.held.items():
            expected = [list_entry(text) for text in (held or {}).values()]
            assert self.listed(kind) == expected
            described = self.api.done("DescribeDataset", DatasetArn=self.arns[kind])
            stats = described["DatasetDescription"]["DatasetStats"]
            assert stats["TotalEntries"] == len(expected)


def test_no_entry_is_lost_whatever_happens(aws: None) -> None:
    with serving() as api:
        machine = type("Machine", (Datasets,), {"api": api})
        run_state_machine_as_test(
            machine, settings=settings(max_examples=12, stateful_step_count=10, deadline=None)
        )
