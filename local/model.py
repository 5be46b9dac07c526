"""`python -m local.model` writes lambdas/twofold/api/model.json from botocore's service model and Twofold's extension.

The file has the input, output and error shapes of Twofold's operations, with the constraints of every shape these refer to, and
no documentation. A test compares the file with botocore and the extension, so client and server check the same constraints.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson
from botocore.loaders import Loader

import twofold.api
from twofold.settings import ApiOperation

TARGET = Path(twofold.api.__file__).with_name("model.json")
EXTENSION = Path(__file__).parents[1] / "clients" / "aws-models"
"""The folder for AWS_DATA_PATH. Only this folder defines Twofold's own members and operations."""

_FACTS = ("type", "required", "min", "max", "pattern", "enum")
_LINKS = ("member", "key", "value")


def load_aws_model() -> Mapping[str, Any]:
    """Return botocore's model, ignoring ~/.aws/models and AWS_DATA_PATH."""
    return _load_model([Loader.BUILTIN_DATA_PATH], extended=False)


def load_service_model() -> Mapping[str, Any]:
    """Return botocore's model merged with Twofold's extension."""
    return _load_model([str(EXTENSION), Loader.BUILTIN_DATA_PATH], extended=True)


def _load_model(search_paths: list[str], *, extended: bool) -> Mapping[str, Any]:
    loader = Loader(
        extra_search_paths=search_paths,
        include_default_search_paths=False,
        include_default_extras=extended,
    )
    model: Mapping[str, Any] = loader.load_service_model("rekognition", "service-2")
    return model


def extract_model(service: Mapping[str, Any]) -> dict[str, Any]:
    operations = {
        name.value: _extract_operation(service["operations"][name]) for name in ApiOperation
    }
    shapes: dict[str, Any] = {}
    for operation in operations.values():
        for end in ("input", "output"):
            _collect_shapes(service["shapes"], operation[end], shapes)
    metadata = {"targetPrefix": service["metadata"]["targetPrefix"]}
    return {"metadata": metadata, "operations": operations, "shapes": shapes}


def render_model(service: Mapping[str, Any]) -> bytes:
    options = orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    return orjson.dumps(extract_model(service), option=options)


def _extract_operation(operation: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "input": operation["input"]["shape"],
        "output": operation["output"]["shape"],
        "errors": sorted(error["shape"] for error in operation["errors"]),
    }


def _collect_shapes(source: Mapping[str, Any], name: str, shapes: dict[str, Any]) -> None:
    if name in shapes:
        return
    shapes[name] = _extract_shape(source[name])
    for linked in _list_linked_shapes(shapes[name]):
        _collect_shapes(source, linked, shapes)


def _extract_shape(shape: Mapping[str, Any]) -> dict[str, Any]:
    """Return the constraints of a shape, with the names of the shapes of its members."""
    facts = {fact: shape[fact] for fact in _FACTS if fact in shape}
    links = {link: shape[link]["shape"] for link in _LINKS if link in shape}
    if "members" in shape:
        links["members"] = {name: member["shape"] for name, member in shape["members"].items()}
    return facts | links


def _list_linked_shapes(shape: Mapping[str, Any]) -> Iterator[str]:
    yield from shape.get("members", {}).values()
    yield from (shape[link] for link in _LINKS if link in shape)


def main() -> None:
    TARGET.write_bytes(render_model(load_service_model()))


if __name__ == "__main__":
    main()
