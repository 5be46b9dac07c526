"""DynamoDB: the only code that knows the table.

pk                  sk                             item
projects            <created, 13 digits>#<name>    catalogue: lists the projects by creation time
project#<name>      project                        a Project
project#<name>      dataset#<type>#<created>       a Dataset: its status and the pointer to its contents
operations          <id>                           an Operation that has not ended; it is deleted as it ends
calls               <operation>#<second>           how many there were, where a quota limits them; expires
calls               caller#<id>#<second>           how many a caller made, where the deployment limits them; expires
answer#<call>       answer                         what a call that changed something was answered; expires
secret              pagination                     the key that seals pagination tokens
distributions#<name> <newest first>#<id>           a Distribution, and whether it was reverted
outbox              <event>                        a Settled that has not been sent; deleted when it has
released            <folder>                       contents that a dataset left, and when; deleted as they are collected
"""

from twofold.stores.table.connection import ConditionFailedError, RepeatedError, Table

__all__ = ["ConditionFailedError", "RepeatedError", "Table"]
