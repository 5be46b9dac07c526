"""`python -m twofold_command` runs the `twofold` command."""

import sys

from twofold_command.entry import main

if __name__ == "__main__":
    sys.exit(main())
