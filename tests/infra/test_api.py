import json
import re
from pathlib import Path
from typing import Any

import pytest

from infra.api import CONTENT_TYPE, RESPONSES
from tests.infra.conftest import Synthesize
from tests.infra.synthesized import Synthesized, spelt
from twofold import errors
from twofold.settings import Function, Operation
from twofold.workflow.end import START_GRACE_MILLISECONDS

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"

# What a signature can be refused for is named as every AWS service names it; the rest are classes of ours.
OF_THE_SIGNATURE = {
    "ExpiredTokenException",
    "InvalidSignatureException",
    "MissingAuthenticationTokenException",
}


def _methods(template: Synthesized) -> list[Any]:
    return list(template.properties("AWS::ApiGateway::Method").values())


def _answers(template: Synthesized) -> dict[str, Any]:
    answers = template.properties("AWS::ApiGateway::GatewayResponse").values()
    return {answer["ResponseType"]: answer for answer in answers}


def test_every_method_asks_for_iam(template: Synthesized) -> None:
    assert {method["AuthorizationType"] for method in _methods(template)} == {"AWS_IAM"}


def test_every_operation_is_a_resource_of_its_own_beside_the_root(template: Synthesized) -> None:
    resources = template.properties("AWS::ApiGateway::Resource")
    paths = []
    for method in _methods(template):
        assert method["HttpMethod"] == "POST"
        resource = method["ResourceId"]
        paths.append(resources[resource["Ref"]]["PathPart"] if "Ref" in resource else "")
    assert sorted(paths) == sorted(["", *Operation])


def test_every_method_is_proxied_to_the_api_function(template: Synthesized) -> None:
    (alias,) = [
        name
        for name in template.of_type("AWS::Lambda::Alias")
        if template.function_behind({"Ref": name}) == "twofold-prod-api"
    ]
    for method in _methods(template):
        assert method["Integration"]["Type"] == "AWS_PROXY"
        assert f"<{alias}>" in spelt(method["Integration"]["Uri"])


def test_the_api_is_regional_throttled_and_traced(template: Synthesized) -> None:
    rest = template.only("AWS::ApiGateway::RestApi")["Properties"]
    assert rest["EndpointConfiguration"]["Types"] == ["REGIONAL"]
    stage = template.only("AWS::ApiGateway::Stage")["Properties"]
    (settings,) = [s for s in stage["MethodSettings"] if s["ResourcePath"] == "/*"]
    assert settings["HttpMethod"] == "*"
    assert settings["ThrottlingRateLimit"] == 50
    assert settings["ThrottlingBurstLimit"] == 100
    assert settings["DataTraceEnabled"] is False
    assert stage["TracingEnabled"] is True


def test_the_function_ends_before_the_gateway_gives_up(template: Synthesized) -> None:
    """Otherwise a call goes on for whose caller it has failed."""
    longest = {method["Integration"]["TimeoutInMillis"] for method in _methods(template)}
    assert longest == {29_000}
    assert template.functions[Function.API]["Timeout"] < 29
    assert template.functions[Function.API]["Timeout"] * 1000 * 2 < START_GRACE_MILLISECONDS


def test_metrics_of_each_method_are_published_only_where_they_are_asked_for(
    template: Synthesized, synthesize: Synthesize
) -> None:
    """The gateway's own, by the name of the API, which an alarm and the dashboard read, come without."""
    for found, asked in ((template, False), (synthesize(api_metrics="true"), True)):
        stage = found.only("AWS::ApiGateway::Stage")["Properties"]
        assert {one["MetricsEnabled"] for one in stage["MethodSettings"]} == {asked}
    text = json.dumps(template.of_type("AWS::CloudWatch::Alarm")) + spelt(
        template.only("AWS::CloudWatch::Dashboard")["Properties"]["DashboardBody"]
    )
    assert "AWS/ApiGateway" in text
    for dimension in ("Method", "Resource"):
        assert f'"{dimension}"' not in text


def test_the_access_log_is_json_and_holds_no_body(template: Synthesized) -> None:
    stage = template.only("AWS::ApiGateway::Stage")["Properties"]
    line = json.loads(stage["AccessLogSetting"]["Format"])
    assert "$context.requestId" in line.values()
    assert "$context.identity.userArn" in line.values()
    assert not [value for value in line.values() if "body" in value or "input" in value]


def test_the_deployment_waits_for_every_method_and_answer(template: Synthesized) -> None:
    waits_for = set(template.only("AWS::ApiGateway::Deployment")["DependsOn"])
    assert set(template.of_type("AWS::ApiGateway::Method")) <= waits_for
    assert set(template.of_type("AWS::ApiGateway::GatewayResponse")) <= waits_for


def test_the_gateway_answers_as_the_file_says(template: Synthesized) -> None:
    declared = json.loads(RESPONSES.read_bytes())
    assert set(_answers(template)) == set(declared)
    for kind, response in declared.items():
        assert _answers(template)[kind].get("StatusCode") == (
            str(response["StatusCode"]) if "StatusCode" in response else None
        )


@pytest.mark.parametrize("kind", json.loads(RESPONSES.read_bytes()))
def test_an_answer_of_the_gateway_is_an_error_that_an_sdk_understands(
    template: Synthesized, kind: str
) -> None:
    answer = _answers(template)[kind]
    header = {"gatewayresponse.header.Content-Type": f"'{CONTENT_TYPE}'"}
    assert answer["ResponseParameters"] == header
    assert set(answer["ResponseTemplates"]) == {"application/json", CONTENT_TYPE}
    for text in answer["ResponseTemplates"].values():
        body = json.loads(text.replace("$context.error.messageString", '"any message"'))
        assert list(body) == ["__type", "Code", "Logref", "Message"]
        assert body["__type"] == body["Code"]
        assert body["Logref"] == "$context.requestId"
        assert body["Message"]
        assert hasattr(errors, body["__type"]) or body["__type"] in OF_THE_SIGNATURE


@pytest.mark.parametrize(
    ("kind", "error", "status"),
    [
        ("ACCESS_DENIED", "AccessDeniedException", "403"),
        ("THROTTLED", "ThrottlingException", "429"),
        ("INTEGRATION_FAILURE", "InternalServerError", "504"),
    ],
)
def test_what_callers_meet_most_has_the_name_that_they_catch(
    template: Synthesized, kind: str, error: str, status: str
) -> None:
    answer = _answers(template)[kind]
    assert answer["StatusCode"] == status
    assert f'"__type": "{error}"' in answer["ResponseTemplates"]["application/json"]


def test_outputs_name_the_endpoint_the_bucket_and_the_lines_to_export(
    template: Synthesized,
) -> None:
    outputs = {name: spelt(output["Value"]) for name, output in template.body["Outputs"].items()}
    (bucket,) = template.of_type("AWS::S3::Bucket")
    assert set(outputs) == {"Endpoint", "Bucket", "AlarmTopic", "Export", "Smoke"}
    assert outputs["Bucket"] == f"<{bucket}>"
    assert outputs["Endpoint"].startswith("https://")
    assert f"AWS_ENDPOINT_URL_REKOGNITION={outputs['Endpoint']} " in outputs["Export"]
    assert "AWS_DEFAULT_REGION=<AWS::Region>" in outputs["Export"]
    assert outputs["Smoke"] == f"make smoke URL={outputs['Endpoint']} BUCKET={outputs['Bucket']}"
    table = OPERATIONS.read_text().partition("| output |")[2].partition("\n\n")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.M)) == set(outputs)
