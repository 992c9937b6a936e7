"""An image over SSH, only the layers that are missing."""

import hashlib
import io
import os
import resource
import tarfile
from pathlib import Path

import pytest

from lockship.host.connect import connect, local
from lockship.host.errors import HostError
from lockship.host.server import Server
from lockship.host.ship import feed, missing_layers, spool
from lockship.host.types import ImageInfo
from tests.fleet.host.conftest import Connect, host_of, spec
from tests.harness import Fleet


def build(fleet: Fleet, folder: Path, *lines: str, tag: str = "shop:1") -> str:
    (folder / "Dockerfile").write_text("\n".join(["FROM busybox:1.36", *lines]) + "\n")
    return fleet.engine.docker("build", "-q", "-t", tag, str(folder)).strip()


def ship(server: Server, image_id: str, folder: Path) -> int:
    folder.mkdir(exist_ok=True)
    with local() as here:
        image = here.image(image_id)
        assert image is not None
        missing = missing_layers(server, image)
        return feed(server, spool(here, image_id, missing, folder), missing)


def found(server: Server, image_id: str) -> ImageInfo:
    image = server.image(image_id)
    assert image is not None
    assert image.id == image_id
    return image


def test_only_what_is_missing_is_sent(as_user: Fleet, to: Connect, tmp_path: Path) -> None:
    server = to(as_user.hosts[0])
    context = tmp_path / "context"
    context.mkdir()
    (context / "big").write_bytes(os.urandom(20 << 20))
    (context / "line").write_text("one")
    first = build(as_user, context, "COPY big /big", "COPY line /line")
    assert ship(server, first, tmp_path / "1") > 20 << 20
    assert found(server, first).tags == ("shop:1",)
    (context / "line").write_text("two")
    second = build(as_user, context, "COPY big /big", "COPY line /line", tag="shop:2")
    spooled = tmp_path / "2"
    assert ship(server, second, spooled) < 10_000
    assert sum(file.stat().st_size for file in spooled.iterdir()) < 10_000
    assert found(server, second).tags == ("shop:2",)
    server.create(spec("box", second, "cat", "/line"))
    server.start("box")
    assert list(server.logs("box", follow=True)) == [b"two"]
    assert ship(server, second, tmp_path / "3") < 5_000, "again: nothing but the configuration"


def test_one_spool_serves_hosts_that_lack_different_layers(
    as_user: Fleet, to: Connect, tmp_path: Path
) -> None:
    (tmp_path / "a").write_text("a")
    (tmp_path / "b").write_text("b")
    base = build(as_user, tmp_path, "COPY a /a")
    full = build(as_user, tmp_path, "COPY a /a", "COPY b /b", tag="shop:2")
    has_base, has_nothing = to(as_user.hosts[0]), to(as_user.hosts[1])
    (tmp_path / "base").mkdir()
    ship(has_base, base, tmp_path / "base")
    with local() as here:
        image = here.image(full)
        assert image is not None
        missing = {server: missing_layers(server, image) for server in (has_base, has_nothing)}
        assert missing[has_base] == frozenset(image.layers[2:])
        assert missing[has_nothing] == frozenset(image.layers)
        folder = tmp_path / "spool"
        folder.mkdir()
        spooled = spool(here, full, frozenset().union(*missing.values()), folder)
    for server, layers in missing.items():
        feed(server, spooled, layers)
        assert found(server, full).layers == image.layers


def test_a_layer_that_is_there_twice(as_user: Fleet, to: Connect, tmp_path: Path) -> None:
    server = to(as_user.hosts[0])
    (tmp_path / "x").write_text("x")
    same = ["COPY x /x", "RUN rm /x", "COPY x /x"]
    image_id = build(as_user, tmp_path, *same)
    ship(server, image_id, tmp_path / "s")
    layers = found(server, image_id).layers
    again = ImageInfo(
        id="",
        tags=(),
        digests=(),
        labels={},
        layers=(*layers, layers[1]),
        platform="",
        size=0,
    )
    assert missing_layers(server, again) == {layers[1]}, (
        "here already, but not on top of that chain"
    )


