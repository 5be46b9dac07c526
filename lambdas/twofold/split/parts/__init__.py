"""Divide entries into any number of parts, all chosen jointly: the split of `--parts` and `--folds`.

A division is the integer programme

    minimize    sum over parts p and labels l of |t_pl - f_p n_l|,   t_pl = (x_p A)_l
    subject to  sum over parts p of x_sp = c_s for each signature s,   sum over s of size_s x_sp = entries of part p

with the symbols of `split`. Read the modules in this order; a module imports only modules above:

- shares, sizes: numbers of entries, integrality floors, and sums of whole groups.
- table: units by signature, and the parts of an allocation by keys.
- division: a first division, part after part, by the solver for two.
- pair_search: two parts at a time, by the moves of the solver for two.
- joint_mip: the programme over all parts, with its proof.
- eligibility, selection: refusals, and the entry point `select_parts`.
"""

from twofold.split.parts.eligibility import explain_parts_refusal
from twofold.split.parts.selection import (
    PARTS_VERSION,
    PartsCertificate,
    PartsSelection,
    select_parts,
)
from twofold.split.parts.shares import MAX_PARTS, PartShares

__all__ = [
    "MAX_PARTS",
    "PARTS_VERSION",
    "PartShares",
    "PartsCertificate",
    "PartsSelection",
    "explain_parts_refusal",
    "select_parts",
]
