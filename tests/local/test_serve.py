"""`make serve`: one line when it is ready, loopback only, a clean stop."""

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

from local.serve import main

ROOT = Path(__file__).parents[2]
READY = re.compile(
    r"Twofold is ready\. Any credentials do: export AWS_ENDPOINT_URL=(http://127\.0\.0\.1:(\d+)) "
    r"AWS_DEFAULT_REGION=us-east-1 AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any\n"
)


def serve(*arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "local.serve", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_it_serves_on_loopback_until_it_is_told_to_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    process = serve("--port", "0", "--quotas", "rekognition")
    assert process.stdout is not None
    ready = READY.fullmatch(process.stdout.readline())
    assert ready
    assert _client(ready[1]).describe_projects()["ProjectDescriptions"] == []
    assert _listens("127.0.0.1", int(ready[2]))
    assert not _listens("127.0.0.2", int(ready[2]))
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=60) == ("", "")
    assert process.returncode == 0
    assert list(tmp_path.iterdir()) == []
    assert not _listens("127.0.0.1", int(ready[2]))


def test_it_stops_cleanly_while_it_is_starting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The start has begun when the stack has made its temporary folder."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    process = serve("--port", "0")
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
def test_a_port_that_is_none_is_bad_usage(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([f"--port={port}"])
    assert f"'{port}' is not a port: 0 to 65535" in capsys.readouterr().err


def test_strict_it_lets_in_its_own_key_alone() -> None:
    process = serve("--port", "0", "--auth", "strict")
    assert process.stdout is not None
    words = dict(re.findall(r"(AWS_\w+)=(\S+)", process.stdout.readline()))
    own = {
        "aws_access_key_id": words["AWS_ACCESS_KEY_ID"],
        "aws_secret_access_key": words["AWS_SECRET_ACCESS_KEY"],
    }
    endpoint = words["AWS_ENDPOINT_URL"]
    try:
        assert _client(endpoint, **own).describe_projects()["ProjectDescriptions"] == []
        with pytest.raises(ClientError, match="InvalidSignatureException"):
            _client(endpoint).describe_projects()
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)


def test_guarded_it_keeps_the_projects_of_two_users_apart(tmp_path: Path) -> None:
    """The keeper is an administrator, and the rate is one that nobody reaches."""
    users = ("alice", "bob", "keeper")
    profiles = [f"[{u}]\naws_access_key_id = {u}\naws_secret_access_key = of-{u}\n" for u in users]
    (tmp_path / "keys").write_text("".join(profiles))
    strict = ("--auth", "strict", "--keys", str(tmp_path / "keys"))
    guard = ("--guard", "owner", "--administrators", "arn:aws:iam::123456789012:user/keeper")
    process = serve("--port", "0", *strict, *guard, "--caller-rate", "1000")
    assert process.stdout is not None
    try:
        endpoint = dict(re.findall(r"(AWS_\w+)=(\S+)", process.stdout.readline()))[
            "AWS_ENDPOINT_URL"
        ]
        alice, bob, keeper = (
            _client(endpoint, aws_access_key_id=user, aws_secret_access_key=f"of-{user}")
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
def test_a_guard_or_a_rate_that_is_none_is_bad_usage(
    option: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([option])
    assert message in capsys.readouterr().err


def _listens(host: str, port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex((host, port)) == 0


def _client(endpoint: str, **credentials: str) -> Any:
    any_will_do = {"aws_access_key_id": "any", "aws_secret_access_key": "any"}
    make: Any = boto3.client
    return make(
        "rekognition",
        endpoint_url=endpoint,
        region_name="us-east-1",
        **{**any_will_do, **credentials},
    )
