"""The only code that talks to AWS: objects (S3), table (DynamoDB), executions (Step Functions)."""
