"""Accepted findings of the NIST 800-53 R5 rules, with reasons; organizations under these controls review each reason."""

from collections.abc import Mapping

from constructs import Construct

from infra.acknowledgements import acknowledge

REASONS: Mapping[str, str] = {
    "APIGWAssociatedWithWAF": "Every method requires an IAM signature and the stage is throttled; a web ACL can be "
    "associated with the stage at any time.",
    "APIGWCacheEnabledAndEncrypted": "Responses change with every operation, so the API has no cache to encrypt.",
    "APIGWExecutionLoggingEnabled": "The access log has every request, its caller and its error; execution logs would go "
    "to a group that never expires.",
    "APIGWSSLEnabled": "The backend is a Lambda function, invoked only by API Gateway and IAM principals; no server "
    "checks client certificates.",
    "CloudWatchLogGroupEncrypted": "CloudWatch encrypts logs with an AWS owned key; logs contain names and counts, no "
    "requests and no lines of manifests.",
    "DynamoDBInBackupPlan": "The table can be restored to any second of the last 35 days; an organization's backup plan "
    "can select the table by tag.",
    "IAMNoInlinePolicy": "Each role has a single policy for a single function; shared policies would grant unused "
    "permissions.",
    "LambdaConcurrency": "Reserved concurrency would reduce the account's concurrency for other functions; the throttle "
    "of the API and the limit of each Map bound the concurrent executions.",
    "LambdaDLQ": "The API and Step Functions invoke synchronously and see every failure. Sweeps and Collect are repeated "
    "on schedule; events of ended executions go to a queue if Settle fails.",
    "LambdaInsideVPC": "The functions call AWS endpoints only and have no connection that a VPC could protect.",
    "S3BucketLoggingEnabled": "Only the functions access the bucket; CloudTrail data events can log each read.",
    "S3BucketReplicationEnabled": "The organization decides on the location of copies; docs/operations.md describes how "
    "to replicate.",
    "S3BucketVersioningEnabled": "Every object of contents is written once under a unique key, and a single role may "
    "delete objects. Versioning can be enabled at any time: docs/operations.md describes the consequences.",
    "S3DefaultEncryptionKMS": "The option kms_key encrypts the bucket and the table with a customer managed key; without "
    "the option S3 uses its own keys.",
    "SNSEncryptedKMS": "Alarms contain names and numbers, and CloudWatch cannot publish to a topic with the AWS managed key.",
    "WAFv2LoggingEnabled": "The web ACL counts blocked requests per rule and stores none; the access log has every "
    "other request.",
}


def acknowledge_all(scope: Construct) -> None:
    for rule, reason in REASONS.items():
        acknowledge(scope, reason, f"NIST.800.53.R5-{rule}")
