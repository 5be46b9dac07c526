"""The third-party packages in a bundle, from the metadata of each distribution."""

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
"""SPDX identifiers of permissive licences, and MPL-2.0 with file-level copyleft."""

_NAMES = {
    "Apache License 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "MIT License": "MIT",
    "MIT No Attribution License (MIT-0)": "MIT",
    "Python Software Foundation License": "PSF-2.0",
}
"""SPDX identifiers of licence names in older metadata."""

_EXTRA_TOP_LEVELS = {
    "numpy": ("numpy.libs",),
    "python-dateutil": ("dateutil",),
    "six": ("six.py",),
    "typing_extensions": ("typing_extensions.py",),
}
"""Top-level entries that neither top_level.txt nor the name of the package states."""

_CONJUNCTION = re.compile(r"\s+(?:AND|OR)\s+|[()]")


@dataclass(frozen=True, slots=True)
class Package:
    """A package in the bundle: unpacked `size` in bytes, and `licence` from the metadata, as SPDX expression if possible."""

    name: str
    version: str
    licence: str
    size: int

    @property
    def disallowed_licences(self) -> list[str]:
        """The licences that are not in ALLOWED, even as alternative in an OR; "no licence stated" for a missing licence."""
        licences = [text.strip() for text in _CONJUNCTION.split(self.licence) if text.strip()]
        if not licences:
            return ["no licence stated"]
        return [licence for licence in licences if licence not in ALLOWED]


def list_packages(bundle: Path) -> list[Package]:
    """Return the packages of a bundle, sorted by name."""
    sizes = _measure_packages(bundle)
    return sorted(_read_packages(bundle, sizes), key=lambda part: part.name)


def measure_folder(folder: Path) -> int:
    """Return the size of all files under `folder` in bytes."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _read_packages(bundle: Path, sizes: dict[str, int]) -> Iterator[Package]:
    for distribution in distributions(path=[str(bundle)]):
        name = distribution.metadata["Name"]
        size = sizes.get(name.lower(), 0)
        yield Package(name, distribution.version, read_licence(distribution), size)


def read_licence(distribution: Distribution) -> str:
    """Return the SPDX expression of a distribution, else its licence classifiers or its License field; empty without any."""
    metadata: Any = distribution.metadata
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


def _measure_packages(bundle: Path) -> dict[str, int]:
    """Return unpacked bytes by package; "" is the key of unclaimed files.

    RECORD files are not bundled, so files are assigned by the top-level entries of each package.
    """
    sizes: dict[str, int] = {}
    owners = _map_owners(bundle)
    for file in bundle.rglob("*"):
        if file.is_file():
            owner = owners.get(_get_top_level(file.relative_to(bundle)), "")
            sizes[owner] = sizes.get(owner, 0) + file.stat().st_size
    return sizes


def _get_top_level(file: Path) -> str:
    """Return the top-level entry of a file; for bytecode of a top-level module, the name of the module."""
    if file.parts[0] == "__pycache__":
        return f"{file.name.partition('.')[0]}.py"
    return file.parts[0]


def _map_owners(bundle: Path) -> dict[str, str]:
    """Return the package of each top-level entry, in lower case."""
    owners = {}
    for entry in bundle.glob("*.dist-info"):
        name = next(
            iter(distributions(path=[str(bundle)], name=_parse_distribution_name(entry)))
        ).metadata["Name"]
        owners[entry.name] = name.lower()
        top = entry / "top_level.txt"
        listed = top.read_text().split() if top.exists() else [name, name.replace("-", "_")]
        owners |= dict.fromkeys([*listed, *_EXTRA_TOP_LEVELS.get(name, ())], name.lower())
    return owners


def _parse_distribution_name(entry: Path) -> str:
    return entry.name.partition("-")[0].replace("_", "-")
