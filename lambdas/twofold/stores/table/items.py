"""Encode items, keys and expressions for DynamoDB's API.

DynamoDB spells the number 7 as `{"N": "7"}`. The table holds strings, integers, booleans, null, lists and maps.
"""

from collections.abc import Mapping
from typing import Any

from twofold.settings import PARTITION_KEY, SORT_KEY

Item = dict[str, Any]


def encode_item(item: Mapping[str, Any]) -> Item:
    return {name: _encode_value(value) for name, value in item.items()}


def decode_item(item: Mapping[str, Any]) -> Item:
    return {name: _decode_value(value) for name, value in item.items()}


def encode_key(pk: str, sk: str) -> Item:
    return encode_item({PARTITION_KEY: pk, SORT_KEY: sk})


def encode_expressions(expressions: Mapping[str, str], values: Mapping[str, Any]) -> Item:
    """Return the expressions, the attribute names (spelled `#name`), and the values (spelled `:name`)."""
    names = {name for text in expressions.values() for name in _find_attribute_names(text)}
    parameters: Item = {
        **expressions,
        "ExpressionAttributeNames": {f"#{name}": name for name in names},
    }
    return parameters | ({"ExpressionAttributeValues": encode_item(values)} if values else {})


def _find_attribute_names(expression: str) -> list[str]:
    words = expression.replace(",", " ").replace("(", " ").replace(")", " ").replace(".", " ")
    return [word[1:] for word in words.split() if word.startswith("#")]


def _encode_value(value: Any) -> Item:
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
            return {"M": encode_item(value)}
        case list() | tuple():
            return {"L": [_encode_value(element) for element in value]}
    raise TypeError(f"The table has no attribute type for {value!r}.")


def _decode_value(value: Mapping[str, Any]) -> Any:
    ((attribute_type, content),) = value.items()
    match attribute_type:
        case "NULL":
            return None
        case "N":
            return int(content)
        case "M":
            return decode_item(content)
        case "L":
            return [_decode_value(element) for element in content]
    return content
