"""`lockship.toml`: everything wrong is said at once, with file, line and key."""

from __future__ import annotations

import pytest

from lockship.errors import UsageError
from lockship.lock.fingerprint import build_key, fingerprint_of, to_document
from lockship.lock.mirrors import mirrored, repository_at
from lockship.lock.model import Host, Lock
from lockship.lock.writer import dump
from lockship.prepare.compose import compose
from lockship.prepare.config import Config, parse
from tests.unit.locks import make_lock

MINIMAL = '[service]\nname = "shop"\n\n[roles.web]\nhosts = ["local"]\n'


def load(text: str, **overlays: str) -> Config:
    files = {"lockship.toml": text.encode()}
    files |= {f"lockship.{name}.toml": overlay.encode() for name, overlay in overlays.items()}
    return parse(files)


def composed(text: str) -> Lock:
    """The lock that a configuration makes."""
    return compose(
        config=load(text),
        source=make_lock().source,
        version="1",
        destination=None,
        hosts={},
        before=None,
    )


def complaints(text: str, **overlays: str) -> list[str]:
    with pytest.raises(UsageError) as caught:
        load(text, **overlays)
    return list(caught.value.details) or [caught.value.message]


def test_the_least() -> None:
    config = load(MINIMAL)
    assert config.service.name == "shop"
    assert config.every_host() == {"local": Host()}
    assert config.image.repository is None


def test_a_command_is_split_as_a_shell_would() -> None:
    config = load(MINIMAL + "command = \"run 'a b' --c=$HOME\"\n")
    assert config.roles["web"].for_lock().command == ("run", "a b", "--c=$HOME")
    config = load(MINIMAL + 'command = ["run", "a b"]\n')
    assert config.roles["web"].for_lock().command == ("run", "a b")


def test_hosts() -> None:
    text = MINIMAL.replace('"local"', '"local", "deploy@web1:2222", "[2001:db8::1]:22", "2.test"')
    assert load(text).every_host() == {
        "2.test": Host(),
        "2001:db8::1": Host(port=22),
        "local": Host(),
        "web1": Host(user="deploy", port=2222),
    }


def test_a_destination_is_merged_table_by_table() -> None:
    config = load(
        MINIMAL + 'ports = ["80:80"]\n[env]\nA = "1"\nB = "1"\n',
        staging='[roles.web]\nhosts = ["web1"]\n[roles.job]\nhosts = ["web1"]\n[env]\nB = "2"\n',
    )
    assert config.roles["web"].hosts == ("web1",)
    assert config.roles["web"].ports == ("80:80",)
    assert list(config.roles) == ["web", "job"]
    assert config.env == {"A": "1", "B": "2"}


