"""model.json is botocore's service model, as far as Twofold needs it."""

import json

from local.model import TARGET, render, service_model
from twofold.api import model
from twofold.errors import ClientFault, ServerFault, ServiceError
from twofold.settings import Operation


def test_the_committed_model_is_what_the_generator_makes_of_the_installed_botocore() -> None:
    assert TARGET.read_bytes() == render(service_model()), "run `python -m local.model`"


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
