"""model.json is botocore's service model, as far as Twofold needs it."""

import json
from typing import Any

from local.model import TARGET, aws_model, render, service_model
from twofold.api import model
from twofold.errors import ClientFault, ServerFault, ServiceError
from twofold.settings import Operation


def test_the_committed_model_is_what_the_generator_makes_of_the_installed_botocore() -> None:
    assert TARGET.read_bytes() == render(service_model()), "run `python -m local.model`"


def test_the_extension_takes_nothing_away_and_requires_nothing_new() -> None:
    assert _added_only(aws_model()["operations"], service_model()["operations"])
    assert _added_only(aws_model()["shapes"], service_model()["shapes"])


def _added_only(before: Any, after: Any) -> bool:
    if isinstance(before, dict):
        return all(key in after and _added_only(before[key], after[key]) for key in before)
    return bool(before == after)


def test_everything_that_the_extension_adds_is_explained_to_the_reader() -> None:
    theirs, ours = aws_model(), service_model()
    for name, shape in ours["shapes"].items():
        known = theirs["shapes"].get(name, {}).get("members", {})
        for member in shape.get("members", {}).keys() - known.keys():
            assert shape["members"][member].get("documentation", "").startswith("<p>"), member
    for name in ours["operations"].keys() - theirs["operations"].keys():
        assert ours["operations"][name]["documentation"].startswith("<p>"), name


def test_the_model_holds_exactly_the_operations_of_the_api() -> None:
    assert set(model.operations()) == {operation.value for operation in Operation}


def test_the_model_holds_facts_only() -> None:
    def keys_of(value: object) -> set[str]:
        if isinstance(value, dict):
            return set(value).union(*map(keys_of, value.values()))
        return set().union(*map(keys_of, value)) if isinstance(value, list) else set()

    assert "documentation" not in keys_of(json.loads(TARGET.read_bytes()))


def test_every_error_of_the_model_is_one_of_our_exceptions() -> None:
    ours = {
        fault.__name__ for base in (ClientFault, ServerFault) for fault in base.__subclasses__()
    }
    for operation in Operation:
        assert model.error_names(operation) <= ours


def test_the_server_faults_are_the_two_that_rekognition_answers_with_500() -> None:
    assert {fault.__name__ for fault in ServerFault.__subclasses__()} == {
        "InternalServerError",
        "ThrottlingException",
    }
    assert issubclass(ServerFault, ServiceError)
