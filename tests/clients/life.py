"""The whole life of a project, as any client walks it: every operation, every filter, every paginator."""

import json
import time
from functools import partial
from typing import Any, Protocol
from uuid import uuid4

from tests.backstage import eventually
from tests.handlers.any_request import boxed, faulty, name
from tests.job import line, while_deletion_shows

PATIENCE_SECONDS = 120
"""A deployed function's first call can take many seconds."""

LINES = [
    line("birds/0", "robin"),
    line("birds/1", "robin", "größe"),
    line("bare/2"),
    boxed("boxes/3", "größe", "owl", "owl"),
    faulty("broken/4"),
    *(line(f"many/{number}", f"kind {number % 3}") for number in range(5, 20)),
]
NAMES = [name(text) for text in LINES]
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
    """Requests and answers are spelled as in AWS's model; a blob is given as text."""

    def call(self, operation: str, **request: Any) -> dict[str, Any]: ...

    def listed(self, operation: str, size: int, **request: Any) -> list[Any]:
        """The items of all pages, which the client's own paginator turns."""

    def refused(self, error: str, operation: str, **request: Any) -> bool:
        """Whether the call ends with the client's own class for this error; any other error is raised."""


def walk(client: Client, source: dict[str, Any]) -> None:
    """From create-project to delete-project; `source` is the DatasetSource that has LINES."""
    projects = _create_projects(client)
    project = projects[0]
    train, test = _create_datasets(client, project, source)
    copy = _copy(client, train, projects[1])
    _list(client, train)
    _tag(client, [project, train])
    names = _update(client, train)
    _distribute(client, train, test, names)
    assert _names(client, copy) == NAMES
    _delete_datasets(client, project, train, test, copy)
    _delete_projects(client, projects)


def joined(pages: list[list[Any]], size: int) -> list[Any]:
    """The items of pages that are full, except for the last."""
    assert [len(page) for page in pages[:-1]] == [size] * (len(pages) - 1)
    assert len(pages[-1]) <= size
    return [item for page in pages for item in page]


def items(page: dict[str, Any]) -> list[Any]:
    """A page has one list."""
    (found,) = (value for value in page.values() if isinstance(value, list))
    return found


def _create_projects(client: Client) -> list[str]:
    names = [f"life-{uuid4().hex[:12]}" for _ in range(3)]
    made = [
        client.call("CreateProject", ProjectName=name, Tags={"number": str(number)})["ProjectArn"]
        for number, name in enumerate(names)
    ]
    described = client.listed("DescribeProjects", 1, ProjectNames=names)
    assert [one["ProjectArn"] for one in described] == made
    assert all(one["Status"] == "CREATED" and one["Datasets"] == [] for one in described)
    assert client.refused("ResourceInUseException", "CreateProject", ProjectName=names[0])
    return made


def _create_datasets(client: Client, project: str, source: dict[str, Any]) -> tuple[str, str]:
    empty = {"ProjectArn": project, "DatasetType": "TEST", "Tags": {"of": "life"}}
    training = {"ProjectArn": project, "DatasetType": "TRAIN", "DatasetSource": source}
    train = client.call("CreateDataset", **training)["DatasetArn"]
    test = client.call("CreateDataset", **empty)["DatasetArn"]
    assert client.refused("ResourceAlreadyExistsException", "CreateDataset", **empty)
    assert _settled(client, train, "CREATE_COMPLETE")["DatasetStats"] == STATS
    described = _settled(client, test, "CREATE_COMPLETE")
    assert set(described["DatasetStats"].values()) == {0}
    assert _names(client, test) == []
    return train, test


def _copy(client: Client, dataset: str, project: str) -> str:
    copy: str = client.call(
        "CreateDataset",
        ProjectArn=project,
        DatasetType="TRAIN",
        DatasetSource={"DatasetArn": dataset},
    )["DatasetArn"]
    assert _settled(client, copy, "CREATE_COMPLETE")["DatasetStats"] == STATS
    return copy


