"""`python -m twofold_command`, the same as `twofold`."""

import sys

from twofold_command.entry import main

if __name__ == "__main__":
    sys.exit(main())
