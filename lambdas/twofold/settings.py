"""Names shared by the CDK app, the local emulator and the functions, and the settings of each function."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

PRODUCT = "twofold"
RUNTIME = "3.13"


class Function(StrEnum):
    """The Lambda functions; the entry point of each is `twofold.handlers.<value>.handler`."""

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
    """The state machines; the definition of each is `infra/<value>.asl.json`."""

    INGEST = "ingest"
    DISTRIBUTE = "distribute"
    UPDATE = "update"


class ApiOperation(StrEnum):
    """The operations of the API. Each has a path, `POST /<value>`, beside the common path `POST /`."""

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
    def is_mutation(self) -> bool:
        """Whether the operation changes something, rather than only reads."""
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
"""The variable with the ARN of each state machine."""

_STATE_MACHINES = tuple(STATE_MACHINES.values())

VARIABLES: Mapping[Function, tuple[Variable, ...]] = {
    Function.API: (Variable.TABLE, Variable.BUCKET, Variable.QUOTAS, *_STATE_MACHINES),
    Function.PLAN: (Variable.BUCKET, Variable.QUOTAS),
    Function.INDEX: (Variable.BUCKET,),
    Function.RESOLVE: (Variable.BUCKET, Variable.QUOTAS),
    Function.GROUP: (Variable.BUCKET,),
    Function.SELECT: (Variable.BUCKET,),
    Function.MERGE: (Variable.BUCKET, Variable.QUOTAS),
    Function.MOVE: (Variable.BUCKET,),
    Function.PUBLISH: (Variable.TABLE, Variable.BUCKET),
    Function.ABANDON: (Variable.TABLE,),
    Function.SETTLE: (Variable.TABLE, *_STATE_MACHINES),
    Function.COLLECT: (Variable.TABLE, Variable.BUCKET, Variable.RETENTION),
}

SOLVER_MEMORY_MB = 3008
"""Memory of a solver function unless the deployment sets another size: the maximum of a new AWS account."""

SOLVERS = (Function.RESOLVE, Function.SELECT, Function.MERGE)
"""Functions that hold a whole index in memory; the option `solver_memory_mb` sets their size."""

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
    """AWS services called by the functions, with botocore's names. The bundle contains only these botocore models."""

    DYNAMODB = "dynamodb"
    EVENTS = "events"
    S3 = "s3"
    STEP_FUNCTIONS = "stepfunctions"


class Prefix(StrEnum):
    """Top-level folders of the bucket, for IAM grants and lifecycle rules."""

    CONTENTS = "contents"
    REPORTS = "reports"
    SCRATCH = "scratch"
    SOURCES = "sources"


class TablePartition(StrEnum):
    """Partition keys of the DynamoDB table, for IAM grants. A value with a final `#` is a prefix of a name."""

    ANSWER = "answer#"
    CALLS = "calls"
    CATALOGUE = "projects"
    DISTRIBUTIONS = "distributions#"
    OPERATIONS = "operations"
    OUTBOX = "outbox"
    PROJECT = "project#"
    RETIRED = "released"
    SECRET = "secret"  # noqa: S105 a name

    @property
    def pattern(self) -> str:
        """The pattern of the partition keys, for IAM's condition `dynamodb:LeadingKeys`."""
        return f"{self.value}*" if self.value.endswith("#") else self.value


class QuotaProfile(StrEnum):
    """Quota profiles: Twofold's own limits, or exactly Rekognition's documented limits."""

    TWOFOLD = "twofold"
    REKOGNITION = "rekognition"


class LogLevel(StrEnum):
    """Log levels of the functions."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


RETENTION_DAYS = 30
"""Default retention of contents that no dataset refers to."""

PARTITION_KEY = "pk"
SORT_KEY = "sk"
TIME_TO_LIVE = "expires"


def make_function_name(stage: str, function: Function) -> str:
    return f"{PRODUCT}-{stage}-{function.value}"


def make_state_machine_name(stage: str, workflow: Workflow) -> str:
    return f"{PRODUCT}-{stage}-{workflow.value}"


class MissingSettingError(RuntimeError):
    """A required environment variable of a function is missing."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The environment of a function. A field is empty if VARIABLES does not list the variable for the function."""

    table: str = ""
    bucket: str = ""
    quota_profile: str = ""
    ingest_state_machine: str = ""
    distribute_state_machine: str = ""
    update_state_machine: str = ""
    retention_days: str = ""

    @property
    def state_machines(self) -> Mapping[Workflow, str]:
        """The ARN of each workflow's state machine."""
        return {
            Workflow.INGEST: self.ingest_state_machine,
            Workflow.DISTRIBUTE: self.distribute_state_machine,
            Workflow.UPDATE: self.update_state_machine,
        }

    @classmethod
    def from_environment(cls, function: Function, environment: Mapping[str, str]) -> "Settings":
        """Read the settings of a function. Raises MissingSettingError with the name of the variable."""
        for variable in VARIABLES[function]:
            if not environment.get(variable):
                raise MissingSettingError(
                    f"The function '{function}' needs the environment variable {variable}."
                )
        return cls(
            table=environment.get(Variable.TABLE, ""),
            bucket=environment.get(Variable.BUCKET, ""),
            quota_profile=environment.get(Variable.QUOTAS, ""),
            ingest_state_machine=environment.get(Variable.INGEST, ""),
            distribute_state_machine=environment.get(Variable.DISTRIBUTE, ""),
            update_state_machine=environment.get(Variable.UPDATE, ""),
            retention_days=environment.get(Variable.RETENTION, ""),
        )
