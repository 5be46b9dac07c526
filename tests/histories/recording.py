"""Record calls of the API in a history: convert the shapes of the service to the shapes of the model."""

import base64
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore import xform_name
from botocore.exceptions import ClientError, HTTPClientError

from tests.histories.history import UNKNOWN, History, get_source_ref, summarize_line
from tests.histories.model import SLOT
from tests.histories.state import TYPES

Send = Callable[..., Mapping[str, Any] | None]
"""Sends (operation, members) and returns the answer: `{"__type": …}` for an error, None for no answer."""

UNDECIDED = frozenset(
    {"InternalServerError", "ThrottlingException", "ProvisionedThroughputExceededException"}
)
"""Server errors: the service may or may not have made the change."""


@dataclass(frozen=True, slots=True)
class Recorder:
    """Sends and records the calls of one client."""

    history: History
    send: Send

    def record_call(
        self, operation: str, *, lines: Iterable[str] = (), **members: Any
    ) -> Mapping[str, Any] | None:
        """Send and record a call that makes a change; `lines` are the lines of the manifest in the call."""
        began = self.history.begin_call()
        answer = self.send(operation, **members)
        request = _select_members(members)
        if "Changes" in members:
            lines = _iterate_changed_lines(members["Changes"]["GroundTruth"])
        error = get_outcome(answer)
        self.history.end_call(began, operation, request, lines=lines, error=error, answer=answer)
        return answer

    def record_description(self, arn: str) -> Mapping[str, Any] | None:
        began = self.history.begin_call()
        answer = self.send("DescribeDataset", DatasetArn=arn)
        if answer is None or (error := get_outcome(answer)) == UNKNOWN:
            return None
        shown: dict[str, Any] = {}
        if not error:
            described = answer["DatasetDescription"]
            entries = described["DatasetStats"]["TotalEntries"]
            shown = {"Status": described["Status"], "TotalEntries": entries}
        request = {"DatasetArn": arn}
        self.history.end_call(began, "DescribeDataset", request, error=error, answer=shown)
        return shown

    def record_list(self, arn: str, page: int = 100) -> None:
        """Record a list of all pages as one call, since all pages show the contents at the first request.

        Records the refusal of a later page as a separate call.
        """
        began, ended, entries = self.history.begin_call(), None, list[str]()
        token: dict[str, str] = {}
        while True:
            page_began = self.history.begin_call()
            answer = self.send("ListDatasetEntries", DatasetArn=arn, MaxResults=page, **token)
            ended = self.history.begin_call() if ended is None else ended
            if answer is None or (error := get_outcome(answer)) == UNKNOWN:
                return
            if error:
                self._end_list(page_began, None, arn, error, [])
                return
            entries += answer["DatasetEntries"]
            if "NextToken" not in answer:
                self._end_list(began, ended, arn, "", entries)
                return
            token = {"NextToken": answer["NextToken"]}

    def _end_list(
        self, began: int, ended: int | None, arn: str, error: str, lines: list[str]
    ) -> None:
        entries = tuple(map(summarize_line, lines))
        answer = {"Entries": entries, "References": tuple(map(get_source_ref, entries))}
        request = {"DatasetArn": arn}
        self.history.end_call(
            began, "ListDatasetEntries", request, error=error, answer=answer, ended=ended
        )

    def record_slots(self, name: str) -> dict[str, str]:
        """Return the ARNs of a project's datasets by type. Records DescribeProjects as a read of each slot and each dataset."""
        began = self.history.begin_call()
        answer = self.send("DescribeProjects", ProjectNames=[name])
        if answer is None or get_outcome(answer):
            return {}
        (project,) = answer["ProjectDescriptions"]
        arns = {dataset["DatasetType"]: dataset["DatasetArn"] for dataset in project["Datasets"]}
        for kind in TYPES:
            request = {"DatasetType": kind}
            self.history.end_call(began, SLOT, request, answer={"Arn": arns.get(kind)})
        for dataset in project["Datasets"]:
            request, shown = {"DatasetArn": dataset["DatasetArn"]}, {"Status": dataset["Status"]}
            self.history.end_call(began, "DescribeDataset", request, answer=shown)
        return arns


def get_outcome(answer: Mapping[str, Any] | None) -> str:
    """Return the name of the error, or `""`."""
    error = UNKNOWN if answer is None else str(answer.get("__type", ""))
    return UNKNOWN if error in UNDECIDED else error


def make_http_sender(client: Any) -> Send:
    """Return a `Send` function for a boto3 client."""

    def send(operation: str, **members: Any) -> Mapping[str, Any] | None:
        try:
            answer: Mapping[str, Any] = getattr(client, xform_name(operation))(**members)
        except ClientError as error:
            return {"__type": error.response["Error"]["Code"], "Raised": error}
        except HTTPClientError:
            return None
        return answer

    return send


def _select_members(members: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members that the model needs; the training dataset of a distribution comes first."""
    request = {
        name: members[name]
        for name in ("DatasetArn", "DatasetType", "DryRun", "KeepTest")
        if name in members
    }
    if "Datasets" in members:
        arns = [dataset["Arn"] for dataset in members["Datasets"]]
        request["DatasetArns"] = tuple(sorted(arns, key=lambda arn: "/test/" in arn))
    if source := members.get("DatasetSource", {}).get("DatasetArn"):
        request["SourceArn"] = source
    return request


def _iterate_changed_lines(text: bytes | str) -> Iterator[str]:
    body = base64.b64decode(text) if isinstance(text, str) else text
    return (line for line in body.decode().split("\n") if line)
