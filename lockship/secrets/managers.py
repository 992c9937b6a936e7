"""The well-known secret managers, each asked by its own command line.

Who may see what is the manager's matter: whoever deploys is signed in there, or has its token in
the environment (`BW_SESSION`, `VAULT_TOKEN`, `OP_SERVICE_ACCOUNT_TOKEN` ...). Every option and its
value are one word, and what a source names can't begin with '-', so no name is taken for an option.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from lockship.secrets import dotenv
from lockship.secrets.kind import Kind, Place, Unresolved
from lockship.secrets.program import output

AGE_IDENTITY: Final = "AGE_IDENTITY_FILE"
_AWS: Final = "the AWS command line"
_AGE_DEFAULT: Final = "~/.config/age/identity.txt"
_GCP: Final = re.compile(r"projects/([^/]+)/secrets/([^/]+)(?:/versions/([^/]+))?")

Argv = Callable[[str], tuple[str, ...]]


def _runs(of: str, argv: Argv) -> Callable[[str, Place], str]:
    """Return a fetch that runs the manager's program. `of` is whose program it is."""
    return lambda what, place: output(argv(what), place, of=of)


def _is_named(what: str, _part: str) -> bool:
    return bool(what.strip()) and not what.startswith("-")


def _has_part(what: str, part: str) -> bool:
    return _is_named(what, part) and bool(part)


def _tables(text: str, program: str) -> dict[str, Any]:
    """Read the JSON object that a program printed. Nothing of it is repeated in a message."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Unresolved(f"{program}'s output is no JSON object")
    return found


def _within(found: object, *keys: str) -> object:
    """Return what is in nested tables under these keys; None where it isn't there."""
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    return found


def _text(found: object, part: str) -> str:
    """Return a value of JSON as the text of a secret; numbers and tables as JSON writes them."""
    if found is None:
        raise Unresolved(f"there is no {part}")
    return found if isinstance(found, str) else json.dumps(found)


def _is_op(what: str, _part: str) -> bool:
    return what.startswith("//") and what.count("/") >= 4


def _op(what: str) -> tuple[str, ...]:
    """https://developer.1password.com/docs/cli/reference/commands/read/ ."""
    return ("op", "read", "--no-newline", f"op:{what}")


def _bw(item: str) -> tuple[str, ...]:
    """https://bitwarden.com/help/cli/#get ."""
    return ("bw", "get", "item", item)


def _of_bitwarden(text: str, part: str) -> str:
    item = _tables(text, "bw")
    part = part or "password"
    fields = item.get("fields")
    for field in fields if isinstance(fields, list) else []:
        if _within(field, "name") == part:
            return _text(_within(field, "value"), part)
    return _text(_within(item, "login", part) or item.get(part), part)


def _aws_secret(name: str) -> tuple[str, ...]:
    """https://docs.aws.amazon.com/cli/latest/reference/secretsmanager/get-secret-value.html ."""
    return ("aws", "secretsmanager", "get-secret-value", f"--secret-id={name}", "--output=json")


def _of_aws_secret(text: str, part: str) -> str:
    value = _text(_tables(text, "aws").get("SecretString"), "SecretString")
    return _text(_tables(value, "the secret").get(part), part) if part else value


def _vault(path: str) -> tuple[str, ...]:
    """https://developer.hashicorp.com/vault/docs/commands/kv/get ."""
    return ("vault", "kv", "get", "-format=json", path)


# Version 2 of the engine has the values in data.data, beside data.metadata; version 1 in data.
def _of_vault(text: str, part: str) -> str:
    data = _tables(text, "vault").get("data")
    values = _within(data, "data") if _within(data, "metadata") is not None else data
    return _text(_within(values, part), part)


def _of_doppler(text: str, part: str) -> str:
    return _text(_tables(text, "doppler").get(part), part)


# https://getsops.io/docs: the file as a document; a key's parts are joined with '.'.
def _of_sops(text: str, part: str) -> str:
    return _text(_within(_tables(text, "sops"), *part.split(".")), part)


def _lpass(item: str) -> tuple[str, ...]:
    """https://github.com/lastpass/lastpass-cli, cmd-show.c ."""
    return ("lpass", "show", "--json", item)


# A list with one object for each item that was found.
def _of_lastpass(text: str, part: str) -> str:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list) or len(found) != 1 or not isinstance(found[0], dict):
        raise Unresolved("lpass's output isn't one item")
    return _text(found[0].get(part or "password"), part or "password")


def _pass(name: str) -> tuple[str, ...]:
    """https://www.passwordstore.org ."""
    return ("pass", "show", name)


