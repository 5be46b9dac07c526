"""The subcommands that talk to a service, as the parser knows them. boto3 is needed only when one of them runs."""

import argparse
import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twofold_command.errors import CommandError

if TYPE_CHECKING:
    from twofold_service.session import Service

_SERVICE = """\
The service is that of the environment (AWS_ENDPOINT_URL_REKOGNITION, as `make
deploy` prints it, or AWS_ENDPOINT_URL) or of --endpoint, and so are region and
credentials. A local service takes any credentials, and none.
"""


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    _add_status(commands)
    _add_push(commands)
    _add_distribute(commands)
    _add_pull(commands)
    _add_history(commands)
    _add_revert(commands)


def connected(options: argparse.Namespace) -> "Service":
    """Raises CommandError, also where boto3 is not installed."""
    try:
        from twofold_service.session import connect
    except ModuleNotFoundError as error:
        if error.name not in ("boto3", "botocore"):
            raise
        raise CommandError(
            "This command needs boto3, which is not installed: pip install boto3."
        ) from error
    return connect(options.endpoint)


def tell(lines: Iterable[str], told: Any, *, as_json: bool) -> int:
    text = (
        json.dumps(told, indent=1, ensure_ascii=False, default=str) if as_json else "\n".join(lines)
    )
    print(text)  # noqa: T201
    return 0


def add_service_options(parser: argparse.ArgumentParser, told: str) -> None:
    parser.add_argument(
        "--endpoint", metavar="URL", help="the service's address (default: the environment's)"
    )
    parser.add_argument("--json", action="store_true", help=f"print {told} as JSON")


def subparser(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    words: str,
    more: str,
) -> argparse.ArgumentParser:
    return commands.add_parser(
        name,
        help=words,
        description=more,
        epilog=_SERVICE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _add_status(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparser(
        commands,
        "status",
        "list the projects and datasets of a service",
        "Projects with their datasets: status, entries, labels, and why one failed.",
    )
    parser.add_argument("project", nargs="?", metavar="PROJECT", help="this one alone")
    add_service_options(parser, "them")
    parser.set_defaults(command=_status)


def _add_push(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparser(
        commands,
        "push",
        "make a dataset of a service from a manifest",
        "Uploads the manifest to a bucket, makes the project unless it is there, and the dataset.",
    )
    parser.add_argument("manifest", type=Path, metavar="MANIFEST", help="a JSON Lines manifest")
    parser.add_argument("project", metavar="PROJECT", help="the name of the project")
    parser.add_argument(
        "--bucket", required=True, metavar="NAME", help="the bucket that the manifest goes to"
    )
    parser.add_argument("--make-bucket", action="store_true", help="make the bucket first")
    parser.add_argument(
        "--dataset", choices=("train", "test"), default="train", help="which one (default: train)"
    )
    add_service_options(parser, "the dataset")
    parser.set_defaults(command=_push)


def _add_distribute(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparser(
        commands,
        "distribute",
        "let a service move the test entries to the test dataset",
        "Makes the empty test dataset unless it is there. What is not given is as the service has it.",
    )
    parser.add_argument("project", metavar="PROJECT", help="the name of the project")
    parser.add_argument("--test-fraction", metavar="F", help="0.2, 1/5 or 20%%")
    parser.add_argument("--seed", type=int, metavar="S", help="another seed, another split")
    parser.add_argument(
        "--group-by", metavar="EXPR", help="keep groups whole, as `twofold split` does"
    )
    parser.add_argument(
        "--objective",
        choices=("labels", "labels-and-boxes"),
        help="balance images of each label, or then also boxes",
    )
    parser.add_argument(
        "--min-images-per-label", type=int, metavar="N", help="refuse labels with fewer images"
    )
    parser.add_argument(
        "--dry-run", action="store_true", default=None, help="everything but the move"
    )
    add_service_options(parser, "both datasets")
    parser.set_defaults(command=_distribute)


def _add_pull(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparser(
        commands,
        "pull",
        "fetch the manifests of a project",
        "Writes train.manifest and test.manifest, each line as it was supplied: both, or none.",
    )
    parser.add_argument("project", metavar="PROJECT", help="the name of the project")
    parser.add_argument(
        "-o", "--out", type=Path, required=True, metavar="DIR", help="the folder for the files"
    )
    add_service_options(parser, "the lines by file")
    parser.set_defaults(command=_pull)


def _add_history(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparser(
        commands,
        "history",
        "list what was distributed in a project, and by whom",
        "Newest first, dry runs and what was reverted included.",
    )
    parser.add_argument("project", metavar="PROJECT", help="the name of the project")
    add_service_options(parser, "the distributions")
    parser.set_defaults(command=_history)


def _add_revert(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparser(
        commands,
        "revert",
        "undo the last distribution of a project",
        "Both datasets get back what they had, byte for byte, as long as neither has changed since.",
    )
    parser.add_argument("project", metavar="PROJECT", help="the name of the project")
    add_service_options(parser, "the project")
    parser.set_defaults(command=_revert)


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
