from tests.infra.synthesized_template import SynthesizedTemplate
from twofold.settings import PARTITION_KEY, SORT_KEY, TIME_TO_LIVE, Prefix
from twofold.stores import keys


def test_the_table_has_the_keys_of_the_settings(template: SynthesizedTemplate) -> None:
    assert template.table["KeySchema"] == [
        {"AttributeName": PARTITION_KEY, "KeyType": "HASH"},
        {"AttributeName": SORT_KEY, "KeyType": "RANGE"},
    ]
    assert template.table["TimeToLiveSpecification"] == {
        "AttributeName": TIME_TO_LIVE,
        "Enabled": True,
    }


def test_the_table_is_paid_by_request_restorable_and_protected(
    template: SynthesizedTemplate,
) -> None:
    assert template.table["BillingMode"] == "PAY_PER_REQUEST"
    assert template.table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
    assert template.table["DeletionProtectionEnabled"] is True


def test_data_is_retained_and_has_generated_names(template: SynthesizedTemplate) -> None:
    for kind, name in (("AWS::DynamoDB::Table", "TableName"), ("AWS::S3::Bucket", "BucketName")):
        resource = template.get_only_resource(kind)
        assert resource["DeletionPolicy"].startswith("Retain")
        assert resource["UpdateReplacePolicy"] == "Retain"
        assert name not in resource["Properties"]


def test_a_failed_creation_deletes_the_empty_bucket_and_retains_the_protected_table(
    template: SynthesizedTemplate,
) -> None:
    """CloudFormation cannot delete a protected table: the rollback itself would fail."""
    assert template.get_only_resource("AWS::S3::Bucket")["DeletionPolicy"] == "RetainExceptOnCreate"
    assert template.table["DeletionProtectionEnabled"] is True
    assert template.get_only_resource("AWS::DynamoDB::Table")["DeletionPolicy"] == "Retain"


def test_the_bucket_is_private_and_encrypted(template: SynthesizedTemplate) -> None:
    bucket = template.get_only_resource("AWS::S3::Bucket")["Properties"]
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    (encryption,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]


def test_the_bucket_refuses_requests_without_tls(template: SynthesizedTemplate) -> None:
    policy = template.get_only_resource("AWS::S3::BucketPolicy")["Properties"]["PolicyDocument"]
    denials = [s for s in policy["Statement"] if s["Effect"] == "Deny"]
    assert all(s["Action"] == "s3:*" and s["Principal"] == {"AWS": "*"} for s in denials)
    assert [s["Condition"] for s in denials] == [
        {"Bool": {"aws:SecureTransport": "false"}},
        {"NumericLessThan": {"s3:TlsVersion": 1.2}},
    ]
    assert all(len(s["Resource"]) == 2 for s in denials), "the bucket and its objects"


def test_only_scratch_expires_and_unfinished_uploads_are_aborted(
    template: SynthesizedTemplate,
) -> None:
    rules = template.get_only_resource("AWS::S3::Bucket")["Properties"]["LifecycleConfiguration"][
        "Rules"
    ]
    expiring = [rule for rule in rules if "ExpirationInDays" in rule]
    assert [(rule["Prefix"], rule["ExpirationInDays"]) for rule in expiring] == [("scratch/", 7)]
    aborting = [rule for rule in rules if "AbortIncompleteMultipartUpload" in rule]
    assert [rule["AbortIncompleteMultipartUpload"] for rule in aborting] == [
        {"DaysAfterInitiation": 7}
    ]
    assert "Prefix" not in aborting[0]
    assert all(rule["Status"] == "Enabled" for rule in rules)


def test_versions_of_own_objects_expire_and_those_of_sources_stay(
    template: SynthesizedTemplate,
) -> None:
    """For a bucket with versioning, which an organization may enable."""
    rules = template.get_only_resource("AWS::S3::Bucket")["Properties"]["LifecycleConfiguration"][
        "Rules"
    ]
    noncurrent = {
        rule["Prefix"]: (rule["NoncurrentVersionExpiration"], rule.get("ExpiredObjectDeleteMarker"))
        for rule in rules
        if "NoncurrentVersionExpiration" in rule
    }
    assert noncurrent == {
        "contents/": ({"NoncurrentDays": 7}, True),
        "reports/": ({"NoncurrentDays": 7}, True),
        "scratch/": ({"NoncurrentDays": 1}, None),
    }, "scratch/ has an expiration, so S3 removes its delete markers"


def test_the_runtime_writes_to_the_folders_of_grants_and_lifecycle_rules() -> None:
    assert keys.build_contents_folder("birds/train-1", "op").startswith(f"{Prefix.CONTENTS}/")
    assert keys.ReportKeys("birds", "op").report.startswith(f"{Prefix.REPORTS}/")
    assert keys.ScratchKeys("op").ranges.startswith(f"{Prefix.SCRATCH}/")
