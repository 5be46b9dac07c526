"""What a line says of its image: labels, boxes, and what is wrong with them, by Rekognition's rules for two kinds of label.

A label attribute is a key K with a partner K-metadata. What AWS leaves open is decided so:

- Errors say what Rekognition would not train on; labels say what the line holds. A label counts when it can be read and,
  for a box, the box is sound. So an attribute that lacks only what nobody reads (`confidence`, `human-annotated`,
  `creation-date`), or whose image is too large, is an error and keeps its labels: Lookout for Vision writes no
  `confidence`, and a split must not be blind to those images. An attribute of a broken format or an unknown type has none.
- A line is labelled when one of its attributes holds something, right or wrong: AWS's one published example of a line in
  error has `is_labeled: true` with no valid attribute. No boxes, or an empty list of classes, is nothing.
- An unsupported attribute is an error even beside a valid one. Keys without a partner are free beside a pair. A line that
  has other members than `source-ref` and no pair is ERROR_NO_LABEL_ATTRIBUTES, whatever their types: the guide has that error
  where the attribute or its metadata "(or both)" are missing. A line of `source-ref` alone is an unlabelled image.
- Where the object at fault is none (an attribute that is a number), the error is told at the root.
- Predictions in re-imported results (`rekognition-custom-labels-evaluation…`), `errors`, `warnings`, `cl-errors` and
  `cl-metadata` are no attributes.
- `…-multilabel` is a class-name as AWS's converter writes it, or the job's own ids and class-map.
"""

from collections.abc import Callable
from typing import Any

from twofold.manifest.boxes import BOXES, read_boxes
from twofold.manifest.document import Document
from twofold.manifest.faults import STOPPING, Code, Fault
from twofold.manifest.findings import Findings, is_confidence, is_provenance, read_class_map

METADATA = "-metadata"
EVALUATION = "rekognition-custom-labels-evaluation"
CLASSES = ("groundtruth/image-classification", "groundtruth/image-classification-multilabel")

_NOT_ATTRIBUTES = frozenset({"source-ref", "cl"})
_NOT_HALVES = frozenset({"source-ref", "cl-errors", "cl-metadata", "errors", "warnings"})
IDENTIFIERS = frozenset({int, float, str})


def examine(document: Document) -> Findings:
    """The labels and faults of a parsed line; `faults` in the order of the line, the root's last."""
    findings = Findings()
    pairs = 0
    for partner, metadata in document.items():
        if partner.endswith(METADATA):
            key = partner[:-9]
            if key in document and may_be_attribute(key):
                pairs += 1
                _read_attribute(key, document[key], metadata, findings)
    if not pairs:
        _look_for_halves(document, findings)
    elif findings.faults:
        _conclude(findings)
    return findings


def may_be_attribute(key: str) -> bool:
    """Whether this key and its partner are labels."""
    return not (key in _NOT_ATTRIBUTES or key.endswith(METADATA) or key.startswith(EVALUATION))


def _holds_something(value: Any) -> bool:
    if type(value) is dict:
        if "annotations" in value:
            return bool(value["annotations"])
        return bool(value.keys() - {"cl-errors"})
    return value is not None and value != []


def _read_attribute(key: str, value: Any, metadata: Any, findings: Findings) -> None:
    if not findings.labeled:
        findings.labeled = _holds_something(value)
    if type(metadata) is not dict:
        findings.add((), Code.METADATA_FORMAT)
        return
    kind = metadata.get("type")
    if type(kind) is not str:
        findings.add((key + METADATA,), Code.METADATA_FORMAT)
        return
    reader = _READERS.get(kind)
    if reader is None:
        findings.add((key + METADATA,), Code.UNSUPPORTED_USE_CASE_TYPE, key + METADATA)
        return
    reader(key, value, metadata, findings)


def _read_class(key: str, value: Any, metadata: Document, findings: Findings) -> None:
    if type(value) not in IDENTIFIERS:
        findings.add((key,) if type(value) is dict else (), Code.ATTRIBUTE_FORMAT, key)
        return
    name = metadata.get("class-name")
    if type(name) is not str:
        findings.add((key + METADATA,), Code.METADATA_FORMAT)
        return
    if not is_confidence(metadata.get("confidence")) or not is_provenance(metadata):
        findings.add((key + METADATA,), Code.METADATA_FORMAT)
    if findings.count(name, 0, key + METADATA):
        findings.survivors += 1


def _read_classes(key: str, value: Any, metadata: Document, findings: Findings) -> None:
    """The raw output of a multi-label job: `K: [ids]`, `class-map` and `confidence-map`."""
    if "class-name" in metadata:
        _read_class(key, value, metadata, findings)
        return
    if type(value) is not list or not all(type(item) in (int, str) for item in value):
        findings.add((key,) if type(value) is dict else (), Code.ATTRIBUTE_FORMAT, key)
        return
    path = (key + METADATA,)
    class_map = read_class_map(metadata)
    if class_map is None:
        findings.add(path, Code.METADATA_FORMAT)
        return
    ids = [str(item) for item in value]
    names = [class_map[item] for item in ids if item in class_map]
    if not _has_confidences(metadata, ids) or not is_provenance(metadata):
        findings.add(path, Code.METADATA_FORMAT)
    if len(names) < len(ids):
        findings.add(path, Code.MISSING_CLASS_MAP_ID)
    taken = [findings.count(name, 0, key + METADATA) for name in names]
    if any(taken) or not names:
        findings.survivors += 1


def _has_confidences(metadata: Document, ids: list[str]) -> bool:
    confidences = metadata.get("confidence-map")
    return type(confidences) is dict and all(is_confidence(confidences.get(item)) for item in ids)


_READERS: dict[str, Callable[[str, Any, Document, Findings], None]] = {
    CLASSES[0]: _read_class,
    CLASSES[1]: _read_classes,
    BOXES: read_boxes,
}


def _look_for_halves(document: Document, findings: Findings) -> None:
    for key in document:
        if key in _NOT_HALVES or key.startswith(EVALUATION):
            continue
        findings.add((), Code.NO_LABEL_ATTRIBUTES)
        return


def _conclude(findings: Findings) -> None:
    stopping = [fault for fault in findings.faults if fault.code in STOPPING]
    if stopping:
        findings.faults = stopping
    elif not findings.survivors:
        findings.faults.append(Fault((), Code.NO_VALID_LABEL_ATTRIBUTES))
    elif findings.boxes and not findings.labels:
        findings.faults.append(Fault((), Code.NO_VALID_ANNOTATIONS))