def test_everything_is_said_at_once() -> None:
    text = """\
[service]
nam = "shop"

[roles.web]
hosts = [
  "local",
  "me@local",
]
command = 5
stop-timeout = -1

[env]
PORT = 8080
"bad name" = "x"

[deplyo]
retain = 3
"""
    assert complaints(text) == [
        "lockship.toml:2: service.nam: found an unknown key, expected 'name'?",
        "lockship.toml:1: service.name: found nothing, expected lower-case letters, digits and "
        "inner dashes",
        "lockship.toml:9: roles.web.command: found 5, expected a string or a list, each a string",
        "lockship.toml:7: roles.web.hosts[1]: found \"me@local\", expected 'local' or "
        "'[user@]host[:port]', an IPv6 address in brackets",
        "lockship.toml:10: roles.web.stop-timeout: found -1, expected seconds, more than 0",
        'lockship.toml:14: env."bad name": found this name, expected a variable name: letters, '
        "digits, '_'",
        "lockship.toml:13: env.PORT: found 8080, expected a string",
        "lockship.toml:16: deplyo: found an unknown key, expected 'deploy'?",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a = \n", "lockship.toml is not valid TOML: Invalid value (at line 1, column 5)."),
        ("a = 1\na = 2\n", "(at line 2, column 6)"),
        ('a = "\udcff"', "lockship.toml:1: this is not UTF-8 text."),
        ("a = " + "[" * 5000, "lockship.toml is nested too deeply."),
    ],
)
def test_what_is_no_toml(text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse({"lockship.toml": text.encode(errors="surrogateescape")})
    assert said in caught.value.message


def test_the_file_that_says_it_is_named() -> None:
    found = complaints(
        MINIMAL + "memory = 5\n", staging='# staging\n[roles]\nweb.cpus = "2"\nweb.memory = 6\n'
    )
    assert [line.partition(": found")[0] for line in found] == [
        "lockship.staging.toml:3: roles.web.cpus",
        "lockship.staging.toml:4: roles.web.memory",
    ]
    found = complaints(MINIMAL + "memory = 5\n", staging="[env]\nA = 1\n")
    assert [line.partition(": found")[0] for line in found] == [
        "lockship.toml:6: roles.web.memory",
        "lockship.staging.toml:2: env.A",
    ]


def test_a_scalar_over_a_table() -> None:
    assert complaints(MINIMAL, staging="roles = 3\n") == [
        "lockship.staging.toml:1: roles: found 3, expected a table"
    ]


@pytest.mark.parametrize(
    ("added", "key", "expected"),
    [
        ('ports = ["80:80", "80:81"]\n', "roles.web.ports[1]", "doesn't publish"),
        (
            'ports = ["80:80"]\n[roles.job]\nhosts = ["local"]\nports = ["127.0.0.1:80:9"]\n',
            "roles.job.ports[0]",
            "a port of local that role web doesn't publish",
        ),
        ('ports = ["0:80"]\n', "roles.web.ports[0]", "from 1 to 65535"),
        ('ports = ["80:65536"]\n', "roles.web.ports[0]", "from 1 to 65535"),
        ('[healthcheck]\npath = "/up"\n', "healthcheck.port", "because there is a path"),
        ('[healthcheck]\nhost = "a.test"\n', "healthcheck.path", "because there is a host"),
        ('[roles.job]\nhosts = ["web1", "web1"]\n', "roles.job.hosts[1]", "once in a role"),
        (
            '[roles.a]\nhosts = ["x@web1"]\n[roles.b]\nhosts = ["web1:22"]\n',
            "roles.b.hosts[0]",
            "same user and port",
        ),
        ('command = "run \'x"\n', "roles.web.command", "splits into words"),
        (
            'labels = { "dev.lockship.x" = "y" }\n',
            'roles.web.labels."dev.lockship.x"',
            "lockship's",
        ),
        ('[env]\nLOCKSHIP_VERSION = "1"\n', "env.LOCKSHIP_VERSION", "another one"),
        ('[image]\nrepository = "Shop"\n', "image.repository", "an image name"),
        ('[image]\nrepository = "shop:v1"\n', "image.repository", "an image name"),
        ('[build]\ncontext = "../x"\n', "build.context", "without '..'"),
        ('[build]\nplatforms = ["amd64"]\n', "build.platforms[0]", "linux/amd64"),
        (
            '[build]\nplatforms = ["linux/amd64", "linux/x86_64"]\n',
            "build.platforms[1]",
            "each platform once",
        ),
        ("[hosts.web9]\n", "hosts.web9", "one that a role has: local"),
        (
            '[hosts.local]\nplatform = "linux/386"\n',
            "hosts.local.platform",
            "one of [build] platforms (several, to choose from)",
        ),
        (
            '[build]\nplatforms = ["linux/386"]\n[hosts.local]\nplatform = "linux/386"\n',
            "hosts.local.platform",
            "has only this one",
        ),
        (
            '[build]\nplatforms = ["linux/386", "linux/arm64"]\n'
            '[hosts.local]\nplatform = "linux/amd64"\n',
            "hosts.local.platform",
            "one of [build] platforms (linux/386, linux/arm64)",
        ),
        ("[healthcheck]\nstatus = []\n", "healthcheck.status", "at least 1"),
        ("[healthcheck]\nlimit = nan\n", "healthcheck.limit", "seconds, more than 0"),
        ("[deploy]\nretain = 1.5\n", "deploy.retain", "a whole number from 1 to 100"),
        ("[deploy]\nbatch = 0\n", "deploy.batch", "a whole number from 1 to 1000"),
        ('[deploy]\nbatch = "0%"\n', "deploy.batch", "a share such as '25%'"),
        ("[deploy]\nbatch-pause = 5\n", "deploy.batch", "because of batch-pause"),
        ('[deploy]\nbatch-check = ["true"]\n', "deploy.batch", "because of batch-check"),
        ("[deploy]\nbatch-check-timeout = 5\n", "deploy.batch-check", "has the time-out"),
    ],
)
def test_rules(added: str, key: str, expected: str) -> None:
    (line,) = complaints(MINIMAL + added)
    assert f": {key}: found " in line
    assert expected in line


def test_ports_on_other_addresses_hosts_or_protocols_are_fine() -> None:
    load(
        MINIMAL + 'ports = ["127.0.0.1:80:80", "127.0.0.2:80:80", "53:53/udp", "53:53/tcp"]\n'
        '[roles.job]\nhosts = ["web1"]\nports = ["80:80"]\n'
    )


@pytest.mark.parametrize(
    "remote",
    ["https://user:secret@example.com/x", "https://secret@example.com/x", "ssh://a:secret@h/x"],
)
def test_credentials_in_the_remote_are_refused_and_not_shown(remote: str) -> None:
    (line,) = complaints(f'{MINIMAL}[source]\nremote = "{remote}"\n')
    assert "without credentials" in line
    assert "secret" not in line


@pytest.mark.parametrize(
    "remote", ["https://example.com/x", "ssh://git@example.com/x", "git@example.com:x/y.git"]
)
def test_remotes(remote: str) -> None:
    assert load(f'{MINIMAL}[source]\nremote = "{remote}"\n').source.remote == remote


def test_which_of_old_and_new_is_first() -> None:
    assert load(MINIMAL).roles["web"].for_lock().order is None
    assert load(MINIMAL + 'order = "start-first"\n').roles["web"].for_lock().order is None
    assert load(MINIMAL + 'order = "stop-first"\n').roles["web"].for_lock().order == "stop-first"


BEHIND = MINIMAL + "proxy = true\n[proxy]\nport = 8000\n"
TLS = (
    MINIMAL
    + 'proxy = true\n[secrets]\nCERT = "env:C"\nKEY = "env:K"\nA = "env:A"\n'
    + '[proxy]\nport = 8000\nhosts = ["shop.test"]\n[proxy.tls]\n'
)
EMAIL = '[proxy.server]\nacme-email = "ops@example.com"\n'


def test_a_proxy() -> None:
    config = load(BEHIND + 'hosts = ["shop.test"]\n[proxy.server]\nhttp-port = 8080\n')
    assert config.proxy is not None
    assert config.proxy.server.http_port == 8080
    assert config.roles["web"].for_lock().proxy is True
    assert load(MINIMAL).roles["web"].for_lock().proxy is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (MINIMAL + "proxy = true\n", "roles.web.proxy"),
        (MINIMAL + "[proxy]\nport = 80\n", "`proxy = true` in one role"),
        (BEHIND + '[roles.b]\nhosts = ["local"]\nproxy = true\n', "roles.b.proxy"),
        (BEHIND.replace("proxy = true", 'proxy = true\nports = ["80:80"]'), "roles.web.ports"),
        (BEHIND.replace("proxy = true", 'proxy = true\norder = "stop-first"'), "roles.web.order"),
        (BEHIND + "strip-prefix = true\n", "proxy.path-prefixes"),
        (BEHIND + 'path-prefixes = ["/a/"]\n', "proxy.path-prefixes[0]"),
        (BEHIND + 'path-prefixes = ["/`)"]\n', "proxy.path-prefixes[0]"),
        (BEHIND + 'hosts = ["Shop.test"]\n', "proxy.hosts[0]"),
        (BEHIND + '[proxy.server]\nimage = "traefik"\n', "proxy.server.image"),
        (BEHIND + '[proxy.server]\nbind = "eth0"\n', "proxy.server.bind"),
        (BEHIND + "tls = true\n", "proxy.tls"),
        (TLS + "", "proxy.tls.certificate"),
        (TLS + 'certificate = "CERT"\n', "proxy.tls.key"),
        (TLS + 'certificate = "NONE"\nkey = "KEY"\n', "proxy.tls.certificate"),
        (TLS + "acme = true\n", "proxy.server.acme-email"),
        (TLS + 'acme = true\nkey = "KEY"\n' + EMAIL, "this beside acme"),
        (TLS.replace('hosts = ["shop', '# ["shop') + "acme = true\n" + EMAIL, "proxy.hosts"),
        (TLS + "acme = true\n" + EMAIL + "https-port = 80\n", "proxy.server.https-port"),
        (TLS + "acme = true\n" + EMAIL.replace("@", "."), "proxy.server.acme-email"),
        (TLS + "acme = true\n" + EMAIL + 'acme-server = "http://a"\n', "proxy.server.acme-server"),
        (BEHIND + 'max-body = "0"\n', "proxy.max-body"),
        (BEHIND + 'max-body = "1m"\nbuffering = false\n', "proxy.buffering"),
        (BEHIND + 'sticky = "a;b"\n', "proxy.sticky"),
        (BEHIND + 'error-pages = "/{{status}}"\n', "proxy.error-pages"),
        (BEHIND + 'error-pages = "/{url}"\n', "proxy.error-pages"),
        (BEHIND + '[proxy.server]\ntrusted = ["10.0.0.0/33"]\n', "proxy.server.trusted[0]"),
        (BEHIND + '[proxy.server]\ntrusted = ["lan"]\n', "proxy.server.trusted[0]"),
        (BEHIND + '[proxy.server]\nmetrics = "9100"\n', "proxy.server.metrics"),
        (BEHIND + '[proxy.server]\nmetrics = "127.0.0.1:99999"\n', "proxy.server.metrics"),
        (BEHIND + '[proxy.server]\nmetrics = "127.0.0.1:80"\n', "another port than http-port"),
    ],
)
def test_a_proxy_that_makes_no_sense(text: str, said: str) -> None:
    (one,) = complaints(text)
    assert said in one


