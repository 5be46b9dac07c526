"""The local S3 as public S3 clients use it: each checks what it sent by tags and checksums of its own.

s3cmd, rclone and awscrt are of a set of their own, which `make .venv/.clients` installs beside the suite's packages.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from local.stack import Stack

TOOLS = Path(sys.prefix) / "clients"
MIB = 1 << 20
BODY = bytes(range(256)) * (17 * MIB // 256) + b"end"

needs_tools = pytest.mark.skipif(
    not TOOLS.is_dir(), reason="s3cmd, rclone and awscrt are not installed: make .venv/.clients"
)


@pytest.fixture
def bucket(stack: Stack) -> str:
    name = f"clients-{uuid4().hex[:12]}"
    stack.client("s3").create_bucket(Bucket=name)
    return name


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "large.manifest"
    path.write_bytes(BODY)
    return path


@pytest.fixture
def tools(environment: dict[str, str]) -> dict[str, str]:
    """The user's environment, with the packages of the clients."""
    return environment | {"PYTHONPATH": str(TOOLS)}


def run(command: Sequence[str | Path], environment: dict[str, str]) -> str:
    """What the command prints; it must end well."""
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=110
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def stored(stack: Stack, bucket: str, key: str) -> bytes:
    body: bytes = stack.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return body


@pytest.fixture
def s3cmd(stack: Stack, tools: dict[str, str], tmp_path: Path) -> Any:
    host = stack.endpoint.removeprefix("http://")
    config = tmp_path / "s3cfg"
    config.write_text(
        f"[default]\naccess_key = any\nsecret_key = any\nhost_base = {host}\nhost_bucket = {host}\n"
        "use_https = False\nmultipart_chunk_size_mb = 5\n"
    )
    script = TOOLS / "bin" / "s3cmd"

    def s3cmd(*arguments: str | Path) -> str:
        return run([sys.executable, script, "-c", config, *arguments], tools)

    return s3cmd


@needs_tools
def test_s3cmd_puts_a_file_in_parts_and_gets_it_back(
    stack: Stack, s3cmd: Any, bucket: str, file: Path, tmp_path: Path
) -> None:
    """It compares each part's tag with the MD5 of what it sent, and sends the part again while they differ."""
    said = s3cmd("put", file, f"s3://{bucket}/large")
    assert "retrying" not in said.lower()
    assert "MD5 Sums don't match" not in said
    assert stored(stack, bucket, "large") == BODY
    back = tmp_path / "back"
    s3cmd("get", f"s3://{bucket}/large", back)
    assert back.read_bytes() == BODY
    assert "large" in s3cmd("ls", f"s3://{bucket}/")
    s3cmd("info", f"s3://{bucket}/large")
    s3cmd("cp", f"s3://{bucket}/large", f"s3://{bucket}/copy")
    s3cmd("del", f"s3://{bucket}/large")
    assert stored(stack, bucket, "copy") == BODY


@pytest.fixture
def rclone(stack: Stack, environment: dict[str, str]) -> Any:
    options = {
        "RCLONE_CONFIG": os.devnull,
        "RCLONE_CONFIG_TWOFOLD_TYPE": "s3",
        "RCLONE_CONFIG_TWOFOLD_PROVIDER": "AWS",
        "RCLONE_CONFIG_TWOFOLD_ENDPOINT": stack.endpoint,
        "RCLONE_CONFIG_TWOFOLD_REGION": "us-east-1",
        "RCLONE_CONFIG_TWOFOLD_ENV_AUTH": "true",
        "RCLONE_CONFIG_TWOFOLD_FORCE_PATH_STYLE": "true",
        "RCLONE_CONFIG_TWOFOLD_NO_CHECK_BUCKET": "true",
        # Over HTTP, Go's SDK sends checksums only of what it can read twice, which a file as a whole is not to rclone.
        "RCLONE_CONFIG_TWOFOLD_USE_DATA_INTEGRITY_PROTECTIONS": "false",
        "RCLONE_CONFIG_TWOFOLD_USE_UNSIGNED_PAYLOAD": "true",
    }

    def rclone(*arguments: str | Path) -> str:
        return run([TOOLS / "bin" / "rclone", *arguments], environment | options)

    return rclone


