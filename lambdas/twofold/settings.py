"""Every name that the CDK app, the local stack and the functions share, and one settings object per door."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

PRODUCT = "twofold"
RUNTIME = "3.13"


class Function(StrEnum):
    """The Lambda functions; each is the module `twofold.handlers.<name>` with a `handler` in it."""

    API = "api"
    PLAN = "plan"
    INDEX = "index"
    RESOLVE = "resolve"
    GROUP = "group"
    SELECT = "select"
    MERGE = "merge"
    MOVE = "move"
    PUBLISH = "publish"
    ABANDON = "abandon"
    SETTLE = "settle"
    COLLECT = "collect"

    @property
    def handler(self) -> str:
        return f"twofold.handlers.{self.value}.handler"


class Workflow(StrEnum):
    """The state machines; each is the file `infra/<name>.asl.json`."""

    INGEST = "ingest"
    DISTRIBUTE = "distribute"
    UPDATE = "update"


class Operation(StrEnum):
    """The operations of the API; each is the resource `POST /<value>` too."""

    CREATE_PROJECT = "CreateProject"
    DESCRIBE_PROJECTS = "DescribeProjects"
    DELETE_PROJECT = "DeleteProject"
    DESCRIBE_PROJECT_VERSIONS = "DescribeProjectVersions"
    LIST_PROJECT_POLICIES = "ListProjectPolicies"
    CREATE_DATASET = "CreateDataset"
    DESCRIBE_DATASET = "DescribeDataset"
    DELETE_DATASET = "DeleteDataset"
    DISTRIBUTE_DATASET_ENTRIES = "DistributeDatasetEntries"
    REVERT_DATASET_DISTRIBUTION = "RevertDatasetDistribution"
    LIST_DATASET_DISTRIBUTIONS = "ListDatasetDistributions"
    LIST_DATASET_ENTRIES = "ListDatasetEntries"
    LIST_DATASET_LABELS = "ListDatasetLabels"
    UPDATE_DATASET_ENTRIES = "UpdateDatasetEntries"
    TAG_RESOURCE = "TagResource"
    UNTAG_RESOURCE = "UntagResource"
    LIST_TAGS_FOR_RESOURCE = "ListTagsForResource"

    @property
    def changes(self) -> bool:
        """Does it change anything, rather than only read?"""
        return not self.value.startswith(("Describe", "List"))


class Variable(StrEnum):
    """Environment variables of the functions."""

    TABLE = "TWOFOLD_TABLE"
    BUCKET = "TWOFOLD_BUCKET"
    QUOTAS = "TWOFOLD_QUOTAS"
    INGEST = "TWOFOLD_INGEST_STATE_MACHINE"
    DISTRIBUTE = "TWOFOLD_DISTRIBUTE_STATE_MACHINE"
    UPDATE = "TWOFOLD_UPDATE_STATE_MACHINE"
    RETENTION = "TWOFOLD_RETENTION_DAYS"


STATE_MACHINES: Mapping[Workflow, Variable] = {
    Workflow.INGEST: Variable.INGEST,
    Workflow.DISTRIBUTE: Variable.DISTRIBUTE,
    Workflow.UPDATE: Variable.UPDATE,
}
"""Where a function finds the ARN of a state machine."""

_STATE_MACHINES = tuple(STATE_MACHINES.values())

VARIABLES: Mapping[Function, tuple[Variable, ...]] = {
    Function.API: (Variable.TABLE, Variable.BUCKET, Variable.QUOTAS, *_STATE_MACHINES),
    Function.PLAN: (Variable.BUCKET, Variable.QUOTAS),
    Function.INDEX: (Variable.BUCKET, Variable.QUOTAS),
    Function.RESOLVE: (Variable.BUCKET, Variable.QUOTAS),
    Function.GROUP: (Variable.BUCKET,),
    Function.SELECT: (Variable.BUCKET, Variable.QUOTAS),
    Function.MERGE: (Variable.BUCKET, Variable.QUOTAS),
    Function.MOVE: (Variable.BUCKET,),
    Function.PUBLISH: (Variable.TABLE, Variable.BUCKET),
    Function.ABANDON: (Variable.TABLE,),
    Function.SETTLE: (Variable.TABLE, *_STATE_MACHINES),
    Function.COLLECT: (Variable.TABLE, Variable.BUCKET, Variable.RETENTION),
}

SOLVER_MEMORY_MB = 3008
"""The most that a new AWS account allows."""

SOLVERS = (Function.RESOLVE, Function.SELECT, Function.MERGE)
"""They hold a whole index; how much memory they have is an option of the deployment."""

MEMORY_MB: Mapping[Function, int] = {
    Function.API: 512,
    Function.PLAN: 256,
    Function.INDEX: 1769,
    Function.RESOLVE: SOLVER_MEMORY_MB,
    Function.GROUP: 1769,
    Function.SELECT: SOLVER_MEMORY_MB,
    Function.MERGE: SOLVER_MEMORY_MB,
    Function.MOVE: 1769,
    Function.PUBLISH: 1769,
    Function.ABANDON: 256,
    Function.SETTLE: 256,
    Function.COLLECT: 512,
}

TIMEOUT_SECONDS: Mapping[Function, int] = {
    Function.API: 28,
    Function.PLAN: 60,
    Function.INDEX: 300,
    Function.RESOLVE: 900,
    Function.GROUP: 300,
    Function.SELECT: 900,
    Function.MERGE: 900,
    Function.MOVE: 300,
    Function.PUBLISH: 900,
    Function.ABANDON: 60,
    Function.SETTLE: 60,
    Function.COLLECT: 300,
}


class Service(StrEnum):
    """The AWS services that the functions call, by botocore's names. The bundle ships the models of these and no others."""

    DYNAMODB = "dynamodb"
    EVENTS = "events"
    S3 = "s3"
    STEP_FUNCTIONS = "stepfunctions"


