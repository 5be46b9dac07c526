"""The clients of AWS's services: botocore's own. Loading boto3 as well would keep the first caller of a function waiting
for another 0.15 s, and nothing here needs it."""

from functools import cache
from typing import Any

from botocore.config import Config
from botocore.session import Session, get_session

from twofold.settings import Service
from twofold.stores.failures import raise_if_busy


@cache
def _session() -> Session:
    session = get_session()
    handler: Any = raise_if_busy
    session.register("after-call", handler)
    return session


def client(service: Service, config: Config) -> Any:
    """Raises ValueError for a service that is not in the registry, because its model does not ship."""
    return _session().create_client(Service(service).value, config=config)