SECRETS = MINIMAL + '[secrets]\nB = "env:B"\nA = "file:a.txt"\n'


def test_secrets_go_to_every_role_that_does_not_name_its_own() -> None:
    config = load(SECRETS + '[roles.job]\nhosts = ["local"]\nsecrets = ["A"]\n')
    assert config.secrets == {"B": "env:B", "A": "file:a.txt"}
    assert config.roles["web"].for_lock(config.secrets).secrets == ("B", "A")
    assert config.roles["job"].for_lock(config.secrets).secrets == ("A",)
    none = load(SECRETS.replace("\n[secrets]", "\nsecrets = []\n[secrets]"))
    assert none.roles["web"].for_lock(none.secrets).secrets == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (MINIMAL + '[secrets]\nA = "hunter2"\n', "secrets.A: found something else"),
        (MINIMAL + '[secrets]\nA = "https://u:hunter2@b/"\n', "secrets.A: found something else"),
        (MINIMAL + '[secrets]\nLOCKSHIP_VERSION = "env:A"\n', "lockship sets it itself"),
        (SECRETS + '[env]\nA = "1"\n', "secrets.A"),
        (MINIMAL + 'secrets = ["A"]\n', "roles.web.secrets[0]"),
        (MINIMAL + "[secrets]\nA = 1\n", "secrets.A"),
    ],
)
def test_secrets_that_are_none(text: str, said: str) -> None:
    (one,) = complaints(text)
    assert said in one
    assert "hunter2" not in one, "a value that stands in its source's place"


