"""The front door: a REST API whose every method asks for IAM, with errors that an AWS SDK understands."""

import json
from collections.abc import Mapping
from pathlib import Path

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.acknowledgements import acknowledge
from infra.logs import log_group
from infra.options import Options
from twofold.settings import PRODUCT, Operation

CONTENT_TYPE = "application/x-amz-json-1.1"
LONGEST = Duration.seconds(29)
"""That API Gateway waits for a function, unless AWS has raised it. The function ends before, so none works on for nobody."""

RESPONSES = Path(__file__).with_name("gateway_responses.json")

_ACKNOWLEDGED = {
    "AwsSolutions-APIG2": "The function checks every request against AWS's own service model and answers in "
    "its words; a validator here would answer first, and otherwise.",
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
    """`POST /` takes every operation, `POST /<Operation>` that one, so that a policy can allow it alone."""

    def __init__(
        self, scope: Construct, id: str, *, options: Options, function: lambda_.IFunction
    ) -> None:
        super().__init__(scope, id)
        self.rest = apigateway.RestApi(
            self,
            "Rest",
            rest_api_name=f"{PRODUCT}-{options.stage}",
            description="Datasets of Rekognition Custom Labels, self-hosted",
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            cloud_watch_role=True,
            # The account may point to it as soon as it is made, so it stays even if the deployment that made it fails.
            cloud_watch_role_removal_policy=RemovalPolicy.RETAIN,
            deploy_options=self._stage(options),
            default_method_options=apigateway.MethodOptions(
                authorization_type=apigateway.AuthorizationType.IAM
            ),
            default_integration=apigateway.LambdaIntegration(
                function, scope_permission_to_method=False, timeout=LONGEST
            ),
        )
        # The stack has an output for the endpoint, with a name that can be relied on.
        self.rest.node.try_remove_child("Endpoint")
        self.rest.root.add_method("POST")
        for operation in Operation:
            self.rest.root.add_resource(operation.value).add_method("POST")
        self._answer()
        for rule, reason in _ACKNOWLEDGED.items():
            acknowledge(self, reason, rule)

    def _stage(self, options: Options) -> apigateway.StageOptions:
        name = f"/aws/vendedlogs/apigateway/{PRODUCT}-{options.stage}"
        access_logs = log_group(self, "AccessLogs", name=name, options=options)
        return apigateway.StageOptions(
            stage_name=options.stage,
            throttling_rate_limit=options.throttle_rate,
            throttling_burst_limit=options.throttle_burst,
            tracing_enabled=True,
            metrics_enabled=options.api_metrics,
            access_log_destination=apigateway.LogGroupLogDestination(access_logs),
            access_log_format=apigateway.AccessLogFormat.custom(_access_log_line()),
        )

    def _answer(self) -> None:
        for kind, response in json.loads(RESPONSES.read_bytes()).items():
            self.rest.add_gateway_response(
                "".join(word.capitalize() for word in kind.split("_")),
                type=apigateway.ResponseType.of(kind),
                status_code=str(response["StatusCode"]) if "StatusCode" in response else None,
                response_headers={"Content-Type": f"'{CONTENT_TYPE}'"},
                templates=dict.fromkeys(("application/json", CONTENT_TYPE), error_body(response)),
            )


def error_body(response: Mapping[str, object]) -> str:
    """The body's template, members in the order that Rekognition sends them.

    API Gateway substitutes `$context...` and no more; `messageString` brings its own quotes.
    """
    error = json.dumps(response["Error"])
    message = json.dumps(response["Message"]) if "Message" in response else None
    return (
        f'{{"__type": {error}, "Code": {error}, "Logref": "$context.requestId", '
        f'"Message": {message or "$context.error.messageString"}}}'
    )


def _access_log_line() -> str:
    """One JSON object a request: who asked for what, and how it went, without bodies."""
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
