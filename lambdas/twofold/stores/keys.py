"""The one place that spells S3 keys.

    contents/<project>/<train|test>-<created>/<operation>/entries.manifest   the dataset's lines
    contents/<project>/<train|test>-<created>/<operation>/entries.index      its columnar index
    contents/<project>/<train|test>-<created>/<operation>/rejected.manifest  lines dropped at ingest, as supplied
    contents/<project>/<train|test>-<created>/<operation>/rejected.jsonl     line numbers and reasons
    reports/<project>/<operation>/report.json                                what a distribution did, and its certificate
    reports/<project>/<operation>/report.html                                the same as a page
    sources/...                                                              manifests to take in, put there by users
    scratch/<operation>/<step>/...                                           expires by lifecycle rule

The projects `.` and `..` are spelled `~.` and `~..`: clients and browsers resolve dot segments in the path of a URL.
Keys derive from the operation, the step and the shard, so a retry overwrites the same bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from twofold.settings import Prefix


@dataclass(frozen=True, slots=True)
class ContentsKeys:
    """Where one version of a dataset's contents lies."""

    folder: str

    @property
    def manifest(self) -> str:
        return f"{self.folder}/entries.manifest"

    @property
    def index(self) -> str:
        return f"{self.folder}/entries.index"

    @property
    def rejected_lines(self) -> str:
        return f"{self.folder}/rejected.manifest"

    @property
    def rejected_reasons(self) -> str:
        return f"{self.folder}/rejected.jsonl"

    def all(self) -> tuple[str, ...]:
        return self.manifest, self.index, self.rejected_lines, self.rejected_reasons


def contents(dataset: str, operation: str) -> str:
    """The folder of the contents that an operation gives a dataset; `dataset` is a DatasetId's `path`, such as
    `birds/train-1655158669954`."""
    project, _, name = dataset.partition("/")
    return f"{Prefix.CONTENTS}/{spell_project(project)}/{name}/{operation}"


def spell_project(project: str) -> str:
    """The part of a key that names a project. No project name has a `~`."""
    return f"~{project}" if project in (".", "..") else project


@dataclass(frozen=True, slots=True)
class ReportKeys:
    """Where the report of an operation lies."""

    project: str
    operation: str

    @property
    def report(self) -> str:
        return f"{self._folder}/report.json"

    @property
    def page(self) -> str:
        return f"{self._folder}/report.html"

    @property
    def _folder(self) -> str:
        return f"{Prefix.REPORTS}/{spell_project(self.project)}/{self.operation}"


def ranges(operation: str) -> str:
    """The byte ranges that an operation's source is cut into."""
    return scratch(operation, "plan", "ranges.json")


def assembly(operation: str) -> str:
    """How many shards there are, and what becomes of them."""
    return scratch(operation, "carve", "assembly.json")


def changes(operation: str) -> str:
    """What an UpdateDatasetEntries brings, as it came."""
    return scratch(operation, "update", "changes")


def is_source(key: str, folders: Sequence[str] = (f"{Prefix.SOURCES}/",)) -> bool:
    """Whether users may name the object as a manifest to take in: it is in one of the folders, which end with a slash.

    `.` and `..` are names like any other in S3, and steps to other folders to a client that resolves them.
    """
    return key.startswith(tuple(folders)) and not {".", ".."} & set(key.split("/"))


def scratch_folder(operation: str, step: str = "") -> str:
    """What an operation, or a step of it, leaves lies below; it ends with a slash."""
    return f"{Prefix.SCRATCH}/{operation}/{step}/" if step else f"{Prefix.SCRATCH}/{operation}/"


def scratch(operation: str, step: str, name: str) -> str:
    return f"{Prefix.SCRATCH}/{operation}/{step}/{name}"


def scratch_shard(operation: str, step: str, shard: int, name: str) -> str:
    return scratch(operation, step, f"{shard:06d}/{name}")
