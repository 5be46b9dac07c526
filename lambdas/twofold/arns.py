"""Amazon Resource Names (ARNs) of projects and datasets in one account and region."""

import re
from dataclasses import dataclass
from typing import Self

from twofold.errors import AccessDeniedException, ResourceNotFoundException
from twofold.records import DatasetId, DatasetType, Project

_ARN = re.compile(
    r"arn:(?P<partition>[a-z\d-]+):rekognition:(?P<region>[a-z\d-]+):(?P<account>\d{12}):project/(?P<project>[a-zA-Z0-9_.\-]{1,255})"
    r"/(dataset/(?P<type>train|test)/)?(?P<created>0|[1-9][0-9]{0,17})",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Scope:
    """The partition, region and account of the service."""

    partition: str
    region: str
    account: str

    @classmethod
    def from_function_arn(cls, arn: str) -> Self:
        """Read the scope from the ARN of a Lambda function."""
        _, partition, _, region, account, *_ = arn.split(":")
        return cls(partition, region, account)

    def format_project_arn(self, project: Project) -> str:
        """Return the ARN of a project."""
        return f"{self._prefix}/{project.name}/{project.created}"

    def format_dataset_arn(self, dataset: DatasetId) -> str:
        """Return the ARN of a dataset."""
        return f"{self._prefix}/{dataset.project}/dataset/{dataset.type.lower()}/{dataset.created}"

    @property
    def _prefix(self) -> str:
        return f"arn:{self.partition}:rekognition:{self.region}:{self.account}:project"

    def parse_project_arn(self, arn: str, caller: str, operation: str) -> tuple[str, int]:
        """Return a project's (name, creation time). Raises as `parse_dataset_arn`."""
        match = self._parse(arn, caller, operation)
        if match["type"]:
            raise ResourceNotFoundException(f"{arn} names a dataset, not a project.")
        return match["project"], int(match["created"])

    def parse_dataset_arn(self, arn: str, caller: str, operation: str) -> DatasetId:
        """Return the identity of a dataset; `caller` and `operation` are for the error message.

        Raises AccessDeniedException for an ARN of another account, ResourceNotFoundException for any other ARN.
        """
        match = self._parse(arn, caller, operation)
        if not match["type"]:
            raise ResourceNotFoundException(f"{arn} names a project, not a dataset.")
        return DatasetId(
            project=match["project"],
            type=DatasetType(match["type"].upper()),
            created=int(match["created"]),
        )

    @staticmethod
    def is_dataset_arn(arn: str) -> bool:
        """Whether the text is the ARN of a dataset, of any account and region."""
        match = _ARN.fullmatch(arn)
        return bool(match and match["type"])

    def _parse(self, arn: str, caller: str, operation: str) -> re.Match[str]:
        match = _ARN.fullmatch(arn)
        if not match:
            raise ResourceNotFoundException(f"The resource {arn} does not exist.")
        if match["account"] != self.account:
            raise AccessDeniedException(
                f"User: {caller} is not authorized to perform: rekognition:{operation} on resource: {arn}"
            )
        if match["partition"] != self.partition:
            raise ResourceNotFoundException(f"The resource {arn} does not exist.")
        if match["region"] != self.region:
            raise ResourceNotFoundException(
                f"{arn} is in {match['region']}; this endpoint serves {self.region}."
            )
        return match
