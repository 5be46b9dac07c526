"""Callers, and the options for isolating the callers of a stage: guard, administrators, call rate.

All options are off by default: every caller with permission in IAM can use every project.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

PRINCIPAL = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:(role|user)/[A-Za-z0-9_+=.@/-]+")
"""The ARN of a role or user."""
_SESSION_ARN = re.compile(
    r"arn:(?P<partition>[^:]+):sts::(?P<account>[^:]*):assumed-role/(?P<role>[^/]+)/.+"
)
_ENTITY_ARN = re.compile(
    r"(?P<account>arn:[^:]+:iam::[^:]*):(?P<kind>role|user)/(?:.*/)?(?P<name>.+)"
)


class Guard(StrEnum):
    """Access to projects, datasets and source manifests: for all callers, or for owners only."""

    NONE = "none"
    OWNER = "owner"


class AccessVariable(StrEnum):
    """Environment variables of the API function, all optional."""

    GUARD = "TWOFOLD_GUARD"
    ADMINISTRATORS = "TWOFOLD_ADMINISTRATORS"
    CALLER_RATE = "TWOFOLD_CALLER_RATE"


@dataclass(frozen=True, slots=True)
class Access:
    """The access options of a deployment.

    administrators   normalized ARNs of the roles and users with access to every project
    caller_rate      calls per second for each caller; 0 is no limit
    """

    guard: Guard = Guard.NONE
    administrators: tuple[str, ...] = ()
    caller_rate: int = 0

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read the options. Raises ValueError for an invalid value."""
        administrators = environment.get(AccessVariable.ADMINISTRATORS, "")
        return cls(
            guard=Guard(environment.get(AccessVariable.GUARD, Guard.NONE)),
            administrators=tuple(
                normalize_principal_arn(arn) for arn in administrators.split(",") if arn
            ),
            caller_rate=int(environment.get(AccessVariable.CALLER_RATE, "0")),
        )

    def to_environment(self) -> dict[str, str]:
        """Return the variables of the options, for `from_environment`; an option with the default value has none."""
        values = {
            AccessVariable.GUARD: "" if self.guard is Guard.NONE else self.guard.value,
            AccessVariable.ADMINISTRATORS: ",".join(self.administrators),
            AccessVariable.CALLER_RATE: str(self.caller_rate or ""),
        }
        return {variable.value: value for variable, value in values.items() if value}


OPEN_ACCESS = Access()
"""The default: no guard and no limits."""


@dataclass(frozen=True, slots=True)
class Principal:
    """The identity of a caller; all fields are empty for a request without an identity.

    arn      of the IAM user or role; for any other identity, the ARN from STS
    id       unique id of the user (AIDA...) or role (AROA...); IAM never assigns an id twice
    user_id  IAM's policy variable aws:userid: the id, or `<id>:<session name>` for a session of a role
    """

    arn: str = ""
    id: str = ""
    user_id: str = ""

    @classmethod
    def from_identity(cls, user_arn: str, user_id: str) -> Self:
        """Make a principal from `userArn` and `user` of API Gateway's request identity."""
        is_session = _SESSION_ARN.fullmatch(user_arn) is not None
        return cls(
            arn=normalize_principal_arn(user_arn),
            id=user_id.partition(":")[0] if is_session else user_id,
            user_id=user_id,
        )

    @property
    def source_folder_names(self) -> tuple[str, ...]:
        """The names of the principal's source folders: the user id and, for a session of a role, the role's id."""
        return tuple(dict.fromkeys(name for name in (self.user_id, self.id) if name))


def normalize_principal_arn(arn: str) -> str:
    """Return the ARN of a user or role without the path; for a session of a role, the ARN of the role.

    Names of roles and users are unique in an account, so the path is not needed. All remaining ARNs are returned unchanged.
    """
    session = _SESSION_ARN.fullmatch(arn)
    if session:
        return f"arn:{session['partition']}:iam::{session['account']}:role/{session['role']}"
    entity = _ENTITY_ARN.fullmatch(arn)
    return f"{entity['account']}:{entity['kind']}/{entity['name']}" if entity else arn
