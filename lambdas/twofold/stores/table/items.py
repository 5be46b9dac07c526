"""Items as DynamoDB spells them: `{"N": "7"}` for 7. Texts, whole numbers, truth values, nothing, lists and maps are all that
the table holds."""

from collections.abc import Mapping
from typing import Any

Item = dict[str, Any]


def typed(item: Mapping[str, Any]) -> Item:
    return {name: _typed(value) for name, value in item.items()}


def plain(item: Mapping[str, Any]) -> Item:
    return {name: _plain(value) for name, value in item.items()}


def _typed(value: Any) -> Item:
    match value:
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case str():
            return {"S": value}
        case int():
            return {"N": str(value)}
        case Mapping():
            return {"M": typed(value)}
        case list() | tuple():
            return {"L": [_typed(one) for one in value]}
    raise TypeError(f"The table holds nothing like {value!r}.")


def _plain(value: Mapping[str, Any]) -> Any:
    ((kind, content),) = value.items()
    match kind:
        case "NULL":
            return None
        case "N":
            return int(content)
        case "M":
            return plain(content)
        case "L":
            return [_plain(one) for one in content]
    return content
