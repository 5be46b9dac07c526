"""The principal of a caller, from API Gateway's request identity."""

import pytest

from twofold.access import OPEN_ACCESS, Access, Guard, Principal, normalize_principal_arn

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
def test_a_principal_has_the_same_arn_in_all_sessions_and_paths(arn: str, named: str) -> None:
    assert normalize_principal_arn(arn) == named
    assert normalize_principal_arn(named) == named


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
def test_the_id_of_a_session_is_the_id_of_its_role(
    arn: str, user_id: str, id: str, folders: tuple[str, ...]
) -> None:
    principal = Principal.from_identity(arn, user_id)
    assert (principal.id, principal.source_folder_names) == (id, folders)


@pytest.mark.parametrize(
    "access", [OPEN_ACCESS, Access(Guard.OWNER, (f"{IAM}:role/a", f"{IAM}:user/b"), 7)]
)
def test_variables_restore_the_options(access: Access) -> None:
    assert Access.from_environment(access.to_environment()) == access
    assert bool(access.to_environment()) == (access != OPEN_ACCESS)


def test_an_unknown_guard_is_an_error() -> None:
    with pytest.raises(ValueError, match="ownr"):
        Access.from_environment({"TWOFOLD_GUARD": "ownr"})
