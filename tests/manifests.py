"""Valid manifests of any size, made from a seed."""

import json
from random import Random

from local.example import manifest


def any_manifest(count: int, seed: int) -> bytes:
    """`count` lines of the example's kind, one in five spelled in a way of its own: spaces, escapes, order of members."""
    random = Random(seed)
    lines = (_respelled(line, random) for line in manifest(count, seed))
    return b"".join(lines)


def _respelled(line: bytes, random: Random) -> bytes:
    if random.random() < 0.8:
        return line
    members = list(json.loads(line).items())
    random.shuffle(members)
    name = random.choice(["ü", "猫", "a b", "%20"])
    members = [
        (key, value.replace("/garden/", f"/{name}/") if key == "source-ref" else value)
        for key, value in members
    ]
    escaped = random.random() < 0.5
    separators = random.choice([(", ", ": "), (",", ":"), (" ,\t", " :")])
    text = json.dumps(dict(members), ensure_ascii=escaped, separators=separators)
    return f"{text}\n".encode()
