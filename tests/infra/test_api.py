import json
import re
from pathlib import Path
from typing import Any

import pytest

from infra.api import CONTENT_TYPE, RESPONSES
from tests.infra.conftest import Synthesize
from tests.infra.synthesized_template import SynthesizedTemplate, render_value
from twofold import errors
from twofold.settings import ApiOperation, Function
from twofold.workflow.settle import START_GRACE_MILLISECONDS

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"

# Error names of all AWS services for refused signatures; every other error is a class of twofold.errors.
SIGNATURE_ERRORS = {
    "ExpiredTokenException",
    "InvalidSignatureException",
    "MissingAuthenticationTokenException",
}


def _list_methods(template: SynthesizedTemplate) -> list[Any]:
    return list(template.select_properties("AWS::ApiGateway::Method").values())


def _list_gateway_responses(template: SynthesizedTemplate) -> dict[str, Any]:
    responses = template.select_properties("AWS::ApiGateway::GatewayResponse").values()
    return {response["ResponseType"]: response for response in responses}


def test_every_method_requires_iam_authorization(template: SynthesizedTemplate) -> None:
    assert {method["AuthorizationType"] for method in _list_methods(template)} == {"AWS_IAM"}


def test_every_operation_is_a_resource_of_its_own_beside_the_root(
    template: SynthesizedTemplate,
) -> None:
    resources = template.select_properties("AWS::ApiGateway::Resource")
    paths = []
    for method in _list_methods(template):
        assert method["HttpMethod"] == "POST"
        resource = method["ResourceId"]
        paths.append(resources[resource["Ref"]]["PathPart"] if "Ref" in resource else "")
    assert sorted(paths) == sorted(["", *ApiOperation])


def test_every_method_is_proxied_to_the_api_function(template: SynthesizedTemplate) -> None:
    (alias,) = [
        name
        for name in template.select_resources("AWS::Lambda::Alias")
        if template.find_function_of_alias({"Ref": name}) == "twofold-prod-api"
    ]
    for method in _list_methods(template):
        assert method["Integration"]["Type"] == "AWS_PROXY"
        assert f"<{alias}>" in render_value(method["Integration"]["Uri"])


def test_the_api_is_regional_throttled_and_traced(template: SynthesizedTemplate) -> None:
    rest_api = template.get_only_resource("AWS::ApiGateway::RestApi")["Properties"]
    assert rest_api["EndpointConfiguration"]["Types"] == ["REGIONAL"]
    stage = template.get_only_resource("AWS::ApiGateway::Stage")["Properties"]
    (settings,) = [s for s in stage["MethodSettings"] if s["ResourcePath"] == "/*"]
    assert settings["HttpMethod"] == "*"
    assert settings["ThrottlingRateLimit"] == 50
    assert settings["ThrottlingBurstLimit"] == 100
    assert settings["DataTraceEnabled"] is False
    assert stage["TracingEnabled"] is True


def test_the_function_ends_before_the_gateway_gives_up(template: SynthesizedTemplate) -> None:
    """Otherwise a call would go on after its caller has received an error."""
    timeouts = {method["Integration"]["TimeoutInMillis"] for method in _list_methods(template)}
    assert timeouts == {29_000}
    assert template.functions[Function.API]["Timeout"] < 29
    assert template.functions[Function.API]["Timeout"] * 1000 * 2 < START_GRACE_MILLISECONDS


def test_metrics_per_method_are_published_only_with_the_option(
    template: SynthesizedTemplate, synthesize: Synthesize
) -> None:
    """An alarm and the dashboard use metrics per API, which API Gateway always publishes."""
    for synthesized, enabled in ((template, False), (synthesize(api_metrics="true"), True)):
        stage = synthesized.get_only_resource("AWS::ApiGateway::Stage")["Properties"]
        assert {settings["MetricsEnabled"] for settings in stage["MethodSettings"]} == {enabled}
    text = json.dumps(template.select_resources("AWS::CloudWatch::Alarm")) + render_value(
        template.get_only_resource("AWS::CloudWatch::Dashboard")["Properties"]["DashboardBody"]
    )
    assert "AWS/ApiGateway" in text
    for dimension in ("Method", "Resource"):
        assert f'"{dimension}"' not in text


