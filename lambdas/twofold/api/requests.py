"""Typed requests of the operations; `parse_request` reads the body of a call.

Classes are AWS's shapes, fields the members in snake case. The model requires a field without a default; the defaults are
the API's. A parsed request satisfies all constraints of the model: lengths, patterns, enums.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import orjson

from twofold.api import constraints, model
from twofold.errors import SerializationException


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Object:
    bucket: str | None = None
    name: str | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundTruthManifest:
    s3_object: S3Object | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetSource:
    """The operation requires exactly one member, although the model does not."""

    ground_truth_manifest: GroundTruthManifest | None = None
    dataset_arn: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetChanges:
    ground_truth: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class DistributeDataset:
    arn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateProjectRequest:
    project_name: str
    feature: str = "CUSTOM_LABELS"
    auto_update: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribeProjectsRequest:
    next_token: str | None = None
    max_results: int = 100
    project_names: tuple[str, ...] = ()
    features: tuple[str, ...] = ("CUSTOM_LABELS",)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteProjectRequest:
    project_arn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribeProjectVersionsRequest:
    project_arn: str
    version_names: tuple[str, ...] = ()
    next_token: str | None = None
    max_results: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ListProjectPoliciesRequest:
    project_arn: str
    next_token: str | None = None
    max_results: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateDatasetRequest:
    project_arn: str
    dataset_type: str
    dataset_source: DatasetSource | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribeDatasetRequest:
    dataset_arn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteDatasetRequest:
    dataset_arn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DistributeDatasetEntriesRequest:
    """All members but `datasets` are Twofold's; None means the default of the project, else of the service."""

    datasets: tuple[DistributeDataset, ...]
    test_fraction: str | None = None
    seed: int | None = None
    group_by: str | None = None
    min_images_per_label: int | None = None
    dry_run: bool = False
    keep_test: bool = False
    objective: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RevertDatasetDistributionRequest:
    project_arn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListDatasetDistributionsRequest:
    project_arn: str
    next_token: str | None = None
    max_results: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ListDatasetEntriesRequest:
    """`labeled` None and `has_errors` False are no filters; AWS's samples use `False` as no filter.

    `supplied_text`, an addition of Twofold, lists the lines byte for byte as supplied.
    """

    dataset_arn: str
    contains_labels: tuple[str, ...] = ()
    labeled: bool | None = None
    source_ref_contains: str | None = None
    has_errors: bool = False
    supplied_text: bool = False
    next_token: str | None = None
    max_results: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ListDatasetLabelsRequest:
    dataset_arn: str
    next_token: str | None = None
    max_results: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateDatasetEntriesRequest:
    dataset_arn: str
    changes: DatasetChanges


@dataclass(frozen=True, slots=True, kw_only=True)
class TagResourceRequest:
    resource_arn: str
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class UntagResourceRequest:
    resource_arn: str
    tag_keys: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListTagsForResourceRequest:
    resource_arn: str


Request = (
    CreateProjectRequest
    | DescribeProjectsRequest
    | DeleteProjectRequest
    | DescribeProjectVersionsRequest
    | ListProjectPoliciesRequest
    | CreateDatasetRequest
    | DescribeDatasetRequest
    | DeleteDatasetRequest
    | DistributeDatasetEntriesRequest
    | RevertDatasetDistributionRequest
    | ListDatasetDistributionsRequest
    | ListDatasetEntriesRequest
    | ListDatasetLabelsRequest
    | UpdateDatasetEntriesRequest
    | TagResourceRequest
    | UntagResourceRequest
    | ListTagsForResourceRequest
)

STRUCTURES: Mapping[str, type] = {
    structure.__name__: structure
    for structure in (
        *Request.__args__,
        S3Object,
        GroundTruthManifest,
        DatasetSource,
        DatasetChanges,
        DistributeDataset,
    )
}
"""The class of each structure shape in requests."""


def parse_request(operation: str, body: bytes) -> Request:
    """Parse the body of a call. An empty body counts as `{}`, an empty NextToken as none.

    Raises SerializationException (invalid JSON or a wrong JSON type), ValidationException (a message of all violated
    constraints), UnknownOperationException.
    """
    shape_name = model.get_input_shape(operation)
    members = constraints.read_request(operation, _load_json(body))
    if members.get("NextToken") == "":
        del members["NextToken"]
    request: Request = _build(shape_name, members)
    return request


def _load_json(body: bytes) -> object:
    try:
        return orjson.loads(body or b"{}")
    except orjson.JSONDecodeError as error:
        raise SerializationException(f"The body is not JSON: {error}.") from None


def _build(shape_name: str, value: Any) -> Any:
    """Return an instance of the shape's class for a structure, a tuple for a list, else the value."""
    shape = model.get_shape(shape_name)
    if shape["type"] == "structure":
        members = shape["members"]
        fields = {
            to_snake_case(name): _build(members[name], inner) for name, inner in value.items()
        }
        return STRUCTURES[shape_name](**fields)
    if shape["type"] == "list":
        return tuple(_build(shape["member"], item) for item in value)
    return value


@cache
def to_snake_case(member: str) -> str:
    """Return the field name of a member: `DatasetArn` becomes `dataset_arn`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", member).lower()
