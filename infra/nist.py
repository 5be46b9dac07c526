"""Findings of the NIST 800-53 R5 rules that stand, each with its reason: what an organization that is held to those controls
still has to decide."""

from collections.abc import Mapping

from constructs import Construct

from infra.acknowledgements import acknowledge

REASONS: Mapping[str, str] = {
    "APIGWAssociatedWithWAF": "Every method asks for an IAM signature and the stage is throttled; a web ACL can be "
    "associated with the stage at any time.",
    "APIGWCacheEnabledAndEncrypted": "Answers change with every operation, so there is no cache that could be encrypted.",
    "APIGWExecutionLoggingEnabled": "The access log has every request, its caller and its error; execution logs would go "
    "to a group that never expires.",
    "APIGWSSLEnabled": "The backend is a Lambda function that only API Gateway and IAM can invoke; there is no server that "
    "would check a client certificate.",
    "CloudWatchLogGroupEncrypted": "CloudWatch encrypts logs with a key of its own; they hold names and counts, no "
    "requests and no lines of manifests.",
    "DynamoDBInBackupPlan": "The table can be restored to any second of the last 35 days; a backup plan is the "
    "organization's, and takes tables by tag.",
    "IAMNoInlinePolicy": "Each role has the one policy of its one function; shared policies would grant what a function "
    "does not need.",
    "LambdaConcurrency": "Reserved concurrency would be taken from the account's other functions; the gateway's throttle "
    "and each Map's limit bound what runs at once.",
    "LambdaDLQ": "The API and Step Functions invoke synchronously and see every failure. Sweeps and Collect come again; an "
    "execution's end that Settle fails on goes to a queue.",
    "LambdaInsideVPC": "The functions call AWS's own endpoints only, and hold no connection that a network could guard.",
    "S3BucketLoggingEnabled": "Only the functions reach the bucket; who wants each read logged turns on CloudTrail data "
    "events for it.",
    "S3BucketReplicationEnabled": "Where a copy may lie is the organization's decision; docs/operations.md says how to "
    "take one.",
    "S3BucketVersioningEnabled": "An object of contents is written once under a key of its own, and only one role may "
    "delete one. Versioning may be switched on at any time: docs/operations.md tells the consequences.",
    "S3DefaultEncryptionKMS": "The option kms_key encrypts the bucket and the table with a key of the organization's; "
    "without it S3 uses its own.",
    "SNSEncryptedKMS": "Alarms hold names and numbers, and CloudWatch cannot publish to a topic under AWS's own key.",
    "WAFv2LoggingEnabled": "The web ACL counts what each rule blocks and keeps no requests; the access log has every "
    "request that passes.",
}


def acknowledge_all(scope: Construct) -> None:
    for rule, reason in REASONS.items():
        acknowledge(scope, reason, f"NIST.800.53.R5-{rule}")
