"""The shapes of single values, shared by the configuration and the lock.

Each is an `Annotated` string with the pattern that makes it safe where it ends up: in an image
reference, a container's name, a path on a host, a host's address. `extra["expected"]` is the
sentence that an error shows in place of the pattern.
"""

from __future__ import annotations

import re
from typing import Annotated, Final

from msgspec import Meta

from lockship.lock.pattern import text as _text

LOCKFILE_NAME: Final = ".shiplock"
CONFIG_NAME: Final = "lockship.toml"

_LOCKFILE = re.compile(rb"\.shiplock(?:\.[a-z0-9][a-z0-9_-]{0,39})?")


def is_lockfile_name(name: bytes) -> bool:
    """Tell whether a file's base name is `.shiplock` or `.shiplock.<destination>`."""
    return _LOCKFILE.fullmatch(name) is not None


def lockfile_name(destination: str | None) -> str:
    """Return the lockfile's name for a destination (None: the default one)."""
    return f"{LOCKFILE_NAME}.{destination}" if destination else LOCKFILE_NAME


ServiceName = Annotated[
    str,
    _text(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", "lower-case letters, digits and inner dashes"),
]
RoleName = Annotated[
    str, _text(r"[a-z0-9](?:[a-z0-9-]{0,39})", "lower-case letters, digits and dashes, at most 40")
]
Destination = Annotated[
    str, _text(r"[a-z0-9][a-z0-9_-]{0,39}", "lower-case letters, digits, dashes and underscores")
]
# The tag grammar of the OCI distribution specification, 1.1, "Pulling manifests".
Tag = Annotated[
    str,
    _text(
        r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}",
        "an image tag: letters, digits, '_', '.' and '-', at most 128",
    ),
]
# The name grammar of github.com/distribution/reference: [domain[:port]/]path[/path...].
Repository = Annotated[
    str,
    _text(
        r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?/)?"
        r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*",
        "an image name without tag, such as 'shop' or 'registry.example.com/acme/shop'",
    ),
]
ObjectId = Annotated[str, _text(r"[0-9a-f]{40}", "a git object id: 40 hex digits")]
HookScript = Annotated[str, _text(r"100755 [0-9a-f]{40}", "'100755' and the id of a script's blob")]
Digest = Annotated[str, _text(r"sha256:[0-9a-f]{64}", "'sha256:' and 64 hex digits")]
# What git-check-ref-format(1) lets into a ref's name, and '*' and '?' for parts of it.
RefPattern = Annotated[
    str,
    _text(
        r"[^\x00-\x20\x7f~^:\\\[/][^\x00-\x20\x7f~^:\\\[]{0,254}",
        "a branch, such as 'main' or 'release/*', or a ref that begins with 'refs/'",
    ),
]
EnvName = Annotated[str, _text(r"[A-Za-z_][A-Za-z0-9_]*", "a variable name: letters, digits, '_'")]
# A registry as image names begin with it; '.', ':' or 'localhost' tell it from a folder's name.
RegistryName = Annotated[
    str,
    _text(
        r"(?=[^/]*[.:]|localhost\Z)[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?",
        "a registry such as 'registry.example.com', without https:// and without a path",
    ),
]
RegistryUser = Annotated[str, _text(r"[^\x00-\x20\x7f:]{1,256}", "an account's name, without ':'")]
SshId = Annotated[str, _text(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", "letters, digits, '.', '_', '-'")]
# What `docker buildx build --cache-from` takes: an image, or type=KIND,KEY=VALUE,...
CacheEntry = Annotated[
    str,
    _text(
        r"[A-Za-z0-9][!-~]*",
        "an image, or what buildx takes, such as 'type=registry,ref=registry.example.com/cache'",
    ),
]
# A folder or file inside the tree: relative, forward slashes, no '.', '..' or empty part.
TreePath = Annotated[
    str,
    _text(
        r"\.|(?!\.{1,2}(?:/|\Z))[^/\x00-\x1f\x7f]+(?:/(?!\.{1,2}(?:/|\Z))[^/\x00-\x1f\x7f]+)*",
        "a path inside the repository, such as '.' or 'services/api', without '..'",
    ),
]
# A folder on a host: relative to the login user's home, or absolute; nothing a shell reads.
RunFolder = Annotated[
    str,
    _text(
        r"/?(?!\.{1,2}(?:/|\Z))[A-Za-z0-9._-]+(?:/(?!\.{1,2}(?:/|\Z))[A-Za-z0-9._-]+)*",
        "a folder of letters, digits, '.', '_' and '-', relative to the home or absolute",
    ),
]
HostName = Annotated[
    str,
    _text(
        r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]+",
        "a host name, an ssh alias or an address",
    ),
]
UserName = Annotated[
    str, _text(r"[A-Za-z_][A-Za-z0-9._-]{0,31}", "a login name: letters, digits, '.', '_', '-'")
]
HostKey = Annotated[
    str, _text(r"[a-z0-9@.-]+ [A-Za-z0-9+/]+={0,2}", "a key type and its base64, as in known_hosts")
]
PublishedPort = Annotated[
    str,
    _text(
        r"(?:(?:[0-9.]+|\[[0-9A-Fa-f:.]+\]):)?[0-9]{1,5}:[0-9]{1,5}(?:/(?:tcp|udp|sctp))?",
        "ports such as '8080:80', '127.0.0.1:8080:80' or '53:53/udp'",
    ),
]
Volume = Annotated[
    str,
    _text(
        r"[A-Za-z0-9/][^:\x00-\x1f\x7f]*:/[^:\x00-\x1f\x7f]*(?::[a-zA-Z,]+)?",
        "'name-or-absolute-path:/path/in/container', with ':ro' behind if wanted",
    ),
]
# A line of `git ls-tree`, and after its path where the file is in a container. No ':' in a path.
LockedFile = Annotated[
    str,
    _text(
        r"100(?:644|755) [0-9a-f]{40} (?!\.{1,2}(?:/|:))[^/:\x00-\x1f\x7f]+"
        r"(?:/(?!\.{1,2}(?:/|:))[^/:\x00-\x1f\x7f]+)*"
        r":(?:/(?!\.{1,2}(?:/|\Z))[^/:\x00-\x1f\x7f]+)+",
        "mode, blob, path in the repository, ':' and an absolute path in the container",
    ),
]
# The same without what git knows.
MountedFile = Annotated[
    str,
    _text(
        r"(?!\.{1,2}(?:/|:))[^/:\x00-\x1f\x7f]+(?:/(?!\.{1,2}(?:/|:))[^/:\x00-\x1f\x7f]+)*"
        r":(?:/(?!\.{1,2}(?:/|\Z))[^/:\x00-\x1f\x7f]+)+",
        "'path/in/repository:/path/in/container', without '..'",
    ),
]
ByteSize = Annotated[
    str, _text(r"[1-9][0-9]{0,14}[bkmg]?", "a size above 0, such as '512k' or '10m'")
]
Memory = Annotated[str, _text(r"[0-9]+[bkmg]?", "a size such as '512m' or '2g'")]
Percent = Annotated[str, _text(r"(?:[1-9][0-9]?|100)%", "a share such as '25%', from 1% to 100%")]
Port = Annotated[int, Meta(ge=1, le=65535, extra={"expected": "a port, 1 to 65535"})]
Seconds = Annotated[float, Meta(gt=0, le=86400, extra={"expected": "seconds, more than 0"})]
# One label of RFC 1123 after another; what clients send as Host, so in lower case.
SiteName = Annotated[
    str,
    _text(
        r"(?=.{1,253}\Z)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*",
        "a host name in lower case, such as 'shop.example.com'",
    ),
]
# Nothing that the proxy's rules or templates could read as anything but itself.
PathPrefix = Annotated[
    str,
    _text(
        r"(?:/(?!\.{1,2}(?:/|\Z))[A-Za-z0-9._~-]+)+",
        "a path such as '/shop': letters, digits, '.', '_', '~', '-', no '..', no '/' at its end",
    ),
]
ImageReference = Annotated[
    str,
    _text(
        r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?/)?"
        r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*"
        r":[A-Za-z0-9_][A-Za-z0-9._-]{0,127}(?:@(?:id:)?sha256:[0-9a-f]{64})?",
        "an image with its tag, such as 'traefik:v3.7', and '@sha256:...' behind if wanted",
    ),
]
# As a Dockerfile writes it, without a digest; what it means is `reference.parse_reference`'s.
BaseReference = Annotated[
    str, _text(r"[A-Za-z0-9\[][A-Za-z0-9\[\]:._/-]{0,511}", "an image's name without a digest")
]
# A digest by which a registry has the image; or the id of one that is in no registry.
Pin = Annotated[
    str,
    _text(r"(?:id:)?sha256:[0-9a-f]{64}", "'sha256:' and 64 hex digits, or 'id:sha256:...'"),
]
IpAddress = Annotated[
    str, _text(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}|\[[0-9A-Fa-f:.]+\]", "an address; IPv6 in brackets")
]
Network = Annotated[
    str,
    _text(
        r"(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)(?:/[0-9]{1,3})?",
        "an address or a network, such as '10.0.0.0/8' or 'fd00::/8'",
    ),
]
ListenAddress = Annotated[
    str,
    _text(
        r"(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}",
        "an address with a port, such as '127.0.0.1:9100' or '[::1]:9100'",
    ),
]
# What an ACME account is asked for, and nothing that could end the proxy's argument.
Email = Annotated[str, _text(r"[!-?A-~]+@[!-?A-~]+", "an e-mail address")]
HttpsUrl = Annotated[str, _text(r"https://[!-~]+", "a URL that begins with 'https://'")]
# A token of RFC 6265, without the characters that need a second look.
CookieName = Annotated[
    str, _text(r"[A-Za-z0-9_-]{1,64}", "true, false or a cookie's name: letters, digits, '_', '-'")
]
# A path of `PathPrefix`'s characters in which '{status}' stands for a number.
ErrorPages = Annotated[
    str,
    _text(
        r"(?:/(?!\.{1,2}(?:/|\Z))(?:[A-Za-z0-9._~-]|\{status\})+)+",
        "a path such as '/errors/{status}.html'",
    ),
]
HttpPath = Annotated[
    str, _text(r"/[!-~]*", "a path that begins with '/', in printable ASCII without spaces")
]


def split_port(published: str) -> tuple[str, int, int, str]:
    """Return address ('' for all), host port, container port and protocol of a PublishedPort."""
    ports, _, protocol = published.partition("/")
    address_and_host, _, container = ports.rpartition(":")
    address, _, host = address_and_host.rpartition(":")
    return address.strip("[]"), int(host), int(container), protocol or "tcp"
