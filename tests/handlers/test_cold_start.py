"""The packages loaded by the API function at a cold start."""

import json
import subprocess
import sys
from typing import Any

import pytest

from local.emulator.clients import REGION
from local.emulator.server import Emulator
from tests.support.job import Job, make_two_label_lines
from twofold.settings import Function

ALLOWED_PACKAGES = {
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
DEFERRED_PACKAGES = ("twofold.split", "twofold.manifest", "twofold.workflow", "twofold.report")

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
    response = api.handler(event, context)
    assert response["statusCode"] == 200, response
loaded.append(sorted(sys.modules))
print()
print(json.dumps(loaded))
"""


@pytest.fixture(scope="module")
def loaded_modules(emulator: Emulator) -> list[set[str]]:
    """The imported modules after the import of the handler, and after calls of the most frequent operations."""
    job = Job.start(emulator)
    train, test = job.create_pair(make_two_label_lines(10))
    events = [
        make_event("DescribeDataset", {"DatasetArn": train}),
        make_event("DescribeProjects", {"MaxResults": 1}),
        make_event("DistributeDatasetEntries", {"Datasets": [{"Arn": train}, {"Arn": test}]}),
    ]
    environment = {
        "AWS_ACCESS_KEY_ID": "any",
        "AWS_SECRET_ACCESS_KEY": "any",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": emulator.endpoint,
        **emulator.functions.environments[Function.API],
    }
    bundle = emulator.functions.api_pool.fork_server.bundle
    command = [sys.executable, "-I", "-S", "-c", CALLS]
    ran = subprocess.run(
        [*command, emulator.functions.build_arn(Function.API), json.dumps(events), str(bundle)],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    job.wait_for_dataset(test)
    return [set(names) for names in json.loads(ran.stdout.splitlines()[-1])]


def make_event(operation: str, request: dict[str, Any]) -> dict[str, Any]:
    return {
        "httpMethod": "POST",
        "resource": f"/{operation}",
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps(request),
        "requestContext": {"requestId": "1"},
    }


@pytest.mark.parametrize("moment", [0, 1], ids=["after the import", "after the first calls"])
def test_the_api_loads_allowed_packages_only(loaded_modules: list[set[str]], moment: int) -> None:
    """NumPy, boto3 and the solver would take the longest to load."""
    packages = {name.partition(".")[0] for name in loaded_modules[moment]} - sys.stdlib_module_names
    assert {name for name in packages if not name.startswith("_")} <= ALLOWED_PACKAGES


@pytest.mark.parametrize("moment", [0, 1], ids=["after the import", "after the first calls"])
def test_the_api_does_not_load_deferred_packages(
    loaded_modules: list[set[str]], moment: int
) -> None:
    assert not [name for name in loaded_modules[moment] if name.startswith(DEFERRED_PACKAGES)]
