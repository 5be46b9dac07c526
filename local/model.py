"""`python -m local.model` writes lambdas/twofold/api/model.json from the service model in botocore, extended as a client's is.

What is taken: of Twofold's operations the input, output and error names, and of every shape they reach the facts that
bind a request or a response. Documentation text stays behind. A test keeps the file in step with botocore and with the
extension, so that client and server check the same.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson
from botocore.loaders import Loader

import twofold.api
from twofold.settings import Operation

TARGET = Path(twofold.api.__file__).with_name("model.json")
EXTENSION = Path(__file__).parents[1] / "clients" / "aws-models"
"""What clients find through AWS_DATA_PATH: the one place where Twofold's own members and operations are spelled."""

_FACTS = ("type", "required", "min", "max", "pattern", "enum")
_LINKS = ("member", "key", "value")


def aws_model() -> Mapping[str, Any]:
    """The model that botocore ships: neither ~/.aws/models nor AWS_DATA_PATH can add to it."""
    return _loaded([Loader.BUILTIN_DATA_PATH], extended=False)


def service_model() -> Mapping[str, Any]:
    """AWS's model with Twofold's extension, as botocore merges the two."""
    return _loaded([str(EXTENSION), Loader.BUILTIN_DATA_PATH], extended=True)


def _loaded(search_paths: list[str], *, extended: bool) -> Mapping[str, Any]:
    loader = Loader(
        extra_search_paths=search_paths,
        include_default_search_paths=False,
        include_default_extras=extended,
    )
    model: Mapping[str, Any] = loader.load_service_model("rekognition", "service-2")
    return model


def extract(service: Mapping[str, Any]) -> dict[str, Any]:
    operations = {name.value: _operation(service["operations"][name]) for name in Operation}
    shapes: dict[str, Any] = {}
    for operation in operations.values():
        for end in ("input", "output"):
            _collect(service["shapes"], operation[end], shapes)
    metadata = {"targetPrefix": service["metadata"]["targetPrefix"]}
    return {"metadata": metadata, "operations": operations, "shapes": shapes}


def render(service: Mapping[str, Any]) -> bytes:
    options = orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    return orjson.dumps(extract(service), option=options)


def _operation(operation: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "input": operation["input"]["shape"],
        "output": operation["output"]["shape"],
        "errors": sorted(error["shape"] for error in operation["errors"]),
    }


def _collect(source: Mapping[str, Any], name: str, shapes: dict[str, Any]) -> None:
    if name in shapes:
        return
    shapes[name] = _shape(source[name])
    for linked in _linked(shapes[name]):
        _collect(source, linked, shapes)


def _shape(shape: Mapping[str, Any]) -> dict[str, Any]:
    """Members and links become the bare name of their shape."""
    facts = {fact: shape[fact] for fact in _FACTS if fact in shape}
    links = {link: shape[link]["shape"] for link in _LINKS if link in shape}
    if "members" in shape:
        links["members"] = {name: member["shape"] for name, member in shape["members"].items()}
    return facts | links


def _linked(shape: Mapping[str, Any]) -> Iterator[str]:
    yield from shape.get("members", {}).values()
    yield from (shape[link] for link in _LINKS if link in shape)


def main() -> None:
    TARGET.write_bytes(render(service_model()))


if __name__ == "__main__":
    main()
