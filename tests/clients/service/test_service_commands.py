"""The `twofold` command as a client of a running service."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from local.emulator.server import BUCKET, Emulator
from tests.clients.command.terminal import make_labelled_lines, run_twofold, write_manifest
from tests.support.job import Job, make_line
from twofold_service import session
from twofold_service.session import Service, connect

Run = Callable[..., int]
TWOFOLD = Path(sys.executable).with_name("twofold")


@pytest.fixture(autouse=True)
def remove_aws_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Removes all AWS settings from the environment."""
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")


@pytest.fixture
def on_service(emulator: Emulator) -> Run:
    """Returns a function to run `twofold` with --endpoint."""
    return lambda *arguments: run_twofold(*arguments, "--endpoint", emulator.endpoint)


@pytest.fixture
def project() -> str:
    return f"birds-{uuid4().hex[:8]}"


@pytest.fixture
def answer(capsys: pytest.CaptureFixture[str]) -> Callable[[], Any]:
    """Returns the last output as JSON."""
    return lambda: json.loads(capsys.readouterr().out)


def push_lines(on_service: Run, folder: Path, project: str, lines: list[str] | bytes) -> int:
    manifest = write_manifest(folder, lines)
    return on_service("push", manifest, project, "--bucket", "pushed", "--make-bucket")


