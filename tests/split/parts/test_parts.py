"""Parts are exact in number, optimal by independent programmes, and the same for any order of the entries."""

import itertools
import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from fractions import Fraction

import highspy
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.datasets import generate_dataset
from tests.split.entries import Entry, draw_entries, generate_entries, seeds, split_entries
from twofold.label_sets import LabelSets
from twofold.split.parts import PartShares, PartsSelection, select_parts
from twofold.split.parts.pair_search import list_pairs

THREE = (Fraction(7, 10), Fraction(3, 20), Fraction(3, 20))


def divide_entries(
    entries: Sequence[Entry],
    fractions: Sequence[Fraction],
    *,
    grouped: bool = False,
    **options: int,
) -> PartsSelection:
    names = sorted({name for entry in entries for name in entry.labels})
    random.Random(len(entries)).shuffle(names)
    sets = [[names.index(name) for name in sorted(entry.labels)] for entry in entries]
    return select_parts(
        source=np.array([entry.source for entry in entries], dtype=np.uint64),
        label_set=np.arange(len(entries), dtype=np.uint32),
        label_sets=LabelSets(
            np.cumsum([0, *map(len, sets)]).astype(np.int64),
            np.array([label for labels in sets for label in labels], dtype=np.uint32),
            tuple(names),
        ),
        fractions=fractions,
        groups=np.array([e.group for e in entries], dtype=np.uint64) if grouped else None,
        **options,
    )


@st.composite
def draw_fractions(draw: st.DrawFn) -> list[Fraction]:
    weights = draw(st.lists(st.integers(1, 12), min_size=2, max_size=4))
    return [Fraction(weight, sum(weights)) for weight in weights]


def round_by_largest_remainder(entries: int, fractions: Sequence[Fraction]) -> list[int]:
    """Gives the entries one by one to the part with the largest remaining share, as seats of a parliament."""
    counts = [int(fraction * entries) for fraction in fractions]
    remainders = [
        fraction * entries - count for fraction, count in zip(fractions, counts, strict=True)
    ]
    for _ in range(entries - sum(counts)):
        part = max(range(len(counts)), key=lambda number: (remainders[number], number))
        counts[part], remainders[part] = counts[part] + 1, Fraction(-1)
    return counts


def compute_deviation(
    entries: Sequence[Entry], part: Sequence[int], fractions: Sequence[Fraction]
) -> Fraction:
    total = Fraction(0)
    for name in {name for entry in entries for name in entry.labels} | {None}:
        carriers = [
            i for i, e in enumerate(entries) if (name in e.labels if name else not e.labels)
        ]
        for number, fraction in enumerate(fractions):
            total += abs(sum(part[i] == number for i in carriers) - fraction * len(carriers))
    return total


def solve_least_deviation(
    entries: Sequence[Entry], fractions: Sequence[Fraction], sizes: Sequence[int], *, grouped: bool
) -> float:
    """The least deviation by another programme: a binary variable for each unit and part, and |.| as two inequalities."""
    model = highspy.Highs()  # type: ignore[no-untyped-call]
    for option, value in (("output_flag", False), ("threads", 1), ("mip_rel_gap", 0.0)):
        model.setOptionValue(option, value)
    owners = [entry.group if grouped else entry.source for entry in entries]
    parts = range(len(fractions))
    chosen = {owner: [model.addBinary() for _ in parts] for owner in sorted(set(owners))}
    for variables in chosen.values():
        model.addConstr(sum(variables) == 1)
    total = model.addVariable(lb=0, ub=0)
    for part in parts:
        model.addConstr(sum(chosen[owner][part] for owner in owners) == sizes[part])
        for name in {name for entry in entries for name in entry.labels} | {""}:
            carriers = [
                owner
                for owner, e in zip(owners, entries, strict=True)
                if (name in e.labels if name else not e.labels)
            ]
            if carriers:
                off, share = model.addVariable(lb=0), float(fractions[part] * len(carriers))
                count = sum(chosen[owner][part] for owner in carriers)
                model.addConstr(count - off <= share)
                model.addConstr(count + off >= share)
                total = total + off
    model.minimize(total)
    assert model.getModelStatus() == highspy.HighsModelStatus.kOptimal
    return float(model.getInfo().objective_function_value)