def test_the_access_log_is_json_and_holds_no_body(template: SynthesizedTemplate) -> None:
    stage = template.get_only_resource("AWS::ApiGateway::Stage")["Properties"]
    line = json.loads(stage["AccessLogSetting"]["Format"])
    assert "$context.requestId" in line.values()
    assert "$context.identity.userArn" in line.values()
    assert not [value for value in line.values() if "body" in value or "input" in value]


def test_the_deployment_waits_for_every_method_and_answer(template: SynthesizedTemplate) -> None:
    waits_for = set(template.get_only_resource("AWS::ApiGateway::Deployment")["DependsOn"])
    assert set(template.select_resources("AWS::ApiGateway::Method")) <= waits_for
    assert set(template.select_resources("AWS::ApiGateway::GatewayResponse")) <= waits_for


def test_the_gateway_responses_are_those_of_the_file(template: SynthesizedTemplate) -> None:
    declared = json.loads(RESPONSES.read_bytes())
    assert set(_list_gateway_responses(template)) == set(declared)
    for kind, response in declared.items():
        assert _list_gateway_responses(template)[kind].get("StatusCode") == (
            str(response["StatusCode"]) if "StatusCode" in response else None
        )


@pytest.mark.parametrize("kind", json.loads(RESPONSES.read_bytes()))
def test_a_gateway_response_is_an_error_in_the_format_of_the_sdks(
    template: SynthesizedTemplate, kind: str
) -> None:
    answer = _list_gateway_responses(template)[kind]
    header = {"gatewayresponse.header.Content-Type": f"'{CONTENT_TYPE}'"}
    assert answer["ResponseParameters"] == header
    assert set(answer["ResponseTemplates"]) == {"application/json", CONTENT_TYPE}
    for text in answer["ResponseTemplates"].values():
        body = json.loads(text.replace("$context.error.messageString", '"any message"'))
        assert list(body) == ["__type", "Code", "Logref", "Message"]
        assert body["__type"] == body["Code"]
        assert body["Logref"] == "$context.requestId"
        assert body["Message"]
        assert hasattr(errors, body["__type"]) or body["__type"] in SIGNATURE_ERRORS


@pytest.mark.parametrize(
    ("kind", "error", "status"),
    [
        ("ACCESS_DENIED", "AccessDeniedException", "403"),
        ("THROTTLED", "ThrottlingException", "429"),
        ("INTEGRATION_FAILURE", "InternalServerError", "504"),
    ],
)
def test_the_most_frequent_errors_have_the_names_of_aws(
    template: SynthesizedTemplate, kind: str, error: str, status: str
) -> None:
    answer = _list_gateway_responses(template)[kind]
    assert answer["StatusCode"] == status
    assert f'"__type": "{error}"' in answer["ResponseTemplates"]["application/json"]


def test_outputs_name_the_endpoint_the_bucket_and_the_lines_to_export(
    template: SynthesizedTemplate,
) -> None:
    outputs = {
        name: render_value(output["Value"]) for name, output in template.body["Outputs"].items()
    }
    (bucket,) = template.select_resources("AWS::S3::Bucket")
    assert set(outputs) == {"Endpoint", "Bucket", "AlarmTopic", "Export", "Smoke"}
    assert outputs["Bucket"] == f"<{bucket}>"
    assert outputs["Endpoint"].startswith("https://")
    assert f"AWS_ENDPOINT_URL_REKOGNITION={outputs['Endpoint']} " in outputs["Export"]
    assert "AWS_DEFAULT_REGION=<AWS::Region>" in outputs["Export"]
    assert outputs["Smoke"] == f"make smoke URL={outputs['Endpoint']} BUCKET={outputs['Bucket']}"
    table = OPERATIONS.read_text().partition("| output |")[2].partition("\n\n")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.M)) == set(outputs)
