"""The packages in a bundle, as their own metadata describes them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

ALLOWED = frozenset(
    {
        "0BSD",
        "Apache-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "CC0-1.0",
        "ISC",
        "MIT",
        "MPL-2.0",
        "PSF-2.0",
        "Zlib",
    }
)
"""SPDX identifiers of licences that let anybody use, change and pass on what has them, MPL-2.0 file by file."""

_NAMES = {
    "Apache License 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "MIT License": "MIT",
    "MIT No Attribution License (MIT-0)": "MIT",
    "Python Software Foundation License": "PSF-2.0",
}
"""Names that packages without an SPDX expression give themselves."""

_ALSO = {
    "numpy": ("numpy.libs",),
    "python-dateutil": ("dateutil",),
    "six": ("six.py",),
    "typing_extensions": ("typing_extensions.py",),
}
"""Top levels that a package does not list or is not named after."""

_CONJUNCTION = re.compile(r"\s+(?:AND|OR)\s+|[()]")


@dataclass(frozen=True, slots=True)
class Part:
    """`size` in bytes, unpacked, as bundled; `licence` as the package states it, an SPDX expression where it can be one."""

    name: str
    version: str
    licence: str
    size: int

    @property
    def objections(self) -> list[str]:
        """The licences that are not allowed; the package itself if it states none. All of them must be, of a choice too."""
        named = [text.strip() for text in _CONJUNCTION.split(self.licence) if text.strip()]
        return [one for one in named if one not in ALLOWED] or (
            [] if named else ["no licence stated"]
        )


def parts(bundle: Path) -> list[Part]:
    """By name. Files that no package claims are the service's own."""
    sizes = _sizes(bundle)
    return sorted(_parts(bundle, sizes), key=lambda part: part.name)


def size_of(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _parts(bundle: Path, sizes: dict[str, int]) -> Iterator[Part]:
    for found in distributions(path=[str(bundle)]):
        name = found.metadata["Name"]
        yield Part(name, found.version, licence_of(found), sizes.get(name.lower(), 0))


def licence_of(found: Distribution) -> str:
    metadata: Any = found.metadata
    stated: str | None = metadata.get("License-Expression")
    if stated:
        return stated
    classified = [
        line.rpartition(" :: ")[2]
        for line in metadata.get_all("Classifier") or []
        if line.startswith("License ::")
    ]
    names = classified or [(metadata.get("License") or "").strip().split("\n")[0]]
    return " AND ".join(dict.fromkeys(_NAMES.get(name, name) for name in names))


def _sizes(bundle: Path) -> dict[str, int]:
    """Unpacked bytes by package. Records are not bundled, so folders are told by the packages' own lists of top levels."""
    sizes: dict[str, int] = {}
    owners = _owners(bundle)
    for file in bundle.rglob("*"):
        if file.is_file():
            owner = owners.get(_top(file.relative_to(bundle)), "")
            sizes[owner] = sizes.get(owner, 0) + file.stat().st_size
    return sizes


def _top(file: Path) -> str:
    """The entry of the bundle that a file belongs to: the module, for bytecode of a module at the top."""
    if file.parts[0] == "__pycache__":
        return f"{file.name.partition('.')[0]}.py"
    return file.parts[0]


def _owners(bundle: Path) -> dict[str, str]:
    """Which package each entry of the bundle belongs to."""
    owners = {}
    for entry in bundle.glob("*.dist-info"):
        name = next(iter(distributions(path=[str(bundle)], name=_dashed(entry)))).metadata["Name"]
        owners[entry.name] = name.lower()
        top = entry / "top_level.txt"
        listed = top.read_text().split() if top.exists() else [name, name.replace("-", "_")]
        owners |= dict.fromkeys([*listed, *_ALSO.get(name, ())], name.lower())
    return owners


def _dashed(entry: Path) -> str:
    return entry.name.partition("-")[0].replace("_", "-")