@needs_tools
@pytest.mark.parametrize(
    ("cutoff", "more"),
    [("1G", []), ("5M", []), ("5M", ["--s3-versions"])],
    ids=["whole", "in parts", "in parts, by version"],
)
def test_rclone_copies_a_file_and_finds_it_as_it_was(
    stack: Stack, rclone: Any, bucket: str, file: Path, tmp_path: Path, cutoff: str, more: list[str]
) -> None:
    """It compares size, MD5 and modification time, and reads with HEAD by the version of what it wrote."""
    size = (f"--s3-upload-cutoff={cutoff}", "--s3-chunk-size=5M")
    assert "ERROR" not in rclone("copy", *size, *more, file, f"TWOFOLD:{bucket}")
    assert stored(stack, bucket, file.name) == BODY
    rclone("check", "--download", file.parent, f"TWOFOLD:{bucket}", "--include", file.name)
    rclone("check", file.parent, f"TWOFOLD:{bucket}", "--include", file.name)
    rclone("copy", f"TWOFOLD:{bucket}/{file.name}", tmp_path / "back")
    assert (tmp_path / "back" / file.name).read_bytes() == BODY
    versions = tmp_path / "versions"
    said = rclone("copy", "--s3-versions", f"TWOFOLD:{bucket}", versions)
    assert "ERROR" not in said
    assert (versions / file.name).read_bytes() == BODY
    assert f"{len(BODY)}" in rclone("lsl", "--s3-versions", f"TWOFOLD:{bucket}")
    rclone("deletefile", f"TWOFOLD:{bucket}/{file.name}")


_BOTO3 = """
import sys
import boto3
from boto3.s3.transfer import TransferConfig
from botocore.compat import HAS_CRT

assert HAS_CRT, "awscrt is not there"
bucket, source, target, algorithm = sys.argv[1:]
s3 = boto3.client("s3")
parts = TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20)
s3.upload_file(source, bucket, "large", {"ChecksumAlgorithm": algorithm}, Config=parts)
body = s3.get_object(Bucket=bucket, Key="large", ChecksumMode="ENABLED")["Body"].read()
open(target, "wb").write(body)
print(s3.head_object(Bucket=bucket, Key="large", ChecksumMode="ENABLED")["Checksum" + algorithm])
s3.put_object(Bucket=bucket, Key="small", Body=b"small", ChecksumAlgorithm=algorithm)
assert s3.get_object(Bucket=bucket, Key="small")["Body"].read() == b"small"
"""


@needs_tools
@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"])
def test_boto3_with_awscrt_reads_what_it_wrote_by_checksum(
    tools: dict[str, str], bucket: str, file: Path, tmp_path: Path, algorithm: str
) -> None:
    target = tmp_path / "back"
    run([sys.executable, "-c", _BOTO3, bucket, file, target, algorithm], tools)
    assert target.read_bytes() == BODY


@needs_tools
def test_the_aws_cli_reads_what_it_wrote_by_checksum(
    stack: Stack, tools: dict[str, str], bucket: str, file: Path, tmp_path: Path
) -> None:
    aws: list[str | Path] = [sys.executable, Path(sys.executable).with_name("aws")]
    place, back = f"s3://{bucket}/large", tmp_path / "back"
    run([*aws, "s3", "cp", file, place, "--checksum-algorithm", "CRC64NVME"], tools)
    run([*aws, "s3", "cp", place, back, "--checksum-mode", "ENABLED"], tools)
    assert back.read_bytes() == BODY
    head = ("s3api", "head-object", "--bucket", bucket, "--key", "large", "--version-id", "null")
    assert f'"ContentLength": {len(BODY)}' in run([*aws, *head], tools)


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_curl_puts_a_file_as_binary_data(
    stack: Stack, environment: dict[str, str], bucket: str, file: Path
) -> None:
    """It says that what it sends is a form."""
    target = {"Bucket": bucket, "Key": "large"}
    url = stack.client("s3").generate_presigned_url("put_object", target)
    run(["curl", "-sSf", "-X", "PUT", "--data-binary", f"@{file}", url], environment)
    digest = hashlib.md5(BODY, usedforsecurity=False).hexdigest()
    assert stack.client("s3").head_object(**target)["ETag"] == f'"{digest}"'
    assert stored(stack, bucket, "large") == BODY
