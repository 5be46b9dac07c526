"""Runs the script `aws` repeatedly in one process, since most calls take less time than the start of Python.

The argument is the path of the script. Each line of standard input has the arguments of a call as JSON. Each result is printed
as JSON: [exit code, standard output, standard error].
"""

import io
import json
import runpy
import sys
from contextlib import redirect_stderr, redirect_stdout


def main(script: str) -> None:
    results = sys.stdout
    for arguments in map(json.loads, sys.stdin):
        sys.argv = [script, *arguments]
        out, err, code = io.StringIO(), io.StringIO(), 0
        with redirect_stdout(out), redirect_stderr(err):
            try:
                runpy.run_path(script, run_name="__main__")
            except SystemExit as end:
                code = int(end.code or 0)
        print(json.dumps([code, out.getvalue(), err.getvalue()]), file=results, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
