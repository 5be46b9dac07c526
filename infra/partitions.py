"""DynamoDB actions of each function, with the table partitions allowed for each action. All other access is denied.

DynamoDB authorizes each write of a transaction like the same single write. IAM has no condition on sort keys, so a permission
covers all items of a partition.
"""

from collections.abc import Mapping

from twofold.settings import Function, TablePartition

PartitionActions = Mapping[str, tuple[TablePartition, ...]]

GET = "dynamodb:GetItem"
GET_MANY = "dynamodb:BatchGetItem"
QUERY = "dynamodb:Query"
PUT = "dynamodb:PutItem"
UPDATE = "dynamodb:UpdateItem"
DELETE = "dynamodb:DeleteItem"

# To end an operation, a function updates the datasets, retires contents without a pointer, deletes the operation's
# item, and deletes the event from the outbox after sending.
_END_UPDATES = (TablePartition.OUTBOX, TablePartition.PROJECT, TablePartition.RETIRED)
_END_ACTIONS: PartitionActions = {
    UPDATE: _END_UPDATES,
    DELETE: (TablePartition.OPERATIONS, TablePartition.OUTBOX),
}

_API_ACTIONS: PartitionActions = {
    GET: (TablePartition.PROJECT, TablePartition.RETIRED, TablePartition.SECRET),
    GET_MANY: (TablePartition.PROJECT,),
    QUERY: (TablePartition.CATALOGUE, TablePartition.DISTRIBUTIONS, TablePartition.OPERATIONS),
    PUT: (
        TablePartition.ANSWER,
        TablePartition.CATALOGUE,
        TablePartition.OPERATIONS,
        TablePartition.PROJECT,
        TablePartition.SECRET,
    ),
    UPDATE: (*_END_UPDATES, TablePartition.ANSWER, TablePartition.DISTRIBUTIONS),
    DELETE: (
        TablePartition.ANSWER,
        TablePartition.CATALOGUE,
        TablePartition.OPERATIONS,
        TablePartition.PROJECT,
        TablePartition.RETIRED,
    ),
}

_PARTITION_ACTIONS: Mapping[Function, PartitionActions] = {
    Function.API: _API_ACTIONS,
    Function.PUBLISH: {**_END_ACTIONS, UPDATE: (*_END_UPDATES, TablePartition.DISTRIBUTIONS)},
    Function.ABANDON: _END_ACTIONS,
    Function.SETTLE: {**_END_ACTIONS, QUERY: (TablePartition.OPERATIONS, TablePartition.OUTBOX)},
    Function.COLLECT: {
        GET_MANY: (TablePartition.PROJECT,),
        QUERY: (TablePartition.CATALOGUE, TablePartition.RETIRED),
        UPDATE: (TablePartition.RETIRED,),
        DELETE: (TablePartition.RETIRED,),
    },
}


def get_partition_actions(function: Function, *, counts_calls: bool) -> PartitionActions:
    """Return the partitions by action; empty for functions without table access.

    With `counts_calls` the API function also updates the counters of calls.
    """
    partitions = _PARTITION_ACTIONS.get(function, {})
    if function is Function.API and counts_calls:
        return {**partitions, UPDATE: (*partitions[UPDATE], TablePartition.CALLS)}
    return partitions
