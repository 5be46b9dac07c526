"""The lifecycle of a project with any client: every operation, every filter, every paginator."""

import json
import time
from functools import partial
from typing import Any, Protocol
from uuid import uuid4

from tests.api.api_calls import get_image_name, make_box_line, make_line_with_error
from tests.support.job import expect_while_deletion_visible, make_line
from tests.support.request_interceptor import wait_until

TIMEOUT_SECONDS = 120
"""The first invocation of a deployed function can take many seconds."""

LINES = [
    make_line("birds/0", "robin"),
    make_line("birds/1", "robin", "größe"),
    make_line("bare/2"),
    make_box_line("boxes/3", "größe", "owl", "owl"),
    make_line_with_error("broken/4"),
    *(make_line(f"many/{number}", f"kind {number % 3}") for number in range(5, 20)),
]
NAMES = [get_image_name(text) for text in LINES]
LABELS = {"robin": 2, "größe": 2, "owl": 1, "kind 0": 5, "kind 1": 5, "kind 2": 5}
STATS = {"TotalEntries": 20, "LabeledEntries": 18, "TotalLabels": 6, "ErrorEntries": 1}

FILTERS: list[tuple[dict[str, Any], list[str]]] = [
    ({"ContainsLabels": ["robin", "owl"]}, ["birds/0", "birds/1", "boxes/3"]),
    ({"Labeled": False}, ["bare/2", "broken/4"]),
    ({"SourceRefContains": "irds/"}, ["birds/0", "birds/1"]),
    ({"HasErrors": True}, ["broken/4"]),
    ({"HasErrors": False}, NAMES),
    (
        {
            "ContainsLabels": ["größe"],
            "Labeled": True,
            "SourceRefContains": "birds",
            "HasErrors": False,
        },
        ["birds/1"],
    ),
    ({"ContainsLabels": ["robin"], "Labeled": False}, []),
]


class Client(Protocol):
    """A client of the API. Requests and responses have the member names of AWS's model; a blob is text."""

    def call(self, operation: str, **request: Any) -> dict[str, Any]: ...

    def list_items(self, operation: str, page_size: int, **request: Any) -> list[Any]:
        """Return the items of all pages of the client's own paginator."""

    def is_refused(self, error: str, operation: str, **request: Any) -> bool:
        """Whether the call fails with the client's exception class for this error. Raises other errors."""


def run_lifecycle(client: Client, source: dict[str, Any]) -> None:
    """Run all operations from CreateProject to DeleteProject. `source` is a DatasetSource with LINES."""
    projects = _create_projects(client)
    project = projects[0]
    train, test = _create_datasets(client, project, source)
    copy = _copy_dataset(client, train, projects[1])
    _list_dataset(client, train)
    _tag(client, [project, train])
    names = _update_entries(client, train)
    _distribute(client, train, test, names)
    assert _list_names(client, copy) == NAMES
    _delete_datasets(client, project, train, test, copy)
    _delete_projects(client, projects)


def join_pages(pages: list[list[Any]], page_size: int) -> list[Any]:
    """Return the items of all pages. Every page but the last must be full."""
    assert [len(page) for page in pages[:-1]] == [page_size] * (len(pages) - 1)
    assert len(pages[-1]) <= page_size
    return [item for page in pages for item in page]


def get_items(page: dict[str, Any]) -> list[Any]:
    """Return the only list of a page."""
    (items,) = (value for value in page.values() if isinstance(value, list))
    return items


def _create_projects(client: Client) -> list[str]:
    names = [f"life-{uuid4().hex[:12]}" for _ in range(3)]
    arns = [
        client.call("CreateProject", ProjectName=name, Tags={"number": str(number)})["ProjectArn"]
        for number, name in enumerate(names)
    ]
    projects = client.list_items("DescribeProjects", 1, ProjectNames=names)
    assert [project["ProjectArn"] for project in projects] == arns
    assert all(project["Status"] == "CREATED" for project in projects)
    assert all(project["Datasets"] == [] for project in projects)
    assert client.is_refused("ResourceInUseException", "CreateProject", ProjectName=names[0])
    return arns


def _create_datasets(client: Client, project: str, source: dict[str, Any]) -> tuple[str, str]:
    empty = {"ProjectArn": project, "DatasetType": "TEST", "Tags": {"of": "life"}}
    training = {"ProjectArn": project, "DatasetType": "TRAIN", "DatasetSource": source}
    train = client.call("CreateDataset", **training)["DatasetArn"]
    test = client.call("CreateDataset", **empty)["DatasetArn"]
    assert client.is_refused("ResourceAlreadyExistsException", "CreateDataset", **empty)
    assert _wait_for_status(client, train, "CREATE_COMPLETE")["DatasetStats"] == STATS
    description = _wait_for_status(client, test, "CREATE_COMPLETE")
    assert set(description["DatasetStats"].values()) == {0}
    assert _list_names(client, test) == []
    return train, test


def _copy_dataset(client: Client, dataset: str, project: str) -> str:
    copy: str = client.call(
        "CreateDataset",
        ProjectArn=project,
        DatasetType="TRAIN",
        DatasetSource={"DatasetArn": dataset},
    )["DatasetArn"]
    assert _wait_for_status(client, copy, "CREATE_COMPLETE")["DatasetStats"] == STATS
    return copy


