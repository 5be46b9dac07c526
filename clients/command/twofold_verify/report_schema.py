"""The schema of report.json, and the members that the manifests cannot confirm."""

import re
from collections.abc import Mapping
from typing import Any

FRACTION = re.compile(r"(0|[1-9][0-9]{0,19})(/[1-9][0-9]{0,19})?")
DIGEST = re.compile(r"[0-9a-f]{16}")
SHORT = re.compile(r"[ -~]{1,100}")

_SIGNED = range(-(1 << 63), 1 << 63)
_DUAL_BOUND = {
    "bound": FRACTION,
    "value": FRACTION,
    "denominator": range(1, 1 << 63),
    "entries": _SIGNED,
    "labels": [{"label": str, "multiplier": _SIGNED}],
    "levels?": [{"member": str, "level": (str, type(None)), "multiplier": _SIGNED}],
    "unlabelled": _SIGNED,
}
_CERTIFICATE = {
    "algorithmVersion": int,
    "seed": int,
    "fraction": FRACTION,
    "entries": int,
    "groups": (int, type(None)),
    "testEntriesWanted": int,
    "testEntriesReachable": int,
    "testEntriesReached": int,
    "deviation": FRACTION,
    "lowerBound": FRACTION,
    "gap": FRACTION,
    "optimal": bool,
    "proof": SHORT,
    "dualBound?": _DUAL_BOUND,
    "swappedEntries": int,
    "pairs": int,
    "pairDeviation": FRACTION,
    "labelDeviation?": FRACTION,
    "levelDeviation?": FRACTION,
}
_COUNTS = {
    "before": int,
    "train": int,
    "test": int,
    "share": (float, type(None)),
    "deviation": FRACTION,
}
_BOXES = {"boxes?": int, "boxesInTest?": int, "boxDeviation?": FRACTION}
_PAIR = {"labels": [str], **_COUNTS}
DATASET = {"manifest": str, "entries": int, "bytes": int, "digest": DIGEST}
ERRORS = [{"code": SHORT, "entries": int, "firstLine": int}]
_REPORT: Mapping[str, Any] = {
    "twofold": SHORT,
    "parameters": {
        "testFraction": FRACTION,
        "seed": int,
        "groupBy?": str,
        "ungrouped?": re.compile("single"),
        "balanceBy?": [str],
        "minPerLabel?": int,
        "objective?": re.compile("labels-and-boxes"),
        "previous?": {
            "trainDigest": DIGEST,
            "testDigest": DIGEST,
            "matchedBy?": re.compile("key"),
        },
    },
    "certificate": _CERTIFICATE,
    "previous?": dict.fromkeys(
        ("testEntries", "trainEntries", "newEntries", "leftTest", "enteredTest"), int
    ),
    "boxDeviation?": FRACTION,
    "coverage?": {
        "labelsWithTooFewImages": [str],
        "deviationWithout": FRACTION,
        "cost": FRACTION,
    },
    "levels?": [{"member": str, "level": (str, type(None)), **_COUNTS}],
    "labels": [{"label": str, **_COUNTS, **_BOXES}],
    "unlabelled": _COUNTS,
    "labelsMissingInTest": [str],
    "labelsMissingInTrain": [str],
    "rareLabels": [str],
    "coOccurrence": {
        "labels": int,
        "pairs": int,
        "mostFrequent": [_PAIR],
        "furthest": [_PAIR],
        "matrix": {"labels": [str], "images": [[int]]},
    },
    "groups?": {
        "groups": int,
        "testGroups": int,
        "largestGroup": int,
        "ungrouped?": int,
        "sizes": [{"from": int, "to": int, "train": int, "test": int}],
        "labelsInOneGroup": [str],
    },
    "similarSources?": {
        "names": int,
        "entries": int,
        "divided": int,
        "byChance": int,
        "examples": [{"name": str, "train": [str], "test": [str]}],
    },
    "warnings": [
        {
            "code": SHORT,
            "level": re.compile("warning|note"),
            "message": str,
            "count?": int,
            "labels?": [str],
        }
    ],
}
DROPPED = {"lines": int, "reasons": [{"line": int, "reason": SHORT, "detail": str}]}

COMMAND_REPORT: Mapping[str, Any] = {
    **_REPORT,
    "datasets": {"train": DATASET, "test": DATASET},
    "source": {
        "manifest": str,
        "lines": int,
        "entries": int,
        "errorEntries": int,
        "errors": ERRORS,
        "digest": DIGEST,
    },
    "dropped": DROPPED,
}
"""Schema of a report of `twofold split`."""

SERVICE_REPORT: Mapping[str, Any] = {
    **_REPORT,
    "operation": str,
    "project": str,
    "created": int,
    "dryRun": bool,
    "datasets?": {"train": DATASET, "test": DATASET},
    "source": {**DATASET, "testManifest?": str, "errorEntries": int, "errors": ERRORS},
    "dropped?": DROPPED,
    "run?": {
        "manifest": str,
        "seconds": dict,
        "peakWorkerBytes": int,
    },
}
"""Schema of a report of the service, and of `make run`, which adds `dropped` and `run`."""

UNCHECKED_MEMBERS: Mapping[str, str] = {
    "twofold": "the version that made the split",
    "operation": "the name of the operation",
    "project": "the name of the project",
    "created": "the time of the operation",
    "run": "times and memory of `make run`",
    "datasets.train.manifest": "the location of the training manifest",
    "datasets.test.manifest": "the location of the test manifest",
    "source.manifest": "the name of the source manifest",
    "source.testManifest": "the location of the test manifest with the kept entries",
    "source.errorEntries": "entries with errors in their labels",
    "source.errors": "the error codes, with the first line of each",
    "certificate.proof": "the solver's claim, unless it is the integrality floor or the dual bound",
    "warnings[].message": "the text; code, level, labels and count are checked",
    "dropped.reasons[].detail": "the text; the manifests do not contain rejected lines",
}
"""Members that the manifests cannot confirm, with a description by path; `[]` is any element of an array."""
