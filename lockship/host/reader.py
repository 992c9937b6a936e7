"""Reading files over SSH in one round trip, however many: by a small program that stays there.

SFTP takes two (open, then read), and three more where a folder's names must be known first. What
this program can't read is left to SFTP, which says why.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Final

from lockship.host.link import Folder, Looked
from lockship.host.process import ChannelProcess

# POSIX sh; dash and busybox run it. Its first line is a word that nobody knows: it marks the end of
# each content. Paths come as data, one a line. A path is only called missing where the nearest
# folder above it that is there may be searched.
_PROGRAM: Final = """\
IFS= read -r mark
end() { printf '\\n%s %s\\n' "$mark" "$1"; }
gone() {
  at=$1
  [ -e "$at" ] && { end failed; return; }
  while :; do
    case $at in
      */*) at=${at%/*} ;;
      *) at=. ;;
    esac
    [ -e "${at:-/}" ] && break
  done
  if [ -x "${at:-/}" ]; then end missing; else end failed; fi
}
content() {
  if [ -f "$1" ]; then cat <"$1" 2>/dev/null && end "there ${1##*/}" || end failed
  else gone "$1"; fi
}
end "$(pwd -P)"
while IFS= read -r kind && IFS= read -r path; do
  case $kind in
    file) content "$path" ;;
    folder)
      IFS= read -r ending
      if [ -d "$path" ] && [ -r "$path" ] && [ -x "$path" ]; then
        for each in "$path"/*"$ending" "$path"/.[!.]*"$ending"; do
          [ -e "$each" ] && content "$each"
        done
        end done
      else gone "$path"; fi ;;
  esac
done 2>/dev/null
"""
COMMAND: Final = ("sh", "-c", _PROGRAM)


class Unread(Exception):  # noqa: N818 - not an error: SFTP is asked then
    """Something isn't a file that can be read, or the program isn't there any more."""


class Reader:
    """The program, running. Used by one thread at a time, and no more once it raised."""

    def __init__(self, process: ChannelProcess, patience: float) -> None:
        """`process` is one of COMMAND; `patience` in seconds is for each wait."""
        self._process = process
        self._patience = patience
        mark = secrets.token_hex(16).encode()
        self._mark = b"\n" + mark + b" "
        self._home: str | None = None
        process.write(mark + b"\n")

    def home(self) -> str:
        """Return the login user's home, as an absolute path. Raises Unread."""
        if self._home is None:
            _, self._home = self._told()  # what the login shell printed before is dropped
        return self._home

    def look(self, paths: Sequence[str], folders: Sequence[Folder]) -> Looked:
        """Return what `Link.look` does. Raises Unread."""
        lines = [line for path in paths for line in ("file", path)]
        lines += [line for folder in folders for line in ("folder", *folder)]
        if any("\n" in line for line in lines):
            raise Unread
        try:
            said = "".join(f"{line}\n" for line in lines)
            self._process.write(said.encode(errors="surrogateescape"))
        except OSError:
            raise Unread from None
        self.home()
        return [self._file() for _ in paths], [self._folder() for _ in folders]

    def _file(self) -> bytes | None:
        data, verdict = self._told()
        if verdict == "missing":
            return None
        if not verdict.startswith("there "):
            raise Unread
        return data

    def _folder(self) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        while True:
            data, verdict = self._told()
            if verdict in ("done", "missing"):
                return dict(sorted(found.items()))
            if not verdict.startswith("there "):
                raise Unread
            found[verdict.removeprefix("there ")] = data

    def _told(self) -> tuple[bytes, str]:
        """Return what came up to the next mark, and what the mark's line says."""
        data = self._process.read_until(self._mark, self._patience)
        verdict = self._process.readline(self._patience)
        if data is None or not verdict.endswith(b"\n"):
            raise Unread
        return data, verdict[:-1].decode(errors="surrogateescape")