def _list_dataset(client: Client, train: str) -> None:
    assert _list_names(client, train) == NAMES
    for filters, names in FILTERS:
        assert _list_names(client, train, **filters) == names, filters
    labels = client.list_items("ListDatasetLabels", 1, DatasetArn=train)
    stats = {label["LabelName"]: label["LabelStats"] for label in labels}
    assert {name: counts["EntryCount"] for name, counts in stats.items()} == LABELS
    boxes = {name: counts.get("BoundingBoxCount", 0) for name, counts in stats.items()}
    assert {label: count for label, count in boxes.items() if count} == {"größe": 1, "owl": 2}


def _tag(client: Client, resources: list[str]) -> None:
    for arn in resources:
        client.call("TagResource", ResourceArn=arn, Tags={"team": "bees", "größe": ""})
        client.call("UntagResource", ResourceArn=arn, TagKeys=["team", "number"])
        assert client.call("ListTagsForResource", ResourceArn=arn)["Tags"] == {"größe": ""}


def _update_entries(client: Client, train: str) -> list[str]:
    """Update one entry with another label, one without a change, and add one. Return the names of all entries."""
    before = client.list_items("ListDatasetEntries", 100, DatasetArn=train)
    relabelled = before[0].replace("robin", "heron")
    changes = [relabelled, before[1], make_line("late/20", "größe")]
    client.call(
        "UpdateDatasetEntries", DatasetArn=train, Changes={"GroundTruth": "\n".join(changes)}
    )
    description = _wait_for_status(client, train, "UPDATE_COMPLETE")
    assert description["DatasetStats"] == STATS | {
        "TotalEntries": 21,
        "LabeledEntries": 19,
        "TotalLabels": 7,
    }
    after = client.list_items("ListDatasetEntries", 100, DatasetArn=train)
    assert json.loads(after[0]) == json.loads(relabelled)
    assert after[1:-1] == before[1:]
    assert get_image_name(after[-1]) == "late/20"
    assert _list_names(client, train, ContainsLabels=["heron", "größe"]) == [
        "birds/0",
        "birds/1",
        "boxes/3",
        "late/20",
    ]
    return [*NAMES, "late/20"]


def _distribute(client: Client, train: str, test: str, names: list[str]) -> None:
    pair = {"Datasets": [{"Arn": train}, {"Arn": test}]}
    client.call("DistributeDatasetEntries", **pair)
    for arn in (train, test):
        _wait_for_status(client, arn, "UPDATE_COMPLETE")
    train_names, test_names = _list_names(client, train), _list_names(client, test)
    assert len(test_names) == (2 * len(names) + 5) // 10
    assert sorted(train_names + test_names) == sorted(names)
    assert client.is_refused("InvalidParameterException", "DistributeDatasetEntries", **pair)


def _delete_datasets(client: Client, project: str, train: str, test: str, copy: str) -> None:
    assert client.is_refused("ResourceInUseException", "DeleteProject", ProjectArn=project)
    pair = [{"Arn": train}, {"Arn": test}]
    client.call("DeleteDataset", DatasetArn=train)
    with expect_while_deletion_visible():
        assert client.is_refused(
            "ResourceNotReadyException", "DistributeDatasetEntries", Datasets=pair
        )
    client.call("DeleteDataset", DatasetArn=test)
    with expect_while_deletion_visible():
        assert _describe(client, test)["Status"] == "DELETE_IN_PROGRESS"
    client.call("DeleteDataset", DatasetArn=copy)
    for arn in (train, test, copy):
        assert wait_until(partial(_is_gone, client, arn))


def _delete_projects(client: Client, projects: list[str]) -> None:
    for arn in projects:
        assert client.call("DeleteProject", ProjectArn=arn)["Status"] == "DELETING"
    names = [arn.split("/")[1] for arn in projects]
    assert client.list_items("DescribeProjects", 1, ProjectNames=names) == []
    assert client.is_refused("ResourceNotFoundException", "DeleteProject", ProjectArn=projects[0])


def _is_gone(client: Client, arn: str) -> bool:
    return client.is_refused("ResourceNotFoundException", "DescribeDataset", DatasetArn=arn)


def _wait_for_status(client: Client, arn: str, status: str) -> dict[str, Any]:
    end = time.monotonic() + TIMEOUT_SECONDS
    while (described := _describe(client, arn))["Status"].endswith("IN_PROGRESS"):
        assert time.monotonic() < end, described
        time.sleep(0.05)
    assert described["Status"] == status, described
    return described


def _describe(client: Client, arn: str) -> dict[str, Any]:
    description: dict[str, Any] = client.call("DescribeDataset", DatasetArn=arn)[
        "DatasetDescription"
    ]
    return description


def _list_names(client: Client, arn: str, **filters: Any) -> list[str]:
    entries = client.list_items("ListDatasetEntries", 7, DatasetArn=arn, **filters)
    return [get_image_name(entry) for entry in entries]
