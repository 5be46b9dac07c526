"""A user's access to the emulated account: the project's make targets, and clients for the deployed stages."""

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

from infra.options import format_stack_name
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

    def create_client(self, service: str, **options: Any) -> Any:
        return self.create_session().client(service, **options)

    def create_session(self, key: str = "", secret: str = "") -> Any:
        """Return a boto3 session with the settings of the shell; the root user's credentials by default."""
        core = Session()
        core.get_component("data_loader").search_paths.append(str(MODELS))
        credentials = {"aws_access_key_id": key, "aws_secret_access_key": secret} if key else {}
        return boto3.Session(botocore_session=core, region_name=self.region, **credentials)

    def run_make(
        self, target: str, *variables: str, input: str = ""
    ) -> "subprocess.CompletedProcess[str]":
        """Run `make target variables` in the checkout, without a check of the exit code."""
        return subprocess.run(
            ["make", "--no-print-directory", target, *variables],
            cwd=ROOT,
            env=_remove_make_variables(os.environ) | self.emulator.build_environment(self.region),
            input=input,
            capture_output=True,
            text=True,
            check=False,
            timeout=COMMAND_SECONDS,
        )

    def bootstrap(self, assembly: Path) -> None:
        _require_success(self.run_make("bootstrap", f"CONTEXT=--app={assembly} --no-notices"))

    def deploy(self, assembly: Path, stage: str) -> "Deployment":
        """Run `make deploy` of an assembly, then create the resources that MiniStack's CloudFormation lacks."""
        completed = self.try_to_deploy(assembly, stage)
        _require_success(completed)
        publish_state_machines(self.create_client("stepfunctions"), stage)
        output = completed.stdout + completed.stderr
        return Deployment(self, stage, output, time.monotonic())

    def try_to_deploy(self, assembly: Path, stage: str) -> "subprocess.CompletedProcess[str]":
        context = f"CONTEXT=--app={assembly} {' '.join(_CLI)}"
        return self.run_make("deploy", *_name_stage(assembly, stage), context)

    def destroy(
        self, assembly: Path, stage: str, *variables: str
    ) -> "subprocess.CompletedProcess[str]":
        """Run `make destroy`, without the confirmation of the CDK CLI."""
        context = f"CONTEXT=--app={assembly} --force"
        return self.run_make("destroy", *_name_stage(assembly, stage), context, *variables)

    def read_outputs(self, stage: str) -> dict[str, str]:
        described = self.create_client("cloudformation").describe_stacks(
            StackName=format_stack_name(stage)
        )
        return {
            output["OutputKey"]: output["OutputValue"]
            for output in described["Stacks"][0]["Outputs"]
        }


def _name_stage(assembly: Path, stage: str) -> tuple[str, str]:
    """Return make variables for a stage; creates an empty stage file beside the assembly, for the default options."""
    folder = assembly.parent / "stages"
    folder.mkdir(exist_ok=True)
    (folder / f"{stage}.toml").touch()
    return f"STAGE={stage}", f"TWOFOLD_STAGES={folder}"


def _remove_make_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Remove the variables of the outer `make`, whose job server is not available here."""
    return {name: value for name, value in environment.items() if not name.startswith("MAKE")}


def _require_success(completed: "subprocess.CompletedProcess[str]") -> None:
    assert completed.returncode == 0, (
        f"{' '.join(completed.args)}\n{completed.stdout}\n{completed.stderr}"
    )


@dataclass(frozen=True, slots=True)
class Deployment:
    """A deployed stage, with the output of `make deploy`."""

    account: Account
    stage: str
    output: str
    deployed_at: float

    @property
    def outputs(self) -> dict[str, str]:
        return self.account.read_outputs(self.stage)

    def find_resources(self, resource_type: str) -> dict[str, str]:
        """Return the physical ids of the resources of a type, by logical id."""
        cloudformation = self.account.create_client("cloudformation")
        pages = cloudformation.get_paginator("list_stack_resources").paginate(
            StackName=format_stack_name(self.stage)
        )
        return {
            resource["LogicalResourceId"]: resource["PhysicalResourceId"]
            for page in pages
            for resource in page["StackResourceSummaries"]
            if resource["ResourceType"] == resource_type
        }

    def create_rekognition_client(self, key: str = "", secret: str = "") -> Any:
        """Return a Rekognition client for the endpoint of the stage."""
        session = self.account.create_session(key, secret)
        return session.client("rekognition", endpoint_url=self.endpoint)

    @property
    def endpoint(self) -> str:
        """The printed endpoint. MiniStack serves an API under its host in one region only; other regions need a path."""
        printed, region = self.outputs["Endpoint"], self.account.region
        if region == REGION:
            return printed
        api = urlsplit(printed).netloc.partition(".")[0]
        return f"https://execute-api.{region}.amazonaws.com/restapis/{api}/{self.stage}/_user_request_/"

    def upload(self, lines: Sequence[str], name: str) -> dict[str, Any]:
        """Upload a manifest to the stage's folder sources/ and return the DatasetSource."""
        bucket, key = self.outputs["Bucket"], f"sources/{name}"
        body = "".join(f"{line}\n" for line in lines).encode()
        self.account.create_client("s3").put_object(Bucket=bucket, Key=key, Body=body)
        return {"GroundTruthManifest": {"S3Object": {"Bucket": bucket, "Name": key}}}
