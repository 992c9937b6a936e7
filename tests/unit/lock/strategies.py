"""Any lock that the model allows, as hypothesis strategies."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from msgspec import inspect

from lockship.lock import container, environment, mirrors, names
from lockship.lock.fingerprint import sealed
from lockship.lock.hooks import Hooks
from lockship.lock.image import Artifact, LockedBuild, Made
from lockship.lock.model import LOCK_VERSION, Host, Lock
from lockship.lock.platform import Platform

# TOML holds any Unicode text; a lone surrogate is none.
TEXT = st.text(st.characters(codec="utf-8"), max_size=20)

# Examples instead of a strategy from each pattern, which takes a hundred times longer to draw.
_EXAMPLES: dict[Any, tuple[str, ...]] = {
    names.BaseReference: ("busybox", "[::1]:5000/a/b:1.0", "Example.com/a"),
    names.ByteSize: ("1", "10m"),
    names.CacheEntry: ("shop", "type=registry,ref=example.com/cache"),
    names.CookieName: ("a", "a_B-1"),
    names.Destination: ("staging", "a_b-1"),
    names.Digest: ("sha256:" + "0a" * 32, "sha256:" + "f" * 64),
    names.Email: ("ops@example.com",),
    names.EnvName: ("A", "_", "a_B1"),
    names.ErrorPages: ("/e", "/errors/{status}{status}.html"),
    names.HookScript: ("100755 " + "0a" * 20,),
    names.HostKey: ("ssh-ed25519 AAAA", "sk-ssh-ed25519@openssh.com a+/b=="),
    names.HostName: ("local", "web1.example.com", "2001:db8::1", "::", "a"),
    names.HttpPath: ("/", '/up?a="b"#c\\', "/'"),
    names.HttpsUrl: ("https://ca.test/dir?a=b",),
    names.ImageReference: (
        "traefik:v3.7",
        "example.com:5000/a/b:1@sha256:" + "0a" * 32,
        "a:b@id:sha256:" + "0a" * 32,
    ),
    names.IpAddress: ("127.0.0.1", "[::1]"),
    names.ListenAddress: ("127.0.0.1:9100", "[::1]:1"),
    names.LockedFile: (
        "100644 " + "0a" * 20 + " a b/ü:/etc/x",
        "100755 " + "f" * 40 + " ...:/...",
    ),
    names.Memory: ("0", "512m"),
    names.Network: ("10.0.0.0/8", "::1"),
    names.ObjectId: ("0" * 40, "0123456789abcdef" * 2 + "01234567"),
    names.Percent: ("1%", "100%"),
    names.PathPrefix: ("/a", "/a.b/~c_-"),
    names.Pin: ("sha256:" + "0a" * 32, "id:sha256:" + "f" * 64),
    names.PublishedPort: ("80:80", "127.0.0.1:80:80/udp", "[::1]:1:2"),
    names.RefPattern: ("main", "refs/tags/**"),
    names.Repository: ("shop", "localhost:5000/a/b_c", "example.com/a--b"),
    names.RoleName: ("web", "1", "a-"),
    names.RunFolder: (".lockship", "/srv/a"),
    names.ServiceName: ("shop", "a"),
    names.RegistryName: ("localhost", "r.example.com:5000"),
    names.RegistryUser: ("AWS", "robot$ci+a@b"),
    Platform: ("linux/amd64", "linux/arm/v7"),
    names.SshId: ("default", "a.b_C-1"),
    names.SiteName: ("localhost", "a-b.example.com"),
    names.Tag: ("v1", "_", "A.b-c"),
    names.TreePath: (".", "a b/ü#c", "..."),
    names.UserName: ("root", "_a.b-C"),
    names.Volume: ("data:/data", "/a b:/c#d:ro"),
    mirrors.MirrorName: ("mirror.example.com:5000", "harbor.example.com/hub/a_b"),
    environment.TagName: ("eu", "a_b-1"),
    container.AbsolutePath: ("/app", "/a b#"),
    container.Address: ("10.0.0.5", "fd00::5"),
    container.Capability: ("ALL", "NET_ADMIN"),
    container.ContainerUser: ("0", "app:1000"),
    container.Cpuset: ("0-3,5",),
    container.Device: ("/dev/ttyUSB0", "/dev/sda:/dev/xvda:r"),
    container.GroupName: ("video", "44"),
    container.HostAddress: ("host-gateway", "10.0.0.5"),
    container.Hostname: ("db", "Db.internal"),
    container.LogDriver: ("json-file",),
    container.NetworkName: ("back", "a_b.C"),
    container.RuntimeName: ("runc",),
    container.SecurityOption: ("no-new-privileges", "label=type:a_t"),
    container.Signal: ("SIGQUIT", "SIGRTMIN+3"),
    container.SysctlName: ("net.core.somaxconn",),
    container.Tmpfs: ("/run", "/a b:size=64m,mode=755"),
    container.Ulimit: ("1", "1024:-1"),
    container.UlimitName: ("nofile", "core"),
    container.Word: ("", 'a "b" ü'),
}
_BY_PATTERN = {
    inspect.type_info(kind).type.pattern: examples  # type: ignore[attr-defined]
    for kind, examples in _EXAMPLES.items()
}


def values(kind: inspect.Type) -> st.SearchStrategy[Any]:
    """Return values of a type of the model."""
    if isinstance(kind, inspect.Metadata):
        return values(kind.type)
    if isinstance(kind, inspect.UnionType):
        return st.one_of(
            [st.none() if isinstance(t, inspect.NoneType) else values(t) for t in kind.types]
        )
    if isinstance(kind, inspect.StrType):
        if kind.pattern is None:
            return TEXT
        return st.sampled_from(_BY_PATTERN[kind.pattern])
    if isinstance(kind, inspect.BoolType):
        return st.booleans()
    if isinstance(kind, inspect.IntType):
        return st.integers(kind.ge, kind.le)
    if isinstance(kind, inspect.FloatType):
        low = kind.ge if kind.ge is not None else kind.gt
        return st.floats(low, kind.le, exclude_min=kind.gt is not None, allow_nan=False)
    if isinstance(kind, inspect.LiteralType):
        return st.sampled_from(kind.values)
    if isinstance(kind, inspect.VarTupleType):
        least = kind.min_length or 0
        return st.lists(values(kind.item_type), min_size=least, max_size=3).map(tuple)
    if isinstance(kind, inspect.DictType):
        least = kind.min_length or 0
        return st.dictionaries(
            values(kind.key_type), values(kind.value_type), min_size=least, max_size=3
        )
    assert isinstance(kind, inspect.StructType)
    return structs(kind.cls)


def structs(cls: type[Any], **given: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return values of a struct; the fields in `given` are drawn from there."""
    kind = inspect.type_info(cls)
    assert isinstance(kind, inspect.StructType)
    fields = {field.name: values(field.type) for field in kind.fields}
    return st.builds(cls, **{**fields, **given})


