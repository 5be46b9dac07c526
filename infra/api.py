"""The REST API in API Gateway: IAM authorization on every method, error bodies in the format of the AWS SDKs."""

import json
from collections.abc import Mapping
from pathlib import Path

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.acknowledgements import acknowledge
from infra.logs import build_log_group
from infra.options import Options
from twofold.settings import PRODUCT, ApiOperation

CONTENT_TYPE = "application/x-amz-json-1.1"
INTEGRATION_TIMEOUT = Duration.seconds(29)
"""API Gateway's default limit for an integration; the timeout of the API function is shorter."""

RESPONSES = Path(__file__).with_name("gateway_responses.json")

# Rules of cdk-nag that this construct breaks on purpose, with the reasons.
_ACKNOWLEDGED = {
    "AwsSolutions-APIG2": "The function checks every request against AWS's own service model and answers in "
    "its words; a validator here would answer first, and in other words.",
    "AwsSolutions-APIG3": "Every method asks for an IAM signature, which an anonymous flood does not have, and "
    "the stage is throttled; the option waf_rate puts a web ACL in front.",
    "AwsSolutions-APIG6": "The access log names every request, its caller and its error. Execution logs would "
    "go to a group that never expires.",
    "AwsSolutions-COG4": "Callers are AWS SDKs, which sign with IAM credentials; there are no user pools.",
    "AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs]": (
        "API Gateway documents this policy for the account's one logging role, which other APIs share."
    ),
}


class Api(Construct):
    """`POST /` accepts every operation; `POST /<Operation>` accepts a single operation, for policies per operation."""

    def __init__(
        self, scope: Construct, id: str, *, options: Options, function: lambda_.IFunction
    ) -> None:
        super().__init__(scope, id)
        self.rest_api = apigateway.RestApi(
            self,
            "Rest",
            rest_api_name=f"{PRODUCT}-{options.stage}",
            description="Datasets of Rekognition Custom Labels, self-hosted",
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            cloud_watch_role=True,
            # The role is an account setting of API Gateway, so it outlives a failed deployment.
            cloud_watch_role_removal_policy=RemovalPolicy.RETAIN,
            deploy_options=self._build_stage_options(options),
            default_method_options=apigateway.MethodOptions(
                authorization_type=apigateway.AuthorizationType.IAM
            ),
            # One permission for the whole API instead of one for each method keeps the function's policy short.
            default_integration=apigateway.LambdaIntegration(
                function, scope_permission_to_method=False, timeout=INTEGRATION_TIMEOUT
            ),
        )
        # The stack has its own output "Endpoint"; CDK's output would have a generated name.
        self.rest_api.node.try_remove_child("Endpoint")
        self.rest_api.root.add_method("POST")
        for operation in ApiOperation:
            self.rest_api.root.add_resource(operation.value).add_method("POST")
        self._add_gateway_responses()
        for rule, reason in _ACKNOWLEDGED.items():
            acknowledge(self, reason, rule)

    def _build_stage_options(self, options: Options) -> apigateway.StageOptions:
        name = f"/aws/vendedlogs/apigateway/{PRODUCT}-{options.stage}"
        access_logs = build_log_group(self, "AccessLogs", name=name, options=options)
        return apigateway.StageOptions(
            stage_name=options.stage,
            throttling_rate_limit=options.throttle_rate,
            throttling_burst_limit=options.throttle_burst,
            tracing_enabled=True,
            metrics_enabled=options.api_metrics,
            access_log_destination=apigateway.LogGroupLogDestination(access_logs),
            access_log_format=apigateway.AccessLogFormat.custom(_build_access_log_format()),
        )

    def _add_gateway_responses(self) -> None:
        """Set the bodies of API Gateway's own errors, from gateway_responses.json."""
        for response_type, response in json.loads(RESPONSES.read_bytes()).items():
            self.rest_api.add_gateway_response(
                "".join(word.capitalize() for word in response_type.split("_")),
                type=apigateway.ResponseType.of(response_type),
                status_code=str(response["StatusCode"]) if "StatusCode" in response else None,
                response_headers={"Content-Type": f"'{CONTENT_TYPE}'"},
                templates=dict.fromkeys(
                    ("application/json", CONTENT_TYPE), build_error_body(response)
                ),
            )


def build_error_body(response: Mapping[str, object]) -> str:
    """Return the body template of an error, with the members in the order of Rekognition's responses.

    API Gateway substitutes only `$context...`; the value of `messageString` includes the quotes.
    """
    error = json.dumps(response["Error"])
    message = json.dumps(response["Message"]) if "Message" in response else None
    return (
        f'{{"__type": {error}, "Code": {error}, "Logref": "$context.requestId", '
        f'"Message": {message or "$context.error.messageString"}}}'
    )


def _build_access_log_format() -> str:
    """Return the format of an access log line: a JSON object with caller, operation, status and latency, without bodies."""
    return json.dumps(
        {
            "requestId": "$context.requestId",
            "time": "$context.requestTimeEpoch",
            "caller": "$context.identity.userArn",
            "sourceIp": "$context.identity.sourceIp",
            "resource": "$context.resourcePath",
            "status": "$context.status",
            "error": "$context.error.responseType",
            "integrationLatency": "$context.integration.latency",
            "latency": "$context.responseLatency",
            "responseLength": "$context.responseLength",
        }
    )
