"""Runs the script `aws` again and again in one process, since starting Python costs more than most calls.

The argument is the script; each line on standard input has the arguments of a call as JSON. What comes of it is
printed as JSON: [exit code, standard output, standard error].
"""

import io
import json
import runpy
import sys
from contextlib import redirect_stderr, redirect_stdout


def main(script: str) -> None:
    answers = sys.stdout
    for arguments in map(json.loads, sys.stdin):
        sys.argv = [script, *arguments]
        out, err, code = io.StringIO(), io.StringIO(), 0
        with redirect_stdout(out), redirect_stderr(err):
            try:
                runpy.run_path(script, run_name="__main__")
            except SystemExit as end:
                code = int(end.code or 0)
        print(json.dumps([code, out.getvalue(), err.getvalue()]), file=answers, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