def _list(client: Client, train: str) -> None:
    assert _names(client, train) == NAMES
    for wanted, names in FILTERS:
        assert _names(client, train, **wanted) == names, wanted
    labels = client.listed("ListDatasetLabels", 1, DatasetArn=train)
    assert {one["LabelName"]: one["LabelStats"]["EntryCount"] for one in labels} == LABELS
    boxes = {one["LabelName"]: one["LabelStats"].get("BoundingBoxCount", 0) for one in labels}
    assert {label: count for label, count in boxes.items() if count} == {"größe": 1, "owl": 2}


def _tag(client: Client, resources: list[str]) -> None:
    for arn in resources:
        client.call("TagResource", ResourceArn=arn, Tags={"team": "bees", "größe": ""})
        client.call("UntagResource", ResourceArn=arn, TagKeys=["team", "number"])
        assert client.call("ListTagsForResource", ResourceArn=arn)["Tags"] == {"größe": ""}


def _update(client: Client, train: str) -> list[str]:
    """Sends back one entry relabelled, one as it was listed, and one more; the names that the dataset then has."""
    before = client.listed("ListDatasetEntries", 100, DatasetArn=train)
    relabelled = before[0].replace("robin", "heron")
    changes = [relabelled, before[1], line("late/20", "größe")]
    client.call(
        "UpdateDatasetEntries", DatasetArn=train, Changes={"GroundTruth": "\n".join(changes)}
    )
    described = _settled(client, train, "UPDATE_COMPLETE")
    assert described["DatasetStats"] == STATS | {
        "TotalEntries": 21,
        "LabeledEntries": 19,
        "TotalLabels": 7,
    }
    after = client.listed("ListDatasetEntries", 100, DatasetArn=train)
    assert json.loads(after[0]) == json.loads(relabelled)
    assert after[1:-1] == before[1:]
    assert name(after[-1]) == "late/20"
    assert _names(client, train, ContainsLabels=["heron", "größe"]) == [
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
        _settled(client, arn, "UPDATE_COMPLETE")
    kept, moved = _names(client, train), _names(client, test)
    assert len(moved) == (2 * len(names) + 5) // 10
    assert sorted(kept + moved) == sorted(names)
    assert client.refused("InvalidParameterException", "DistributeDatasetEntries", **pair)


def _delete_datasets(client: Client, project: str, train: str, test: str, copy: str) -> None:
    assert client.refused("ResourceInUseException", "DeleteProject", ProjectArn=project)
    pair = [{"Arn": train}, {"Arn": test}]
    client.call("DeleteDataset", DatasetArn=train)
    with while_deletion_shows():
        assert client.refused(
            "ResourceNotReadyException", "DistributeDatasetEntries", Datasets=pair
        )
    client.call("DeleteDataset", DatasetArn=test)
    with while_deletion_shows():
        assert _described(client, test)["Status"] == "DELETE_IN_PROGRESS"
    client.call("DeleteDataset", DatasetArn=copy)
    for arn in (train, test, copy):
        assert eventually(partial(_is_gone, client, arn))


def _delete_projects(client: Client, projects: list[str]) -> None:
    for arn in projects:
        assert client.call("DeleteProject", ProjectArn=arn)["Status"] == "DELETING"
    names = [arn.split("/")[1] for arn in projects]
    assert client.listed("DescribeProjects", 1, ProjectNames=names) == []
    assert client.refused("ResourceNotFoundException", "DeleteProject", ProjectArn=projects[0])


def _is_gone(client: Client, arn: str) -> bool:
    return client.refused("ResourceNotFoundException", "DescribeDataset", DatasetArn=arn)


def _settled(client: Client, arn: str, status: str) -> dict[str, Any]:
    end = time.monotonic() + PATIENCE_SECONDS
    while (described := _described(client, arn))["Status"].endswith("IN_PROGRESS"):
        assert time.monotonic() < end, described
        time.sleep(0.05)
    assert described["Status"] == status, described
    return described


def _described(client: Client, arn: str) -> dict[str, Any]:
    described: dict[str, Any] = client.call("DescribeDataset", DatasetArn=arn)["DatasetDescription"]
    return described


def _names(client: Client, arn: str, **wanted: Any) -> list[str]:
    entries = client.listed("ListDatasetEntries", 7, DatasetArn=arn, **wanted)
    return [name(entry) for entry in entries]
