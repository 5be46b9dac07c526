"""The emulator's own clients ignore the caller's environment and ~/.aws."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.loaders import Loader

from local.emulator.clients import create_client, get_session
from local.emulator.server import Emulator
from tests.support.job import make_line

ROOT = Path(__file__).parents[3]
DEAD = "http://127.0.0.1:9"
VARIABLES = {
    "HTTP_PROXY": DEAD,
    "http_proxy": DEAD,
    "HTTPS_PROXY": DEAD,
    "ALL_PROXY": DEAD,
    "AWS_PROFILE": "of-another-machine",
    "AWS_DEFAULT_PROFILE": "of-another-machine",
    "AWS_RETRY_MODE": "now and then",
    "AWS_MAX_ATTEMPTS": "x",
    "AWS_DEFAULTS_MODE": "none",
    "AWS_REGION": "eu-west-1",
    "AWS_DEFAULT_REGION": "mars",
    "AWS_ENDPOINT_URL": DEAD,
    "AWS_ENDPOINT_URL_S3": DEAD,
    "AWS_ENDPOINT_URL_LAMBDA": DEAD,
    "AWS_USE_FIPS_ENDPOINT": "true",
    "AWS_USE_DUALSTACK_ENDPOINT": "true",
    "AWS_S3_US_EAST_1_REGIONAL_ENDPOINT": "nowhere",
    "AWS_S3_USE_ARN_REGION": "x",
    "AWS_REQUEST_CHECKSUM_CALCULATION": "sometimes",
    "AWS_RESPONSE_CHECKSUM_VALIDATION": "sometimes",
    "AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES": "x",
    "AWS_STS_REGIONAL_ENDPOINTS": "x",
    "AWS_ACCOUNT_ID_ENDPOINT_MODE": "x",
    "AWS_METADATA_SERVICE_TIMEOUT": "x",
    "AWS_CSM_ENABLED": "true",
    "AWS_CSM_PORT": "x",
    "AWS_CA_BUNDLE": "/nowhere",
    "AWS_SDK_UA_APP_ID": "x" * 100,
    "AWS_ACCESS_KEY_ID": "only-one-half",
    "AWS_SESSION_TOKEN": "expired",
    "AWS_CONFIG_FILE": "/nowhere",
    "MOTO_PORT": "9",
    "MOTO_AMIS_PATH": "/nowhere",
    "MOTO_ACCOUNT_ID": "999999999999",
    "MOTO_S3_DEFAULT_KEY_BUFFER_SIZE": "x",
    "MOTO_S3_DEFAULT_MAX_KEYS": "x",
    "INITIAL_NO_AUTH_ACTION_COUNT": "x",
    "S3_UPLOAD_PART_MIN_SIZE": "x",
    "SF_EXECUTION_HISTORY_TYPE": "FAILED",
}
CONFIGS = {
    "virtual": "[default]\ns3 =\n  addressing_style = virtual\n",
    "acceleration": "[default]\ns3 =\n  use_accelerate_endpoint = true\n",
    "dualstack": "[default]\nuse_dualstack_endpoint = true\n",
    "retries": "[default]\nretry_mode = x\nmax_attempts = x\n",
    "endpoint": f"[default]\nendpoint_url = {DEAD}\nservices = mine\n[services mine]\ns3 =\n  endpoint_url = {DEAD}\n",
    "broken": "[default\nregion",
    "no text": "\udcff\udcfe",
    "duplicate": "[default]\na=1\n[default]\na=2\n",
    "process": "[default]\ncredential_process = /bin/false\n",
}


def write_home(folder: Path, text: str) -> Path:
    """Create a home folder with this text in ~/.aws/config and ~/.aws/credentials."""
    (folder / ".aws").mkdir(parents=True)
    for name in ("config", "credentials"):
        (folder / ".aws" / name).write_bytes(text.encode(errors="surrogateescape"))
    return folder


def write_models(folder: Path) -> None:
    """Create broken model files at all places where botocore and moto search the home folder."""
    for service in ("s3", "dynamodb", "lambda", "stepfunctions", "rekognition", "iam", "sts"):
        for version in Loader().list_api_versions(service, "service-2"):
            models = folder / ".aws" / "models" / service / version
            models.mkdir(parents=True)
            for name in ("service-2", "service-2.sdk-extras", "paginators-1", "waiters-2"):
                (models / f"{name}.json").write_text("{ broken")
    for name in ("endpoints", "partitions", "_retry", "sdk-default-configuration"):
        (folder / ".aws" / "models" / f"{name}.json").write_text("{ broken")


def can_list_buckets(emulator: Emulator) -> bool:
    client = create_client(
        "s3", emulator.endpoint, config=Config(retries={"total_max_attempts": 1})
    )
    return "Buckets" in client.list_buckets()


@pytest.fixture(autouse=True)
def clear_session_cache() -> None:
    """Clears the cache, since another test may have created a session."""
    get_session.cache_clear()


@pytest.mark.parametrize("name", VARIABLES)
def test_an_own_client_reads_no_variable(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, VARIABLES[name])
    assert can_list_buckets(emulator)


@pytest.mark.parametrize("name", CONFIGS)
def test_an_own_client_reads_no_file(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    monkeypatch.setenv("HOME", str(write_home(tmp_path, CONFIGS[name])))
    assert can_list_buckets(emulator)


def test_an_own_client_uses_botocore_s_models_only(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    model = tmp_path / "models" / "s3" / "2006-03-01" / "service-2.json"
    model.parent.mkdir(parents=True)
    model.write_text("{}")
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path / "models"))
    assert can_list_buckets(emulator)


@pytest.mark.parametrize("name", ["acceleration", "variables"])
def test_make_run_works_in_any_environment(tmp_path: Path, name: str) -> None:
    """Includes the clients of the functions and of moto's Step Functions interpreter, in other processes and threads."""
    manifest = tmp_path / "m.manifest"
    manifest.write_text("\n".join(make_line(number, "cat") for number in range(20)))
    home = write_home(tmp_path / "home", CONFIGS.get(name, "[default\n"))
    write_models(home)
    environment = {**os.environ, "HOME": str(home)}
    if name == "variables":
        environment |= VARIABLES
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "local.run",
            "--manifest",
            str(manifest),
            "--out",
            str(tmp_path / "o"),
        ],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert len((tmp_path / "o" / "test.manifest").read_text().splitlines()) == 4


