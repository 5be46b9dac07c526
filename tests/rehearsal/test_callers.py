"""Permissions of callers with each managed policy of the stage."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.httpsession import URLLib3Session

from infra.policies import READ_ONLY
from tests.rehearsal.account import Account, Deployment
from twofold.settings import ApiOperation

FORBIDDEN = 403
ROOT_PATH = ""
PATHS = (ROOT_PATH, *(operation.value for operation in ApiOperation))
"""`POST /` accepts every operation, `POST /<Operation>` a single operation."""

ALLOWED: dict[str, set[str]] = {
    "ReadOnly": {operation.value for operation in READ_ONLY},
    "Editor": set(PATHS),
    **{operation.value: {operation.value} for operation in ApiOperation},
}


@dataclass(frozen=True, slots=True)
class Caller:
    """An IAM user with at most one policy; `send` returns the HTTP status of an empty request."""

    account: Account
    endpoint: str
    key: str
    secret: str

    @classmethod
    def create(
        cls, account: Account, stage: Deployment, name: str, policy_arn: str = ""
    ) -> "Caller":
        iam = account.create_client("iam")
        iam.create_user(UserName=name)
        if policy_arn:
            iam.attach_user_policy(UserName=name, PolicyArn=policy_arn)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        endpoint = stage.outputs["Endpoint"]
        return cls(account, endpoint, key["AccessKeyId"], key["SecretAccessKey"])

    def send(self, path: str) -> int:
        headers = {"Content-Type": "application/json"}
        if path == ROOT_PATH:
            headers = {
                "Content-Type": "application/x-amz-json-1.1",
                "X-Amz-Target": "RekognitionService.DescribeProjects",
            }
        request = AWSRequest("POST", self.endpoint + path, headers=headers, data=b"{}")
        credentials = Credentials(self.key, self.secret)
        SigV4Auth(credentials, "execute-api", self.account.region).add_auth(request)
        status: int = _connect(self.account).send(request.prepare()).status_code
        return status

    def find_allowed(self, paths: Iterable[str] = PATHS) -> set[str]:
        with ThreadPoolExecutor(8) as pool:
            statuses = pool.map(self.send, paths)
            return {
                path for path, status in zip(paths, statuses, strict=True) if status != FORBIDDEN
            }


def _connect(account: Account) -> URLLib3Session:
    verify: Any = str(account.emulator.authority)
    return URLLib3Session(verify=verify, proxies={"https": account.emulator.proxy})


@pytest.fixture(scope="module")
def policy_arns(prod: Deployment) -> dict[str, str]:
    """ARNs of the stage's managed policies, by name in `infra/policies.py`."""
    resources = prod.find_resources("AWS::IAM::ManagedPolicy")
    return {
        name: arn
        for name in ALLOWED
        for logical_id, arn in resources.items()
        # The CDK adds a hash of eight characters to a logical id.
        if logical_id[:-8] == f"Policies{name}"
    }


def test_every_policy_is_deployed(policy_arns: dict[str, str]) -> None:
    assert set(policy_arns) == set(ALLOWED)


@pytest.mark.parametrize("name", sorted(ALLOWED))
def test_a_caller_may_call_only_the_operations_of_the_policy(
    name: str, account: Account, prod: Deployment, policy_arns: dict[str, str]
) -> None:
    caller = Caller.create(account, prod, f"caller-{name}", policy_arns[name])
    assert caller.find_allowed() == ALLOWED[name]


def test_a_caller_without_a_policy_may_call_nothing(account: Account, prod: Deployment) -> None:
    caller = Caller.create(account, prod, "nobody")
    assert caller.find_allowed() == set()


def test_a_wrong_secret_is_refused(account: Account, prod: Deployment) -> None:
    caller = Caller.create(account, prod, "forger")
    forger = Caller(account, caller.endpoint, caller.key, "not-the-secret")
    assert forger.send("DescribeProjects") == FORBIDDEN


def test_an_editor_uploads_manifests_only_to_the_folder_of_sources(
    account: Account, prod: Deployment, policy_arns: dict[str, str]
) -> None:
    caller = Caller.create(account, prod, "author", policy_arns["Editor"])
    s3 = account.create_session(caller.key, caller.secret).client("s3")
    bucket = prod.outputs["Bucket"]
    s3.put_object(Bucket=bucket, Key="sources/mine", Body=b"")
    with pytest.raises(s3.exceptions.ClientError, match="AccessDenied"):
        s3.put_object(Bucket=bucket, Key="contents/mine", Body=b"")
    with pytest.raises(s3.exceptions.ClientError, match=r"AccessDenied|Forbidden|403"):
        s3.get_object(Bucket=bucket, Key="sources/mine")
