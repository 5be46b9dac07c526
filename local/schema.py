"""The one table, as `cdk deploy` makes it; a test compares this with the synthesized template."""

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
"""For create_table, with a TableName."""
