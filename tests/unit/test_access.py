"""Who a caller is, from what API Gateway says of the identity that it verified."""

import pytest

from twofold.access import OPEN, Access, Guard, Principal, name_principal

IAM = "arn:aws:iam::123456789012"
STS = "arn:aws:sts::123456789012"


@pytest.mark.parametrize(
    ("arn", "named"),
    [
        (f"{STS}:assumed-role/trainer/i-0123", f"{IAM}:role/trainer"),
        ("arn:aws-cn:sts::1:assumed-role/a/b", "arn:aws-cn:iam::1:role/a"),
        (f"{IAM}:role/trainer", f"{IAM}:role/trainer"),
        (f"{IAM}:role/aws-reserved/sso.amazonaws.com/X_0", f"{IAM}:role/X_0"),
        (f"{IAM}:user/alice", f"{IAM}:user/alice"),
        (f"{IAM}:user/teams/alice", f"{IAM}:user/alice"),
        (f"{IAM}:root", f"{IAM}:root"),
        (f"{STS}:federated-user/alice", f"{STS}:federated-user/alice"),
        ("", ""),
        ("me", "me"),
    ],
)
def test_a_principal_has_one_name_in_all_its_sessions_and_under_any_path(
    arn: str, named: str
) -> None:
    assert name_principal(arn) == named
    assert name_principal(named) == named


@pytest.mark.parametrize(
    ("arn", "user_id", "id", "folders"),
    [
        (f"{STS}:assumed-role/r/s", "AROA1:s", "AROA1", ("AROA1:s", "AROA1")),
        (f"{IAM}:user/alice", "AIDA1", "AIDA1", ("AIDA1",)),
        (f"{IAM}:root", "123456789012", "123456789012", ("123456789012",)),
        (f"{STS}:federated-user/a", "123456789012:a", "123456789012:a", ("123456789012:a",)),
        ("", "", "", ()),
    ],
)
def test_an_id_is_the_role_s_and_any_other_identity_s_own(
    arn: str, user_id: str, id: str, folders: tuple[str, ...]
) -> None:
    principal = Principal.of(arn, user_id)
    assert (principal.id, principal.folders) == (id, folders)


@pytest.mark.parametrize(
    "access", [OPEN, Access(Guard.OWNER, (f"{IAM}:role/a", f"{IAM}:user/b"), 7)]
)
def test_variables_give_back_what_they_were_made_from(access: Access) -> None:
    assert Access.of(access.environment()) == access
    assert bool(access.environment()) == (access != OPEN)


def test_a_guard_that_there_is_not_is_no_open_door() -> None:
    with pytest.raises(ValueError, match="ownr"):
        Access.of({"TWOFOLD_GUARD": "ownr"})
