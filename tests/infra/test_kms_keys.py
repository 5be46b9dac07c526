"""Permissions on KMS keys: for encrypted source manifests, and for the stack's data under a customer managed key."""

from typing import Any

import pytest

from tests.infra.conftest import Synthesize
from tests.infra.synthesized_template import Statement, SynthesizedTemplate, render_value
from twofold.settings import Function, Workflow

OWN_KEY = "arn:aws:kms:us-east-1:123456789012:key/0f0e0d0c-0000-4000-8000-00000000000a"
SOURCE_KEY = "arn:aws:kms:us-east-1:123456789012:key/0f0e0d0c-0000-4000-8000-00000000000b"
ANY_KEY = "arn:<AWS::Partition>:kms:<AWS::Region>:<AWS::AccountId>:key/*"
READERS = {
    Function.API,
    Function.INDEX,
    Function.RESOLVE,
    Function.MOVE,
    Function.PUBLISH,
}
VIA_S3 = "s3.<AWS::Region>.<AWS::URLSuffix>"
VIA_DYNAMODB = "dynamodb.<AWS::Region>.<AWS::URLSuffix>"


@pytest.fixture(scope="module")
def keyed_template(synthesize: Synthesize) -> SynthesizedTemplate:
    return synthesize(
        with_checks=True,
        stage="keyed",
        kms_key=OWN_KEY,
        source_keys=SOURCE_KEY,
        source_buckets="birds-raw",
    )


@pytest.fixture(scope="module")
def unkeyed_template(synthesize: Synthesize) -> SynthesizedTemplate:
    return synthesize(stage="unkeyed", source_buckets="birds-raw")


def _list_key_statements(template: SynthesizedTemplate, function: Function) -> list[Statement]:
    statements = template.list_statements(template.functions[function]["Role"])
    return [s for s in statements if s.actions[0].startswith("kms:")]


def _get_via_service(statement: Statement) -> str:
    (condition,) = statement.condition["StringEquals"].items()
    assert condition[0] == "kms:ViaService"
    return render_value(condition[1])


def _list_key_actions(
    template: SynthesizedTemplate, function: Function, key: str, service: str
) -> set[str]:
    return {
        action
        for statement in _list_key_statements(template, function)
        if key in statement.resources and _get_via_service(statement) == service
        for action in statement.actions
    }


def test_functions_that_read_sources_may_decrypt_manifests_through_s3(
    unkeyed_template: SynthesizedTemplate,
) -> None:
    for function in Function:
        for statement in _list_key_statements(unkeyed_template, function):
            assert statement.resources == (ANY_KEY,)
            assert _get_via_service(statement) == VIA_S3
        may = _list_key_actions(unkeyed_template, function, ANY_KEY, VIA_S3)
        assert may == ({"kms:Decrypt"} if function in READERS else set()), function


def test_named_source_keys_are_the_only_ones(keyed_template: SynthesizedTemplate) -> None:
    for function in Function:
        resources = {r for s in _list_key_statements(keyed_template, function) for r in s.resources}
        assert ANY_KEY not in resources
        assert (SOURCE_KEY in resources) == (function in READERS), function


def test_the_table_and_the_bucket_are_encrypted_with_the_key_of_the_option(
    keyed_template: SynthesizedTemplate,
) -> None:
    assert keyed_template.table["SSESpecification"] == {
        "KMSMasterKeyId": OWN_KEY,
        "SSEEnabled": True,
        "SSEType": "KMS",
    }
    bucket = keyed_template.get_only_resource("AWS::S3::Bucket")["Properties"]["BucketEncryption"]
    (rule,) = bucket["ServerSideEncryptionConfiguration"]
    assert rule["BucketKeyEnabled"] is True
    assert rule["ServerSideEncryptionByDefault"] == {
        "KMSMasterKeyID": OWN_KEY,
        "SSEAlgorithm": "aws:kms",
    }


def test_functions_that_write_objects_may_encrypt_and_functions_that_read_may_decrypt(
    keyed_template: SynthesizedTemplate,
) -> None:
    for function in Function:
        may = _list_key_actions(keyed_template, function, OWN_KEY, VIA_S3)
        own = {
            r
            for r in keyed_template.find_function_resources(function, "s3:GetObject")
            if "Bucket" in r
        }
        writes = bool(keyed_template.find_function_resources(function, "s3:PutObject"))
        assert ("kms:Decrypt" in may) == bool(own or writes), function
        assert ("kms:GenerateDataKey" in may) == writes, function


def test_functions_that_use_the_table_may_use_its_key(keyed_template: SynthesizedTemplate) -> None:
    for function in Function:
        may = _list_key_actions(keyed_template, function, OWN_KEY, VIA_DYNAMODB)
        on_table = any(
            action.startswith("dynamodb:")
            for statement in keyed_template.list_statements(
                keyed_template.functions[function]["Role"]
            )
            for action in statement.actions
        )
        needed = {"kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:DescribeKey"}
        assert (needed <= may) == on_table, function


def test_editors_may_encrypt_the_manifests_that_they_upload(
    keyed_template: SynthesizedTemplate, unkeyed_template: SynthesizedTemplate
) -> None:
    """A multipart upload also decrypts its parts."""
    (statement,) = _list_editor_key_statements(keyed_template)
    assert statement["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    assert statement["Resource"] == OWN_KEY
    (condition,) = statement["Condition"].values()
    assert render_value(condition["kms:ViaService"]) == VIA_S3
    assert _list_editor_key_statements(unkeyed_template) == []


def _list_editor_key_statements(template: SynthesizedTemplate) -> list[Any]:
    policy = template.managed_policies["Editor"]
    return [s for s in policy["PolicyDocument"]["Statement"] if str(s["Action"]).count("kms:")]


@pytest.mark.parametrize("workflow", Workflow)
def test_state_machines_may_decrypt_the_lists_of_shards(
    keyed_template: SynthesizedTemplate, template: SynthesizedTemplate, workflow: Workflow
) -> None:
    assert keyed_template.find_state_machine_resources(workflow, "kms:Decrypt") == {OWN_KEY}
    assert template.find_state_machine_resources(workflow, "kms:Decrypt") == set()
