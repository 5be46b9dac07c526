"""DynamoDB: the only package with knowledge of the table's items.

pk                   sk                             item
projects             <created, 13 digits>#<name>    catalogue: lists the projects by creation time
project#<name>       project                        a Project
project#<name>       dataset#<type>#<created>       a Dataset: its status and the pointer to its contents
operations           <id>                           an active Operation; deleted at the end
calls                <operation>#<second>           number of calls of an operation, if a quota limits it; expires
calls                caller#<id>#<second>           number of calls of a caller, if the deployment limits it; expires
answer#<call>        answer                         the response to a call with a change; expires
secret               pagination                     the key for signing pagination tokens
distributions#<name> <newest first>#<id>            a Distribution, and when and by whom reverted
outbox               <event>                        an unsent OperationEvent; deleted after sending
released             <folder>                       retired: contents without a pointer; deleted with the objects

Read `items` and `connection` (encoding, transactions), then `projects`, `operations` and `history` (the data model), then
`retired` (retired folders, for Collect) and `calls` (idempotency, rate limits).
Some stored names are older than the terms: `released` for retired, `answer` and `Given` for responses and their replay,
`Collecting` for held, `Settled` for the event of an ended operation.
"""

from twofold.stores.table.connection import ConditionFailedError, RepeatedCallError, Table

__all__ = ["ConditionFailedError", "RepeatedCallError", "Table"]
