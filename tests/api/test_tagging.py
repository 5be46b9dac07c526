from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.api.api_calls import MISSING_DATASET, MISSING_PROJECT, expect_error
from tests.support.job import Job, create_rekognition_client


@pytest.fixture(params=["project", "dataset"])
def resource_arn(request: pytest.FixtureRequest, job: Job) -> str:
    return job.project if request.param == "project" else job.create_dataset("TRAIN")


def list_tags(job: Job, arn: str) -> dict[str, str]:
    resource_tags: dict[str, str] = job.client.list_tags_for_resource(ResourceArn=arn)["Tags"]
    return resource_tags


def test_tags_are_added_overwritten_and_removed(job: Job, resource_arn: str) -> None:
    assert list_tags(job, resource_arn) == {}
    job.client.tag_resource(ResourceArn=resource_arn, Tags={"team": "birds", "größe": ""})
    job.client.tag_resource(ResourceArn=resource_arn, Tags={"team": "bees"})
    assert list_tags(job, resource_arn) == {"team": "bees", "größe": ""}
    job.client.untag_resource(ResourceArn=resource_arn, TagKeys=["größe", "unknown"])
    assert list_tags(job, resource_arn) == {"team": "bees"}
    job.client.untag_resource(ResourceArn=resource_arn, TagKeys=[])
    assert list_tags(job, resource_arn) == {"team": "bees"}


def test_tags_can_be_set_at_creation(job: Job) -> None:
    arn = job.client.create_dataset(ProjectArn=job.project, DatasetType="TEST", Tags={"a": "b"})
    assert list_tags(job, arn["DatasetArn"]) == {"a": "b"}
    project = job.client.create_project(
        ProjectName=f"{job.project.split('/')[1]}-b", Tags={"c": ""}
    )
    assert list_tags(job, project["ProjectArn"]) == {"c": ""}


def test_the_maximum_is_two_hundred_tags(job: Job, resource_arn: str) -> None:
    job.client.tag_resource(ResourceArn=resource_arn, Tags={f"key-{n}": "" for n in range(200)})
    job.client.tag_resource(ResourceArn=resource_arn, Tags={"key-0": "new"})
    code, message = expect_error(
        "TagResource",
        lambda: job.client.tag_resource(ResourceArn=resource_arn, Tags={"one more": ""}),
    )
    assert code == "ServiceQuotaExceededException"
    assert "201" in message
    assert len(list_tags(job, resource_arn)) == 200


def test_concurrent_tagging_loses_no_tag(job: Job) -> None:
    with ThreadPoolExecutor(4) as pool:
        for number in range(4):
            client = create_rekognition_client(job.emulator)
            pool.submit(client.tag_resource, ResourceArn=job.project, Tags={f"k{number}": "v"})
    assert list_tags(job, job.project) == {f"k{number}": "v" for number in range(4)}


def test_a_copy_does_not_have_the_tags_of_its_source(job: Job) -> None:
    source = job.create_dataset("TRAIN")
    job.client.tag_resource(ResourceArn=source, Tags={"a": "b"})
    copy = job.client.create_dataset(
        ProjectArn=job.project, DatasetType="TEST", DatasetSource={"DatasetArn": source}
    )
    assert list_tags(job, copy["DatasetArn"]) == {}


@pytest.mark.parametrize(
    "arn",
    [
        MISSING_PROJECT,
        MISSING_DATASET,
        "arn:aws:rekognition:us-east-1:123456789012:collection/faces",
    ],
)
def test_tagging_a_missing_resource_fails(job: Job, arn: str) -> None:
    client = job.client
    calls = {
        "TagResource": lambda: client.tag_resource(ResourceArn=arn, Tags={"a": "b"}),
        "UntagResource": lambda: client.untag_resource(ResourceArn=arn, TagKeys=["a"]),
        "ListTagsForResource": lambda: client.list_tags_for_resource(ResourceArn=arn),
    }
    for operation, call in calls.items():
        assert expect_error(operation, call)[0] == "ResourceNotFoundException"


def test_another_accounts_resource_is_denied(job: Job) -> None:
    arn = MISSING_PROJECT.replace("123456789012", "210987654321")
    code, message = expect_error(
        "ListTagsForResource", lambda: job.client.list_tags_for_resource(ResourceArn=arn)
    )
    assert code == "AccessDeniedException"
    assert "rekognition:ListTagsForResource" in message
