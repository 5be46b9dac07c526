"""`make serve`: prints one line when ready, listens on loopback only, stops cleanly."""

import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local.emulator.__main__ import main

ROOT = Path(__file__).parents[3]
READY = re.compile(
    r"Twofold is ready\. Any credentials are accepted: export AWS_ENDPOINT_URL=(http://127\.0\.0\.1:(\d+)) "
    r"AWS_DEFAULT_REGION=us-east-1 AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any\n"
)


def start_serve(*arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "local.emulator", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_it_serves_on_loopback_until_it_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    process = start_serve("--port", "0", "--quotas", "rekognition")
    assert process.stdout is not None
    ready = READY.fullmatch(process.stdout.readline())
    assert ready
    assert _create_client(ready[1]).describe_projects()["ProjectDescriptions"] == []
    assert _is_listening("127.0.0.1", int(ready[2]))
    assert not _is_listening("127.0.0.2", int(ready[2]))
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=60) == ("", "")
    assert process.returncode == 0
    assert list(tmp_path.iterdir()) == []
    assert not _is_listening("127.0.0.1", int(ready[2]))


def test_it_stops_cleanly_during_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The start has begun when the emulator has created a temporary folder."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    process = start_serve("--port", "0")
    while not list(tmp_path.iterdir()):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=60) == ("", "")
    assert process.returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_a_port_in_use_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["--port", str(port)]) == 1
    assert capsys.readouterr().err == f"Port {port} cannot be used: Address already in use.\n"


@pytest.mark.parametrize("port", ["65536", "-1", "http", "", "٣"])
def test_an_invalid_port_is_rejected(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([f"--port={port}"])
    assert f"'{port}' is not a port: 0 to 65535" in capsys.readouterr().err


def test_strict_accepts_the_printed_key_only() -> None:
    process = start_serve("--port", "0", "--auth", "strict")
    assert process.stdout is not None
    words = dict(re.findall(r"(AWS_\w+)=(\S+)", process.stdout.readline()))
    own = {
        "aws_access_key_id": words["AWS_ACCESS_KEY_ID"],
        "aws_secret_access_key": words["AWS_SECRET_ACCESS_KEY"],
    }
    endpoint = words["AWS_ENDPOINT_URL"]
    try:
        assert _create_client(endpoint, **own).describe_projects()["ProjectDescriptions"] == []
        with pytest.raises(ClientError, match="InvalidSignatureException"):
            _create_client(endpoint).describe_projects()
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)


def test_the_guard_separates_the_projects_of_two_users(tmp_path: Path) -> None:
    """The keeper is an administrator; the rate is never reached."""
    users = ("alice", "bob", "keeper")
    profiles = [f"[{u}]\naws_access_key_id = {u}\naws_secret_access_key = of-{u}\n" for u in users]
    (tmp_path / "keys").write_text("".join(profiles))
    strict = ("--auth", "strict", "--keys", str(tmp_path / "keys"))
    guard = ("--guard", "owner", "--administrators", "arn:aws:iam::123456789012:user/keeper")
    process = start_serve("--port", "0", *strict, *guard, "--caller-rate", "1000")
    assert process.stdout is not None
    try:
        endpoint = dict(re.findall(r"(AWS_\w+)=(\S+)", process.stdout.readline()))[
            "AWS_ENDPOINT_URL"
        ]
        alice, bob, keeper = (
            _create_client(endpoint, aws_access_key_id=user, aws_secret_access_key=f"of-{user}")
            for user in users
        )
        arn = alice.create_project(ProjectName="garden")["ProjectArn"]
        counts = [
            len(user.describe_projects()["ProjectDescriptions"]) for user in (alice, bob, keeper)
        ]
        assert counts == [1, 0, 1]
        with pytest.raises(ClientError, match=r"user/bob is not authorized .* another principal"):
            bob.delete_project(ProjectArn=arn)
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--guard=all", "invalid choice: 'all'"),
        ("--caller-rate=-1", "'-1' is not a number of calls"),
        ("--keys=keys", "KEYS needs AUTH=strict"),
        ("--administrators=arn:aws:iam::123456789012:user/ada", "ADMINISTRATORS needs GUARD=owner"),
        ("--administrators=ada", "'ada' is not the ARN of a role or user"),
    ],
)
def test_an_invalid_guard_or_rate_is_rejected(
    option: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([option])
    assert message in capsys.readouterr().err


def _is_listening(host: str, port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex((host, port)) == 0


def _create_client(endpoint: str, **credentials: str) -> Any:
    any_will_do = {"aws_access_key_id": "any", "aws_secret_access_key": "any"}
    make: Any = boto3.client
    return make(
        "rekognition",
        endpoint_url=endpoint,
        region_name="us-east-1",
        **{**any_will_do, **credentials},
    )