# Built once: hypothesis takes longer to build them than to draw from them.
_HOST = structs(Host)
_SEVERAL = st.dictionaries(values(inspect.type_info(Platform)), structs(Made), min_size=1)
_ARTIFACT = structs(
    Artifact, image_id=values(inspect.type_info(names.Digest)), platforms=st.just({})
) | structs(Artifact, image_id=st.none(), platforms=_SEVERAL)
_LOCK = structs(
    Lock,
    lock_version=st.just(LOCK_VERSION),
    hosts=st.just({}),
    artifact=st.none() | _ARTIFACT,
)


@st.composite
def _locks(draw: st.DrawFn) -> Lock:
    lock = draw(_LOCK)
    there = sorted(lock.named_hosts)
    hosts = {name: draw(_HOST) for name in there}
    fields = {name: getattr(lock, name) for name in lock.__struct_fields__}
    if lock.hooks == Hooks():
        fields["hooks"] = None  # a table that says nothing isn't in the file
    if lock.image.digest is not None:
        fields["build"] = LockedBuild()  # which then isn't in the file
    if lock.hooks == Hooks():
        fields["hooks"] = None  # absent and empty are the same, and absent is what is read
    return sealed(Lock(**{**fields, "hosts": hosts}))


LOCKS = _locks()
"""Any sealed lock: its roles' hosts are in its table of hosts."""
