"""What the first caller of a new sandbox waits for."""

import json
import subprocess
import sys
from typing import Any

import pytest

from local.clients import REGION
from local.stack import Stack
from tests.job import Job, two_labels
from twofold.settings import Function

MAY_BE_LOADED = {
    *("annotated_types", "aws_lambda_powertools", "botocore", "dateutil", "jmespath"),
    *(
        "orjson",
        "pydantic",
        "pydantic_core",
        "six",
        "twofold",
        "typing_extensions",
        "typing_inspection",
    ),
    *("urllib3", "xxhash"),
}
ROOMS_THAT_WAIT = ("twofold.split", "twofold.manifest", "twofold.workflow", "twofold.report")

CALLS = """
import json, sys
sys.path.insert(0, sys.argv[3])
from types import SimpleNamespace
from twofold.handlers import api
loaded = [sorted(sys.modules)]
context = SimpleNamespace(
    function_name="api", invoked_function_arn=sys.argv[1], aws_request_id="1", memory_limit_in_mb=512
)
for event in json.loads(sys.argv[2]):
    answer = api.handler(event, context)
    assert answer["statusCode"] == 200, answer
loaded.append(sorted(sys.modules))
print()
print(json.dumps(loaded))
"""


@pytest.fixture(scope="module")
def loaded(stack: Stack) -> list[set[str]]:
    """The modules after the import, and after one call each of what clients poll with and what begins work."""
    job = Job.begin(stack)
    train, test = job.pair(two_labels(10))
    events = [
        call("DescribeDataset", {"DatasetArn": train}),
        call("DescribeProjects", {"MaxResults": 1}),
        call("DistributeDatasetEntries", {"Datasets": [{"Arn": train}, {"Arn": test}]}),
    ]
    environment = {
        "AWS_ACCESS_KEY_ID": "any",
        "AWS_SECRET_ACCESS_KEY": "any",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": stack.endpoint,
        **stack.functions.environments[Function.API],
    }
    bundle = stack.functions.api.forks.bundle
    command = [sys.executable, "-I", "-S", "-c", CALLS]
    ran = subprocess.run(
        [*command, stack.functions.arn(Function.API), json.dumps(events), str(bundle)],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    job.settled(test)
    return [set(names) for names in json.loads(ran.stdout.splitlines()[-1])]


def call(operation: str, request: dict[str, Any]) -> dict[str, Any]:
    return {
        "httpMethod": "POST",
        "resource": f"/{operation}",
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps(request),
        "requestContext": {"requestId": "1"},
    }


@pytest.mark.parametrize("moment", [0, 1], ids=["after the import", "after the first calls"])
def test_the_api_loads_no_more_than_it_needs(loaded: list[set[str]], moment: int) -> None:
    """NumPy, boto3 and the solver would be the heaviest of them."""
    packages = {name.partition(".")[0] for name in loaded[moment]} - sys.stdlib_module_names
    assert {name for name in packages if not name.startswith("_")} <= MAY_BE_LOADED


@pytest.mark.parametrize("moment", [0, 1], ids=["after the import", "after the first calls"])
def test_the_api_loads_nothing_that_works_on_manifests(loaded: list[set[str]], moment: int) -> None:
    assert not [name for name in loaded[moment] if name.startswith(ROOMS_THAT_WAIT)]
