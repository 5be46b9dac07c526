"""Log lines and metrics of the functions during the main job, after errors, and from Settle."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.in_process_api import InProcessApi, LambdaContext, serve_api
from tests.support.job import Job
from tests.support.log_lines import Line, extract_metrics, parse_lines
from twofold import telemetry
from twofold.handlers import settle
from twofold.metrics import NAMESPACE, Dimension, Metric
from twofold.records import Operation, OperationKind
from twofold.settings import Function
from twofold.stores.executions import Executions, ExecutionState
from twofold.stores.table import Table, operations, projects
from twofold.workflow import move

LINES = [
    json.dumps({"source-ref": f"s3://b/{n}.jpg", "c": 1, "c-metadata": {
        "class-name": f"label {n % 3}", "confidence": 1, "human-annotated": "yes",
        "creation-date": "2024-05-01T09:00:00.000000", "type": "groundtruth/image-classification",
    }})
    for n in range(30)
]  # fmt: skip
TRAIN = {"DatasetType": "TRAIN"}
TEST = {"DatasetType": "TEST"}
SETTLE = LambdaContext(function_name="twofold-test-settle")


@pytest.fixture
def api(aws: None) -> Iterator[InProcessApi]:
    with serve_api() as api:
        yield api


def _create_pair(api: InProcessApi, project: str) -> list[dict[str, str]]:
    arn = api.call_successfully("CreateProject", ProjectName=project)["ProjectArn"]
    source = api.upload_source("\n".join(LINES).encode())
    train = api.call_successfully("CreateDataset", ProjectArn=arn, DatasetSource=source, **TRAIN)[
        "DatasetArn"
    ]
    test = api.call_successfully("CreateDataset", ProjectArn=arn, **TEST)["DatasetArn"]
    return [{"Arn": train}, {"Arn": test}]


def _run_main_job(api: InProcessApi, project: str) -> None:
    api.call_successfully("DistributeDatasetEntries", Datasets=_create_pair(api, project))


def _get_values(read: list[Line], metric: Metric, **dimensions: str) -> list[float]:
    expected_dimensions = {("Stage", "test"), *dimensions.items()}
    return [
        d.value
        for d in extract_metrics(read)
        if d.name == metric and d.dimensions == expected_dimensions
    ]


def test_every_line_of_a_step_has_function_and_operation(
    api: InProcessApi, capsys: pytest.CaptureFixture[str]
) -> None:
    _run_main_job(api, "steps")
    steps = [
        line for line in parse_lines(capsys.readouterr().out) if line["Function"] != Function.API
    ]
    assert {line["Function"] for line in steps} >= {"plan", "index", "select", "move", "publish"}
    for line in steps:
        assert line["Stage"] == "test"
        assert line["requestId"]
        assert line["operationId"]
        assert all(path.startswith("steps/") for path in line["datasets"])
        assert line["level"] == "INFO"


def test_the_line_of_a_call_has_the_id_of_its_operation(job: Job) -> None:
    train, test = job.create_pair(LINES)
    job.start_distribution(train, test)
    job.wait_for_dataset(test)
    project = job.project.split("/")[1]
    read = [line for line in parse_lines(job.emulator.log.read_text()) if _is_about(line, project)]
    begun = [line for line in read if line["message"] == "answered"]
    assert [line["Operation"] for line in begun] == ["CreateDataset", "DistributeDatasetEntries"]
    for answered in begun:
        steps = [line for line in read if line["operationId"] == answered["operationId"]]
        assert {"Index", "Move"} & {line["Function"].capitalize() for line in steps}
        assert answered["Stage"] == "local"


def _is_about(line: Line, project: str) -> bool:
    return any(path.startswith(f"{project}/") for path in line.get("datasets", ()))


def test_there_is_one_line_for_each_outcome(
    api: InProcessApi, capsys: pytest.CaptureFixture[str]
) -> None:
    _run_main_job(api, "outcomes")
    messages = [line["message"] for line in parse_lines(capsys.readouterr().out)]
    assert messages.count("answered") == 4
    assert messages.count("operation ended") == 2
    assert messages.count("step done") == 4 + 1 + 3, (
        "plan, index, resolve, move; publish; three more"
    )
    assert set(messages) == {"answered", "operation ended", "step done"}


def test_metrics_count_calls_shards_entries_bytes_and_the_time_in_each_status(
    api: InProcessApi, capsys: pytest.CaptureFixture[str]
) -> None:
    _run_main_job(api, "counted")
    read = parse_lines(capsys.readouterr().out)
    size = len("\n".join(LINES))
    assert _get_values(read, Metric.CALLS, Operation="CreateProject") == [1]
    assert len(_get_values(read, Metric.LATENCY, Operation="CreateProject")) == 1
    assert _get_values(read, Metric.ENTRIES, Function="index") == [30]
    assert _get_values(read, Metric.BYTES, Function="index") == [size]
    assert _get_values(read, Metric.ENTRIES, Function="move") == [30, 30]
    assert _get_values(read, Metric.SHARDS, Function="move") == [1, 1]
    assert _get_values(read, Metric.OPERATIONS, Outcome="COMPLETE") == [1, 1]
    assert _get_values(read, Metric.OPERATIONS, Workflow="ingest") == [1]
    (creating,) = _get_values(read, Metric.TIME_IN_PROGRESS, Status="CREATE_IN_PROGRESS")
    (updating,) = _get_values(read, Metric.TIME_IN_PROGRESS, Status="UPDATE_IN_PROGRESS")
    assert 0 <= creating < 60_000
    assert 0 <= updating < 60_000


def test_a_refusal_is_counted_by_error_and_not_as_a_failure(
    api: InProcessApi, capsys: pytest.CaptureFixture[str]
) -> None:
    api.call("CreateProject", ProjectName="not a name")
    api.send("NoSuchOperation", "{}")
    read = parse_lines(capsys.readouterr().out)
    assert _get_values(read, Metric.REFUSALS, Error="ValidationException") == [1]
    assert _get_values(read, Metric.CALLS, Operation="Unknown") == [1]
    assert not [d for d in extract_metrics(read) if d.name == Metric.FAILURES]


def test_a_failure_has_a_traceback_and_is_counted_by_function_and_exception(
    api: InProcessApi, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = _create_pair(api, "failing")
    monkeypatch.setattr(move, "stream", _raise_os_error)
    api.call_successfully("DistributeDatasetEntries", Datasets=pair)
    read = parse_lines(capsys.readouterr().out)
    failed, noticed = [line for line in read if line["message"] == "failed"]
    assert noticed["exception_name"] == "ConservationError"
    assert failed["level"] == "ERROR"
    assert "no disk in this cloud" in failed["exception"]
    assert failed["operationId"]
    assert _get_values(read, Metric.FAILURES, Function="move") == [1]
    assert _get_values(read, Metric.FAILURES, Error="OSError") == [1]
    assert _get_values(read, Metric.OPERATIONS, Outcome="SERVICE_ERROR") == [1]


def _raise_os_error(*_: Any) -> Any:
    raise OSError("no disk in this cloud")


def test_an_empty_manifest_is_counted_as_a_client_error(
    api: InProcessApi, capsys: pytest.CaptureFixture[str]
) -> None:
    project = api.call_successfully("CreateProject", ProjectName="empty")["ProjectArn"]
    api.call_successfully(
        "CreateDataset", ProjectArn=project, DatasetSource=api.upload_source(b""), **TRAIN
    )
    read = parse_lines(capsys.readouterr().out)
    assert _get_values(read, Metric.OPERATIONS, Outcome="CLIENT_ERROR") == [1]
    assert not [d for d in extract_metrics(read) if d.name == Metric.FAILURES]
    (refusal,) = [line for line in read if line["message"] == "refused"]
    assert refusal["reason"] == "The manifest file is empty."


def test_settle_publishes_the_age_of_the_oldest_operation_even_when_it_fails(
    api: InProcessApi, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    settle.handler({}, SETTLE)
    assert _get_values(parse_lines(capsys.readouterr().out), Metric.OLDEST_OPERATION) == [0]
    old = Operation(id="old", kind=OperationKind.DISTRIBUTE, datasets=(), created=1_000)
    Table(api.name).transact([operations.build_operation_put(Table(api.name), old)])
    monkeypatch.setattr(Executions, "get_state", _raise_os_error)
    with pytest.raises(ExceptionGroup):
        settle.handler({}, SETTLE)
    read = parse_lines(capsys.readouterr().out)
    assert _get_values(read, Metric.ACTIVE_OPERATIONS) == [1]
    assert _get_values(read, Metric.OLDEST_OPERATION)[0] > 1e9


def test_an_operation_is_counted_once_even_if_settle_runs_twice(
    api: InProcessApi, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    project = api.call_successfully("CreateProject", ProjectName="twice")["ProjectArn"]
    api.call_successfully("CreateDataset", ProjectArn=project, DatasetType="TRAIN")
    table = Table(api.name)
    project_item = projects.find(table, "twice")
    assert project_item
    (dataset,) = (
        projects.find_dataset(table, dataset_id) for dataset_id in project_item.list_datasets()
    )
    assert dataset
    old = Operation(
        id="lost", kind=OperationKind.UPDATE, datasets=(dataset.id,), created=dataset.updated
    )
    assert operations.claim(table, old, [dataset], dataset.updated)
    monkeypatch.setattr(Executions, "get_state", lambda *_: ExecutionState.ENDED)
    settle.handler({}, SETTLE)
    settle.handler({}, SETTLE)
    read = parse_lines(capsys.readouterr().out)
    assert _get_values(read, Metric.OPERATIONS, Outcome="SERVICE_ERROR") == [1]


def test_metrics_are_published_at_any_log_level(
    api: InProcessApi, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    previous = telemetry._log.log_level
    telemetry._log.setLevel(logging.ERROR)
    try:
        api.call_successfully("DescribeProjects")
    finally:
        telemetry._log.setLevel(previous)
    (line,) = parse_lines(capsys.readouterr().out)
    assert "message" not in line
    assert _get_values([line], Metric.CALLS, Operation="DescribeProjects") == [1]


def test_every_metric_is_in_one_namespace_by_stage(
    api: InProcessApi, capsys: pytest.CaptureFixture[str]
) -> None:
    _run_main_job(api, "named")
    for line in parse_lines(capsys.readouterr().out):
        for directive in line.get("_aws", {}).get("CloudWatchMetrics", []):
            assert directive["Namespace"] == NAMESPACE
            for dimensions in directive["Dimensions"]:
                assert dimensions[0] == Dimension.STAGE
                assert len(dimensions) <= 2
