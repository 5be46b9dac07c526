"""What a reader of a report should not miss, the most serious first."""

from collections.abc import Iterator
from fractions import Fraction
from statistics import median_low
from typing import Any

from twofold.report.text import counted, decimal, name, percent, whole

FEW_TEST_IMAGES = 10
MOSTLY = Fraction(1, 2)
IMBALANCE = 10
LARGE_GROUP = Fraction(1, 10)
MANY_UNLABELLED = Fraction(1, 5)
MAX_NAMED = 20

Report = dict[str, Any]
Told = dict[str, Any]


def warnings(report: Report) -> list[Told]:
    """Each with `code`, `level` (`warning`: mend it; `note`: know it), `message`, and where labels are meant their number
    (`count`) and the first MAX_NAMED of them (`labels`)."""
    found = [
        *_missing(report),
        *_similar(report),
        *_rare(report),
        *_source(report),
        *_whole(report),
    ]
    return sorted(found, key=lambda one: one["level"] != "warning")


def _of_labels(code: str, level: str, labels: list[str], message: str) -> Iterator[Told]:
    if labels:
        yield {
            "code": code,
            "level": level,
            "message": f"{counted(len(labels), 'label', 'labels')} {message}",
            "count": len(labels),
            "labels": labels[:MAX_NAMED],
        }


def _told(code: str, level: str, message: str) -> Told:
    return {"code": code, "level": level, "message": message}


def _missing(report: Report) -> Iterator[Told]:
    yield from _of_labels(
        "LABELS_MISSING_IN_TRAIN",
        "warning",
        report["labelsMissingInTrain"],
        "without a training image: a model cannot learn what it never sees.",
    )
    yield from _of_labels(
        "LABELS_MISSING_IN_TEST",
        "warning",
        report["labelsMissingInTest"],
        "without a test image: nothing measures how well a model finds them.",
    )


def _similar(report: Report) -> Iterator[Told]:
    found = report.get("similarSources")
    if not found or not found["examples"]:
        return
    if found["entries"] > MOSTLY * report["certificate"]["entries"]:
        return  # Numbers, not names.
    names = counted(found["names"], "file name is", "file names are")
    if not found["divided"]:
        yield _told(
            "SIMILAR_SOURCES", "note", f"{names} in several folders, each on one side alone."
        )
        return
    yield _told(
        "SIMILAR_SOURCES",
        "warning",
        f"{names} in several folders, {whole(found['divided'])} of them on both sides: if they are the same images, the "
        "test has seen what was trained on.",
    )


def _rare(report: Report) -> Iterator[Told]:
    missing = {*report["labelsMissingInTest"], *report["labelsMissingInTrain"]}
    rare = [one for one in report["rareLabels"] if one not in missing]
    yield from _of_labels(
        "RARE_LABELS",
        "note",
        rare,
        "on both sides with fewer images than one for each by its share: their test share is well off the target.",
    )
    seen = {*missing, *rare}
    few = [
        row["label"]
        for row in report["labels"]
        if row["test"] < FEW_TEST_IMAGES and row["label"] not in seen
    ]
    yield from _of_labels(
        "FEW_TEST_IMAGES",
        "note",
        few,
        f"with fewer than {FEW_TEST_IMAGES} test images: one image found or missed moves their recall by more than a "
        "tenth.",
    )
    yield from _imbalance(report["labels"])


def _imbalance(rows: list[dict[str, Any]]) -> Iterator[Told]:
    if not rows:
        return
    most = max(rows, key=lambda row: row["before"])
    middle = median_low(row["before"] for row in rows)
    if most["before"] >= IMBALANCE * middle:
        yield _told(
            "IMBALANCE",
            "note",
            f"Labels are very unequally frequent: {name(most['label'])} has {whole(most['before'])} images, half of the "
            f"labels have {whole(middle)} or fewer. The split keeps that as it is.",
        )


def _source(report: Report) -> Iterator[Told]:
    source, dropped = report.get("source", {}), report.get("dropped", {})
    if dropped.get("lines"):
        lines = counted(dropped["lines"], "line is", "lines are")
        yield _told("DROPPED_LINES", "warning", f"{lines} in neither dataset: they are no entries.")
    if source.get("errorEntries"):
        entries = counted(source["errorEntries"], "entry has", "entries have")
        yield _told(
            "ERROR_ENTRIES",
            "warning",
            f"{entries} errors in the labels; they stay in the datasets.",
        )
    entries, unlabelled = report["certificate"]["entries"], report["unlabelled"]["before"]
    if unlabelled >= MANY_UNLABELLED * entries and unlabelled:
        yield _told(
            "UNLABELLED",
            "note",
            f"{percent(unlabelled, entries)} of the entries have no label; they are balanced like a label of their own.",
        )


def _whole(report: Report) -> Iterator[Told]:
    proof = report["certificate"]
    reached, wanted = proof["testEntriesReached"], proof["testEntriesWanted"]
    if reached != wanted:
        yield _told(
            "SIZE_NOT_EXACT",
            "note",
            f"{whole(reached)} entries are tested, {whole(wanted)} were wanted: whole groups add up to no nearer number.",
        )
    groups = report.get("groups")
    if groups and groups["largestGroup"] > LARGE_GROUP * proof["entries"]:
        share = percent(groups["largestGroup"], proof["entries"])
        yield _told(
            "LARGE_GROUP",
            "note",
            f"The largest group holds {share} of the entries, all on one side: labels that live in it cannot be balanced.",
        )
    if not proof["optimal"]:
        yield _told(
            "NOT_PROVEN",
            "note",
            f"No proof that this is the best split of its size: another could be nearer by {decimal(Fraction(proof['gap']))} "
            "images in all, at most.",
        )
