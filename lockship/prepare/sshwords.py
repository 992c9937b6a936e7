"""How ssh is told which host is meant, so that the person's own configuration says the rest."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

from lockship.lock.model import Host


def destination_words(name: str, host: Host) -> list[str]:
    """Return the last words of an ssh command line: configuration, login name, port, host."""
    words = config_words(Path.home())
    words += ["-l", host.user] if host.user else []
    words += ["-p", str(host.port)] if host.port else []
    return [*words, "--", name]


def config_words(home: Path) -> list[str]:
    """Return what makes ssh read the configuration in `home`, where it wouldn't by itself."""
    config = home / ".ssh/config"
    return ["-F", str(config)] if elsewhere(home) and config.is_file() else []


def elsewhere(home: Path) -> bool:
    """Tell whether HOME isn't the password file's, which is where ssh itself looks."""
    try:
        return home != Path(pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError:
        return True
