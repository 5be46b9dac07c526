"""`python -m supply PAGE`: makes the bundle, writes its page, and ends with 1 if a licence in it is not allowed."""

import shutil
import sys
import tempfile
from pathlib import Path

from supply.bundling import PACKAGE, SOURCE, bundle
from supply.parts import ALLOWED, Part, parts, size_of

_MEBIBYTE = 1 << 20

PAGE = """# The bundle

Every function runs from one bundle, for Python 3.13 on arm64. `make sbom` writes this page from the bundle itself.

| package | version | licence | MiB, unpacked |
| --- | --- | --- | --- |
{rows}
| twofold | | Apache-2.0 | {own} |
| **all** | | | **{whole}** |

Zipped it has {zipped} MiB. Lambda takes 250 MiB, unpacked.

A package with a licence that is not one of these, or with none, fails `make sbom` and the suite: {allowed}.

Every version is pinned with its hashes (`lambdas/requirements.txt`, made by `make lock`), and only wheels are installed, so no
code of a package runs while the bundle is made. Sizes include the bytecode, which is compiled for Python 3.13. `make sbom` also
writes `build/sbom.json`, CycloneDX 1.6, from the same pins.
`make audit` asks for known vulnerabilities of the pins; it needs the network and is not part of the suite.
"""


def main(page: Path) -> int:
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "bundle")
        target.mkdir()
        bundle(SOURCE, target)
        found = parts(target)
        page.write_text(text(found, target, _zipped(target)))
    refused = [(part, part.objections) for part in found if part.objections]
    for part, objections in refused:
        print(f"{part.name} {part.version}: {', '.join(objections)} is not allowed.")  # noqa: T201
    print(f"{len(found)} packages, {len(refused)} with a licence that is not allowed; see {page}.")  # noqa: T201
    return 1 if refused else 0


def _zipped(target: Path) -> int:
    return Path(shutil.make_archive(str(target), "zip", target)).stat().st_size


def text(found: list[Part], target: Path, zipped: int) -> str:
    rows = [f"| {one.name} | {one.version} | {one.licence} | {_mib(one.size)} |" for one in found]
    return PAGE.format(
        rows="\n".join(rows),
        own=_mib(size_of(target / PACKAGE)),
        whole=_mib(size_of(target)),
        zipped=_mib(zipped),
        allowed=", ".join(sorted(ALLOWED)),
    )


def _mib(size: int) -> str:
    return f"{size / _MEBIBYTE:.1f}"


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