def test_with_tls_the_port_is_locked_and_the_proxys_secrets_go_to_no_role() -> None:
    own = composed(TLS + 'certificate = "CERT"\nkey = "KEY"\n')
    assert own.proxy is not None
    assert own.proxy.server.https_port == 443
    assert own.roles["web"].secrets == ("A",)
    acme = composed(TLS + "acme = true\n" + EMAIL + "https-port = 8443\n")
    assert acme.proxy is not None
    assert acme.proxy.server.https_port == 8443
    assert acme.roles["web"].secrets == ("CERT", "KEY", "A")
    plain = composed(BEHIND)
    assert plain.proxy is not None
    assert plain.proxy.server.https_port is None


BUILD = '[build]\nsecrets = ["A"]\n[secrets]\nA = "env:A"\nB = "env:B"\n'


def test_the_builds_secrets_go_to_no_role_unless_it_asks() -> None:
    lock = composed(MINIMAL + BUILD)
    assert lock.build.secrets == ("A",)
    assert lock.roles["web"].secrets == ("B",)
    assert composed(MINIMAL + 'secrets = ["A"]\n' + BUILD).roles["web"].secrets == ("A",)
    said_no = BUILD.replace("[build]", "[build]\nssh = false\nsbom = false\nprovenance = false")
    assert composed(MINIMAL + said_no) == lock


