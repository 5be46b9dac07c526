"""The subcommands for local files: `split` and `verify`."""

import argparse
import sys
from contextlib import nullcontext

from twofold.escaping import make_printable
from twofold_command import signals
from twofold_command.commands import Command, define_argument, read_file_path, read_folder
from twofold_command.console import print_json, print_lines

_EXPRESSIONS = """\
groups:
  --group-by keeps the entries of a group on one side. An expression with a
  parenthesis is a regular expression (RE2) that is searched for in the
  source-ref; its one capturing group is the key:
  --group-by '/(patient[0-9]+)/'. Any other expression is the name of a field
  of the line with a string or an integer: --group-by patient. An entry without
  a key is an error, or with --ungrouped single a group of its own.

balanced members:
  --balance-by camera,weather balances the levels of these members, text, whole
  numbers, true and false, like labels. --balance-by age:5 balances the five
  quantiles of a number. A missing value is a level of its own.

parts:
  --parts names two or more parts and their shares, which add up to 100 or to 1.
  Each part gets <name>.manifest. All parts are chosen jointly. --folds makes K
  equal parts; the training set of a fold is the other folds together.

examples:
  twofold split all.manifest -o out
  twofold split all.manifest -o out --parts train=70,val=15,test=15
  twofold split all.manifest -o out --test-fraction 1/3 --seed 7 --group-by 'videos/([^/]+)/'
  twofold split grown.manifest -o next --previous out
  twofold verify out
"""


def _run_split(options: argparse.Namespace) -> int:
    from twofold_command.manifest_sources import open_manifest

    with open_manifest(options.manifest) as options.manifest:
        return _split_manifest(options)


def _split_manifest(options: argparse.Namespace) -> int:
    from twofold_command.pool import prepare_workers

    if options.processes is None:
        prepare_workers(options.manifest)
    with signals.defer_stops():
        from twofold_command.arguments import parse_request
        from twofold_command.parts_split import list_part_files, split_into_parts
        from twofold_command.parts_summary import summarize_split
        from twofold_command.split import split_manifest
        from twofold_command.split_files import FILES, list_indexes

    try:
        request = parse_request(options)
    except ValueError as error:
        print(f"twofold split: error: {make_printable(str(error))}", file=sys.stderr)  # noqa: T201
        return 2
    names = list_part_files(request) if request.parts else list(FILES)
    report = split_into_parts(request) if request.parts else split_manifest(request)
    if options.json:
        print_json(report)
        return 0
    indexes = list_indexes(names) if request.keep_index else ()
    files = [f"  {request.out / name}" for name in (*names, *indexes)]
    print_lines([*summarize_split(report), *files])
    return 0


def _run_verify(options: argparse.Namespace) -> int:
    from twofold_command.manifest_sources import open_manifest
    from twofold_command.publication import finish_publication
    from twofold_verify.__main__ import verify

    for folder in (options.folder, options.previous):
        if folder:
            finish_publication(folder)
    with open_manifest(options.source) if options.source else nullcontext() as source:
        return verify(options.folder, options.previous, source, as_json=options.json)


COMMANDS = (
    Command(
        "split",
        "split a manifest on this machine",
        "Writes a manifest for each part (train and test), report.json and report.html: all or none.",
        (
            define_argument(
                "manifest",
                type=read_file_path,
                metavar="MANIFEST",
                help="a JSON Lines manifest, also with gzip; - is standard input",
            ),
            define_argument(
                *("-o", "--out"),
                type=read_folder,
                required=True,
                metavar="DIR",
                help="the folder for the files",
            ),
            define_argument(
                "--test-fraction",
                metavar="F",
                help="0.2, 1/5 or 20%% (default: 1/5)",
            ),
            define_argument(
                "--parts",
                metavar="SPEC",
                help="split into these parts: train=70,val=15,test=15",
            ),
            define_argument(
                "--folds", metavar="K", help="split into K equal parts: fold-1, fold-2, ..."
            ),
            define_argument(
                "--seed", default="0", metavar="S", help="seed of the random sample (default: 0)"
            ),
            define_argument("--group-by", metavar="EXPR", help="keep groups whole; see below"),
            define_argument(
                "--ungrouped",
                default="error",
                choices=("error", "single"),
                help="entries without a group: an error (default), or groups of their own",
            ),
            define_argument(
                "--balance-by",
                metavar="MEMBERS",
                help="balance further members of the lines like labels; see below",
            ),
            define_argument(
                "--min-per-label",
                metavar="N",
                help="at least N images of each label on each side, before the deviation",
            ),
            define_argument(
                "--objective",
                default="labels",
                choices=("labels", "labels-and-boxes"),
                help="balance images of each label (default), or then also boxes",
            ),
            define_argument(
                "--previous",
                type=read_folder,
                metavar="DIR",
                help="keep the previous split in DIR as far as the balance allows",
            ),
            define_argument(
                "--processes",
                default=None,
                metavar="N",
                help="number of worker processes (default: by file size)",
            ),
            define_argument(
                "--strict",
                action="store_true",
                help="fail if a line is dropped or an entry has errors in its labels",
            ),
            define_argument(
                "--keep-index", action="store_true", help="also write an index for each manifest"
            ),
        ),
        "the report",
        _run_split,
        epilog=_EXPRESSIONS,
    ),
    Command(
        "verify",
        "check the files of a split without trusting the program that made it",
        "Reads both manifests, report.json and the given files; shares no code with the solver.",
        (
            define_argument(
                "folder", type=read_folder, metavar="DIR", help="the folder of the split"
            ),
            define_argument(
                "--previous",
                type=read_folder,
                metavar="DIR",
                help="the folder of the previous split",
            ),
            define_argument(
                "--source",
                type=read_file_path,
                metavar="FILE",
                help="the manifest that was split, for a comparison line by line; also with gzip, or -",
            ),
        ),
        "the checks",
        _run_verify,
        epilog="",
    ),
)
