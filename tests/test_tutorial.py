"""docs/tutorial.md, typed as it stands, against a real server."""

import re
import subprocess
from pathlib import Path

from tests.harness import Fleet
from tests.harness.fleet import REPOSITORY

SERVER = "server.example.com"
BLOCK = re.compile(r"^```sh( refused)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_every_command_works_as_it_stands(clean_fleet: Fleet, tmp_path: Path) -> None:
    host, home = clean_fleet.hosts[0], clean_fleet.home
    home.ssh_config.write_text(
        f"Host {SERVER}\n    HostName {host.address}\n\n{home.ssh_config.read_text()}"
    )
    script = ["set -euo pipefail"]
    for refused, block in BLOCK.findall((REPOSITORY / "docs/tutorial.md").read_text()):
        script.append(f"status=0\n(\n{block}) || status=$?\n[ $status = 3 ]" if refused else block)
    # What a name server and the home folder in the password file do for others.
    text = "\n".join(script).replace(f"http://{SERVER}", f"http://{host.address}")
    done = subprocess.run(
        ["bash", "-c", text.replace("ssh deploy@", f"ssh -F {home.ssh_config} deploy@")],
        cwd=tmp_path,
        env=clean_fleet.env(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    first, second, third = re.findall(r"^(Hello from|Welcome to) (\w+)$", done.stdout, re.MULTILINE)
    assert [first[0], second[0]] == ["Hello from", "Welcome to"]
    assert third == first
    assert first[1] != second[1]
