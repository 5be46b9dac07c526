"""The subcommands for a service. boto3 is imported only when a subcommand runs."""

import argparse
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from twofold_command import signals
from twofold_command.commands import (
    PROJECT,
    Command,
    define_argument,
    read_file_path,
    read_folder,
    read_name,
)
from twofold_command.console import print_json, print_lines
from twofold_command.errors import CommandError

if TYPE_CHECKING:
    from twofold_service.session import Service


def connect_to_service(options: argparse.Namespace) -> "Service":
    """Returns the clients of the service. Raises CommandError, also if boto3 is not installed."""
    try:
        with signals.defer_stops():
            from twofold_service.session import connect
    except ModuleNotFoundError as error:
        if error.name not in ("boto3", "botocore"):
            raise
        raise CommandError(
            "This command needs boto3, which is not installed: pip install 'twofold[service]'."
        ) from error
    return connect(options.endpoint)


def print_result(lines: Iterable[str], document: Any, *, as_json: bool) -> int:
    if as_json:
        print_json(document)
    else:
        print_lines(lines)
    return 0


def _run_status(options: argparse.Namespace) -> int:
    service = connect_to_service(options)
    from twofold_service.projects import list_projects
    from twofold_service.session import convert_aws_errors
    from twofold_service.tables import render_projects

    with convert_aws_errors():
        found_projects = list(list_projects(service, options.project))
    document = {"projects": [project.to_document() for project in found_projects]}
    return print_result(
        render_projects(found_projects) if found_projects else ["No projects."],
        document,
        as_json=options.json,
    )


def _run_push(options: argparse.Namespace) -> int:
    service = connect_to_service(options)
    from twofold_service.push import push_manifest

    dataset = push_manifest(
        service,
        options.manifest,
        options.project,
        options.bucket,
        options.dataset,
        folder=options.folder,
        make_bucket=options.make_bucket,
    )
    return print_result(
        [dataset.message, f"  {dataset.arn}"], dataset.to_document(), as_json=options.json
    )


def _run_distribute(options: argparse.Namespace) -> int:
    service = connect_to_service(options)
    from twofold_service.distribute import distribute_entries

    members = {
        "TestFraction": options.test_fraction,
        "Seed": options.seed,
        "GroupBy": options.group_by,
        "Objective": options.objective,
        "MinImagesPerLabel": options.min_images_per_label,
        "DryRun": options.dry_run,
        "KeepTest": options.keep_test,
    }
    parameters = {member: value for member, value in members.items() if value is not None}
    train, test = distribute_entries(service, options.project, parameters)
    lines = [test.message, f"  train: {train.entries} entries", f"  test: {test.entries} entries"]
    return print_result(
        lines, {"train": train.to_document(), "test": test.to_document()}, as_json=options.json
    )


def _run_pull(options: argparse.Namespace) -> int:
    service = connect_to_service(options)
    from twofold_service.pull import pull_manifests

    lines = pull_manifests(service, options.project, options.out)
    files = [f"  {options.out / name}: {count} entries" for name, count in lines.items()]
    return print_result(files, lines, as_json=options.json)


def _run_history(options: argparse.Namespace) -> int:
    service = connect_to_service(options)
    from twofold_service.history import list_distributions
    from twofold_service.tables import render_history

    distributions = list(list_distributions(service, options.project))
    lines = render_history(distributions) if distributions else ["Nothing was distributed."]
    return print_result(lines, {"distributions": distributions}, as_json=options.json)


def _run_revert(options: argparse.Namespace) -> int:
    service = connect_to_service(options)
    from twofold_service.history import revert_distribution
    from twofold_service.tables import render_projects

    project = revert_distribution(service, options.project)
    return print_result(render_projects([project]), project.to_document(), as_json=options.json)


COMMANDS = (
    Command(
        "status",
        "list the projects and datasets of a service",
        "Projects with their datasets: status, entries, labels, and the message of a failed dataset.",
        (
            define_argument(
                "project", nargs="?", type=read_name, metavar="PROJECT", help="only this project"
            ),
        ),
        "the projects",
        _run_status,
    ),
    Command(
        "push",
        "create a dataset of a service from a manifest",
        "Uploads the manifest to a bucket and creates the dataset, and the project if it does not exist.",
        (
            define_argument(
                "manifest", type=read_file_path, metavar="MANIFEST", help="a JSON Lines manifest"
            ),
            PROJECT,
            define_argument(
                "--bucket",
                type=read_name,
                required=True,
                metavar="NAME",
                help="the bucket for the manifest",
            ),
            define_argument(
                "--folder",
                type=read_name,
                default="sources",
                metavar="NAME",
                help="the folder of the bucket (default: sources)",
            ),
            define_argument("--make-bucket", action="store_true", help="create the bucket first"),
            define_argument(
                "--dataset",
                choices=("train", "test"),
                default="train",
                help="the dataset to create (default: train)",
            ),
        ),
        "the dataset",
        _run_push,
    ),
    Command(
        "distribute",
        "have a service move test entries into the test dataset",
        "Creates an empty test dataset if there is none. Omitted options have the service's defaults.",
        (
            PROJECT,
            define_argument("--test-fraction", metavar="F", help="0.2, 1/5 or 20%%"),
            define_argument("--seed", type=int, metavar="S", help="seed of the random sample"),
            define_argument(
                "--group-by", metavar="EXPR", help="keep groups whole, as `twofold split` does"
            ),
            define_argument(
                "--objective",
                choices=("labels", "labels-and-boxes"),
                help="balance images of each label, or then also boxes",
            ),
            define_argument(
                "--min-images-per-label",
                type=int,
                metavar="N",
                help="refuse labels with fewer images",
            ),
            define_argument(
                "--keep-test",
                action="store_true",
                default=None,
                help="keep the entries of the test dataset, and share out new ones",
            ),
            define_argument(
                "--dry-run",
                action="store_true",
                default=None,
                help="report the split without a move",
            ),
        ),
        "both datasets",
        _run_distribute,
    ),
    Command(
        "pull",
        "download the manifests of a project",
        "Writes train.manifest and test.manifest, each line as supplied: both or none.",
        (
            PROJECT,
            define_argument(
                "-o",
                "--out",
                type=read_folder,
                required=True,
                metavar="DIR",
                help="the folder for the files",
            ),
        ),
        "the number of lines by file",
        _run_pull,
    ),
    Command(
        "history",
        "list the distributions of a project and their callers",
        "Newest first, with dry runs and reverted distributions.",
        (PROJECT,),
        "the distributions",
        _run_history,
    ),
    Command(
        "revert",
        "undo the last distribution of a project",
        "Both datasets get their previous entries back, byte for byte, if neither has changed since.",
        (PROJECT,),
        "the project",
        _run_revert,
    ),
)
