from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.handlers.any_request import NO_DATASET, NOWHERE, refused
from tests.job import Job, rekognition


@pytest.fixture(params=["project", "dataset"])
def resource(request: pytest.FixtureRequest, job: Job) -> str:
    return job.project if request.param == "project" else job.create("TRAIN")


def tags(job: Job, arn: str) -> dict[str, str]:
    found: dict[str, str] = job.client.list_tags_for_resource(ResourceArn=arn)["Tags"]
    return found


def test_tags_are_added_overwritten_and_taken_away(job: Job, resource: str) -> None:
    assert tags(job, resource) == {}
    job.client.tag_resource(ResourceArn=resource, Tags={"team": "birds", "größe": ""})
    job.client.tag_resource(ResourceArn=resource, Tags={"team": "bees"})
    assert tags(job, resource) == {"team": "bees", "größe": ""}
    job.client.untag_resource(ResourceArn=resource, TagKeys=["größe", "unknown"])
    assert tags(job, resource) == {"team": "bees"}
    job.client.untag_resource(ResourceArn=resource, TagKeys=[])
    assert tags(job, resource) == {"team": "bees"}


def test_tags_given_at_creation_are_there(job: Job) -> None:
    arn = job.client.create_dataset(ProjectArn=job.project, DatasetType="TEST", Tags={"a": "b"})
    assert tags(job, arn["DatasetArn"]) == {"a": "b"}
    project = job.client.create_project(
        ProjectName=f"{job.project.split('/')[1]}-b", Tags={"c": ""}
    )
    assert tags(job, project["ProjectArn"]) == {"c": ""}


def test_a_resource_has_two_hundred_tags_and_no_more(job: Job, resource: str) -> None:
    job.client.tag_resource(ResourceArn=resource, Tags={f"key-{n}": "" for n in range(200)})
    job.client.tag_resource(ResourceArn=resource, Tags={"key-0": "new"})
    code, message = refused(
        "TagResource", lambda: job.client.tag_resource(ResourceArn=resource, Tags={"one more": ""})
    )
    assert code == "ServiceQuotaExceededException"
    assert "201" in message
    assert len(tags(job, resource)) == 200


def test_tagging_at_the_same_time_loses_no_tag(job: Job) -> None:
    with ThreadPoolExecutor(4) as pool:
        for number in range(4):
            client = rekognition(job.stack)
            pool.submit(client.tag_resource, ResourceArn=job.project, Tags={f"k{number}": "v"})
    assert tags(job, job.project) == {f"k{number}": "v" for number in range(4)}


def test_a_copy_does_not_have_the_tags_of_its_source(job: Job) -> None:
    source = job.create("TRAIN")
    job.client.tag_resource(ResourceArn=source, Tags={"a": "b"})
    copy = job.client.create_dataset(
        ProjectArn=job.project, DatasetType="TEST", DatasetSource={"DatasetArn": source}
    )
    assert tags(job, copy["DatasetArn"]) == {}


@pytest.mark.parametrize(
    "arn", [NOWHERE, NO_DATASET, "arn:aws:rekognition:us-east-1:123456789012:collection/faces"]
)
def test_what_is_not_there_has_no_tags(job: Job, arn: str) -> None:
    client = job.client
    calls = {
        "TagResource": lambda: client.tag_resource(ResourceArn=arn, Tags={"a": "b"}),
        "UntagResource": lambda: client.untag_resource(ResourceArn=arn, TagKeys=["a"]),
        "ListTagsForResource": lambda: client.list_tags_for_resource(ResourceArn=arn),
    }
    for operation, call in calls.items():
        assert refused(operation, call)[0] == "ResourceNotFoundException"


def test_another_accounts_resource_is_denied(job: Job) -> None:
    arn = NOWHERE.replace("123456789012", "210987654321")
    code, message = refused(
        "ListTagsForResource", lambda: job.client.list_tags_for_resource(ResourceArn=arn)
    )
    assert code == "AccessDeniedException"
    assert "rekognition:ListTagsForResource" in message
