"""`make smoke` passes against the local emulator, and fails on faults."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from threading import Event

import pytest

from local.emulator.server import BUCKET, Emulator
from tests.support.request_interceptor import (
    RequestInterceptor,
    answer_json_error,
    answer_s3_error,
    hold_until,
    match_s3,
    match_step_functions,
    wait_until,
)
from twofold_smoke.__main__ import main


@pytest.fixture
def url(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> str:
    """Sets the environment variables of the README and returns the endpoint."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", emulator.endpoint)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "any")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any")
    monkeypatch.setenv("AWS_DATA_PATH", "")
    return emulator.endpoint


def list_leftovers(emulator: Emulator) -> list[str]:
    listed = emulator.create_client("s3").list_objects_v2(
        Bucket=BUCKET, Prefix="sources/twofold-smoke"
    )
    objects = [item["Key"] for item in listed.get("Contents", ())]
    projects = emulator.create_client("rekognition").describe_projects()["ProjectDescriptions"]
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
def test_a_working_service_passes_with_timings_and_stays_unchanged(
    url: str,
    emulator: Emulator,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    first: list[str],
) -> None:
    assert main(["--url", url, *options]) == 0
    printed = capsys.readouterr().out
    steps = re.findall(r"^([a-z ]+): \d+\.\d s$", printed, re.M)
    assert steps == [*first, "distribute", "verify", "clean up"]
    assert printed.endswith(f"{url} works. Test set: 12 of 60 images.\n")
    assert not list_leftovers(emulator)


def test_a_broken_service_fails_with_the_step_and_stays_unchanged(
    url: str,
    emulator: Emulator,
    request_interceptor: RequestInterceptor,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with request_interceptor.add_rule(
        match_step_functions("StartExecution"), answer_json_error(400, "StateMachineDoesNotExist")
    ):
        assert main(["--url", url, "--bucket", BUCKET]) == 1
    printed = capsys.readouterr().out
    assert "create the datasets: failed after" in printed
    assert "works" not in printed
    assert not list_leftovers(emulator)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_run_cleans_up_and_prints_no_further_steps(
    url: str, emulator: Emulator, request_interceptor: RequestInterceptor, number: signal.Signals
) -> None:
    """The signal arrives while the service creates a dataset, so the clean-up meets a dataset in progress."""
    going_on = Event()
    with request_interceptor.add_rule(
        match_step_functions("StartExecution"), hold_until(going_on)
    ) as scene:
        smoke = subprocess.Popen(
            [sys.executable, "-m", "twofold_smoke", "--url", url, "--bucket", BUCKET],
            env={**os.environ, "PYTHONPATH": str(Path("clients/command").resolve())},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert wait_until(lambda: scene.count > 0)
        smoke.send_signal(number)
        going_on.set()
        printed, _ = smoke.communicate(timeout=120)
    assert smoke.returncode == 128 + number
    steps = [line.partition(":")[0] for line in printed.splitlines()]
    assert steps == ["upload", "create the datasets", "clean up"]
    assert "create the datasets: stopped after" in printed
    assert not list_leftovers(emulator)


def test_resources_that_cannot_be_removed_are_named_and_the_rest_is_removed(
    url: str,
    emulator: Emulator,
    request_interceptor: RequestInterceptor,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with request_interceptor.add_rule(
        match_s3("DELETE", "twofold-smoke"), answer_s3_error(403, "AccessDenied")
    ):
        assert main(["--url", url, "--bucket", BUCKET]) == 1
    (key,) = list_leftovers(emulator)
    printed = capsys.readouterr().out
    assert f"Not removed; delete by hand: object s3://{BUCKET}/{key} (AccessDenied" in printed
    emulator.create_client("s3").delete_object(Bucket=BUCKET, Key=key)


def test_a_local_service_needs_no_settings(
    url: str, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    assert main(["--url", url]) == 0


def test_an_unreachable_service_gives_a_one_line_message(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--url", "http://127.0.0.1:9"]) == 1
    failed, why = capsys.readouterr().out.splitlines()
    assert failed.startswith("create the datasets: failed after")
    assert "http://127.0.0.1:9" in why


@pytest.mark.parametrize("address", ["", "nonsense", "ftp://example.com"])
def test_an_invalid_url_is_named(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--url", address])
    assert stopped.value.code == 2
    assert f"'{address}' is not a URL" in capsys.readouterr().err
