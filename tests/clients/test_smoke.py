"""`make smoke`: the program that checks a deployed stack passes against the embedded one, and fails where it should."""

import pytest

from local.stack import Stack
from tests.backstage import Backstage, json_error, states
from twofold_smoke.__main__ import main


@pytest.fixture
def url(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> str:
    """As the README exports it."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", stack.endpoint)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "any")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any")
    monkeypatch.setenv("AWS_DATA_PATH", "")
    return stack.endpoint


def _left(stack: Stack) -> list[str]:
    buckets = [bucket["Name"] for bucket in stack.client("s3").list_buckets()["Buckets"]]
    projects = stack.client("rekognition").describe_projects()["ProjectDescriptions"]
    names = buckets + [project["ProjectArn"] for project in projects]
    return [name for name in names if "twofold-smoke" in name]


def test_a_service_that_works_is_told_with_timings_and_left_as_it_was(
    url: str, stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--url", url]) == 0
    printed = capsys.readouterr().out
    for step in ("upload", "create the datasets", "distribute", "verify", "clean up"):
        assert f"{step}: " in printed
    assert printed.endswith(f"{url} works: 60 entries, 12 of them tested.\n")
    assert not _left(stack)


def test_a_service_that_does_not_names_the_step_and_is_left_as_it_was(
    url: str, stack: Stack, backstage: Backstage, capsys: pytest.CaptureFixture[str]
) -> None:
    with backstage.scene(states("StartExecution"), json_error(400, "StateMachineDoesNotExist")):
        assert main(["--url", url]) == 1
    printed = capsys.readouterr().out
    assert "create the datasets: failed after" in printed
    assert "works" not in printed
    assert not _left(stack)
