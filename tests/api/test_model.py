"""model.json is the required part of botocore's service model."""

import json
from typing import Any

from local.model import TARGET, load_aws_model, load_service_model, render_model
from twofold.api import model
from twofold.errors import ClientFault, ServerFault, ServiceError
from twofold.settings import ApiOperation


def test_the_committed_model_equals_the_generated_model() -> None:
    assert TARGET.read_bytes() == render_model(load_service_model()), "run `python -m local.model`"


def test_the_extension_only_adds_optional_members() -> None:
    assert _is_extension(load_aws_model()["operations"], load_service_model()["operations"])
    assert _is_extension(load_aws_model()["shapes"], load_service_model()["shapes"])


def _is_extension(before: Any, after: Any) -> bool:
    if isinstance(before, dict):
        return all(key in after and _is_extension(before[key], after[key]) for key in before)
    return bool(before == after)


def test_every_addition_of_the_extension_is_documented() -> None:
    theirs, ours = load_aws_model(), load_service_model()
    for name, shape in ours["shapes"].items():
        known = theirs["shapes"].get(name, {}).get("members", {})
        for member in shape.get("members", {}).keys() - known.keys():
            assert shape["members"][member].get("documentation", "").startswith("<p>"), member
    for name in ours["operations"].keys() - theirs["operations"].keys():
        assert ours["operations"][name]["documentation"].startswith("<p>"), name


def test_the_model_has_exactly_the_operations_of_the_api() -> None:
    assert set(model.load_model()["operations"]) == {operation.value for operation in ApiOperation}


def test_the_model_has_no_documentation_texts() -> None:
    def collect_keys(value: object) -> set[str]:
        if isinstance(value, dict):
            return set(value).union(*map(collect_keys, value.values()))
        return set().union(*map(collect_keys, value)) if isinstance(value, list) else set()

    assert "documentation" not in collect_keys(json.loads(TARGET.read_bytes()))


def test_every_error_of_the_model_has_an_exception_class() -> None:
    ours = {
        fault.__name__ for base in (ClientFault, ServerFault) for fault in base.__subclasses__()
    }
    for operation in ApiOperation:
        assert set(model.load_model()["operations"][operation]["errors"]) <= ours


def test_the_server_faults_are_those_with_http_500_in_rekognition() -> None:
    assert {fault.__name__ for fault in ServerFault.__subclasses__()} == {
        "InternalServerError",
        "ThrottlingException",
    }
    assert issubclass(ServerFault, ServiceError)
