"""Labels and errors of a line, by Rekognition's rules for image-level labels and bounding boxes.

A label attribute is a key K with a metadata key K-metadata. Decisions where AWS's documentation is silent:

- An error means that Rekognition would not train on the label. A readable label still counts, for a box only if the box is
  valid: an attribute without `confidence`, `human-annotated` or `creation-date`, or of an image that is too large, is
  an error and keeps the labels. (Lookout for Vision writes no `confidence`, and the split must balance such images too.) An
  attribute with an invalid format or an unknown type has no labels.
- A line is labelled if an attribute has a value, valid or not: AWS's only published example of a line with an error has
  `is_labeled: true` and no valid attribute. An empty list of boxes or classes is no value.
- An unsupported attribute is an error even beside a valid attribute. Keys without metadata are allowed beside a pair. A line
  with members beside `source-ref` and without a pair has ERROR_NO_LABEL_ATTRIBUTES, of any type: by the guide
  the error means that the attribute, its metadata "(or both)" are missing. A line with `source-ref` only is an unlabelled
  image.
- The error of an attribute without an object (such as a number) is shown at the root.
- Predictions in re-imported results (`rekognition-custom-labels-evaluation…`), `errors`, `warnings`, `cl-errors` and
  `cl-metadata` are no label attributes.
- An attribute of type `…-multilabel` has either a class-name, as AWS's converter writes it, or the ids and class-map of a job.
"""

from collections.abc import Callable
from typing import Any

from twofold.manifest.line.boxes import DETECTION_TYPE, read_boxes
from twofold.manifest.line.document import Document
from twofold.manifest.line.errors import STOPPING_CODES, ErrorCode, LineError
from twofold.manifest.line.findings import (
    Findings,
    has_provenance,
    is_confidence,
    read_class_map,
)

METADATA_SUFFIX = "-metadata"
EVALUATION_PREFIX = "rekognition-custom-labels-evaluation"
CLASSIFICATION_TYPES = (
    "groundtruth/image-classification",
    "groundtruth/image-classification-multilabel",
)
CLASS_VALUE_TYPES = frozenset({int, float, str})

_RESERVED_KEYS = frozenset({"source-ref", "cl"})
_UNPAIRED_KEYS = frozenset({"source-ref", "cl-errors", "cl-metadata", "errors", "warnings"})


def examine_document(document: Document) -> Findings:
    """Return the labels and errors of a parsed line. Errors are in the order of the line, errors of the root last."""
    findings = Findings()
    pairs = 0
    for metadata_key, metadata in document.items():
        if metadata_key.endswith(METADATA_SUFFIX):
            key = metadata_key[: -len(METADATA_SUFFIX)]
            if key in document and is_attribute_key(key):
                pairs += 1
                _read_attribute(key, document[key], metadata, findings)
    # Precedence applies only to errors of label attributes.
    if not pairs:
        _check_unpaired_keys(document, findings)
    elif findings.errors:
        _apply_precedence(findings)
    return findings


def is_attribute_key(key: str) -> bool:
    """Whether a key with a metadata key is a label attribute."""
    return not (
        key in _RESERVED_KEYS or key.endswith(METADATA_SUFFIX) or key.startswith(EVALUATION_PREFIX)
    )


def _has_content(value: Any) -> bool:
    if type(value) is dict:
        if "annotations" in value:
            return bool(value["annotations"])
        return bool(value.keys() - {"cl-errors"})
    return value is not None and value != []


def _read_attribute(key: str, value: Any, metadata: Any, findings: Findings) -> None:
    if not findings.labeled:
        findings.labeled = _has_content(value)
    if type(metadata) is not dict:
        findings.add_error((), ErrorCode.METADATA_FORMAT)
        return
    use_case = metadata.get("type")
    if type(use_case) is not str:
        findings.add_error((key + METADATA_SUFFIX,), ErrorCode.METADATA_FORMAT)
        return
    reader = _READERS.get(use_case)
    if reader is None:
        metadata_key = key + METADATA_SUFFIX
        findings.add_error((metadata_key,), ErrorCode.UNSUPPORTED_USE_CASE_TYPE, metadata_key)
        return
    reader(key, value, metadata, findings)


