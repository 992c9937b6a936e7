"""`python -m lockship` and the `lockship` command."""

import gc
import os
import sys
from contextlib import suppress
from typing import NoReturn

# Loading modules makes many objects and no garbage: looking for it at Python's own pace (every
# 700 objects) takes a fifth of `lockship --help`.
gc.set_threshold(20_000)


def main() -> NoReturn:
    """Run the command line and end the process with its exit status."""
    from lockship.cli.main import run

    status = run(sys.argv[1:])
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):  # closed, or nobody reads
            stream.flush()
    # Everything is closed by now. Taking the interpreter apart, object by object, is all that would
    # follow, and it takes a fifth of `lockship --help`. mypy ends like this too.
    os._exit(status)


if __name__ == "__main__":
    main()
