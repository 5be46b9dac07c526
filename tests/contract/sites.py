"""Every place of the operations' requests, read from botocore's service model and its extension, with whole requests around it.

A Site is one member, list element, map key or map value: `request(value)` is a request that is valid but for what
`value` breaks there, `path` is where AWS's message points to, and `collection` is how it introduces the rules of scalar
elements ("Member", "Map keys", "Map value"; empty for a member of a structure).
"""

import base64
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from local.model import service_model
from twofold.settings import Operation

SERVICE = service_model()

# One of these fits every string of the model, or `sample` says which shape has none.
_SAMPLES = (
    "some-name_1.0",
    "arn:aws:rekognition:us-east-1:123456789012:project/my.project-1/1690405809285",
    "arn:aws:rekognition:us-east-1:123456789012:project/my.project-1/dataset/train/1690405809285",
)

_SAMPLE_OF_PATTERN = {"[0-9./% ]+": "1/3"}

Shape = Mapping[str, Any]
Build = Callable[[Any], dict[str, Any]]


@dataclass(frozen=True)
class Site:
    operation: str
    path: str
    shape: Shape
    request: Build
    without: Callable[[], dict[str, Any]] | None
    collection: str

    def __str__(self) -> str:
        return f"{self.operation}:{self.path}{'~' + self.collection if self.collection else ''}"


def shape_of(name: str) -> Shape:
    shape: Shape = SERVICE["shapes"][name]
    return shape


def sites() -> list[Site]:
    return [site for operation in Operation for site in _operation_sites(operation.value)]


def sample(shape: Shape) -> Any:
    """A valid value with every member present."""
    match shape["type"]:
        case "structure":
            members = shape["members"].items()
            return {name: sample(shape_of(link["shape"])) for name, link in members}
        case "list":
            return [sample(shape_of(shape["member"]["shape"]))] * max(shape.get("min", 0), 1)
        case "map":
            return {
                sample(shape_of(shape["key"]["shape"])): sample(shape_of(shape["value"]["shape"]))
            }
        case "integer" | "long":
            return shape.get("min", 1)
        case "boolean":
            return True
        case "blob":
            return blob(max(shape.get("min", 0), 1))
    return _text(shape)


def _text(shape: Shape) -> str:
    if "enum" in shape:
        return str(shape["enum"][0])
    if shape.get("pattern") in _SAMPLE_OF_PATTERN:
        return _SAMPLE_OF_PATTERN[shape["pattern"]]
    fitting = [text for text in _SAMPLES if _fits(text, shape)]
    assert fitting, f"no sample text fits {shape}"
    return fitting[0]


def _fits(text: str, shape: Shape) -> bool:
    # Tags' character classes take every sample; the other patterns point at one kind of ARN or at none.
    pattern = shape.get("pattern", "")
    kind = "dataset" if "dataset" in pattern else "project" if "project" in pattern else ""
    wanted = {"dataset": _SAMPLES[2], "project": _SAMPLES[1]}.get(kind)
    return text == wanted if wanted else len(text) >= shape.get("min", 0)


def sized(shape: Shape, size: int) -> Any:
    """A value of that size or magnitude which breaks nothing else (a text cut short may lose its pattern)."""
    match shape["type"]:
        case "integer" | "long":
            return size
        case "blob":
            return blob(size)
        case "list":
            return [sample(shape_of(shape["member"]["shape"]))] * size
        case "map":
            return {f"key-{number}": "value" for number in range(size)}
    text = _text(shape)
    return (text + text[-1] * size)[:size]


def blob(size: int) -> str:
    return base64.b64encode(b"x" * size).decode()


def _operation_sites(operation: str) -> Iterator[Site]:
    name = SERVICE["operations"][operation]["input"]["shape"]
    yield from _inner(operation, shape_of(name), "", lambda value: dict(value))


def _inner(operation: str, shape: Shape, path: str, build: Build) -> Iterator[Site]:
    match shape["type"]:
        case "structure":
            yield from _members(operation, shape, path, build)
        case "list":
            yield from _items(operation, shape, path, build)
        case "map":
            key, value = shape_of(shape["key"]["shape"]), shape_of(shape["value"]["shape"])
            a_key, a_value = sample(key), sample(value)
            yield Site(operation, path, key, lambda k: build({k: a_value}), None, "Map keys")
            yield Site(operation, path, value, lambda v: build({a_key: v}), None, "Map value")


def _members(operation: str, shape: Shape, path: str, build: Build) -> Iterator[Site]:
    for name, link in shape["members"].items():
        yield from _member(operation, shape, (name, shape_of(link["shape"])), path, build)


def _member(
    operation: str, owner: Shape, member: tuple[str, Shape], path: str, build: Build
) -> Iterator[Site]:
    name, shape = member
    whole = sample(owner)
    where = f"{path}.{name[0].lower()}{name[1:]}".lstrip(".")

    def request(value: Any) -> dict[str, Any]:
        return build({**whole, name: value})

    def without() -> dict[str, Any]:
        return build({key: value for key, value in whole.items() if key != name})

    required = name in owner.get("required", ())
    yield Site(operation, where, shape, request, without if required else None, "")
    yield from _inner(operation, shape, where, request)


def _items(operation: str, shape: Shape, path: str, build: Build) -> Iterator[Site]:
    item = shape_of(shape["member"]["shape"])
    others = sample(shape)[1:]

    def request(value: Any) -> dict[str, Any]:
        return build([value, *others])

    if item["type"] == "structure":
        yield from _inner(operation, item, f"{path}.1.member", request)
    else:
        yield Site(operation, path, item, request, None, "Member")