class Prefix(StrEnum):
    """The folders of the bucket; grants and lifecycle rules go by them."""

    CONTENTS = "contents"
    REPORTS = "reports"
    SCRATCH = "scratch"
    SOURCES = "sources"


class Partition(StrEnum):
    """The partitions of the table; grants go by them. One that ends with `#` is one for each name that follows."""

    ANSWER = "answer#"
    CALLS = "calls"
    CATALOGUE = "projects"
    DISTRIBUTIONS = "distributions#"
    OPERATIONS = "operations"
    OUTBOX = "outbox"
    PROJECT = "project#"
    RELEASED = "released"
    SECRET = "secret"  # noqa: S105 a name

    @property
    def pattern(self) -> str:
        """What a condition of IAM compares a partition key with."""
        return f"{self.value}*" if self.value.endswith("#") else self.value


class Quotas(StrEnum):
    """Which totals apply: Twofold's own, or exactly what Rekognition documents."""

    TWOFOLD = "twofold"
    REKOGNITION = "rekognition"


class LogLevel(StrEnum):
    """The least of what functions log."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


RETENTION_DAYS = 30
"""How long contents are kept that no dataset points to any more, unless the deployment says otherwise."""

PARTITION_KEY = "pk"
SORT_KEY = "sk"
TIME_TO_LIVE = "expires"


def function_name(stage: str, function: Function) -> str:
    return f"{PRODUCT}-{stage}-{function.value}"


def state_machine_name(stage: str, workflow: Workflow) -> str:
    return f"{PRODUCT}-{stage}-{workflow.value}"


class MissingSettingError(RuntimeError):
    """A function was started without one of its environment variables."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a door reads from its environment; a name it does not declare in VARIABLES is empty."""

    table: str = ""
    bucket: str = ""
    quotas: str = ""
    ingest_state_machine: str = ""
    distribute_state_machine: str = ""
    update_state_machine: str = ""
    retention_days: str = ""

    @property
    def state_machines(self) -> Mapping[Workflow, str]:
        return {
            Workflow.INGEST: self.ingest_state_machine,
            Workflow.DISTRIBUTE: self.distribute_state_machine,
            Workflow.UPDATE: self.update_state_machine,
        }

    @classmethod
    def of(cls, function: Function, environment: Mapping[str, str]) -> "Settings":
        """Raises MissingSettingError, naming the variable."""
        for variable in VARIABLES[function]:
            if not environment.get(variable):
                raise MissingSettingError(
                    f"The function '{function}' needs the environment variable {variable}."
                )
        return cls(
            table=environment.get(Variable.TABLE, ""),
            bucket=environment.get(Variable.BUCKET, ""),
            quotas=environment.get(Variable.QUOTAS, ""),
            ingest_state_machine=environment.get(Variable.INGEST, ""),
            distribute_state_machine=environment.get(Variable.DISTRIBUTE, ""),
            update_state_machine=environment.get(Variable.UPDATE, ""),
            retention_days=environment.get(Variable.RETENTION, ""),
        )
