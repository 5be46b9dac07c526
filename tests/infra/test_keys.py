"""Who may use which KMS key: for manifests that are encrypted with one, and for data of our own under a customer's key."""

from typing import Any

import pytest

from tests.infra.conftest import Synthesize
from tests.infra.synthesized import Statement, Synthesized, spelt
from twofold.settings import Function, Workflow

OWN = "arn:aws:kms:us-east-1:123456789012:key/0f0e0d0c-0000-4000-8000-00000000000a"
SOURCE = "arn:aws:kms:us-east-1:123456789012:key/0f0e0d0c-0000-4000-8000-00000000000b"
ANY = "arn:<AWS::Partition>:kms:<AWS::Region>:<AWS::AccountId>:key/*"
READERS = {
    Function.API,
    Function.INDEX,
    Function.RESOLVE,
    Function.MOVE,
    Function.PUBLISH,
}
BY_S3 = "s3.<AWS::Region>.<AWS::URLSuffix>"
BY_DYNAMODB = "dynamodb.<AWS::Region>.<AWS::URLSuffix>"


@pytest.fixture(scope="module")
def keyed(synthesize: Synthesize) -> Synthesized:
    return synthesize(
        checked=True, stage="keyed", kms_key=OWN, source_keys=SOURCE, source_buckets="birds-raw"
    )


@pytest.fixture(scope="module")
def unkeyed(synthesize: Synthesize) -> Synthesized:
    return synthesize(stage="unkeyed", source_buckets="birds-raw")


def _uses(template: Synthesized, function: Function) -> list[Statement]:
    statements = template.allowed(template.functions[function]["Role"])
    return [s for s in statements if s.actions[0].startswith("kms:")]


def _through(statement: Statement) -> str:
    (condition,) = statement.condition["StringEquals"].items()
    assert condition[0] == "kms:ViaService"
    return spelt(condition[1])


def _actions(template: Synthesized, function: Function, key: str, service: str) -> set[str]:
    return {
        action
        for statement in _uses(template, function)
        if key in statement.resources and _through(statement) == service
        for action in statement.actions
    }


def test_encrypted_manifests_can_be_read_by_those_who_read_sources_through_s3_alone(
    unkeyed: Synthesized,
) -> None:
    for function in Function:
        for statement in _uses(unkeyed, function):
            assert statement.resources == (ANY,)
            assert _through(statement) == BY_S3
        may = _actions(unkeyed, function, ANY, BY_S3)
        assert may == ({"kms:Decrypt"} if function in READERS else set()), function


def test_named_source_keys_are_the_only_ones(keyed: Synthesized) -> None:
    for function in Function:
        resources = {r for s in _uses(keyed, function) for r in s.resources}
        assert ANY not in resources
        assert (SOURCE in resources) == (function in READERS), function


def test_the_table_and_the_bucket_are_encrypted_with_the_key_that_is_named(
    keyed: Synthesized,
) -> None:
    assert keyed.table["SSESpecification"] == {
        "KMSMasterKeyId": OWN,
        "SSEEnabled": True,
        "SSEType": "KMS",
    }
    bucket = keyed.only("AWS::S3::Bucket")["Properties"]["BucketEncryption"]
    (rule,) = bucket["ServerSideEncryptionConfiguration"]
    assert rule["BucketKeyEnabled"] is True
    assert rule["ServerSideEncryptionByDefault"] == {
        "KMSMasterKeyID": OWN,
        "SSEAlgorithm": "aws:kms",
    }


def test_who_writes_objects_may_lock_and_who_reads_them_may_unlock(keyed: Synthesized) -> None:
    for function in Function:
        may = _actions(keyed, function, OWN, BY_S3)
        own = {r for r in keyed.function_may(function, "s3:GetObject") if "Bucket" in r}
        writes = bool(keyed.function_may(function, "s3:PutObject"))
        assert ("kms:Decrypt" in may) == bool(own or writes), function
        assert ("kms:GenerateDataKey" in may) == writes, function


def test_who_uses_the_table_may_use_its_key(keyed: Synthesized) -> None:
    for function in Function:
        may = _actions(keyed, function, OWN, BY_DYNAMODB)
        on_table = any(
            action.startswith("dynamodb:")
            for statement in keyed.allowed(keyed.functions[function]["Role"])
            for action in statement.actions
        )
        needed = {"kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:DescribeKey"}
        assert (needed <= may) == on_table, function


def test_editors_may_lock_the_manifests_that_they_bring(
    keyed: Synthesized, unkeyed: Synthesized
) -> None:
    """As any upload does, one in parts reads what it wrote."""
    (statement,) = _of_editors(keyed)
    assert statement["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    assert statement["Resource"] == OWN
    (condition,) = statement["Condition"].values()
    assert spelt(condition["kms:ViaService"]) == BY_S3
    assert _of_editors(unkeyed) == []


def _of_editors(template: Synthesized) -> list[Any]:
    policy = template.managed_policies["Editor"]
    return [s for s in policy["PolicyDocument"]["Statement"] if str(s["Action"]).count("kms:")]


@pytest.mark.parametrize("workflow", Workflow)
def test_state_machines_may_open_the_lists_of_shards(
    keyed: Synthesized, template: Synthesized, workflow: Workflow
) -> None:
    assert keyed.machine_may(workflow, "kms:Decrypt") == {OWN}
    assert template.machine_may(workflow, "kms:Decrypt") == set()
