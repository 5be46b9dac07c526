"""The schema of the DynamoDB table. A test compares the schema with the synthesized template."""

from typing import Any

from twofold.settings import PARTITION_KEY, SORT_KEY

TABLE_SCHEMA: dict[str, Any] = {
    "KeySchema": [
        {"AttributeName": PARTITION_KEY, "KeyType": "HASH"},
        {"AttributeName": SORT_KEY, "KeyType": "RANGE"},
    ],
    "AttributeDefinitions": [
        {"AttributeName": PARTITION_KEY, "AttributeType": "S"},
        {"AttributeName": SORT_KEY, "AttributeType": "S"},
    ],
    "BillingMode": "PAY_PER_REQUEST",
}
"""Parameters of CreateTable without TableName."""
