"""Recognize files that are no manifest, and name the remedy.

The first bytes decide; they are examined only after a file was refused as a manifest, or before an upload.
"""

import codecs
import re
import shlex
from collections.abc import Callable
from pathlib import Path

HEAD_BYTES = 1 << 16
GZIP_MAGIC = b"\x1f\x8b"
STANDARD_INPUT = "-"
_A_MANIFEST = "A manifest is JSON Lines: one JSON object with a source-ref per line, in UTF-8."
_GUIDE = f"Amazon's guide has a script: 'Converting other dataset formats to a manifest file'. {_A_MANIFEST}"
_CONVERT = f"Convert it to a manifest. {_A_MANIFEST}"
_BINARY_FORMATS: tuple[tuple[bytes, str, str], ...] = (
    (GZIP_MAGIC, "a gzip file", "Unpack it: gunzip -c {path} > all.manifest."),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file", "Unpack it: zstd -dc {path} > all.manifest."),
    (b"BZh", "a bzip2 file", "Unpack it: bunzip2 -c {path} > all.manifest."),
    (b"\xfd7zXZ\x00", "an xz file", "Unpack it: xz -dc {path} > all.manifest."),
    (b"PK\x03\x04", "a ZIP file (or a spreadsheet)", "Unpack it, and name the manifest in it."),
    (b"PAR1", "a Parquet file", f"Write its rows as JSON Lines. {_A_MANIFEST}"),
    (b"\x89PNG", "an image", _A_MANIFEST),
    (b"\xff\xd8\xff", "an image", _A_MANIFEST),
)
_WIDE_TEXTS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
_COCO = re.compile(rb'"(images|annotations|categories)"\s*:\s*\[')
_YOLO = re.compile(r"\d+(\s+-?[0-9.eE+-]+){4,}\s*")
_YAML = re.compile(r"(---|#.*|[A-Za-z_][\w-]*:( .*)?)\s*")
_COPY_COMMANDS = {
    "s3": "aws s3 cp {url} all.manifest",
    "gs": "gcloud storage cp {url} all.manifest",
}
_SEPARATORS = ",;\t"


def describe_packed_file(path: Path) -> str | None:
    """Return (format, remedy) as text if the file is compressed, binary or UTF-16, so that no line of it can be an entry."""
    return _describe(path, (_describe_binary_format, _describe_wide_text))


def describe_other_format(path: Path) -> str | None:
    """Return the format and the remedy as text if a refused file is recognizably no manifest, else None."""
    describers = (
        _describe_binary_format,
        _describe_wide_text,
        _describe_json_document,
        _describe_text_format,
    )
    return _describe(path, describers)


def describe_folder(path: Path) -> str:
    """Return what a folder holds that was named as a manifest, and the remedy."""
    manifests = sorted(path.glob("*.manifest"))
    if manifests:
        return f"is a folder. Name a manifest in it, such as {manifests[0]}."
    if any(path.glob("*.yaml")) or any(path.glob("*.yml")):
        return f"is a folder, perhaps of a YOLO dataset. {_CONVERT}"
    return f"is a folder. Name a file. {_A_MANIFEST}"


def describe_read_error(path: Path, error: OSError) -> str:
    """Return a message with the file and the reason, and with the remedy for addresses and for `-`."""
    address = re.fullmatch(r"(s3|gs|https?):/(.+)", str(path), re.DOTALL)
    if address:
        scheme, path_in_url = address.groups()
        url = f"{scheme}://{path_in_url}"
        copy = _COPY_COMMANDS.get(scheme, "curl -o all.manifest {url}").format(url=shlex.quote(url))
        return f"{url} is an address, and the command reads files. Download it: {copy}."
    if str(path) == STANDARD_INPUT:
        return "`twofold push` uploads a file. Save standard input to a file, and name the file."
    return f"{path} cannot be read: {error.strerror}."


def _describe(path: Path, describers: tuple[Callable[[str, bytes], str | None], ...]) -> str | None:
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError:
        return None
    descriptions = (describe(shlex.quote(str(path)), head) for describe in describers)
    return next(filter(None, descriptions), None)


def _describe_binary_format(path: str, head: bytes) -> str | None:
    for magic, format_name, remedy in _BINARY_FORMATS:
        if head.startswith(magic):
            return f"is {format_name}, not a manifest. {remedy.format(path=path)}"
    return None


def _describe_wide_text(path: str, head: bytes) -> str | None:
    encoding = next((encoding for mark, encoding in _WIDE_TEXTS if head.startswith(mark)), None)
    if encoding is None and head[1:2] == b"\0" and head[:1] != b"\0":
        encoding = "UTF-16LE"
    if encoding is None:
        return None
    return f"is {encoding} text. Convert it to UTF-8: iconv -f {encoding} -t UTF-8 {path} > all.manifest."


def _describe_json_document(path: str, head: bytes) -> str | None:
    start = head.removeprefix(codecs.BOM_UTF8).lstrip()[:1]
    if start == b"[":
        return (
            "is a JSON array. Write one object per line: "
            f"jq -c '.[]' {path} > all.manifest. {_A_MANIFEST}"
        )
    if start != b"{":
        return None
    if b'"source-ref"' in head:
        return (
            f"has a JSON object over several lines. Write one object per line: jq -c . {path} > all.manifest."
            if head.splitlines()[0].strip() == b"{"
            else None
        )
    return f"looks like a COCO file. {_GUIDE}" if _COCO.search(head) else None


def _describe_text_format(path: str, head: bytes) -> str | None:
    text = head.decode("utf-8-sig", errors="replace")
    lines = [line for line in text.splitlines()[:20] if line.strip()]
    if not lines or lines[0].lstrip().startswith("{"):
        return None
    if lines[0].lstrip().startswith("<"):
        return f"looks like an XML file, such as Pascal VOC has. {_CONVERT}"
    if _YOLO.fullmatch(lines[0]):
        return f"looks like a label file of YOLO. {_CONVERT}"
    if any(lines[0].count(separator) for separator in _SEPARATORS):
        return f"looks like a CSV file: line 1 is {lines[0][:60]!r}. {_GUIDE}"
    if _YAML.fullmatch(lines[0]):
        return f"looks like a YAML file, such as YOLO's data.yaml. {_CONVERT}"
    return None
