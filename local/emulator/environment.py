"""Variables of the environment that moto reads, which are the user's for another purpose."""

import os

_PREFIXES = ("MOTO_", "TEST_PROXY_", "TEST_SERVER_")
_NAMES = (
    "DEFAULT_CONTAINER_REGISTRY",
    "INITIAL_NO_AUTH_ACTION_COUNT",
    "S3_IGNORE_SUBDOMAIN_BUCKETNAME",
    "S3_UPLOAD_PART_MIN_SIZE",
    "SF_EXECUTION_HISTORY_TYPE",
)


def forget_moto_variables() -> None:
    """Remove the variables from this process. To be called before moto is imported: it reads some of them then."""
    for name in [name for name in os.environ if name in _NAMES or name.startswith(_PREFIXES)]:
        del os.environ[name]