def _read_class(key: str, value: Any, metadata: Document, findings: Findings) -> None:
    """Add the label of an attribute with a class: `K: 1` and `class-name`."""
    if type(value) not in CLASS_VALUE_TYPES:
        findings.add_error((key,) if type(value) is dict else (), ErrorCode.ATTRIBUTE_FORMAT, key)
        return
    name = metadata.get("class-name")
    if type(name) is not str:
        findings.add_error((key + METADATA_SUFFIX,), ErrorCode.METADATA_FORMAT)
        return
    if not is_confidence(metadata.get("confidence")) or not has_provenance(metadata):
        findings.add_error((key + METADATA_SUFFIX,), ErrorCode.METADATA_FORMAT)
    if findings.count_label(name, 0, key + METADATA_SUFFIX):
        findings.valid_attributes += 1


def _read_classes(key: str, value: Any, metadata: Document, findings: Findings) -> None:
    """Add the labels of the raw output of a multi-label job: `K: [ids]`, `class-map` and `confidence-map`."""
    if "class-name" in metadata:
        _read_class(key, value, metadata, findings)
        return
    if type(value) is not list or not all(type(class_id) in (int, str) for class_id in value):
        findings.add_error((key,) if type(value) is dict else (), ErrorCode.ATTRIBUTE_FORMAT, key)
        return
    path = (key + METADATA_SUFFIX,)
    class_map = read_class_map(metadata)
    if class_map is None:
        findings.add_error(path, ErrorCode.METADATA_FORMAT)
        return
    class_ids = [str(class_id) for class_id in value]
    names = [class_map[class_id] for class_id in class_ids if class_id in class_map]
    if not _has_confidences(metadata, class_ids) or not has_provenance(metadata):
        findings.add_error(path, ErrorCode.METADATA_FORMAT)
    # A confidence is required for each id, in the class map or not.
    if len(names) < len(class_ids):
        findings.add_error(path, ErrorCode.MISSING_CLASS_MAP_ID)
    # A list, not a generator: every label must be counted.
    is_counted = [findings.count_label(name, 0, key + METADATA_SUFFIX) for name in names]
    if any(is_counted) or not names:
        findings.valid_attributes += 1


def _has_confidences(metadata: Document, class_ids: list[str]) -> bool:
    confidences = metadata.get("confidence-map")
    return type(confidences) is dict and all(
        is_confidence(confidences.get(class_id)) for class_id in class_ids
    )


_READERS: dict[str, Callable[[str, Any, Document, Findings], None]] = {
    CLASSIFICATION_TYPES[0]: _read_class,
    CLASSIFICATION_TYPES[1]: _read_classes,
    DETECTION_TYPE: read_boxes,
}


def _check_unpaired_keys(document: Document, findings: Findings) -> None:
    for key in document:
        if key in _UNPAIRED_KEYS or key.startswith(EVALUATION_PREFIX):
            continue
        findings.add_error((), ErrorCode.NO_LABEL_ATTRIBUTES)
        return


def _apply_precedence(findings: Findings) -> None:
    """Keep only stopping errors if there are any; otherwise add the error of a line without a valid label."""
    stopping_errors = [error for error in findings.errors if error.code in STOPPING_CODES]
    if stopping_errors:
        findings.errors = stopping_errors
    elif not findings.valid_attributes:
        findings.errors.append(LineError((), ErrorCode.NO_VALID_LABEL_ATTRIBUTES))
    elif findings.boxes and not findings.labels:
        findings.errors.append(LineError((), ErrorCode.NO_VALID_ANNOTATIONS))