# The password is the first line, what follows are lines of `name: value`.
def _of_pass(text: str, part: str) -> str:
    first, *rest = text.split("\n")
    if not part:
        return first
    named = (line.partition(":") for line in rest)
    found = [value.strip() for name, colon, value in named if colon and name.strip() == part]
    return _text(found[0] if found else None, part)


def _of_age(text: str, part: str) -> str:
    return _text(dotenv.parse(text).get(part), part) if part else text


def _from_age(path: str, place: Place) -> str:
    """Decrypt with age(1): whose identity it is, is the matter of who deploys."""
    identity = _expanded(place.environ.get(AGE_IDENTITY) or _AGE_DEFAULT)
    words = ("age", "--decrypt", f"--identity={identity}", _file(path, place))
    return output(words, place, of="age")


def _from_sops(path: str, place: Place) -> str:
    words = ("sops", "--decrypt", "--output-type=json", _file(path, place))
    return output(words, place, of="SOPS")


def _file(path: str, place: Place) -> str:
    return str(place.root / _expanded(path))


def _expanded(path: str) -> Path:
    try:
        return Path(path).expanduser()
    except RuntimeError as error:  # nobody knows where that home is
        raise Unresolved(f"the file can't be read: {error}") from None


def _from_bws(secret_id: str, place: Place) -> str:
    """https://bitwarden.com/help/secrets-manager-cli/#secret-get ."""
    of = "the command line of Bitwarden Secrets Manager"
    answer = _tables(output(("bws", "secret", "get", secret_id), place, of=of), "bws")
    return _text(answer.get("value"), "value")


def _from_aws_parameter(name: str, place: Place) -> str:
    """https://docs.aws.amazon.com/cli/latest/reference/ssm/get-parameter.html ."""
    words = ("aws", "ssm", "get-parameter", f"--name={name}", "--with-decryption", "--output=json")
    answer = _tables(output(words, place, of=_AWS), "aws")
    return _text(_within(answer, "Parameter", "Value"), "Value")


def _is_gcp(what: str, _part: str) -> bool:
    return _GCP.fullmatch(what) is not None and "/-" not in what


def _gcp(what: str) -> tuple[str, ...]:
    """https://cloud.google.com/sdk/gcloud/reference/secrets/versions/access ."""
    found = _GCP.fullmatch(what)
    assert found is not None  # noqa: S101 - `_is_gcp` was asked
    project, secret, version = found.groups("latest")
    words = ("gcloud", "secrets", "versions", "access", version)
    return (*words, f"--secret={secret}", f"--project={project}")


def _is_doppler(what: str, part: str) -> bool:
    project, slash, config = what.partition("/")
    return bool(project and slash and config and part) and not what.startswith("-")


def _doppler(what: str) -> tuple[str, ...]:
    """https://docs.doppler.com/docs/accessing-secrets: it prints names and values as JSON."""
    project, _, config = what.partition("/")
    words = ("doppler", "secrets", "download", "--no-file", "--format=json")
    return (*words, f"--project={project}", f"--config={config}")


MANAGERS: Final[Mapping[str, Kind]] = {
    "op": Kind("op://VAULT/ITEM/FIELD", _is_op, _runs("1Password's command line", _op)),
    "bitwarden": Kind(
        "bitwarden:ITEM#FIELD", _is_named, _runs("Bitwarden's command line", _bw), _of_bitwarden
    ),
    "bws": Kind("bws:SECRET-ID", _is_named, _from_bws),
    "aws-secret": Kind("aws-secret:NAME#KEY", _is_named, _runs(_AWS, _aws_secret), _of_aws_secret),
    "aws-parameter": Kind("aws-parameter:NAME", _is_named, _from_aws_parameter),
    "gcp-secret": Kind(
        "gcp-secret:projects/PROJECT/secrets/NAME",
        _is_gcp,
        _runs("the Google Cloud command line", _gcp),
    ),
    "vault": Kind(
        "vault:PATH#FIELD", _has_part, _runs("HashiCorp Vault's command line", _vault), _of_vault
    ),
    "doppler": Kind(
        "doppler:PROJECT/CONFIG#NAME",
        _is_doppler,
        _runs("Doppler's command line", _doppler),
        _of_doppler,
    ),
    "sops": Kind("sops:PATH#KEY", _has_part, _from_sops, _of_sops),
    "age": Kind("age:PATH#NAME", _is_named, _from_age, _of_age),
    "lastpass": Kind(
        "lastpass:ITEM#FIELD", _is_named, _runs("LastPass's command line", _lpass), _of_lastpass
    ),
    "pass": Kind("pass:NAME#FIELD", _is_named, _runs("the password store", _pass), _of_pass),
}
