"""Which partitions of the table each function reads and changes; what is not listed here is denied.

DynamoDB asks for each write of a transaction as for the same write by itself, so these are the actions. The sort key is no
condition of IAM's: who may change one item of a partition may change its others.
"""

from collections.abc import Mapping

from twofold.settings import Function, Partition

Touched = Mapping[str, tuple[Partition, ...]]

GET = "dynamodb:GetItem"
GET_MANY = "dynamodb:BatchGetItem"
QUERY = "dynamodb:Query"
PUT = "dynamodb:PutItem"
UPDATE = "dynamodb:UpdateItem"
DELETE = "dynamodb:DeleteItem"

# To end an operation: its datasets are settled, the contents nobody points to are noted, its mark goes, and the event, too,
# as soon as it has been sent.
_ENDED = (Partition.OUTBOX, Partition.PROJECT, Partition.RELEASED)
_END: Touched = {UPDATE: _ENDED, DELETE: (Partition.OPERATIONS, Partition.OUTBOX)}

_API: Touched = {
    GET: (Partition.PROJECT, Partition.RELEASED, Partition.SECRET),
    GET_MANY: (Partition.PROJECT,),
    QUERY: (Partition.CATALOGUE, Partition.DISTRIBUTIONS, Partition.OPERATIONS),
    PUT: (
        Partition.ANSWER,
        Partition.CATALOGUE,
        Partition.OPERATIONS,
        Partition.PROJECT,
        Partition.SECRET,
    ),
    UPDATE: (*_ENDED, Partition.ANSWER, Partition.DISTRIBUTIONS),
    DELETE: (
        Partition.ANSWER,
        Partition.CATALOGUE,
        Partition.OPERATIONS,
        Partition.PROJECT,
        Partition.RELEASED,
    ),
}

_TOUCHED: Mapping[Function, Touched] = {
    Function.API: _API,
    Function.PUBLISH: {**_END, UPDATE: (*_ENDED, Partition.DISTRIBUTIONS)},
    Function.ABANDON: _END,
    Function.SETTLE: {**_END, QUERY: (Partition.OPERATIONS, Partition.OUTBOX)},
    Function.COLLECT: {
        GET_MANY: (Partition.PROJECT,),
        QUERY: (Partition.CATALOGUE, Partition.RELEASED),
        UPDATE: (Partition.RELEASED,),
        DELETE: (Partition.RELEASED,),
    },
}


def touched(function: Function, *, counts_calls: bool) -> Touched:
    """By action; nothing for a function that knows nothing of the table. `counts_calls`: of the API, where they are limited."""
    found = _TOUCHED.get(function, {})
    if function is Function.API and counts_calls:
        return {**found, UPDATE: (*found[UPDATE], Partition.CALLS)}
    return found
