"""`make smoke`: the program that checks a deployed stack passes against the embedded one, and fails where it should."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from threading import Event

import pytest

from local.stack import BUCKET, Stack
from tests.backstage import Backstage, eventually, hold, json_error, s3, s3_error, states
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
    listed = stack.client("s3").list_objects_v2(Bucket=BUCKET, Prefix="sources/twofold-smoke")
    objects = [one["Key"] for one in listed.get("Contents", ())]
    projects = stack.client("rekognition").describe_projects()["ProjectDescriptions"]
    names = objects + [project["ProjectArn"] for project in projects]
    return [name for name in names if "twofold-smoke" in name]


@pytest.mark.parametrize(
    ("options", "first"),
    [
        (["--bucket", BUCKET], ["upload", "create the datasets"]),
        ([], ["create the datasets", "send the entries"]),
    ],
    ids=["from a manifest", "sent"],
)
def test_a_service_that_works_is_told_with_timings_and_left_as_it_was(
    url: str,
    stack: Stack,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    first: list[str],
) -> None:
    assert main(["--url", url, *options]) == 0
    printed = capsys.readouterr().out
    steps = re.findall(r"^([a-z ]+): \d+\.\d s$", printed, re.M)
    assert steps == [*first, "distribute", "verify", "clean up"]
    assert printed.endswith(f"{url} works: 60 entries, 12 of them tested.\n")
    assert not _left(stack)


def test_a_service_that_does_not_names_the_step_and_is_left_as_it_was(
    url: str, stack: Stack, backstage: Backstage, capsys: pytest.CaptureFixture[str]
) -> None:
    with backstage.scene(states("StartExecution"), json_error(400, "StateMachineDoesNotExist")):
        assert main(["--url", url, "--bucket", BUCKET]) == 1
    printed = capsys.readouterr().out
    assert "create the datasets: failed after" in printed
    assert "works" not in printed
    assert not _left(stack)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_half_way_cleans_up_and_says_no_more(
    url: str, stack: Stack, backstage: Backstage, number: signal.Signals
) -> None:
    """While the service makes a dataset, which is in progress when the cleaning begins."""
    going_on = Event()
    with backstage.scene(states("StartExecution"), hold(going_on)) as scene:
        smoke = subprocess.Popen(
            [sys.executable, "-m", "twofold_smoke", "--url", url, "--bucket", BUCKET],
            env={**os.environ, "PYTHONPATH": str(Path("clients/command").resolve())},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert eventually(lambda: scene.seen > 0)
        smoke.send_signal(number)
        going_on.set()
        printed, _ = smoke.communicate(timeout=120)
    assert smoke.returncode == 128 + number
    steps = [line.partition(":")[0] for line in printed.splitlines()]
    assert steps == ["upload", "create the datasets", "clean up"]
    assert "create the datasets: stopped after" in printed
    assert not _left(stack)


def test_what_cannot_be_removed_is_named_and_the_rest_is_removed(
    url: str, stack: Stack, backstage: Backstage, capsys: pytest.CaptureFixture[str]
) -> None:
    with backstage.scene(s3("DELETE", "twofold-smoke"), s3_error(403, "AccessDenied")):
        assert main(["--url", url, "--bucket", BUCKET]) == 1
    (key,) = _left(stack)
    printed = capsys.readouterr().out
    assert (
        f"Left behind, to be deleted by hand: object s3://{BUCKET}/{key} (AccessDenied" in printed
    )
    stack.client("s3").delete_object(Bucket=BUCKET, Key=key)


def test_a_local_service_needs_no_settings(
    url: str, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    assert main(["--url", url]) == 0


def test_a_service_that_does_not_answer_is_told_in_one_line(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--url", "http://127.0.0.1:9"]) == 1
    failed, why = capsys.readouterr().out.splitlines()
    assert failed.startswith("create the datasets: failed after")
    assert "http://127.0.0.1:9" in why


@pytest.mark.parametrize("address", ["", "nonsense", "ftp://example.com"])
def test_what_is_no_address_is_named(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--url", address])
    assert stopped.value.code == 2
    assert f"'{address}' is no address" in capsys.readouterr().err
