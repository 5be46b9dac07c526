"""All sites of the operations' requests, from botocore's service model and Twofold's extension, with requests around them.

A site is a member, list element, map key or map value. `build_request(value)` returns a request with the value at the site and
valid values elsewhere. `path` is the path in AWS's message, and `collection` AWS's introduction of the rules of scalar elements
("Member", "Map keys", "Map value"; empty for a member of a structure).
"""

import base64
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from local.model import load_service_model
from twofold.api.constraints import inspect_request
from twofold.settings import ApiOperation

SERVICE = load_service_model()

# One of these fits every string of the model, or `sample` says which shape has none.
_SAMPLES = (
    "some-name_1.0",
    "arn:aws:rekognition:us-east-1:123456789012:project/my.project-1/1690405809285",
    "arn:aws:rekognition:us-east-1:123456789012:project/my.project-1/dataset/train/1690405809285",
)

_PATTERN_SAMPLES = {"[0-9./% ]+": "1/3"}

Shape = Mapping[str, Any]
RequestBuilder = Callable[[Any], dict[str, Any]]


@dataclass(frozen=True)
class Site:
    operation: str
    path: str
    shape: Shape
    build_request: RequestBuilder
    build_without_member: Callable[[], dict[str, Any]] | None
    collection: str

    def __str__(self) -> str:
        return f"{self.operation}:{self.path}{'~' + self.collection if self.collection else ''}"


def list_violations(operation: str, request: object) -> list[str]:
    """Return AWS's messages for the violated constraints of a request."""
    _, violations = inspect_request(operation, request)
    return violations


def get_shape(name: str) -> Shape:
    shape: Shape = SERVICE["shapes"][name]
    return shape


def list_sites() -> list[Site]:
    return [site for operation in ApiOperation for site in _list_operation_sites(operation.value)]


def make_sample(shape: Shape) -> Any:
    """Return a valid value with every member."""
    match shape["type"]:
        case "structure":
            members = shape["members"].items()
            return {name: make_sample(get_shape(link["shape"])) for name, link in members}
        case "list":
            return [make_sample(get_shape(shape["member"]["shape"]))] * max(shape.get("min", 0), 1)
        case "map":
            return {
                make_sample(get_shape(shape["key"]["shape"])): make_sample(
                    get_shape(shape["value"]["shape"])
                )
            }
        case "integer" | "long":
            return shape.get("min", 1)
        case "boolean":
            return True
        case "blob":
            return make_blob(max(shape.get("min", 0), 1))
    return _make_text(shape)


def _make_text(shape: Shape) -> str:
    if "enum" in shape:
        return str(shape["enum"][0])
    if shape.get("pattern") in _PATTERN_SAMPLES:
        return _PATTERN_SAMPLES[shape["pattern"]]
    fitting = [text for text in _SAMPLES if _is_fitting(text, shape)]
    assert fitting, f"no sample text fits {shape}"
    return fitting[0]


def _is_fitting(text: str, shape: Shape) -> bool:
    # The patterns of tags match every sample; all other patterns match ARNs of projects, ARNs of datasets, or no ARN.
    pattern = shape.get("pattern", "")
    kind = "dataset" if "dataset" in pattern else "project" if "project" in pattern else ""
    required = {"dataset": _SAMPLES[2], "project": _SAMPLES[1]}.get(kind)
    return text == required if required else len(text) >= shape.get("min", 0)


def make_sized_value(shape: Shape, size: int) -> Any:
    """Return a value of the size or magnitude, otherwise valid (except that a truncated text may violate a pattern)."""
    match shape["type"]:
        case "integer" | "long":
            return size
        case "blob":
            return make_blob(size)
        case "list":
            return [make_sample(get_shape(shape["member"]["shape"]))] * size
        case "map":
            return {f"key-{number}": "value" for number in range(size)}
    text = _make_text(shape)
    return (text + text[-1] * size)[:size]


def make_blob(size: int) -> str:
    return base64.b64encode(b"x" * size).decode()


def _list_operation_sites(operation: str) -> Iterator[Site]:
    name = SERVICE["operations"][operation]["input"]["shape"]
    yield from _list_inner_sites(operation, get_shape(name), "", lambda value: dict(value))


def _list_inner_sites(
    operation: str, shape: Shape, path: str, build: RequestBuilder
) -> Iterator[Site]:
    match shape["type"]:
        case "structure":
            yield from _list_structure_sites(operation, shape, path, build)
        case "list":
            yield from _list_element_sites(operation, shape, path, build)
        case "map":
            key, value = get_shape(shape["key"]["shape"]), get_shape(shape["value"]["shape"])
            a_key, a_value = make_sample(key), make_sample(value)
            yield Site(operation, path, key, lambda k: build({k: a_value}), None, "Map keys")
            yield Site(operation, path, value, lambda v: build({a_key: v}), None, "Map value")


def _list_structure_sites(
    operation: str, shape: Shape, path: str, build: RequestBuilder
) -> Iterator[Site]:
    for name, link in shape["members"].items():
        yield from _list_member_sites(
            operation, shape, (name, get_shape(link["shape"])), path, build
        )


def _list_member_sites(
    operation: str, owner: Shape, member: tuple[str, Shape], path: str, build: RequestBuilder
) -> Iterator[Site]:
    name, shape = member
    full_structure = make_sample(owner)
    member_path = f"{path}.{name[0].lower()}{name[1:]}".lstrip(".")

    def build_request(value: Any) -> dict[str, Any]:
        return build({**full_structure, name: value})

    def build_without_member() -> dict[str, Any]:
        return build({key: value for key, value in full_structure.items() if key != name})

    required = name in owner.get("required", ())
    yield Site(
        operation, member_path, shape, build_request, build_without_member if required else None, ""
    )
    yield from _list_inner_sites(operation, shape, member_path, build_request)


def _list_element_sites(
    operation: str, shape: Shape, path: str, build: RequestBuilder
) -> Iterator[Site]:
    item = get_shape(shape["member"]["shape"])
    other_elements = make_sample(shape)[1:]

    def build_request(value: Any) -> dict[str, Any]:
        return build([value, *other_elements])

    if item["type"] == "structure":
        yield from _list_inner_sites(operation, item, f"{path}.1.member", build_request)
    else:
        yield Site(operation, path, item, build_request, None, "Member")
