"""Standard streams that the caller has closed (`>&-`, some schedulers and daemons) become the null device.

Otherwise the next file that is opened has the number of the stream, and what is printed there is written into the file.
"""

import os
import sys

_MODES = {"stdin": "r", "stdout": "w", "stderr": "w"}


def open_missing() -> None:
    """To be called before any file is opened, and before processes are started that have the same streams."""
    for descriptor, (name, mode) in enumerate(_MODES.items()):
        try:
            os.fstat(descriptor)
        except OSError:
            # The system takes the lowest number that is free.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(descriptor, mode, closefd=False))
