"""The emulator's S3 with public S3 clients, which verify uploads by ETags and checksums.

`make .venv/.public-clients` installs s3cmd, rclone and awscrt separately from the packages of the test suite.
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

from local.emulator.server import Emulator

TOOLS = Path(sys.prefix) / "public-clients"
MIB = 1 << 20
BODY = bytes(range(256)) * (17 * MIB // 256) + b"end"

needs_tools = pytest.mark.skipif(
    not TOOLS.is_dir(),
    reason="s3cmd, rclone and awscrt are not installed: make .venv/.public-clients",
)


@pytest.fixture
def bucket(emulator: Emulator) -> str:
    name = f"clients-{uuid4().hex[:12]}"
    emulator.create_client("s3").create_bucket(Bucket=name)
    return name


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "large.manifest"
    path.write_bytes(BODY)
    return path


@pytest.fixture
def tools(environment: dict[str, str]) -> dict[str, str]:
    """The environment of a user, with the packages of the clients on the path."""
    return environment | {"PYTHONPATH": str(TOOLS)}


def run_tool(command: Sequence[str | Path], environment: dict[str, str]) -> str:
    """Run a command that must succeed. Return standard output and standard error."""
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=110
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def read_object(emulator: Emulator, bucket: str, key: str) -> bytes:
    body: bytes = emulator.create_client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return body


@pytest.fixture
def s3cmd(emulator: Emulator, tools: dict[str, str], tmp_path: Path) -> Any:
    host = emulator.endpoint.removeprefix("http://")
    config = tmp_path / "s3cfg"
    config.write_text(
        f"[default]\naccess_key = any\nsecret_key = any\nhost_base = {host}\nhost_bucket = {host}\n"
        "use_https = False\nmultipart_chunk_size_mb = 5\n"
    )
    script = TOOLS / "bin" / "s3cmd"

    def run_s3cmd(*arguments: str | Path) -> str:
        return run_tool([sys.executable, script, "-c", config, *arguments], tools)

    return run_s3cmd


@needs_tools
def test_s3cmd_uploads_a_file_in_parts_and_downloads_it(
    emulator: Emulator, s3cmd: Any, bucket: str, file: Path, tmp_path: Path
) -> None:
    """s3cmd compares the ETag of each part with the MD5 of the data, and retries the part on a mismatch."""
    bucket = f"{bucket}-s3cmd"
    s3cmd("mb", f"s3://{bucket}")
    output = s3cmd("put", file, f"s3://{bucket}/large")
    assert "retrying" not in output.lower()
    assert "MD5 Sums don't match" not in output
    assert read_object(emulator, bucket, "large") == BODY
    back = tmp_path / "back"
    s3cmd("get", f"s3://{bucket}/large", back)
    assert back.read_bytes() == BODY
    assert "large" in s3cmd("ls", f"s3://{bucket}/")
    s3cmd("info", f"s3://{bucket}/large")
    s3cmd("cp", f"s3://{bucket}/large", f"s3://{bucket}/copy")
    s3cmd("del", f"s3://{bucket}/large")
    assert read_object(emulator, bucket, "copy") == BODY


@pytest.fixture
def rclone(emulator: Emulator, environment: dict[str, str]) -> Any:
    options = {
        "RCLONE_CONFIG": os.devnull,
        "RCLONE_CONFIG_TWOFOLD_TYPE": "s3",
        "RCLONE_CONFIG_TWOFOLD_PROVIDER": "AWS",
        "RCLONE_CONFIG_TWOFOLD_ENDPOINT": emulator.endpoint,
        "RCLONE_CONFIG_TWOFOLD_REGION": "us-east-1",
        "RCLONE_CONFIG_TWOFOLD_ENV_AUTH": "true",
        "RCLONE_CONFIG_TWOFOLD_FORCE_PATH_STYLE": "true",
        "RCLONE_CONFIG_TWOFOLD_NO_CHECK_BUCKET": "true",
        # Over HTTP, the SDK for Go sends checksums of seekable streams only; rclone's stream of a whole file is not seekable.
        "RCLONE_CONFIG_TWOFOLD_USE_DATA_INTEGRITY_PROTECTIONS": "false",
        "RCLONE_CONFIG_TWOFOLD_USE_UNSIGNED_PAYLOAD": "true",
    }

    def run_rclone(*arguments: str | Path) -> str:
        return run_tool([TOOLS / "bin" / "rclone", *arguments], environment | options)

    return run_rclone


@needs_tools
@pytest.mark.parametrize(
    ("cutoff", "more"),
    [("1G", []), ("5M", []), ("5M", ["--s3-versions"])],
    ids=["whole", "in parts", "in parts, by version"],
)
def test_rclone_copies_a_file_and_verifies_it(
    emulator: Emulator,
    rclone: Any,
    bucket: str,
    file: Path,
    tmp_path: Path,
    cutoff: str,
    more: list[str],
) -> None:
    """rclone compares size, MD5 and modification time, and sends HEAD with the version of the uploaded object."""
    size = (f"--s3-upload-cutoff={cutoff}", "--s3-chunk-size=5M")
    assert "ERROR" not in rclone("copy", *size, *more, file, f"TWOFOLD:{bucket}")
    assert read_object(emulator, bucket, file.name) == BODY
    rclone("check", "--download", file.parent, f"TWOFOLD:{bucket}", "--include", file.name)
    rclone("check", file.parent, f"TWOFOLD:{bucket}", "--include", file.name)
    rclone("copy", f"TWOFOLD:{bucket}/{file.name}", tmp_path / "back")
    assert (tmp_path / "back" / file.name).read_bytes() == BODY
    versions = tmp_path / "versions"
    output = rclone("copy", "--s3-versions", f"TWOFOLD:{bucket}", versions)
    assert "ERROR" not in output
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
def test_boto3_with_awscrt_verifies_checksums(
    tools: dict[str, str], bucket: str, file: Path, tmp_path: Path, algorithm: str
) -> None:
    target = tmp_path / "back"
    run_tool([sys.executable, "-c", _BOTO3, bucket, file, target, algorithm], tools)
    assert target.read_bytes() == BODY


@needs_tools
def test_the_aws_cli_verifies_checksums(
    emulator: Emulator, tools: dict[str, str], bucket: str, file: Path, tmp_path: Path
) -> None:
    aws: list[str | Path] = [sys.executable, Path(sys.executable).with_name("aws")]
    uri, back = f"s3://{bucket}/large", tmp_path / "back"
    run_tool([*aws, "s3", "cp", file, uri, "--checksum-algorithm", "CRC64NVME"], tools)
    run_tool([*aws, "s3", "cp", uri, back, "--checksum-mode", "ENABLED"], tools)
    assert back.read_bytes() == BODY
    head = ("s3api", "head-object", "--bucket", bucket, "--key", "large", "--version-id", "null")
    assert f'"ContentLength": {len(BODY)}' in run_tool([*aws, *head], tools)


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_curl_puts_a_file_as_binary_data(
    emulator: Emulator, environment: dict[str, str], bucket: str, file: Path
) -> None:
    """curl sets the Content-Type of a form."""
    target = {"Bucket": bucket, "Key": "large"}
    url = emulator.create_client("s3").generate_presigned_url("put_object", target)
    run_tool(["curl", "-sSf", "-X", "PUT", "--data-binary", f"@{file}", url], environment)
    digest = hashlib.md5(BODY, usedforsecurity=False).hexdigest()
    assert emulator.create_client("s3").head_object(**target)["ETag"] == f'"{digest}"'
    assert read_object(emulator, bucket, "large") == BODY
