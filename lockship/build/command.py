"""What the docker client is told: a pure function of the lock, as a list of words.

Every option and its value are one word, so that no value can be taken for an option.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lockship.build.client import Client
from lockship.build.labels import labels
from lockship.build.options import options
from lockship.build.target import Target


def build_command(
    client: Client,
    target: Target,
    *,
    context: Path,
    dockerfile: Path,
    iidfile: Path,
    tty: bool,
    more: Sequence[str] = (),
    fresh: bool = False,
) -> tuple[str, ...]:
    """Return the command that builds the target's image from `context`.

    `context`, `dockerfile` and `iidfile` are absolute. The image gets no tag here: it gets one once
    it was looked at. The image's id is in `iidfile` afterwards. `fresh`: nothing is taken from any
    cache or put into one, and no attestation is made.
    """
    lock = target.lock
    words = [client.path]
    words += ["buildx", "build", "--load"] if client.buildx else ["build"]
    words.append(f"--file={dockerfile}")
    if lock.build.target is not None:
        words.append(f"--target={lock.build.target}")
    words += [f"--build-arg={name}={value}" for name, value in sorted(lock.build.args.items())]
    words += [f"--platform={target.platform}"] if target.platform is not None else []
    words += ("--no-cache",) if fresh else options(client, lock.build, lock.mirrors)
    words += more
    words += [f"--label={name}={value}" for name, value in labels(lock).items()]
    words.append(f"--progress={'auto' if tty else 'plain'}")
    words.append(f"--iidfile={iidfile}")
    words.append(str(context))
    return tuple(words)