@settings(max_examples=40, deadline=None)
@given(draw_entries(max_size=25), draw_fractions(), seeds)
def test_the_numbers_are_exact_and_the_deviation_is_the_least(
    entries: list[Entry], fractions: list[Fraction], seed: int
) -> None:
    selection = divide_entries(entries, fractions, seed=seed)
    certificate, part = selection.certificate, selection.part.tolist()
    wanted = round_by_largest_remainder(len(entries), fractions)
    assert [part.count(number) for number in range(len(fractions))] == wanted
    assert list(certificate.wanted) == list(certificate.reached) == wanted
    assert certificate.deviation == compute_deviation(entries, part, fractions)
    best = solve_least_deviation(entries, fractions, wanted, grouped=False)
    assert certificate.gap == 0
    assert float(certificate.deviation) == pytest.approx(best, abs=1e-3)


@settings(max_examples=25, deadline=None)
@given(draw_entries(max_size=25, max_groups=7), draw_fractions())
def test_groups_are_whole_the_numbers_the_nearest_and_the_deviation_the_least(
    entries: list[Entry], fractions: list[Fraction]
) -> None:
    selection = divide_entries(entries, fractions, grouped=True)
    certificate, part = selection.certificate, selection.part.tolist()
    parts_of_group = defaultdict(set)
    for entry, number in zip(entries, part, strict=True):
        parts_of_group[entry.group].add(number)
    assert all(len(numbers) == 1 for numbers in parts_of_group.values())
    reached = [part.count(number) for number in range(len(fractions))]
    assert list(certificate.reached) == reached
    wanted = round_by_largest_remainder(len(entries), fractions)
    distances = {
        sum(abs(size - wish) for size, wish in zip(sizes, wanted, strict=True))
        for sizes in find_reachable_sizes(entries, len(fractions))
    }
    assert sum(abs(a - b) for a, b in zip(reached, wanted, strict=True)) == min(distances)
    best = solve_least_deviation(entries, fractions, reached, grouped=True)
    assert certificate.gap == 0
    assert float(certificate.deviation) == pytest.approx(best, abs=1e-3)


def find_reachable_sizes(entries: Sequence[Entry], part_count: int) -> set[tuple[int, ...]]:
    """All numbers of entries of the parts, by adding one group after the other to each part."""
    reachable = {(0,) * part_count}
    for size in Counter(entry.group for entry in entries).values():
        reachable = {
            (*sizes[:part], sizes[part] + size, *sizes[part + 1 :])
            for sizes in reachable
            for part in range(part_count)
        }
    return reachable


@settings(deadline=None, max_examples=25)
@given(draw_entries(), draw_fractions(), seeds, st.booleans(), st.randoms(use_true_random=False))
def test_the_order_of_entries_does_not_matter(
    entries: list[Entry],
    fractions: list[Fraction],
    seed: int,
    grouped: bool,
    shuffler: random.Random,
) -> None:
    shuffled = shuffler.sample(entries, len(entries))
    first = divide_entries(entries, fractions, grouped=grouped, seed=seed)
    second = divide_entries(shuffled, fractions, grouped=grouped, seed=seed)
    assert dict(zip(entries, first.part.tolist(), strict=True)) == dict(
        zip(shuffled, second.part.tolist(), strict=True)
    )
    assert first.certificate == second.certificate


@given(st.integers(0, 12), draw_fractions())
def test_the_floor_of_a_label_is_the_least_cost_of_whole_numbers(
    images: int, fractions: list[Fraction]
) -> None:
    shares = PartShares.from_fractions(fractions)
    least = min(
        sum(abs(count - f * images) for count, f in zip(counts, fractions, strict=True))
        for counts in itertools.product(range(images + 1), repeat=len(fractions))
        if sum(counts) == images
    )
    floor = shares.compute_floor(np.array([images], dtype=np.int64))
    assert Fraction(floor, shares.denominator) == least


