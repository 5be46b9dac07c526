"""The only package that talks to AWS.

Read `clients` and `aws_errors`, then S3 (`keys`, `objects`, `folders`, `sealed`; `contents` and `progress` build on them),
`table` (DynamoDB), `executions` (Step Functions) and `events` (EventBridge).
"""
