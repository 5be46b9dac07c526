"""Callers, and the options that keep the callers of one stage apart: projects, sources, rate of calls.

All of it is optional: without its variables the API function lets each caller that IAM lets in use every project.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

PRINCIPAL = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:(role|user)/[A-Za-z0-9_+=.@/-]+")
"""The ARN of a role or user."""
_SESSION = re.compile(
    r"arn:(?P<partition>[^:]+):sts::(?P<account>[^:]*):assumed-role/(?P<role>[^/]+)/.+"
)
_ENTITY = re.compile(r"(?P<account>arn:[^:]+:iam::[^:]*):(?P<kind>role|user)/(?:.*/)?(?P<name>.+)")


class Guard(StrEnum):
    """Who may use a project, its datasets, and a manifest in a folder of sources."""

    NONE = "none"
    OWNER = "owner"


class AccessVariable(StrEnum):
    """Environment variables of the API function; each may be missing."""

    GUARD = "TWOFOLD_GUARD"
    ADMINISTRATORS = "TWOFOLD_ADMINISTRATORS"
    CALLER_RATE = "TWOFOLD_CALLER_RATE"


@dataclass(frozen=True, slots=True)
class Access:
    """`administrators` are ARNs of the roles and users that pass the guard, as `name_principal` spells them.

    `caller_rate` is in calls a second for each caller; 0 is no limit.
    """

    guard: Guard = Guard.NONE
    administrators: tuple[str, ...] = ()
    caller_rate: int = 0

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Self:
        """Raises ValueError for a value that is none of the option's."""
        administrators = environment.get(AccessVariable.ADMINISTRATORS, "")
        return cls(
            guard=Guard(environment.get(AccessVariable.GUARD, Guard.NONE)),
            administrators=tuple(name_principal(arn) for arn in administrators.split(",") if arn),
            caller_rate=int(environment.get(AccessVariable.CALLER_RATE, "0")),
        )

    def environment(self) -> dict[str, str]:
        """The variables from which `of` makes the same; none for a default."""
        values = {
            AccessVariable.GUARD: "" if self.guard is Guard.NONE else self.guard.value,
            AccessVariable.ADMINISTRATORS: ",".join(self.administrators),
            AccessVariable.CALLER_RATE: str(self.caller_rate or ""),
        }
        return {variable.value: value for variable, value in values.items() if value}


OPEN = Access()
"""Every caller that IAM lets in uses everything."""


@dataclass(frozen=True, slots=True)
class Principal:
    """The identity behind a request; all members are empty for a request without one.

    arn      of the IAM user, of the role whatever the session, or of another identity as STS spells it
    id       unique for ever: of the user (AIDA...) or the role (AROA...); a new user of an old name has another
    user_id  IAM's policy variable aws:userid: the id, and for a session of a role `<id>:<name of the session>`
    """

    arn: str = ""
    id: str = ""
    user_id: str = ""

    @classmethod
    def of(cls, user_arn: str, user_id: str) -> Self:
        """From `userArn` and `user` of the identity that API Gateway verified."""
        is_session = _SESSION.fullmatch(user_arn) is not None
        return cls(
            arn=name_principal(user_arn),
            id=user_id.partition(":")[0] if is_session else user_id,
            user_id=user_id,
        )

    @property
    def folders(self) -> tuple[str, ...]:
        """The names of the principal's folders of sources: its own, and for a session of a role the role's too."""
        return tuple(dict.fromkeys(name for name in (self.user_id, self.id) if name))


def name_principal(arn: str) -> str:
    """The ARN of the role of a session; of a role or user without its path, since names are unique in an account without it."""
    session = _SESSION.fullmatch(arn)
    if session:
        return f"arn:{session['partition']}:iam::{session['account']}:role/{session['role']}"
    entity = _ENTITY.fullmatch(arn)
    return f"{entity['account']}:{entity['kind']}/{entity['name']}" if entity else arn