def test_a_role_that_names_none_gets_what_is_nobody_elses() -> None:
    sources = "".join(f'{name} = "env:{name}"\n' for name in ("CERT", "B", "KEY", "R", "DB", "OWN"))
    text = (
        MINIMAL
        + 'proxy = true\n[build]\nsecrets = ["B"]\n'
        + '[registry]\nserver = "r.example.com"\nusername = "u"\npassword = "R"\n'
        + '[accessories.db]\nimage = "db:1"\nhosts = ["local"]\nsecrets = ["DB"]\n'
        + '[proxy]\nport = 80\nhosts = ["a.test"]\n[proxy.tls]\ncertificate = "CERT"\nkey = "KEY"\n'
        + f"[secrets]\n{sources}"
    )
    assert composed(text).roles["web"].secrets == ("OWN",)
    shared = text.replace("proxy = true", 'proxy = true\nsecrets = ["DB", "OWN"]')
    assert composed(shared).roles["web"].secrets == ("DB", "OWN")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('secrets = ["NOPE"]', 'lockship.toml:7: build.secrets[0]: found "NOPE", expected a name'),
        ('secrets = ["A", "A"]', 'build.secrets[1]: found "A" again, expected each name once'),
        (
            'sbom = "acme/scanner:1"',
            'build.sbom: found "acme/scanner:1", expected the image with its',
        ),
        ("ssh = []", "build.ssh: found a list, expected true or false or a list"),
        ('cache-to = ["shop:cache"]', 'build.cache-to[0]: found "shop:cache", expected what'),
        ('cache-from = ["mode=max"]', "expected type= in it"),
        ('cache-to = ["type=local,dest=/etc"]', "expected a cache that every machine has"),
        ('cache-from = ["type=s3,secret_access_key=hunter2"]', "credentials in it"),
        ('cache-from = ["--output=x"]', "expected an image, or what buildx takes"),
        ('provenance = "mni"', 'found "mni"'),
        ('host = "local"', 'build.host: found "local", expected another host'),
        ('host = "ssh://build1"', "expected '[user@]host[:port]'"),
    ],
)
def test_what_a_build_can_not_have(line: str, said: str) -> None:
    (one,) = complaints(f'{MINIMAL}[build]\n{line}\n[secrets]\nA = "env:A"\n')
    assert said in one
    assert "hunter2" not in one


