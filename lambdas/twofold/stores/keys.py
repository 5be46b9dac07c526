"""The keys of all objects in S3.

    contents/<project>/<train|test>-<created>/<operation>/entries.manifest   the dataset's lines
    contents/<project>/<train|test>-<created>/<operation>/entries.index      its columnar index
    contents/<project>/<train|test>-<created>/<operation>/rejected.manifest  lines rejected at ingest, as supplied
    contents/<project>/<train|test>-<created>/<operation>/rejected.jsonl     line numbers and reasons
    reports/<project>/<operation>/report.json                                report of a distribution, with its certificate
    reports/<project>/<operation>/report.html                                the same report as a page
    sources/...                                                              manifests to ingest, uploaded by users
    scratch/<operation>/<step>/...                                           messages between states; expire by lifecycle rule

The projects `.` and `..` are spelled `~.` and `~..`: clients and browsers resolve dot segments in the path of a URL.
Keys derive from the operation, the step and the shard, so a retry overwrites the same objects with the same bytes. The
assembly and the move tasks differ between attempts: they name multipart uploads, which a retry of Select, Resolve or Merge
begins again. The bucket's lifecycle rule `uploads` aborts the uploads of earlier attempts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from twofold.settings import Prefix


@dataclass(frozen=True, slots=True)
class ContentsKeys:
    """Keys of a version of a dataset's contents."""

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

    def list_all(self) -> tuple[str, ...]:
        return self.manifest, self.index, self.rejected_lines, self.rejected_reasons


@dataclass(frozen=True, slots=True)
class ReportKeys:
    """Keys of the report of a distribution."""

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
        return f"{Prefix.REPORTS}/{encode_project(self.project)}/{self.operation}"


class ScratchStep(StrEnum):
    """Folders of an operation's scratch objects: for each step, for the body of an update, and for the plans of a transfer."""

    PLAN = "plan"
    INDEX = "index"
    GROUP = "group"
    SELECT = "select"
    UPDATE = "update"
    MERGE = "merge"
    TRANSFER = "carve"  # the stored name of the plans of a transfer
    MOVE = "move"


@dataclass(frozen=True, slots=True)
class ScratchKeys:
    """Keys of the objects by which an operation's states exchange data. Folders end with a slash."""

    operation: str

    @property
    def folder(self) -> str:
        return f"{Prefix.SCRATCH}/{self.operation}/"

    @property
    def ranges(self) -> str:
        """The byte ranges into which Plan splits the source."""
        return self._build(ScratchStep.PLAN, "ranges.json")

    @property
    def report(self) -> str:
        """The draft report by Select, completed by Publish."""
        return self._build(ScratchStep.SELECT, "report.json")

    @property
    def changes(self) -> str:
        """The body of an UpdateDatasetEntries call."""
        return self._build(ScratchStep.UPDATE, "changes")

    @property
    def inserts(self) -> str:
        """The changed lines of an update, in the order of the new manifest."""
        return self._build(ScratchStep.MERGE, "inserts")

    @property
    def shard_plans(self) -> str:
        """The lines of each shard of a transfer, for Move."""
        return self._build(ScratchStep.TRANSFER, "plan")

    @property
    def move_tasks(self) -> str:
        """The list of shards for the Distributed Map of Move."""
        return self._build(ScratchStep.TRANSFER, "shards.json")

    @property
    def assembly(self) -> str:
        """The number of shards, and how Publish assembles their output."""
        return self._build(ScratchStep.TRANSFER, "assembly.json")

    def build_step_folder(self, step: ScratchStep) -> str:
        return self._build(step, "")

    def build_range_index_key(self, number: int) -> str:
        """Return the key of the index of a byte range."""
        return self._build_shard_key(ScratchStep.INDEX, number, "piece")

    def build_groups_key(self, number: int) -> str:
        """Return the key of the groups of the lines of a byte range."""
        return self._build_shard_key(ScratchStep.GROUP, number, "piece")

    def build_output_key(self, shard: int, side: int) -> str:
        """Return the key of a shard's output for Publish to join."""
        return self._build_shard_key(ScratchStep.MOVE, shard, f"{side}.piece")

    def build_record_key(self, shard: int) -> str:
        """Return the key of the record of Move after a shard."""
        return self._build_shard_key(ScratchStep.MOVE, shard, "record.json")

    def _build_shard_key(self, step: ScratchStep, number: int, name: str) -> str:
        return self._build(step, f"{number:06d}/{name}")

    def _build(self, step: ScratchStep, name: str) -> str:
        return f"{self.folder}{step}/{name}"


def build_contents_folder(dataset: str, operation: str) -> str:
    """Return the folder of the new contents of a dataset.

    `dataset` is the path of a DatasetId, such as `birds/train-1655158669954`.
    """
    project, _, name = dataset.partition("/")
    return f"{Prefix.CONTENTS}/{encode_project(project)}/{name}/{operation}"


def encode_project(project: str) -> str:
    """Return the part of a key for a project. No project name contains `~`."""
    return f"~{project}" if project in (".", "..") else project


def is_source(key: str, folders: Sequence[str] = (f"{Prefix.SOURCES}/",)) -> bool:
    """Return whether users may name the object as a manifest to ingest: the object is in one of the folders (with final
    slashes).

    S3 allows the names `.` and `..`; clients resolve them and would leave the folder.
    """
    return key.startswith(tuple(folders)) and not {".", ".."} & set(key.split("/"))
