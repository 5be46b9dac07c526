"""Amazon Resource Names of projects and datasets, for one account and region."""

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
    """The account and region that the service runs in."""

    partition: str
    region: str
    account: str

    @classmethod
    def of_function(cls, arn: str) -> Self:
        """From the ARN of a Lambda function."""
        _, partition, _, region, account, *_ = arn.split(":")
        return cls(partition, region, account)

    def project_arn(self, project: Project) -> str:
        return f"{self._prefix}/{project.name}/{project.created}"

    def dataset_arn(self, dataset: DatasetId) -> str:
        return f"{self._prefix}/{dataset.project}/dataset/{dataset.type.lower()}/{dataset.created}"

    @property
    def _prefix(self) -> str:
        return f"arn:{self.partition}:rekognition:{self.region}:{self.account}:project"

    def project_of(self, arn: str, caller: str, operation: str) -> tuple[str, int]:
        """(name, creation time) of a project. Raises AccessDeniedException, ResourceNotFoundException."""
        found = self._parsed(arn, caller, operation)
        if found["type"]:
            raise ResourceNotFoundException(f"{arn} names a dataset, not a project.")
        return found["project"], int(found["created"])

    def dataset_of(self, arn: str, caller: str, operation: str) -> DatasetId:
        """Raises AccessDeniedException for another account's, ResourceNotFoundException for another region's."""
        found = self._parsed(arn, caller, operation)
        if not found["type"]:
            raise ResourceNotFoundException(f"{arn} names a project, not a dataset.")
        return DatasetId(
            project=found["project"],
            type=DatasetType(found["type"].upper()),
            created=int(found["created"]),
        )

    @staticmethod
    def names_dataset(arn: str) -> bool:
        found = _ARN.fullmatch(arn)
        return bool(found and found["type"])

    def _parsed(self, arn: str, caller: str, operation: str) -> re.Match[str]:
        found = _ARN.fullmatch(arn)
        if not found:
            raise ResourceNotFoundException(f"There is no resource {arn}.")
        if found["account"] != self.account:
            raise AccessDeniedException(
                f"User: {caller} is not authorized to perform: rekognition:{operation} on resource: {arn}"
            )
        if found["partition"] != self.partition:
            raise ResourceNotFoundException(f"There is no resource {arn}.")
        if found["region"] != self.region:
            raise ResourceNotFoundException(
                f"{arn} is in {found['region']}; this endpoint serves {self.region}."
            )
        return found
