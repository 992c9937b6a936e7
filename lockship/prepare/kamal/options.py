"""Options of `docker run`, which Kamal passes on by their names."""

from __future__ import annotations

import re
from typing import Any, Final

from lockship.prepare.kamal.draft import Draft
from lockship.prepare.kamal.source import KeyPath, Reader, text, words

# docker run's option to the key in [roles.NAME.options], where the value is one text.
_TEXTS: Final = {
    "user": "user",
    "workdir": "working-dir",
    "hostname": "hostname",
    "stop-signal": "stop-signal",
    "shm-size": "shm-size",
    "runtime": "runtime",
    "pid": "pid",
    "ipc": "ipc",
    "memory-reservation": "memory-reservation",
    "memory-swap": "memory-swap",
    "cpuset-cpus": "cpuset-cpus",
    "gpus": "gpus",
}
_NUMBERS: Final = {
    "cpu-shares": "cpu-shares",
    "pids-limit": "pids-limit",
    "oom-score-adj": "oom-score-adj",
    "health-retries": "health-retries",
}
_FLAGS: Final = ("init", "read-only", "privileged", "no-healthcheck")
_LISTS: Final = {
    "group-add": "group-add",
    "network": "networks",
    "dns": "dns",
    "dns-search": "dns-search",
    "tmpfs": "tmpfs",
    "device": "devices",
    "cap-add": "cap-add",
    "cap-drop": "cap-drop",
    "security-opt": "security-opt",
}
_PAIRS: Final = {"add-host": "extra-hosts", "sysctl": "sysctls", "ulimit": "ulimits"}
_DURATION: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_TIMES: Final = ("health-interval", "health-timeout", "health-start-period")


def put(draft: Draft, role: KeyPath, reader: Reader) -> None:
    """Put the options of a role or an accessory, whose table is `role`, into the draft."""
    into = (*role, "options")
    for name, key in _TEXTS.items():
        if (value := reader.take(name)) is not None:
            draft.put((*into, key), text(value), reader.at(name))
    for name, key in _NUMBERS.items():
        if (value := reader.take(name)) is not None:
            draft.put((*into, key), _number(value), reader.at(name))
    for name in _FLAGS:
        if (value := reader.take(name)) is not None:
            draft.put((*into, name), bool(value), reader.at(name))
    for name, key in _LISTS.items():
        if found := reader.each(name):
            draft.add((*into, key), map(text, found), reader.at(name))
    for name, key in _PAIRS.items():
        for each in reader.each(name):
            left, _, right = text(each).partition(":" if name == "add-host" else "=")
            draft.put((*into, key, left), right, reader.at(name))
    for name in _TIMES:
        if (value := reader.take(name)) is not None:
            draft.put((*into, name), _seconds(text(value)), reader.at(name))
    for name, key in (("health-cmd", "health-command"), ("entrypoint", "entrypoint")):
        if (value := reader.take(name)) is None:
            continue
        if (parts := words(value)) is None:
            draft.leave(reader.at(name), "a quote in it isn't closed")
        else:
            draft.put((*into, key), parts, reader.at(name))
    _everyday(draft, role, reader)
    draft.leave_rest(reader)


def logging(draft: Draft, role: KeyPath, reader: Reader) -> None:
    """Put a `logging` table into a role's options."""
    into = (*role, "options")
    if (driver := reader.take("driver")) is not None:
        draft.put((*into, "log-driver"), text(driver), reader.at("driver"))
    chosen = reader.below("options")
    for key in chosen.tables:
        draft.put((*into, "log-options", key), text(chosen.take(key)), chosen.at(key))
    draft.leave_rest(reader)


def _everyday(draft: Draft, role: KeyPath, reader: Reader) -> None:
    """Put those that are keys of the role itself."""
    if (value := reader.take("memory")) is not None:
        draft.put((*role, "memory"), text(value).lower(), reader.at("memory"))
    if (value := reader.take("cpus")) is not None:
        draft.put((*role, "cpus"), _decimal(value), reader.at("cpus"))
    if (value := reader.take("restart")) is not None:
        draft.put((*role, "restart"), text(value), reader.at("restart"))
    if (value := reader.take("stop-timeout")) is not None:
        draft.put((*role, "stop-timeout"), _number(value), reader.at("stop-timeout"))
    for name, key in (("publish", "ports"), ("volume", "volumes")):
        if found := reader.each(name):
            draft.add((*role, key), map(text, found), reader.at(name))
    for name, key in (("label", "labels"), ("env", "env")):
        for each in reader.each(name):
            left, _, right = text(each).partition("=")
            draft.put((*role, key, left), right, reader.at(name))


def _number(value: Any) -> Any:
    return int(value) if re.fullmatch(r"-?[0-9]{1,18}", text(value)) else text(value)


def _decimal(value: Any) -> float | str:
    try:
        return float(value)
    except (TypeError, ValueError):
        return text(value)  # which `prepare` refuses, with the key


def _seconds(value: str) -> float | str:
    """Read a duration of Docker's with one unit, such as `30s`."""
    for unit in ("ms", "s", "m", "h"):
        number = value.removesuffix(unit)
        if number != value and number.replace(".", "", 1).isdecimal():
            return float(number) * _DURATION[unit]
    return value