def test_push_distribute_and_pull_keep_every_line_byte_for_byte(
    on_service: Run, project: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = make_line("spaces", "é").replace('":', '" :\t')
    wrong = '{"source-ref":"s3://example-images/wrong","a":1,"a-metadata":{"type":"groundtruth/x"}}'
    lines = [*make_labelled_lines(240), odd, wrong]
    assert push_lines(on_service, tmp_path, project, lines) == 0
    assert on_service("distribute", project) == 0
    told = capsys.readouterr()
    assert "48 of 242 entries were moved to the test dataset." in told.out
    assert told.err == ""
    out = tmp_path / "out"
    assert on_service("pull", project, "-o", out) == 0
    assert run_twofold("split", tmp_path / "all.manifest", "-o", tmp_path / "here") == 0
    for name in ("train.manifest", "test.manifest"):
        assert (out / name).read_bytes() == (tmp_path / "here" / name).read_bytes()


ODD = [
    f"  {make_line('indented', 'a')}",
    f"{make_line('trailing', 'b')} \t ",
    "\t" + make_line("inside", "a", "é").replace('":', '" : ') + "  ",
    make_line("metadata", "b").replace("{", '{"cl-metadata":{"is_labeled":"mine"},', 1),
    make_line("errors", "a")[:-1] + ',"cl-errors":[{"code":"OURS","message":"kept"}] }',
    make_line("nested", "b").replace('"confidence"', '"cl-errors":[],"confidence"'),
]
"""Lines with white space, and with supplied members of the names that ListDatasetEntries adds."""


def test_odd_white_space_and_supplied_cl_members_come_back_and_verify(
    on_service: Run, project: str, tmp_path: Path
) -> None:
    lines = [*ODD, *make_labelled_lines(240)]
    assert push_lines(on_service, tmp_path, project, lines) == 0
    assert on_service("distribute", project) == 0
    out = tmp_path / "out"
    assert on_service("pull", project, "-o", out) == 0
    assert on_service("report", project, "-o", out) == 0
    pulled = [
        text
        for name in ("train.manifest", "test.manifest")
        for text in (out / name).read_text().split("\n")[:-1]
    ]
    assert sorted(pulled) == sorted(lines)
    assert run_twofold("verify", out, "--source", tmp_path / "all.manifest") == 0


def test_pull_removes_annotations_of_a_service_without_supplied_text(
    on_service: Run, project: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def connect_without_member(endpoint: str | None) -> Service:
        service = connect(endpoint)
        service.rekognition.meta.events.register(
            "provide-client-params.rekognition.ListDatasetEntries",
            lambda params, **_: {k: v for k, v in params.items() if k != "SuppliedText"},
        )
        return service

    monkeypatch.setattr("twofold_service.session.connect", connect_without_member)
    wrong = '{"source-ref":"s3://example-images/wrong","a":1,"a-metadata":{"type":"groundtruth/x"}}'
    assert push_lines(on_service, tmp_path, project, [*make_labelled_lines(20), ODD[0], wrong]) == 0
    assert on_service("pull", project, "-o", tmp_path / "out") == 0
    expected = [*make_labelled_lines(20), ODD[0].strip(), wrong]
    assert (tmp_path / "out" / "train.manifest").read_text().splitlines() == expected


def test_a_manifest_can_go_to_the_services_own_bucket(
    on_service: Run, project: str, tmp_path: Path
) -> None:
    """A deployed service reads its own bucket without the option `source_buckets`."""
    manifest = write_manifest(tmp_path, make_labelled_lines(10))
    assert on_service("push", manifest, project, "--bucket", BUCKET) == 0


def test_a_manifest_can_go_to_a_folder_of_its_caller(
    on_service: Run, project: str, tmp_path: Path, emulator: Emulator
) -> None:
    """The guard `owner` separates the sources of callers by folder."""
    manifest = write_manifest(tmp_path, make_labelled_lines(10))
    place = ("--bucket", BUCKET, "--folder", "sources/AIDAMINE/")
    assert on_service("push", manifest, project, *place) == 0
    key = f"sources/AIDAMINE/{project}/{manifest.name}"
    body = emulator.create_client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()
    assert body == manifest.read_bytes()


def test_pulled_manifests_verify_with_the_report(
    on_service: Run, project: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert push_lines(on_service, tmp_path, project, make_labelled_lines(200)) == 0
    assert on_service("distribute", project) == 0
    out = tmp_path / "out"
    assert on_service("pull", project, "-o", out) == 0
    assert on_service("report", project, "-o", out) == 0
    assert "Test set: 40 of 200 images (20 %)." in capsys.readouterr().out
    assert "Proven best" in (out / "report.html").read_text()
    assert run_twofold("verify", out) == 0


def test_status_tells_of_datasets_and_of_failures(
    on_service: Run, project: str, tmp_path: Path, answer: Callable[[], Any]
) -> None:
    assert push_lines(on_service, tmp_path, project, ["{", *make_labelled_lines(10)[:2]]) == 1
    assert on_service("status", project, "--json") == 0
    (told,) = answer()["projects"]
    assert told["name"] == project
    train = told["datasets"]["train"]
    assert (train["status"], train["entries"]) == ("CREATE_FAILED", 0)
    assert "too many terminal errors" in train["message"]


def test_status_is_a_plain_table(
    on_service: Run, project: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert push_lines(on_service, tmp_path, project, make_labelled_lines(1_200)) == 0
    capsys.readouterr()
    assert on_service("status", project) == 0
    heads, row = capsys.readouterr().out.splitlines()
    assert heads.split() == ["Project", "Dataset", "Status", "Entries", "Labels"]
    assert row.split() == [project, "train", "CREATE_COMPLETE", "1,200", "10"]


def test_the_service_refuses_in_its_own_words(
    on_service: Run, project: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert push_lines(on_service, tmp_path, project, make_labelled_lines(20)) == 0
    assert push_lines(on_service, tmp_path, project, make_labelled_lines(20)) == 1
    assert "twofold: ResourceAlreadyExistsException: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("status", "nobody"), "There is no project nobody."),
        (("distribute", "nobody"), "There is no project nobody."),
        (("pull", "nobody", "-o", "out"), "There is no project nobody."),
        (("report", "nobody"), "There is no project nobody."),
        (("history", "nobody"), "There is no project nobody."),
        (("revert", "nobody"), "There is no project nobody."),
        (("push", "missing", "birds", "--bucket", "b"), "missing cannot be read"),
    ],
)
def test_a_missing_project_or_file_is_named(
    on_service: Run,
    arguments: tuple[str, ...],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert on_service(*arguments) == 1
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_pull_of_a_dataset_that_changes_meanwhile_writes_nothing(
    job: Job,
    on_service: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from twofold_service import pull

    train, test = job.create_pair(make_labelled_lines(60))
    fetch = pull._fetch_dataset

    def fetch_and_distribute(service: Any, dataset: Any, target: Path, step: Any) -> None:
        fetch(service, dataset, target, step)
        if dataset.arn == train:
            job.start_distribution(train, test)
            job.wait_for_dataset(test)

    monkeypatch.setattr(pull, "_fetch_dataset", fetch_and_distribute)
    assert on_service("pull", job.project.split("/")[1], "-o", tmp_path / "out") == 1
    assert "changed while it was fetched. Run `twofold pull` again." in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("region", ["", "us-east-1"])
def test_rekognition_itself_is_never_called(
    region: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if region:
        monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    assert run_twofold("status") == 1
    assert "No endpoint set; pass --endpoint http://127.0.0.1:8000" in capsys.readouterr().err


@pytest.mark.parametrize(
    "host",
    [
        "rekognition.us-east-1.amazonaws.com",
        "rekognition.us-east-1.amazonaws.com.",
        "REKOGNITION-FIPS.us-gov-west-1.amazonaws.com",
        "rekognition.us-east-1.api.aws",
        "rekognition-fips.us-east-1.api.aws",
        "streaming-rekognition.eu-west-1.api.aws",
        "vpce-0a1b2c3d-4e5f.rekognition.us-east-1.vpce.amazonaws.com",
        "vpce-0a1b2c3d-4e5f-us-east-1a.rekognition-fips.us-east-1.vpce.amazonaws.com",
        "rekognition.cn-north-1.amazonaws.com.cn",
        "rekognition.eusc-de-east-1.amazonaws.eu",
        "rekognition.us-isof-south-1.csp.hci.ic.gov",
    ],
)
def test_every_address_of_rekognition_is_refused(
    host: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No credentials are needed to hear it, since nothing is called."""
    refusal = (
        f"https://{host} is Amazon Rekognition, which this command never calls; pass --endpoint"
    )
    assert run_twofold("status", "--endpoint", f"https://{host}") == 1
    assert refusal in capsys.readouterr().err
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"https://{host}")
    assert run_twofold("status") == 1
    assert refusal in capsys.readouterr().err


@pytest.mark.parametrize(
    "host",
    [
        "rekognition.example.com",
        "abcdefghij.execute-api.eu-west-1.amazonaws.com",
        "vpce-0a1b2c3d-4e5f.execute-api.eu-west-1.vpce.amazonaws.com",
        "rekognitions.execute-api.eu-west-1.amazonaws.com",
        "rekognition.us-east-1.amazonaws.com.example.org",
    ],
)
def test_other_addresses_may_be_a_twofold(host: str) -> None:
    assert not session._is_rekognition(f"https://{host}", {"amazonaws.com", "api.aws"})


DEPLOYED = "https://abcdefghij.execute-api.eu-west-1.amazonaws.com/prod/"


def test_missing_credentials_and_region_are_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_twofold("status", "--endpoint", DEPLOYED) == 1
    assert "No AWS credentials set; set AWS_PROFILE" in capsys.readouterr().err
    assert run_twofold("status", "--endpoint", "https://twofold.example.com/") == 1
    assert "No region set; set AWS_DEFAULT_REGION" in capsys.readouterr().err
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    assert run_twofold("status", "--endpoint", DEPLOYED) == 1
    assert "The config profile (nobody) could not be found" in capsys.readouterr().err


def test_a_deployed_service_is_signed_for_in_its_own_region(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    service = connect(DEPLOYED)
    assert service.rekognition.meta.region_name == service.s3.meta.region_name == "eu-west-1"
    assert service.rekognition.meta.endpoint_url == DEPLOYED


def test_an_unreachable_service_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_twofold("status", "--endpoint", "http://127.0.0.1:9", "--json") == 1
    told = capsys.readouterr()
    assert "http://127.0.0.1:9" in json.loads(told.out)["error"]
    assert "Traceback" not in told.err


def test_local_commands_run_without_boto3_and_service_commands_report_it(tmp_path: Path) -> None:
    (tmp_path / "boto3.py").write_text("raise ModuleNotFoundError('', name='boto3')")
    manifest = write_manifest(tmp_path, make_labelled_lines(50))
    done = {
        command[0]: subprocess.run(
            [TWOFOLD, *command],
            env={"PYTHONPATH": str(tmp_path), "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
        )
        for command in (("split", manifest, "-o", tmp_path / "out"), ("status",))
    }
    assert done["split"].returncode == 0, done["split"].stderr
    assert done["status"].returncode == 1
    assert "This command needs boto3" in done["status"].stderr


def test_dry_run_distribute_revert_and_distribute_with_another_seed(
    on_service: Run, project: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A dry run moves nothing, and a revert restores both datasets."""
    assert push_lines(on_service, tmp_path, project, make_labelled_lines(200)) == 0
    grouped = ("--group-by", "/(video-[0-9]+)/")
    assert on_service("distribute", project, "--dry-run", *grouped) == 0
    assert "  train: 200 entries" in capsys.readouterr().out
    out = tmp_path / "out"
    assert on_service("report", project, "-o", out) == 0
    assert "Dry run, nothing was moved. Test set: 40 of 200" in capsys.readouterr().out
    assert "Dry run: nothing was moved" in (out / "report.html").read_text()
    assert on_service("distribute", project, *grouped) == 0
    assert "  train: 160 entries" in capsys.readouterr().out
    assert on_service("revert", project) == 0
    assert on_service("pull", project, "-o", out) == 0
    assert (out / "train.manifest").read_bytes() == (tmp_path / "all.manifest").read_bytes()
    assert on_service("distribute", project, "--seed", "7") == 0
    capsys.readouterr()
    assert on_service("history", project) == 0
    outcomes = [row.split()[6] for row in capsys.readouterr().out.splitlines()[1:]]
    assert outcomes == ["moved", "reverted", "dry"]


def test_distribute_keeps_the_entries_of_the_test_dataset(
    on_service: Run, project: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert push_lines(on_service, tmp_path, project, make_labelled_lines(100)) == 0
    assert on_service("distribute", project) == 0
    assert on_service("distribute", project) == 1
    assert "is not empty: it has 20 entries" in capsys.readouterr().err
    assert on_service("distribute", project, "--keep-test", "--test-fraction", "30%") == 0
    shown = capsys.readouterr().out
    assert "10 of 80 entries were moved to the test dataset, and 0 of 20 to the training" in shown
    out = tmp_path / "out"
    assert on_service("report", project, "-o", out) == 0
    assert "Previous split: 0 of 20 test images left the test set" in capsys.readouterr().out
    assert "test-and-train.manifest" in (out / "report.html").read_text()


def test_history_as_json_equals_the_response_of_the_service(
    on_service: Run, project: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert push_lines(on_service, tmp_path, project, make_labelled_lines(50)) == 0
    assert on_service("distribute", project, "--seed", "3") == 0
    capsys.readouterr()
    assert on_service("history", project, "--json") == 0
    (one,) = json.loads(capsys.readouterr().out)["distributions"]
    assert (one["TestEntries"], one["Parameters"]["Seed"]) == (10, 3)


def test_a_distribution_that_cannot_be_reverted_is_refused_with_the_reason(
    on_service: Run, project: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert push_lines(on_service, tmp_path, project, make_labelled_lines(50)) == 0
    assert on_service("revert", project) == 1
    assert "has no distribution to revert" in capsys.readouterr().err
