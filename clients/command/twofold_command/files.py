"""The subcommands that work on files of this machine alone."""

import argparse
import sys
from pathlib import Path

from twofold.escaping import make_printable
from twofold_command import stops
from twofold_command.commands import Command, argument, read_folder
from twofold_command.output import print_json, print_lines

_EXPRESSIONS = """\
groups:
  --group-by keeps the entries of a group on one side. An expression with a
  parenthesis is a regular expression (RE2), looked for in the source-ref; its
  one capturing group is the key: --group-by '/(patient[0-9]+)/'. Any other
  expression is the name of a member of the line, of text or a whole number:
  --group-by patient. An entry without a key is an error.

examples:
  twofold split all.manifest -o out
  twofold split all.manifest -o out --test-fraction 1/3 --seed 7 --group-by 'videos/([^/]+)/'
  twofold split grown.manifest -o next --previous out
  twofold verify out
"""


def _split(options: argparse.Namespace) -> int:
    from twofold_command.pool import prepare

    if options.processes is None:
        prepare(options.manifest)
    with stops.held_back():
        from twofold_command.outputs import FILES, INDEXES
        from twofold_command.split import split
        from twofold_command.usage import request
        from twofold_command.words import sentences

    try:
        asked = request(options)
    except ValueError as error:
        print(f"twofold split: error: {make_printable(str(error))}", file=sys.stderr)  # noqa: T201
        return 2
    report = split(asked)
    if options.json:
        print_json(report)
        return 0
    files = [f"  {asked.out / one}" for one in (*FILES, *(INDEXES if asked.keep_index else ()))]
    print_lines([*sentences(report), *files])
    return 0


def _verify(options: argparse.Namespace) -> int:
    from twofold_command.publication import finish
    from twofold_verify.__main__ import verify

    for folder in (options.folder, options.previous):
        if folder:
            finish(folder)
    return verify(options.folder, options.previous, options.source, as_json=options.json)


COMMANDS = (
    Command(
        "split",
        "split a manifest on this machine",
        "Writes train.manifest, test.manifest, report.json and report.html: all four, or none.",
        (
            argument("manifest", type=Path, metavar="MANIFEST", help="a JSON Lines manifest"),
            argument(
                *("-o", "--out"),
                type=read_folder,
                required=True,
                metavar="DIR",
                help="the folder for the files",
            ),
            argument(
                "--test-fraction",
                default="1/5",
                metavar="F",
                help="0.2, 1/5 or 20%% (default: %(default)s)",
            ),
            argument(
                "--seed", default="0", metavar="S", help="another seed, another split (default: 0)"
            ),
            argument("--group-by", metavar="EXPR", help="keep groups whole; see below"),
            argument(
                "--objective",
                default="labels",
                choices=("labels", "labels-and-boxes"),
                help="balance images of each label (default), or then also boxes",
            ),
            argument(
                "--previous",
                type=Path,
                metavar="DIR",
                help="keep the split in DIR, whose dataset has grown, as far as balance allows",
            ),
            argument(
                "--processes",
                default=None,
                metavar="N",
                help="worker processes (default: what pays)",
            ),
            argument(
                "--keep-index", action="store_true", help="also write train.index and test.index"
            ),
        ),
        "the report",
        _split,
        epilog=_EXPRESSIONS,
    ),
    Command(
        "verify",
        "check the files of a split without trusting the program that made it",
        "Reads the two manifests and report.json, and the files named; shares no code with the solver.",
        (
            argument("folder", type=Path, metavar="DIR", help="the folder of the split"),
            argument(
                "--previous",
                type=Path,
                metavar="DIR",
                help="the folder of the split that this one keeps",
            ),
            argument(
                "--source",
                type=Path,
                metavar="FILE",
                help="the manifest that was split: compare line by line",
            ),
        ),
        "the checks",
        _verify,
        epilog="",
    ),
)
