"""Which entries of a dataset are tested: exact in number, balanced by label, with a certificate."""

from twofold.split.boxes import Objective
from twofold.split.certificate import ALGORITHM_VERSION, Certificate, Selection
from twofold.split.coordination import Previously
from twofold.split.eligibility import labels_in_one_group, refusal
from twofold.split.pairs import PAIRED_LABELS
from twofold.split.rows import LabelSets
from twofold.split.selection import select_test_entries

__all__ = [
    "ALGORITHM_VERSION",
    "PAIRED_LABELS",
    "Certificate",
    "LabelSets",
    "Objective",
    "Previously",
    "Selection",
    "labels_in_one_group",
    "refusal",
    "select_test_entries",
]
