"""`python -m tests.mutants.mutations SAMPLE SEED PATH ...`: mutants of Python files, drawn at random, as lines of JSON.

A mutant is one change by an operator of cosmic-ray: another comparison, arithmetic, number, condition or loop. A
place has up to a dozen of them; places are drawn, and of each place one mutant, so comparisons do not outnumber the rest.
Annotations with `|` are left out, as their mutants change no behaviour, and so are decorators. cosmic-ray 8.7
fails on tuples of exceptions, so exceptions are left out too.
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

_LEFT_OUT = (
    "NoOp",
    "RemoveDecorator",
    "VariableInserter",
    "VariableReplacer",
    "BitOr",
    "ExceptionReplacer",
)


@dataclass(frozen=True, slots=True)
class Mutation:
    """The `occurrence`th place in `path` that an operator can change; `line` and `column` are where it is."""

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
        if any(each in name for each in _LEFT_OUT):
            continue
        operator = get_operator(name)()
        places = [place for node in nodes for place in operator.mutation_positions(node)]
        for occurrence, ((line, column), _) in enumerate(places):
            yield Mutation(str(path), name, occurrence, line, column)


def draw(files: Sequence[Path], sample: int, seed: int) -> list[Mutant]:
    """So many mutants of the files, or all places once if there are fewer."""
    random, places = Random(seed), dict[tuple[str, int, int], list[Mutation]]()
    for path in files:
        for mutation in list_mutations(path):
            places.setdefault((mutation.path, mutation.line, mutation.column), []).append(mutation)
    drawn = random.sample(sorted(places), min(sample, len(places)))
    return [_make(random.choice(places[place])) for place in drawn]


def _make(mutation: Mutation) -> Mutant:
    source = Path(mutation.path).read_text(encoding="utf-8")
    text = mutate_code(source, get_operator(mutation.operator)(), mutation.occurrence)
    assert text is not None, mutation
    return Mutant(mutation, text)


if __name__ == "__main__":
    given = [Path(argument) for argument in sys.argv[3:]]
    found = [
        path for each in given for path in (sorted(each.rglob("*.py")) if each.is_dir() else [each])
    ]
    for mutant in draw(found, int(sys.argv[1]), int(sys.argv[2])):
        print(json.dumps(asdict(mutant)))
