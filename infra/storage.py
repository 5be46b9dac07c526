"""The DynamoDB table of projects, datasets and operations, and the S3 bucket of manifests and indexes."""

from aws_cdk import Aws, Duration, RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.acknowledgements import acknowledge
from twofold.settings import PARTITION_KEY, SORT_KEY, TIME_TO_LIVE, Prefix

SCRATCH_DAYS = 7
NONCURRENT_DAYS = 7
"""Days in which deleted or overwritten objects can be restored, if versioning is enabled."""


def build_via_service_condition(service: str) -> dict[str, dict[str, str]]:
    """Return the IAM condition that allows a KMS key only in requests of `service`."""
    return {"StringEquals": {"kms:ViaService": f"{service}.{Aws.REGION}.{Aws.URL_SUFFIX}"}}


class Storage(Construct):
    """Table and bucket; both are retained when the stack is deleted.

    Versioning is off, because contents are written once under unique keys and a single role may delete objects. An organization
    may enable versioning: a deletion then leaves a delete marker and a noncurrent version, removed by the lifecycle rules.
    """

    def __init__(self, scope: Construct, id: str, *, key_arn: str = "") -> None:
        """Create both, encrypted with the KMS key `key_arn`, or with AWS owned keys if empty."""
        super().__init__(scope, id)
        self._key = kms.Key.from_key_arn(self, "Key", key_arn) if key_arn else None
        self.table = self._build_table()
        self.bucket = self._build_bucket()

    def _build_table(self) -> dynamodb.Table:
        return dynamodb.Table(
            self,
            "Table",
            partition_key=_make_string_attribute(PARTITION_KEY),
            sort_key=_make_string_attribute(SORT_KEY),
            time_to_live_attribute=TIME_TO_LIVE,
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED
            if self._key
            else dynamodb.TableEncryption.DEFAULT,
            encryption_key=self._key,
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            deletion_protection=True,
            # RETAIN_ON_UPDATE_OR_DELETE would delete the table when a creation is rolled back. Deletion protection forbids
            # that, and the rollback would fail. RETAIN leaves an empty table without cost.
            removal_policy=RemovalPolicy.RETAIN,
        )

    def _build_bucket(self) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            "Bucket",
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            encryption=s3.BucketEncryption.KMS if self._key else s3.BucketEncryption.S3_MANAGED,
            encryption_key=self._key,
            bucket_key_enabled=True if self._key else None,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            lifecycle_rules=_build_lifecycle_rules(),
            removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        )
        acknowledge(
            bucket,
            "Only the functions access the bucket, and the table and the executions record every change; CloudTrail data "
            "events can log each read.",
            "AwsSolutions-S1",
        )
        return bucket


def _make_string_attribute(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)


def _build_lifecycle_rules() -> list[s3.LifecycleRule]:
    """Return the lifecycle rules. Noncurrent versions exist only with versioning; noncurrent versions in sources/ are kept.

    S3 removes delete markers created by an expiration itself; other delete markers need `expired_object_delete_marker`.
    """
    noncurrent = Duration.days(NONCURRENT_DAYS)
    return [
        s3.LifecycleRule(
            id="scratch",
            prefix=f"{Prefix.SCRATCH}/",
            expiration=Duration.days(SCRATCH_DAYS),
            noncurrent_version_expiration=Duration.days(1),
        ),
        *(
            s3.LifecycleRule(
                id=f"noncurrent-{folder}",
                prefix=f"{folder}/",
                noncurrent_version_expiration=noncurrent,
                expired_object_delete_marker=True,
            )
            for folder in (Prefix.CONTENTS, Prefix.REPORTS)
        ),
        s3.LifecycleRule(
            id="uploads", abort_incomplete_multipart_upload_after=Duration.days(SCRATCH_DAYS)
        ),
    ]
