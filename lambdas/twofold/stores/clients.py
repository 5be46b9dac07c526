"""botocore clients of AWS services.

boto3 would add 0.15 s to the cold start of a function, and no function needs its features.
"""

from functools import cache
from typing import Any

from botocore.config import Config
from botocore.session import Session, get_session

from twofold.settings import Service
from twofold.stores.aws_errors import raise_if_busy


@cache
def _get_session() -> Session:
    session = get_session()
    handler: Any = raise_if_busy
    session.register("after-call", handler)
    return session


def create_client(service: Service, config: Config) -> Any:
    """Raises ValueError for a service outside `Service`: the bundle has no model for it."""
    return _get_session().create_client(Service(service).value, config=config)
