"""`python -m tests.privileges.check FOLDER`: compare the recorded calls of a test run with the synthesized roles.

Exit codes: 0 calls and grants match, 1 otherwise.
"""

import re
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from infra.application import build
from infra.options import format_stack_name
from local.emulator.server import BUCKET, STAGE, TABLE
from tests.infra.synthesized_template import SynthesizedTemplate
from tests.privileges.calls import Call
from tests.privileges.grants import find_missing_grants, find_unused_grants, list_grants
from tests.privileges.recorder import load
from tests.support.second_stage import RESTORED
from twofold.settings import Workflow, make_state_machine_name

_S3 = "arn:aws:s3:::"


def main(folder: Path) -> int:
    calls = normalize_stage(load(folder))
    sources = _list_source_buckets(calls)
    grants = list_grants(_synthesize_template(sources))
    machines = [make_state_machine_name(STAGE, workflow) for workflow in Workflow]
    missing, unused = (
        find_missing_grants(calls, grants),
        find_unused_grants(calls, grants, machines, sources),
    )
    grant_count = sum(1 for grant in grants for _ in grant.split_by_partition())
    callers = len({call.caller for call in calls})
    print(  # noqa: T201
        f"{sum(calls.values())} calls of {callers} functions and state machines, {len(calls)} of them different; "
        f"{grant_count} grants; {len(missing)} calls not granted, {len(unused)} grants not used."
    )
    for finding in (*missing, *unused):
        print(finding)  # noqa: T201
    return 1 if missing or unused else 0


def normalize_stage(calls: Mapping[Call, int]) -> dict[Call, int]:
    """Replace tables and buckets of second stages by those of the main stage, and add up the counts."""
    counts: dict[Call, int] = {}
    for call, count in calls.items():
        own = TABLE if ":table/" in call.resource else BUCKET
        resource = re.sub(rf"(?<=[:/]){RESTORED}[a-z-]*(?=/|$)", own, call.resource)
        normalized = call._replace(resource=resource)
        counts[normalized] = counts.get(normalized, 0) + count
    return counts


def _list_source_buckets(calls: dict[Call, int]) -> list[str]:
    """Return the source buckets of the test suite, for the option source_buckets."""
    resources = {call.resource.removeprefix(_S3) for call in calls if call.resource.startswith(_S3)}
    buckets = {resource.partition("/")[0] for resource in resources if "/" in resource}
    return sorted(buckets - {BUCKET})


def _synthesize_template(sources: list[str]) -> SynthesizedTemplate:
    with tempfile.TemporaryDirectory() as folder:
        # Some tests limit their callers, and the API counts the calls.
        options = [f"stage={STAGE}", f"source_buckets={','.join(sources)}", "caller_rate=1"]
        app = build(
            options,
            outdir=Path(folder),
            context={"aws:cdk:bundling-stacks": []},
            with_checks=False,
        )
        body = app.synth().get_stack_by_name(format_stack_name(STAGE)).template
    return SynthesizedTemplate(body, STAGE)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
