"""The subcommands that talk to a service. boto3 is needed only when one of them runs."""

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twofold_command import stops
from twofold_command.commands import PROJECT, Command, argument, read_folder
from twofold_command.errors import CommandError
from twofold_command.output import print_json, print_lines

if TYPE_CHECKING:
    from twofold_service.session import Service


def connected(options: argparse.Namespace) -> "Service":
    """Raises CommandError, also where boto3 is not installed."""
    try:
        with stops.held_back():
            from twofold_service.session import connect
    except ModuleNotFoundError as error:
        if error.name not in ("boto3", "botocore"):
            raise
        raise CommandError(
            "This command needs boto3, which is not installed: pip install boto3."
        ) from error
    return connect(options.endpoint)


def tell(lines: Iterable[str], told: Any, *, as_json: bool) -> int:
    if as_json:
        print_json(told)
    else:
        print_lines(lines)
    return 0


def _status(options: argparse.Namespace) -> int:
    service = connected(options)
    from twofold_service.projects import projects
    from twofold_service.session import explained
    from twofold_service.words import table

    with explained():
        found = list(projects(service, options.project))
    told = {"projects": [project.told() for project in found]}
    return tell(table(found) if found else ["No projects."], told, as_json=options.json)


def _push(options: argparse.Namespace) -> int:
    service = connected(options)
    from twofold_service.push import push

    dataset = push(
        service,
        options.manifest,
        options.project,
        options.bucket,
        options.dataset,
        folder=options.folder,
        make_bucket=options.make_bucket,
    )
    return tell([dataset.message, f"  {dataset.arn}"], dataset.told(), as_json=options.json)


def _distribute(options: argparse.Namespace) -> int:
    service = connected(options)
    from twofold_service.distribute import distribute

    members = {
        "TestFraction": options.test_fraction,
        "Seed": options.seed,
        "GroupBy": options.group_by,
        "Objective": options.objective,
        "MinImagesPerLabel": options.min_images_per_label,
        "DryRun": options.dry_run,
    }
    asked = {member: value for member, value in members.items() if value is not None}
    train, test = distribute(service, options.project, asked)
    lines = [test.message, f"  train: {train.entries} entries", f"  test: {test.entries} entries"]
    return tell(lines, {"train": train.told(), "test": test.told()}, as_json=options.json)


def _pull(options: argparse.Namespace) -> int:
    service = connected(options)
    from twofold_service.pull import pull

    lines = pull(service, options.project, options.out)
    files = [f"  {options.out / name}: {count} entries" for name, count in lines.items()]
    return tell(files, lines, as_json=options.json)


def _history(options: argparse.Namespace) -> int:
    service = connected(options)
    from twofold_service.history import distributions
    from twofold_service.words import history

    found = list(distributions(service, options.project))
    lines = history(found) if found else ["Nothing was distributed."]
    return tell(lines, {"distributions": found}, as_json=options.json)


def _revert(options: argparse.Namespace) -> int:
    service = connected(options)
    from twofold_service.history import revert
    from twofold_service.words import table

    project = revert(service, options.project)
    return tell(table([project]), project.told(), as_json=options.json)


COMMANDS = (
    Command(
        "status",
        "list the projects and datasets of a service",
        "Projects with their datasets: status, entries, labels, and why one failed.",
        (argument("project", nargs="?", metavar="PROJECT", help="this one alone"),),
        "them",
        _status,
    ),
    Command(
        "push",
        "make a dataset of a service from a manifest",
        "Uploads the manifest to a bucket, makes the project unless it is there, and the dataset.",
        (
            argument("manifest", type=Path, metavar="MANIFEST", help="a JSON Lines manifest"),
            PROJECT,
            argument(
                "--bucket",
                required=True,
                metavar="NAME",
                help="the bucket that the manifest goes to",
            ),
            argument(
                "--folder",
                default="sources",
                metavar="NAME",
                help="the folder of the bucket (default: sources)",
            ),
            argument("--make-bucket", action="store_true", help="make the bucket first"),
            argument(
                "--dataset",
                choices=("train", "test"),
                default="train",
                help="which one (default: train)",
            ),
        ),
        "the dataset",
        _push,
    ),
    Command(
        "distribute",
        "let a service move the test entries to the test dataset",
        "Makes the empty test dataset unless it is there. What is not given is as the service has it.",
        (
            PROJECT,
            argument("--test-fraction", metavar="F", help="0.2, 1/5 or 20%%"),
            argument("--seed", type=int, metavar="S", help="another seed, another split"),
            argument(
                "--group-by", metavar="EXPR", help="keep groups whole, as `twofold split` does"
            ),
            argument(
                "--objective",
                choices=("labels", "labels-and-boxes"),
                help="balance images of each label, or then also boxes",
            ),
            argument(
                "--min-images-per-label",
                type=int,
                metavar="N",
                help="refuse labels with fewer images",
            ),
            argument(
                "--dry-run", action="store_true", default=None, help="everything but the move"
            ),
        ),
        "both datasets",
        _distribute,
    ),
    Command(
        "pull",
        "fetch the manifests of a project",
        "Writes train.manifest and test.manifest, each line as it was supplied: both, or none.",
        (
            PROJECT,
            argument(
                "-o",
                "--out",
                type=read_folder,
                required=True,
                metavar="DIR",
                help="the folder for the files",
            ),
        ),
        "the lines by file",
        _pull,
    ),
    Command(
        "history",
        "list what was distributed in a project, and by whom",
        "Newest first, dry runs and what was reverted included.",
        (PROJECT,),
        "the distributions",
        _history,
    ),
    Command(
        "revert",
        "undo the last distribution of a project",
        "Both datasets get back what they had, byte for byte, as long as neither has changed since.",
        (PROJECT,),
        "the project",
        _revert,
    ),
)
