"""The committed options of each stage: `stages/<stage>.toml`.

A file has the options of infra/options.py except `stage`, which is its name, and may say where the stage lives: `account`, and
`regions`. What a file leaves out has its default.
"""

import os
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.options import OptionError, Options, pairs_of

FOLDER = Path(__file__).parent.parent / "stages"
FOLDER_VARIABLE = "TWOFOLD_STAGES"
"""Names another folder, for who keeps the files outside of this repository."""

_PLACES: Mapping[str, type] = {"account": str, "regions": tuple}
_NAMES: Mapping[type, str] = {
    str: 'a string, such as "a"',
    int: "a whole number, such as 5",
    bool: "true or false",
    tuple: 'a list of strings, such as ["a", "b"]',
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StageFile:
    """
    path      of the file
    values    its options as text, as `option=value` pairs spell them
    account   id of the only AWS account that the stage may be deployed to; empty: any
    regions   the only regions; empty: any
    """

    path: Path
    values: Mapping[str, str] = field(default_factory=dict)
    account: str = ""
    regions: tuple[str, ...] = ()


def read_stage(stage: str) -> StageFile:
    """Raises OptionError, which names the file, the key and the remedy."""
    path = folder() / f"{stage}.toml"
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise OptionError(_missing(path)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise OptionError(f"{path} is not valid TOML: {error}.") from error
    except OSError as error:
        raise OptionError(f"{path} cannot be read: {error.strerror}.") from error
    texts = {key: _text(path, key, value) for key, value in raw.items()}
    regions = texts.pop("regions", "")
    file = StageFile(
        path=path,
        account=texts.pop("account", ""),
        regions=tuple(regions.split(",")) if regions else (),
        values=texts,
    )
    _parse(file)
    return file


def folder() -> Path:
    return Path(os.environ.get(FOLDER_VARIABLE) or FOLDER)


def merge_options(file: StageFile, stage: str, overrides: Mapping[str, str]) -> Options:
    """The options of the file, with those of the command line in their place; raises OptionError."""
    return Options.of({**file.values, "stage": stage, **overrides}.get)


def resolve_options(arguments: Iterable[str]) -> tuple[StageFile, Options]:
    """The file of the stage that `option=value` pairs name, and the options with the pairs put over it; raises OptionError."""
    pairs = split_pairs(list(arguments))
    stage = Options.of({"stage": pairs["stage"]}.get if "stage" in pairs else _nothing).stage
    file = read_stage(stage)
    return file, merge_options(file, stage, pairs)


def split_pairs(arguments: Sequence[str]) -> dict[str, str]:
    """As pairs_of; raises OptionError too where two pairs of one key differ, as STAGE and CONTEXT may."""
    pairs = pairs_of(arguments)
    for argument in arguments:
        key, _, value = argument.partition("=")
        if pairs[key] != value:
            raise OptionError(f"{key} is given twice: '{value}' and '{pairs[key]}'. Give it once.")
    return pairs


def find_overrides(file: StageFile, options: Options) -> dict[str, str]:
    """The options whose values are not the file's, as lines for the file."""
    kept = merge_options(file, options.stage, {})
    return {
        name: f"{name} = {spell_value(getattr(options, name))}"
        for name in Options.__dataclass_fields__
        if getattr(options, name) != getattr(kept, name)
    }


def spell_value(value: object) -> str:
    """A value as TOML spells it."""
    match value:
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case tuple():
            return f"[{', '.join(map(spell_value, value))}]"
    return f'"{value}"'


def _nothing(_: str) -> None:
    return None


def _parse(file: StageFile) -> None:
    try:
        Options.of(file.values.get)
    except OptionError as error:
        raise OptionError(f"{file.path}: {error}") from error


def _missing(path: Path) -> str:
    stages = sorted(file.stem for file in path.parent.glob("*.toml"))
    known = f"Stages with a file: {', '.join(stages)}. " if stages else ""
    return (
        f"There is no {path}. {known}For a new stage copy stages/prod.toml there, choose its options and commit it; "
        "for another stage name it: STAGE=name."
    )


def _text(path: Path, key: str, value: Any) -> str:
    """A TOML value as the command line would spell it; raises OptionError for an unknown key or a wrong type."""
    kind = _PLACES.get(key) or _kind_of_option(path, key)
    if kind is tuple:
        if isinstance(value, list) and all(_is_item(item) for item in value):
            return ",".join(value)
    elif type(value) is kind:
        return str(value).lower() if kind is bool else str(value)
    raise OptionError(f"{path}: {key} = {value!r} has a wrong type; use {_NAMES[kind]}.")


def _is_item(value: object) -> bool:
    return isinstance(value, str) and bool(value) and "," not in value


def _kind_of_option(path: Path, key: str) -> type:
    if key == "stage":
        raise OptionError(f"{path}: remove the key stage; the stage is named by the file.")
    if key not in Options.__dataclass_fields__:
        known = ", ".join([*_PLACES, *(n for n in Options.__dataclass_fields__ if n != "stage")])
        raise OptionError(f"{path}: there is no option '{key}'; use {known}.")
    default = getattr(Options(), key)
    return str if isinstance(default, str) else type(default)
