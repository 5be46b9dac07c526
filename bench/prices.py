"""AWS's list prices in us-east-1, in dollars, without the free tier; functions run on arm64.

As of 2026-11, from the price pages of AWS Lambda, Amazon S3 (Standard), Amazon DynamoDB (on demand), AWS Step Functions,
Amazon API Gateway (REST), Amazon EventBridge (custom events) and Amazon CloudWatch Logs. Correct them here and every figure
follows.
"""

DATE = "2026-11"

LAMBDA_GB_SECOND = 0.0000133334
LAMBDA_REQUEST = 0.20 / 1e6
S3_WRITE = 0.005 / 1e3
"""PUT, COPY, POST, LIST, and each step of a multipart upload."""
S3_READ = 0.0004 / 1e3
"""GET, HEAD and all else; deletions are free."""
S3_GB_MONTH = 0.023
DYNAMODB_WRITE_UNIT = 0.625 / 1e6
DYNAMODB_READ_UNIT = 0.125 / 1e6
STATE_TRANSITION = 0.025 / 1e3
EXPRESS_REQUEST = 1.00 / 1e6
EXPRESS_GB_SECOND = 0.00001667
API_REQUEST = 3.50 / 1e6
EVENT = 1.00 / 1e6
LOGS_GB = 0.50
