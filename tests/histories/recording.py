"""Calls of the API on their way to a history: in the service's own shapes in, in the model's out."""

import base64
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore import xform_name
from botocore.exceptions import ClientError, HTTPClientError

from tests.histories.history import UNKNOWN, History, entry_of, source_ref
from tests.histories.model import SLOT
from tests.histories.state import TYPES

Send = Callable[..., Mapping[str, Any] | None]
"""(operation, members) to the answer: `{"__type": …}` for an error, None where there is none."""

UNDECIDED = frozenset(
    {"InternalServerError", "ThrottlingException", "ProvisionedThroughputExceededException"}
)
"""Errors of the service's side: the change may have been made."""


@dataclass(frozen=True, slots=True)
class Recorder:
    """One client's calls, as they are sent and answered."""

    history: History
    send: Send

    def call(
        self, operation: str, *, lines: Iterable[str] = (), **members: Any
    ) -> Mapping[str, Any] | None:
        """Sends and records a call that changes something; `lines` are those of the manifest that it names."""
        began = self.history.begin()
        answer = self.send(operation, **members)
        request = _request(members)
        if "Changes" in members:
            lines = _changes(members["Changes"]["GroundTruth"])
        error = outcome(answer)
        self.history.end(began, operation, request, lines=lines, error=error, answer=answer)
        return answer

    def describe(self, arn: str) -> Mapping[str, Any] | None:
        began = self.history.begin()
        answer = self.send("DescribeDataset", DatasetArn=arn)
        if answer is None or (error := outcome(answer)) == UNKNOWN:
            return None
        shown: dict[str, Any] = {}
        if not error:
            described = answer["DatasetDescription"]
            entries = described["DatasetStats"]["TotalEntries"]
            shown = {"Status": described["Status"], "TotalEntries": entries}
        request = {"DatasetArn": arn}
        self.history.end(began, "DescribeDataset", request, error=error, answer=shown)
        return shown

    def list_entries(self, arn: str, page: int = 100) -> None:
        """All pages; they are of the contents of the moment at which the first one was asked for. A refusal of a later page is
        a call of its own."""
        began, ended, entries = self.history.begin(), None, list[str]()
        token: dict[str, str] = {}
        while True:
            asked = self.history.begin()
            answer = self.send("ListDatasetEntries", DatasetArn=arn, MaxResults=page, **token)
            ended = self.history.begin() if ended is None else ended
            if answer is None or (error := outcome(answer)) == UNKNOWN:
                return
            if error:
                self._end_list(asked, None, arn, error, [])
                return
            entries += answer["DatasetEntries"]
            if "NextToken" not in answer:
                self._end_list(began, ended, arn, "", entries)
                return
            token = {"NextToken": answer["NextToken"]}

    def _end_list(
        self, began: int, ended: int | None, arn: str, error: str, lines: list[str]
    ) -> None:
        entries = tuple(map(entry_of, lines))
        answer = {"Entries": entries, "References": tuple(map(source_ref, entries))}
        request = {"DatasetArn": arn}
        self.history.end(
            began, "ListDatasetEntries", request, error=error, answer=answer, ended=ended
        )

    def slots(self, name: str) -> dict[str, str]:
        """The ARNs of a project's datasets by type: DescribeProjects, recorded as a look at each slot and at each dataset."""
        began = self.history.begin()
        answer = self.send("DescribeProjects", ProjectNames=[name])
        if answer is None or outcome(answer):
            return {}
        (project,) = answer["ProjectDescriptions"]
        arns = {one["DatasetType"]: one["DatasetArn"] for one in project["Datasets"]}
        for kind in TYPES:
            request = {"DatasetType": kind}
            self.history.end(began, SLOT, request, answer={"Arn": arns.get(kind)})
        for dataset in project["Datasets"]:
            request, shown = {"DatasetArn": dataset["DatasetArn"]}, {"Status": dataset["Status"]}
            self.history.end(began, "DescribeDataset", request, answer=shown)
        return arns


def outcome(answer: Mapping[str, Any] | None) -> str:
    """The error's name, `""` if there is none."""
    error = UNKNOWN if answer is None else str(answer.get("__type", ""))
    return UNKNOWN if error in UNDECIDED else error


def over_http(client: Any) -> Send:
    """By a boto3 client."""

    def send(operation: str, **members: Any) -> Mapping[str, Any] | None:
        try:
            answer: Mapping[str, Any] = getattr(client, xform_name(operation))(**members)
        except ClientError as error:
            return {"__type": error.response["Error"]["Code"], "Raised": error}
        except HTTPClientError:
            return None
        return answer

    return send


def _request(members: Mapping[str, Any]) -> dict[str, Any]:
    """The members that the model knows; a distribution's datasets in the order of their types."""
    request = {
        name: members[name] for name in ("DatasetArn", "DatasetType", "DryRun") if name in members
    }
    if "Datasets" in members:
        arns = [one["Arn"] for one in members["Datasets"]]
        request["DatasetArns"] = tuple(sorted(arns, key=lambda arn: "/test/" in arn))
    if source := members.get("DatasetSource", {}).get("DatasetArn"):
        request["SourceArn"] = source
    return request


def _changes(text: bytes | str) -> Iterator[str]:
    body = base64.b64decode(text) if isinstance(text, str) else text
    return (line for line in body.decode().split("\n") if line)
