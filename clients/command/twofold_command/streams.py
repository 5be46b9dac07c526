"""Opens the null device for standard streams that the caller has closed (`>&-`, some schedulers and daemons).

Otherwise the next opened file gets the descriptor of the stream, and output to the stream is written into the file.
"""

import os
import sys

_MODES = {"stdin": "r", "stdout": "w", "stderr": "w"}


def open_missing_streams() -> None:
    """Opens the missing streams. Call it before any file is opened and any process is started."""
    for descriptor, (name, mode) in enumerate(_MODES.items()):
        try:
            os.fstat(descriptor)
        except OSError:
            # The system assigns the lowest free descriptor, which is that of the closed stream.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(descriptor, mode, closefd=False))