def test_the_pairs_of_many_parts_are_few_and_connect_all_parts() -> None:
    assert list_pairs(25) == list(itertools.combinations(range(25), 2))
    for count in range(26, 101):
        pairs = list_pairs(count)
        assert len(pairs) <= 300
        assert {(part, part + 1) for part in range(count - 1)} <= set(pairs)


def test_two_parts_have_twice_the_deviation_of_the_split_into_two() -> None:
    entries = generate_entries(400, 15, seed=3)
    for fraction in (Fraction(1, 5), Fraction(1, 3), Fraction(1, 2)):
        two = split_entries(entries, fraction=fraction).certificate
        parts = divide_entries(entries, (1 - fraction, fraction)).certificate
        assert two.optimal
        assert parts.wanted[1] == two.wanted
        assert parts.deviation == parts.lower_bound == 2 * two.deviation


@pytest.mark.parametrize("fractions", [THREE, (Fraction(1, 5),) * 5])
@pytest.mark.parametrize("count", [2_000, 21_000], ids=["all open", "in windows"])
def test_generated_entries_reach_the_joint_floor(
    count: int, fractions: tuple[Fraction, ...]
) -> None:
    entries = generate_entries(count, 40, seed=count)
    certificate = divide_entries(entries, fractions).certificate
    assert certificate.proof == "integrality floor"


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1 << 32))
def test_of_the_optimal_divisions_the_parts_lack_the_fewest_labels(number: int) -> None:
    source = random.Random(number)
    entries = [
        Entry(i, frozenset(source.sample("abcd", source.randrange(3))), group=source.randrange(5))
        for i in range(source.randrange(18, 30))
    ]
    fractions = (Fraction(1, 2), Fraction(1, 4), Fraction(1, 4))
    selection = divide_entries(entries, fractions, grouped=True)
    groups = sorted({entry.group for entry in entries})
    best = min(
        (
            compute_deviation(entries, part, fractions),
            count_missing_labels(entries, part, fractions),
        )
        for choice in itertools.product(range(3), repeat=len(groups))
        if tuple(
            (part := [choice[groups.index(e.group)] for e in entries]).count(i) for i in range(3)
        )
        == selection.certificate.reached
    )
    part = selection.part.tolist()
    missing = count_missing_labels(entries, part, fractions)
    assert (selection.certificate.deviation, missing) == best


def count_missing_labels(
    entries: Sequence[Entry], part: Sequence[int], fractions: Sequence[Fraction]
) -> int:
    """Labels, and unlabelled entries at half the weight, that a part lacks although its share is an image or more."""
    missing = 0
    for name in ("a", "b", "c", "d", ""):
        carriers = [
            i for i, e in enumerate(entries) if (name in e.labels if name else not e.labels)
        ]
        lacking = [
            number
            for number, fraction in enumerate(fractions)
            if fraction * len(carriers) >= 1 and all(part[i] != number for i in carriers)
        ]
        missing += len(lacking) * (2 if name else 1)
    return missing


@pytest.mark.parametrize(
    ("fractions", "problem"),
    [
        ([Fraction(1)], "2 to 100 parts"),
        ([Fraction(1, 101)] * 101, "2 to 100 parts"),
        ([Fraction(1, 2), Fraction(1, 3)], "add up to 1"),
        ([Fraction(1), Fraction(0)], "positive"),
        ([Fraction(1, 1009), Fraction(1, 1013), 1 - Fraction(2022, 1009 * 1013)], "denominator"),
    ],
)
def test_impossible_fractions_are_refused(fractions: list[Fraction], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        PartShares.from_fractions(fractions)


def test_whole_groups_with_many_labels_come_near_the_floor() -> None:
    """Swaps between parts alone stay above three times the floor."""
    data = generate_dataset("groups of 5", 5_000, 40, 5, seed=5, group_size=5)
    names = tuple(f"label-{number}" for number in range(data.label_count))
    certificate = select_parts(
        source=data.source,
        label_set=np.arange(len(data), dtype=np.uint32),
        label_sets=LabelSets(data.offsets, data.labels.astype(np.uint32), names),
        fractions=THREE,
        groups=data.groups,
    ).certificate
    assert certificate.reached == certificate.wanted
    assert certificate.deviation < Fraction(3, 2) * certificate.lower_bound