ACCOUNT = """
[image]
repository = "registry.example.com/shop"
[registry]
username = "robot$ci"
password = "PASSWORD"
[secrets]
PASSWORD = "env:PASSWORD"
OTHER = "env:OTHER"
"""


def test_a_registrys_password_goes_to_no_role() -> None:
    lock = composed(MINIMAL + ACCOUNT)
    assert lock.registry == load(MINIMAL + ACCOUNT).registry
    assert lock.roles["web"].secrets == ("OTHER",)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"PASSWORD"', '"hunter2"', "registry.password: found something else, expected a name in"),
        ("registry.example.com/", "", "registry.server: found nothing, expected a registry"),
        ("robot$ci", "a:hunter2", "expected an account's name"),
        ("[registry]", '[registry]\nserver = "https://r.test/v2"', "expected a registry such as"),
        ("[registry]", '[registry]\nserver = "acme"', "expected a registry such as"),
    ],
)
def test_a_registry_that_is_none(old: str, new: str, said: str) -> None:
    (one,) = complaints(MINIMAL + ACCOUNT.replace(old, new, 1))
    assert said in one


READY = f'[image]\nrepository = "docker.io/library/nginx"\ndigest = "sha256:{"0a" * 32}"\n'


def test_an_image_with_a_digest_leaves_nothing_to_build() -> None:
    lock = composed(MINIMAL + READY)
    assert lock.image.reference == f"docker.io/library/nginx@sha256:{'0a' * 32}"
    assert b"[build]" not in dump(lock)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (READY + "[build]\n", "build: found this table, expected no [build]"),
        (READY.replace("docker.io/library/", ""), 'image.repository: found "nginx", expected'),
        (READY.replace("sha256:", "md5:"), "image.digest: found"),
        (
            READY.replace('repository = "docker.io/library/nginx"\n', ""),
            "repository: found nothing",
        ),
    ],
)
def test_an_image_that_is_not_there(text: str, said: str) -> None:
    (one,) = complaints(MINIMAL + text)
    assert said in one


MIRRORS = MINIMAL + "[mirrors]\n"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('"docker.io" = "https://m.example.com"', "expected a registry, with a path if need be"),
        ('"docker.io" = "mirror"', "expected a registry, with a path if need be"),
        ('"docker.io" = "m.example.com/Upper"', "expected a registry, with a path if need be"),
        ('"index.docker.io" = "m.example.com"', 'found this name, expected "docker.io"'),
        ('"a.example.com" = "a.example.com/b"', "expected another registry than a.example.com"),
        ('"a.example.com" = "docker.io/b"', "expected a mirror's own name"),
        ('"hub" = "m.example.com"', "mirrors"),
    ],
)
def test_mirrors_that_are_none(line: str, said: str) -> None:
    (one,) = complaints(MIRRORS + line + "\n")
    assert said in one


def test_a_mirror_is_another_place_of_the_same_image() -> None:
    lock = composed(MIRRORS + '"docker.io" = "m.example.com/hub"\n"r.example.com" = "m:5000"\n')
    digest = "@sha256:" + "1" * 64
    for name, there in (
        ("python:3.13", "m.example.com/hub/library/python:3.13"),
        ("python", "m.example.com/hub/library/python:latest"),
        (f"acme/a:1{digest}", f"m.example.com/hub/acme/a{digest}"),
        ("docker.io/library/python:3", "m.example.com/hub/library/python:3"),
        ("r.example.com/a/b:1", "m:5000/a/b:1"),
        ("other.example.com/a:1", "other.example.com/a:1"),
        ("no name", "no name"),
    ):
        assert mirrored(name, lock.mirrors) == there
    assert repository_at("r.example.com/a", lock.mirrors) == "m:5000/a"
    assert build_key(lock) == build_key(composed(MINIMAL))
    assert fingerprint_of(to_document(lock)) != fingerprint_of(to_document(composed(MINIMAL)))
