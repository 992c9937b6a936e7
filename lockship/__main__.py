"""`python -m lockship` and the `lockship` command."""

import sys


def main() -> int:
    """Run the command line; return its exit status."""
    from lockship.cli.main import run

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
