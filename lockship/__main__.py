"""`python -m lockship` and the `lockship` command."""

import gc
import sys

# Loading modules makes many objects and no garbage: looking for it at Python's own pace (every
# 700 objects) takes a fifth of `lockship --help`.
gc.set_threshold(20_000)


def main() -> int:
    """Run the command line; return its exit status."""
    from lockship.cli.main import run

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