def test_memory_does_not_grow_with_the_image(as_user: Fleet, to: Connect, tmp_path: Path) -> None:
    server = to(as_user.hosts[0])
    context = tmp_path / "context"
    context.mkdir()
    with (context / "big").open("wb") as file:
        for _ in range(100):
            file.write(os.urandom(1 << 20))
    image_id = build(as_user, context, "COPY big /big")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    ship(server, image_id, tmp_path / "s")
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 30_000, f"{grown} kB more for an image of 100 MB"


def test_an_engine_that_wants_all_layers_gets_the_whole_image(
    as_user: Fleet, to: Connect, tmp_path: Path
) -> None:
    """Told that nothing is missing where everything is: the engine refuses the cut image."""
    server = to(as_user.hosts[0])
    (tmp_path / "x").write_text("x")
    image_id = build(as_user, tmp_path, "COPY x /x")
    folder = tmp_path / "spool"
    folder.mkdir()
    with local() as here:
        spooled = spool(here, image_id, frozenset(), folder)
        assert feed(server, spooled, frozenset()) > 1 << 20
    assert found(server, image_id).tags == ("shop:1",)


def test_an_image_that_is_not_here(as_user: Fleet, tmp_path: Path) -> None:
    with local() as here, pytest.raises(HostError, match="no image"):
        spool(here, "sha256:" + "0" * 64, frozenset(), tmp_path)


def test_a_full_disk(as_user: Fleet, tmp_path: Path) -> None:
    context = tmp_path / "context"
    context.mkdir()
    (context / "big").write_bytes(os.urandom(60 << 20))
    image_id = build(as_user, context, "COPY big /big")
    with as_user.extra_host("small", disk="80M") as host:
        host.fill_disk(leave=30 << 20)
        with connect("small", host_of(host), timeout=10) as server:
            with pytest.raises(HostError) as caught:
                ship(server, image_id, tmp_path / "s")
            assert caught.value.kind == "disk-full", caught.value.message
            assert "docker system df" in caught.value.hint
            assert server.containers({}) == [], "the connection is fine"


def test_an_engine_that_stops_while_it_loads(as_user: Fleet, to: Connect, tmp_path: Path) -> None:
    server = to(as_user.hosts[0])
    with local() as here:
        image = here.image("busybox:1.36")
        assert image is not None

        def chunks() -> object:
            yield from [bytes(512)] * 10
            as_user.hosts[0].kill_engine()
            for _ in range(1000):
                yield bytes(1 << 16)

        with pytest.raises(HostError) as caught:
            server.load(chunks())  # type: ignore[arg-type]
    assert caught.value.kind in ("gone", "no-docker"), caught.value.message


def test_what_is_not_an_image_is_refused(as_user: Fleet, to: Connect) -> None:
    server = to(as_user.hosts[0])
    with pytest.raises(HostError, match="web1: load image: "):
        server.load([b"nothing like a tar" * 100])


def test_layers_of_the_oci_form_are_found_by_name(as_user: Fleet, tmp_path: Path) -> None:
    """Docker 25 and later export blobs/sha256/...; the cut works on either form."""
    from lockship.host import ship as module

    config, layer = b'{"rootfs":{}}', b"layer" * 1000
    digest = {data: hashlib.sha256(data).hexdigest() for data in (config, layer)}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        manifest = (
            f'[{{"Config":"blobs/sha256/{digest[config]}","RepoTags":null,'
            f'"Layers":["blobs/sha256/{digest[layer]}"]}}]'
        ).encode()
        for name, data in (
            (f"blobs/sha256/{digest[layer]}", layer),
            (f"blobs/sha256/{digest[config]}", config),
            ("index.json", b"{}"),
            ("manifest.json", manifest),
        ):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    files, found_manifest = module._unpack(iter([buffer.getvalue()]), frozenset(), tmp_path)
    assert found_manifest["Config"] == f"blobs/sha256/{digest[config]}"
    assert {path.read_bytes() for path in files.values()} == {config, layer}
    files, _ = module._unpack(
        iter([buffer.getvalue()]), frozenset({f"sha256:{digest[layer]}"}), tmp_path
    )
    assert list(files) == [f"blobs/sha256/{digest[config]}"]
