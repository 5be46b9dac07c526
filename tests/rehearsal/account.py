"""What a user does with the account: run the project's own commands, and reach what they deployed."""

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.session import Session

from infra.options import stack_name
from tests.rehearsal.assembly import ROOT
from tests.rehearsal.differences import publish_state_machines
from tests.rehearsal.emulator import REGION, Emulator

MODELS = ROOT / "clients" / "aws-models"
COMMAND_SECONDS = 300
_CLI = ("--require-approval=never", "--progress=events", "--no-notices")


@dataclass(frozen=True, slots=True)
class Account:
    """The emulated account, seen from a user's shell in one region."""

    emulator: Emulator
    region: str = REGION

    def client(self, service: str, **options: Any) -> Any:
        return self.session().client(service, **options)

    def session(self, key: str = "", secret: str = "") -> Any:
        """A boto3 session as a shell with these settings has it; the root user's unless a key is given."""
        core = Session()
        core.get_component("data_loader").search_paths.append(str(MODELS))
        credentials = {"aws_access_key_id": key, "aws_secret_access_key": secret} if key else {}
        return boto3.Session(botocore_session=core, region_name=self.region, **credentials)

    def make(
        self, target: str, *variables: str, input: str = ""
    ) -> "subprocess.CompletedProcess[str]":
        """Run `make target variables` in the checkout; the caller looks at the exit code."""
        return subprocess.run(
            ["make", "--no-print-directory", target, *variables],
            cwd=ROOT,
            env=_without_make(os.environ) | self.emulator.shell(self.region),
            input=input,
            capture_output=True,
            text=True,
            check=False,
            timeout=COMMAND_SECONDS,
        )

    def bootstrap(self, assembly: Path) -> None:
        _require(self.make("bootstrap", f"CONTEXT=--app={assembly} --no-notices"))

    def deploy(self, assembly: Path, stage: str) -> "Deployment":
        """`make deploy` of an assembly, and what the emulator can't deploy itself."""
        done = self.try_to_deploy(assembly, stage)
        _require(done)
        publish_state_machines(self.client("stepfunctions"), stage)
        return Deployment(self, stage, done.stdout + done.stderr, time.monotonic())

    def try_to_deploy(self, assembly: Path, stage: str) -> "subprocess.CompletedProcess[str]":
        context = f"CONTEXT=--app={assembly} {' '.join(_CLI)}"
        return self.make("deploy", *_name_stage(assembly, stage), context)

    def destroy(
        self, assembly: Path, stage: str, *variables: str
    ) -> "subprocess.CompletedProcess[str]":
        """`make destroy`, without the CDK CLI's question."""
        context = f"CONTEXT=--app={assembly} --force"
        return self.make("destroy", *_name_stage(assembly, stage), context, *variables)

    def outputs(self, stage: str) -> dict[str, str]:
        described = self.client("cloudformation").describe_stacks(StackName=stack_name(stage))
        return {
            output["OutputKey"]: output["OutputValue"]
            for output in described["Stacks"][0]["Outputs"]
        }


def _name_stage(assembly: Path, stage: str) -> tuple[str, str]:
    """Variables of make that name a stage; its file, with the defaults, is beside the assembly."""
    folder = assembly.parent / "stages"
    folder.mkdir(exist_ok=True)
    (folder / f"{stage}.toml").touch()
    return f"STAGE={stage}", f"TWOFOLD_STAGES={folder}"


def _without_make(environment: Mapping[str, str]) -> dict[str, str]:
    """The `make` that runs the tests has a job server that this one can't use."""
    return {name: value for name, value in environment.items() if not name.startswith("MAKE")}


def _require(done: "subprocess.CompletedProcess[str]") -> None:
    assert done.returncode == 0, f"{' '.join(done.args)}\n{done.stdout}\n{done.stderr}"


@dataclass(frozen=True, slots=True)
class Deployment:
    """A deployed stage, reached by what `make deploy` printed."""

    account: Account
    stage: str
    printed: str
    deployed_at: float

    @property
    def outputs(self) -> dict[str, str]:
        return self.account.outputs(self.stage)

    def find_resources(self, resource_type: str) -> dict[str, str]:
        """Physical ids by logical id."""
        cloudformation = self.account.client("cloudformation")
        pages = cloudformation.get_paginator("list_stack_resources").paginate(
            StackName=stack_name(self.stage)
        )
        return {
            resource["LogicalResourceId"]: resource["PhysicalResourceId"]
            for page in pages
            for resource in page["StackResourceSummaries"]
            if resource["ResourceType"] == resource_type
        }

    def rekognition(self, key: str = "", secret: str = "") -> Any:
        """A client that is pointed to the stage as its output `Export` says."""
        session = self.account.session(key, secret)
        return session.client("rekognition", endpoint_url=self.endpoint)

    @property
    def endpoint(self) -> str:
        """The printed one. The emulator knows an API by its host in one region; elsewhere a path names the API."""
        printed, region = self.outputs["Endpoint"], self.account.region
        if region == REGION:
            return printed
        api = urlsplit(printed).netloc.partition(".")[0]
        return f"https://execute-api.{region}.amazonaws.com/restapis/{api}/{self.stage}/_user_request_/"

    def upload(self, lines: Sequence[str], name: str) -> dict[str, Any]:
        """Put a manifest into the folder that the stage reads; returns the DatasetSource that names it."""
        bucket, key = self.outputs["Bucket"], f"sources/{name}"
        body = "".join(f"{line}\n" for line in lines).encode()
        self.account.client("s3").put_object(Bucket=bucket, Key=key, Body=body)
        return {"GroundTruthManifest": {"S3Object": {"Bucket": bucket, "Name": key}}}