def test_an_emulator_does_not_change_the_environment_of_the_process(tmp_path: Path) -> None:
    """Neither the environment of this process nor the environment of child processes."""
    program = (
        "import json, os, subprocess, sys\n"
        "from local.emulator.server import start_emulator\n"
        "show = [sys.executable, '-c', 'import json, os; print(json.dumps(dict(os.environ)))']\n"
        "if __name__ == '__main__':\n"
        "    before = dict(os.environ)\n"
        "    with start_emulator() as emulator:\n"
        "        emulator.create_client('s3').list_buckets()\n"
        "        child = json.loads(subprocess.check_output(show))\n"
        "        print(json.dumps([before, dict(os.environ), child]))\n"
    )
    script = tmp_path / "user.py"
    script.write_text(program)
    done = subprocess.run(
        [sys.executable, str(script)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "AWS_PROFILE": "mine", "HTTP_PROXY": DEAD},
        capture_output=True,
        text=True,
        check=True,
    )
    before, during, child = json.loads(done.stdout)
    assert before == during
    assert child == before | {name: child[name] for name in ("LC_CTYPE",) if name in child}


def test_a_client_of_the_user_reads_the_environment(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", emulator.endpoint)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "7")
    session: Any = boto3.Session(aws_access_key_id="a", aws_secret_access_key="b")
    client = session.client("s3", region_name="us-east-1")
    assert client.meta.config.retries["total_max_attempts"] == 7
    assert "Buckets" in client.list_buckets()
