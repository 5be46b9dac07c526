"""`python -m tests.mutants.mutations SAMPLE SEED PATH ...` prints random mutants of Python files as lines of JSON.

A mutant is one change by an operator of cosmic-ray: another comparison, arithmetic, number, condition or loop. A position
in the code has up to a dozen mutants. The sample has one mutant for each drawn position, so comparisons do not dominate.
Annotations with `|` and decorators are excluded, since these mutants change no behaviour. Exceptions are excluded because
cosmic-ray 8.7 fails on tuples of exceptions.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

_EXCLUDED = (
    "NoOp",
    "RemoveDecorator",
    "VariableInserter",
    "VariableReplacer",
    "BitOr",
    "ExceptionReplacer",
)


@dataclass(frozen=True, slots=True)
class Mutation:
    """The `occurrence`th position in `path` that an operator can change, at `line` and `column`."""

    path: str
    operator: str
    occurrence: int
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Mutant:
    mutation: Mutation
    text: str


def list_mutations(path: Path) -> Iterator[Mutation]:
    nodes = list(ast_nodes(get_ast(path.read_text(encoding="utf-8"))))
    for name in operator_names():
        if any(excluded in name for excluded in _EXCLUDED):
            continue
        operator = get_operator(name)()
        positions = [position for node in nodes for position in operator.mutation_positions(node)]
        for occurrence, ((line, column), _) in enumerate(positions):
            yield Mutation(str(path), name, occurrence, line, column)


def draw_mutants(files: Sequence[Path], sample: int, seed: int) -> list[Mutant]:
    """Draw `sample` mutants of the files, or one mutant for each position if there are fewer positions."""
    random, mutations = Random(seed), dict[tuple[str, int, int], list[Mutation]]()
    for path in files:
        for mutation in list_mutations(path):
            mutations.setdefault((mutation.path, mutation.line, mutation.column), []).append(
                mutation
            )
    drawn = random.sample(sorted(mutations), min(sample, len(mutations)))
    return [_make_mutant(random.choice(mutations[position])) for position in drawn]


def _make_mutant(mutation: Mutation) -> Mutant:
    source = Path(mutation.path).read_text(encoding="utf-8")
    text = mutate_code(source, get_operator(mutation.operator)(), mutation.occurrence)
    assert text is not None, mutation
    return Mutant(mutation, text)


if __name__ == "__main__":
    paths = [Path(argument) for argument in sys.argv[3:]]
    files = [
        file for path in paths for file in (sorted(path.rglob("*.py")) if path.is_dir() else [path])
    ]
    for mutant in draw_mutants(files, int(sys.argv[1]), int(sys.argv[2])):
        print(json.dumps(asdict(mutant)))
