"""The `twofold` command.

Exit codes: 0 done, 1 not done (or not verified) and said why, 2 bad usage, 130 interrupted. What a subcommand needs is
imported when it runs: `verify` works where none of Twofold's dependencies is installed.
"""

import argparse
import json
import signal
import sys
from collections.abc import Callable, Sequence
from io import TextIOWrapper
from pathlib import Path

from twofold_command.errors import CommandError
from twofold_command.remote import add_commands
from twofold_command.show import add_report

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


def main() -> int:
    _spell_out_what_cannot_be_encoded()
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    return run(sys.argv[1:])


def run(arguments: Sequence[str]) -> int:
    """The exit code; what there is to tell goes to standard output, what went wrong to standard error."""
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        return command(options)
    except CommandError as error:
        _tell_error(str(error), as_json=options.json)
        return 1
    except KeyboardInterrupt:
        print("Stopped; nothing was written.", file=sys.stderr)  # noqa: T201
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 1


def _parser() -> argparse.ArgumentParser:
    from twofold import __version__

    parser = argparse.ArgumentParser(
        prog="twofold",
        description="Exact, balanced, reproducible train/test splits of Ground Truth manifests, here or on a service.",
    )
    parser.add_argument("--version", action="version", version=f"twofold {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_split(commands)
    _add_verify(commands)
    add_report(commands)
    add_commands(commands)
    return parser


def _add_split(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "split",
        help="split a manifest on this machine",
        description="Writes train.manifest, test.manifest, report.json and report.html: all four, or none.",
        epilog=_EXPRESSIONS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("manifest", type=Path, metavar="MANIFEST", help="a JSON Lines manifest")
    parser.add_argument(
        "-o", "--out", type=Path, required=True, metavar="DIR", help="the folder for the files"
    )
    parser.add_argument(
        "--test-fraction",
        default="1/5",
        metavar="F",
        help="0.2, 1/5 or 20%% (default: %(default)s)",
    )
    parser.add_argument(
        "--seed", default="0", metavar="S", help="another seed, another split (default: 0)"
    )
    parser.add_argument("--group-by", metavar="EXPR", help="keep groups whole; see below")
    parser.add_argument(
        "--objective",
        default="labels",
        choices=("labels", "labels-and-boxes"),
        help="balance images of each label (default), or then also boxes",
    )
    parser.add_argument(
        "--previous",
        type=Path,
        metavar="DIR",
        help="keep the split in DIR, whose dataset has grown, as far as balance allows",
    )
    parser.add_argument(
        "--processes", default=None, metavar="N", help="worker processes (default: what pays)"
    )
    parser.add_argument(
        "--keep-index", action="store_true", help="also write train.index and test.index"
    )
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.set_defaults(command=_split)


def _add_verify(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "verify",
        help="check the files of a split without trusting the program that made it",
        description="Reads the two manifests and the report, and nothing else; shares no code with the solver.",
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="the folder of the split")
    parser.add_argument(
        "--previous", type=Path, metavar="DIR", help="the folder of the split that this one keeps"
    )
    parser.add_argument("--json", action="store_true", help="print the checks as JSON")
    parser.set_defaults(command=_verify)


def _split(options: argparse.Namespace) -> int:
    from twofold_command.outputs import FILES, INDEXES
    from twofold_command.split import split
    from twofold_command.usage import request
    from twofold_command.words import sentences

    try:
        asked = request(options)
    except ValueError as error:
        print(f"twofold split: error: {error}", file=sys.stderr)  # noqa: T201
        return 2
    report = split(asked)
    if options.json:
        print(json.dumps(report, indent=1, ensure_ascii=False))  # noqa: T201
        return 0
    files = [f"  {asked.out / one}" for one in (*FILES, *(INDEXES if asked.keep_index else ()))]
    print("\n".join([*sentences(report), *files]))  # noqa: T201
    return 0


def _verify(options: argparse.Namespace) -> int:
    from twofold_verify.__main__ import verify

    return verify(options.folder, options.previous, as_json=options.json)


def _tell_error(message: str, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"error": message}, ensure_ascii=False))  # noqa: T201
    print(f"twofold: {message}", file=sys.stderr)  # noqa: T201


def _spell_out_what_cannot_be_encoded() -> None:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
