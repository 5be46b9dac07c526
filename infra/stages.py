"""Read the committed options of a stage from `stages/<stage>.toml`.

The file may set every option of infra/options.py except `stage`, and restrict the target with `account` and `regions`. Other
options have their defaults.
"""

import os
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.options import OptionError, Options, parse_pairs

FOLDER = Path(__file__).parent.parent / "stages"
FOLDER_VARIABLE = "TWOFOLD_STAGES"
"""Environment variable for another folder, for stage files outside this repository."""

_TARGET_KEYS: Mapping[str, type] = {"account": str, "regions": tuple}
_TYPE_NAMES: Mapping[type, str] = {
    str: 'a string, such as "a"',
    int: "a whole number, such as 5",
    bool: "true or false",
    tuple: 'a list of strings, such as ["a", "b"]',
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StageFile:
    """
    path      path of the file
    values    options as text, in the notation of `option=value` pairs
    account   id of the only allowed AWS account; empty: any
    regions   allowed regions; empty: any
    """

    path: Path
    values: Mapping[str, str] = field(default_factory=dict)
    account: str = ""
    regions: tuple[str, ...] = ()


def read_stage(stage: str) -> StageFile:
    """Read and validate the file of a stage; raises OptionError with file, key and remedy."""
    path = get_stage_folder() / f"{stage}.toml"
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise OptionError(_describe_missing_file(path)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise OptionError(f"{path} is not valid TOML: {error}.") from error
    except OSError as error:
        raise OptionError(f"{path} cannot be read: {error.strerror}.") from error
    texts = {key: _format_option(path, key, value) for key, value in raw.items()}
    regions = texts.pop("regions", "")
    file = StageFile(
        path=path,
        account=texts.pop("account", ""),
        regions=tuple(regions.split(",")) if regions else (),
        values=texts,
    )
    _check_values(file)
    return file


def get_stage_folder() -> Path:
    return Path(os.environ.get(FOLDER_VARIABLE) or FOLDER)


def merge_options(file: StageFile, stage: str, overrides: Mapping[str, str]) -> Options:
    """Return the options of the file, overridden by the options of the command line; raises OptionError."""
    return Options.from_context({**file.values, "stage": stage, **overrides}.get)


def resolve_options(arguments: Iterable[str]) -> tuple[StageFile, Options]:
    """Return the file of the stage in `option=value` pairs, and the options with all pairs applied; raises OptionError."""
    pairs = parse_unique_pairs(list(arguments))
    stage_pair = {"stage": pairs["stage"]} if "stage" in pairs else {}
    stage = Options.from_context(stage_pair.get).stage
    file = read_stage(stage)
    return file, merge_options(file, stage, pairs)


def parse_unique_pairs(arguments: Sequence[str]) -> dict[str, str]:
    """Like parse_pairs, but raise OptionError for two different values of a key, for example in STAGE and CONTEXT."""
    pairs = parse_pairs(arguments)
    for argument in arguments:
        key, _, value = argument.partition("=")
        if pairs[key] != value:
            raise OptionError(f"{key} is given twice: '{value}' and '{pairs[key]}'. Give it once.")
    return pairs


def find_overrides(file: StageFile, options: Options) -> dict[str, str]:
    """Return the options that differ from the file's, as lines for the file."""
    file_options = merge_options(file, options.stage, {})
    return {
        name: f"{name} = {format_value(getattr(options, name))}"
        for name in Options.__dataclass_fields__
        if getattr(options, name) != getattr(file_options, name)
    }


def format_value(value: object) -> str:
    """Return a value in TOML notation."""
    match value:
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case tuple():
            return f"[{', '.join(map(format_value, value))}]"
    return f'"{value}"'


def _check_values(file: StageFile) -> None:
    try:
        Options.from_context(file.values.get)
    except OptionError as error:
        raise OptionError(f"{file.path}: {error}") from error


def _describe_missing_file(path: Path) -> str:
    stages = sorted(file.stem for file in path.parent.glob("*.toml"))
    existing = f"Stages with a file: {', '.join(stages)}. " if stages else ""
    return (
        f"{path} does not exist. {existing}For a new stage, copy stages/prod.toml to this path, set the options and commit the "
        "file. For another stage, name it: STAGE=name."
    )


def _format_option(path: Path, key: str, value: Any) -> str:
    """Return a TOML value in the notation of the command line; raises OptionError for an unknown key or a wrong type."""
    expected_type = _TARGET_KEYS.get(key) or _get_option_type(path, key)
    if expected_type is tuple:
        if isinstance(value, list) and all(_is_item(item) for item in value):
            return ",".join(value)
    elif type(value) is expected_type:
        return str(value).lower() if expected_type is bool else str(value)
    raise OptionError(
        f"{path}: {key} = {value!r} has a wrong type; use {_TYPE_NAMES[expected_type]}."
    )


def _is_item(value: object) -> bool:
    return isinstance(value, str) and bool(value) and "," not in value


def _get_option_type(path: Path, key: str) -> type:
    if key == "stage":
        raise OptionError(f"{path}: remove the key stage; the name of the file is the stage.")
    if key not in Options.__dataclass_fields__:
        names = ", ".join(
            [*_TARGET_KEYS, *(n for n in Options.__dataclass_fields__ if n != "stage")]
        )
        raise OptionError(f"{path}: unknown option '{key}'; use {names}.")
    default = getattr(Options(), key)
    return str if isinstance(default, str) else type(default)
