"""`python -m tests.privileges.check FOLDER`: the calls that a run of the suite noted there, beside the synthesized roles.

Exit codes: 0 all is as it should be, 1 it is not.
"""

import re
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from infra.application import build
from infra.options import stack_name
from local.stack import BUCKET, STAGE, TABLE
from tests.infra.synthesized import Synthesized
from tests.privileges.calls import Call
from tests.privileges.grants import granted, not_granted, not_used
from tests.privileges.recorder import load
from tests.second_stage import RESTORED
from twofold.settings import Workflow, state_machine_name

_S3 = "arn:aws:s3:::"


def main(folder: Path) -> int:
    calls = as_of_one_stage(load(folder))
    sources = _sources(calls)
    grants = granted(_template(sources))
    machines = [state_machine_name(STAGE, workflow) for workflow in Workflow]
    missing, idle = not_granted(calls, grants), not_used(calls, grants, machines, sources)
    parts = sum(1 for grant in grants for _ in grant.parts())
    callers = len({call.caller for call in calls})
    print(  # noqa: T201
        f"{sum(calls.values())} calls of {callers} functions and state machines, {len(calls)} of them different; "
        f"{parts} grants; {len(missing)} calls not granted, {len(idle)} grants not used."
    )
    for one in (*missing, *idle):
        print(one)  # noqa: T201
    return 1 if missing or idle else 0


def as_of_one_stage(calls: Mapping[Call, int]) -> dict[Call, int]:
    """Tests have other tables and buckets behind the same functions: these are theirs as their own are."""
    found: dict[Call, int] = {}
    for call, count in calls.items():
        own = TABLE if ":table/" in call.resource else BUCKET
        place = re.sub(rf"(?<=[:/]){RESTORED}[a-z-]*(?=/|$)", own, call.resource)
        moved = call._replace(resource=place)
        found[moved] = found.get(moved, 0) + count
    return found


def _sources(calls: dict[Call, int]) -> list[str]:
    """The buckets of manifests that the suite names, as a deployment for it would name them."""
    places = {call.resource.removeprefix(_S3) for call in calls if call.resource.startswith(_S3)}
    return sorted({place.partition("/")[0] for place in places if "/" in place} - {BUCKET})


def _template(sources: list[str]) -> Synthesized:
    with tempfile.TemporaryDirectory() as folder:
        # Some tests limit their callers, and the API counts the calls.
        options = [f"stage={STAGE}", f"source_buckets={','.join(sources)}", "caller_rate=1"]
        app = build(
            options,
            outdir=Path(folder),
            context={"aws:cdk:bundling-stacks": []},
            checked=False,
        )
        body = app.synth().get_stack_by_name(stack_name(STAGE)).template
    return Synthesized(body, STAGE)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
