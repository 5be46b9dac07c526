"""Generate valid manifests of any size from a seed."""

import json
from random import Random

from local.example import generate_manifest


def generate_varied_manifest(count: int, seed: int) -> bytes:
    """Return `count` lines like the example's. One line in five has other spaces, escapes and order of members."""
    random = Random(seed)
    lines = (_respell_line(line, random) for line in generate_manifest(count, seed))
    return b"".join(lines)


def _respell_line(line: bytes, random: Random) -> bytes:
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
