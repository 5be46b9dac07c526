"""Setup of worker processes whose AWS clients make all their attempts, with short pauses.

It runs on the bundle alone, so it imports nothing of the tests.
"""

import time
from types import SimpleNamespace

from botocore import endpoint

WAIT_FRACTION = 0.02

if __name__ != "tests.support.impatient_worker":
    pauses = SimpleNamespace(sleep=lambda seconds: time.sleep(seconds * WAIT_FRACTION))
    vars(endpoint)["time"] = pauses
