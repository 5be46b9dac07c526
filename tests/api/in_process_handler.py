"""The API's handler in this process, with the stores of the emulator."""

import json
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from local.emulator.clients import REGION
from local.emulator.functions import ACCOUNT
from tests.support.in_process_api import LambdaContext, build_api_event
from twofold.handlers import api
from twofold.settings import ApiOperation


@dataclass
class InProcessHandler:
    """The API's handler in this process, with the emulator's stores, for concurrent calls."""

    arn: str = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:twofold-local-api"
    invocation: str = field(default_factory=lambda: str(uuid4()))

    def call(self, operation: ApiOperation, request: dict[str, Any], **how: str) -> dict[str, Any]:
        event = build_api_event(
            operation,
            json.dumps(request),
            {"userArn": how.get("caller", "me")},
            {"amz-sdk-invocation-id": how.get("invocation", self.invocation)},
        )
        response = api.handler(event, LambdaContext(self.arn))
        return {"HTTP": response["statusCode"], **json.loads(response["body"])}
