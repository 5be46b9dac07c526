"""Select the entries of the test set: exact in number, balanced by label, with a certificate.

Entries with equal label sets are interchangeable: they have one *signature*. A split is the integer programme

    minimize    sum over labels l of |(x A)_l - f n_l|
    subject to  sum over signatures s of size_s x_s = entries of the test set,  0 <= x_s <= c_s,  x_s integer

where x_s, the *allocation*, is the number of units of signature s in the test set, c_s the number of all its units, size_s the
entries of one unit (1, or the entries of a group), A the *label matrix* (a row for each signature, a column for each label), f
the test fraction, n_l the images of label l in all entries, and f n_l the *share* of label l. Levels of balanced members are
further columns of A, so what holds for labels holds for levels. Of each signature the x_s units
with the lowest keys are in the test set; `boxes` may then exchange units of a signature.

In code, for U units, S signatures and L columns (labels, then levels, then "unlabelled"):

    x_s       x                            int64[S]
    c_s       Window.capacity              int64[S]
    size_s    Window.size                  int64[S]
    A         Window.matrix                LabelMatrix, S rows, L columns
    n_l       Window.images                int64[L]
    (x A)_l   Window.count_test_images(x)  int64[L]; the whole test set, with the units outside the window
    f n_l     -                            in mip: integer part `low` int64[L], remainder times the denominator
    -         Units.key, .source           uint64[U]; .row, .size int64[U]: row of the matrix, entries
    -         Window.unit, .short_key      int64[open units], ordered by signature; .start int64[S + 1]

Read the modules in this order; a module imports only modules above:

- label_matrix, level_columns: the matrix A, with labels and levels.
- sampling: keys, units and their signatures; coordination with a previous split.
- coverage, window, pairs: images demanded on each side; the units near the threshold, which alone are open; pairs of labels,
  balanced like labels.
- duals, local_search, neighbourhoods: an allocation by dual prices, then the best moves one by one.
- highs, subset_sum, mip, coverage_mip: HiGHS, exact numbers of entries with groups, the programme with its proof, and that of
  the coverage.
- diving: an allocation by rounding the relaxation of the programme, for large programmes.
- allocation: these steps in one window.
- deviation_lattice, dual_bound, proof: a bound from the dual values of the linear relaxation, in integers that others can
  check.
- certificate, solver: the result, and windows until an allocation is proved or no better.
- covered_solver: the same with coverage, and its cost.
- boxes, eligibility, selection: boxes as a second objective, refusals, and the entry point `select_test_entries`.
- parts: the same for any number of parts.

The command passes a previous split with `--previous`, the service with `KeepTest`.
"""

from twofold.label_sets import LabelSets
from twofold.split.boxes import Objective
from twofold.split.certificate import ALGORITHM_VERSION, Certificate, Selection
from twofold.split.coverage import CoverageError
from twofold.split.eligibility import explain_refusal, find_labels_in_one_group
from twofold.split.pairs import PAIRED_LABELS
from twofold.split.sampling import PreviousSide
from twofold.split.selection import select_test_entries

__all__ = [
    "ALGORITHM_VERSION",
    "PAIRED_LABELS",
    "Certificate",
    "CoverageError",
    "LabelSets",
    "Objective",
    "PreviousSide",
    "Selection",
    "explain_refusal",
    "find_labels_in_one_group",
    "select_test_entries",
]
