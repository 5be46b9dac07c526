"""Where datasets live: one table for status and pointers, one bucket for contents."""

from aws_cdk import Aws, Duration, RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.acknowledgements import acknowledge
from twofold.settings import PARTITION_KEY, SORT_KEY, TIME_TO_LIVE, Prefix

SCRATCH_DAYS = 7
NONCURRENT_DAYS = 7
"""How long a deleted or overwritten object can be had back where versioning is on."""


def only_through(service: str) -> dict[str, dict[str, str]]:
    """The condition of IAM that a key is not used by itself, but where `service` needs it to answer a request."""
    return {"StringEquals": {"kms:ViaService": f"{service}.{Aws.REGION}.{Aws.URL_SUFFIX}"}}


class Storage(Construct):
    """Both outlive the stack: deleting the stack leaves the data.

    The bucket keeps no versions, because an object of contents is written once under a key of its own,
    and only one role may delete one. An organization may switch versioning on: then a deletion leaves a
    delete marker and a noncurrent version, which only the lifecycle rules remove.
    """

    def __init__(self, scope: Construct, id: str, *, key_arn: str = "") -> None:
        """`key_arn` names the KMS key of both; without it they have keys that AWS owns."""
        super().__init__(scope, id)
        self._key = kms.Key.from_key_arn(self, "Key", key_arn) if key_arn else None
        self.table = self._table()
        self.bucket = self._bucket()

    def _table(self) -> dynamodb.Table:
        return dynamodb.Table(
            self,
            "Table",
            partition_key=_text(PARTITION_KEY),
            sort_key=_text(SORT_KEY),
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
            # Not except on create: a rollback could not delete a protected table, and would leave a stack that failed to
            # roll back, where an empty table that costs nothing is what stays.
            removal_policy=RemovalPolicy.RETAIN,
        )

    def _bucket(self) -> s3.Bucket:
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
            lifecycle_rules=_lifecycle(),
            removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        )
        acknowledge(
            bucket,
            "Only the functions reach the bucket, and the table and the executions record every change that "
            "they make; who wants each read logged turns on CloudTrail data events for it.",
            "AwsSolutions-S1",
        )
        return bucket


def _text(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)


def _lifecycle() -> list[s3.LifecycleRule]:
    """Noncurrent versions exist only where versioning was switched on; those of sources/ are the users' own.

    S3 removes the delete markers that a rule's own expiration makes, and others only where a rule says so.
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
