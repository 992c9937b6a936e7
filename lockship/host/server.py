"""One connected server: its containers and images, files, programs and network."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from lockship.host import images, questions, restarts, streams
from lockship.host.channel import SocketLike
from lockship.host.create import create
from lockship.host.execute import execute
from lockship.host.images import Check, Note, go_on, say_nothing
from lockship.host.inside import Inside
from lockship.host.link import Folder, Link, Looked
from lockship.host.process import Process
from lockship.host.questions import Question, read
from lockship.host.removal import remove_container, remove_image, remove_volume
from lockship.host.spec import networks
from lockship.host.translate import boundary
from lockship.host.types import (
    Container,
    ContainerSpec,
    EngineInfo,
    ImageInfo,
    ListedImage,
    RegistryAuth,
)

if TYPE_CHECKING:
    import docker

    from lockship.host.dial import Client

_T = TypeVar("_T")
CALL = 60.0  # seconds without an answer from the engine


class Server:
    """A connected server. Every method raises HostError, with the host's name (`dial`: see there).

    Its engine is used by one thread at a time; files, programs and `dial` by others meanwhile.
    """

    def __init__(self, name: str, link: Link, *, login: str = "") -> None:
        self.name = name
        self.login = login or name
        self._link = link
        self._timeout = CALL

    def __repr__(self) -> str:
        return f"Server({self.name!r})"

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def begin(self, *, writing: bool) -> None:
        """Begin to open what is about to be used: the engine, files to read and to write."""
        self._link.begin(writing=writing)

    def ask(self, *asked: Question[Any]) -> list[Any]:
        """Ask the engine all of these in one round trip; return the answers in the same order."""
        with self._boundary(", ".join(each.what for each in asked)):
            answers = self._client.get_all([each.path for each in asked]) if asked else []
            return [read(self.name, *each) for each in zip(asked, answers, strict=True)]

    def ask_one(self, asked: Question[_T]) -> _T:
        """Ask the engine one thing."""
        answer: _T = self.ask(asked)[0]
        return answer

    # Containers

    def containers(self, labels: Mapping[str, str]) -> list[Container]:
        """Return the containers with all of these labels, in any state, newest first.

        They come from one call, which says less than `container`: see `parse.container_from_list`.
        An empty value stands for any value.
        """
        return self.ask_one(questions.containers(labels))

    def container(self, name: str) -> Container | None:
        """Return all about one container, by name or id; None when there is none."""
        return self.ask_one(questions.container(name))

    def create(self, spec: ContainerSpec, there: Collection[str] = ()) -> str:
        """Create a container, its networks too when they aren't there; return its id.

        Networks in `there` were seen a moment ago. Raises WrongImage where its image isn't there.
        """
        unseen = [name for name in networks(spec) if name not in there]
        seen = self.ask_one(questions.networks(unseen)) if unseen else set()
        with self._boundary(f"create {spec.name}"):
            return create(self.name, self._api, spec, {*there, *seen})

    def start(self, name: str, *, fresh: bool = False) -> None:
        """Start a container; one that runs is fine. `fresh`: it was never stopped."""
        self._call(f"start {name}", lambda api: restarts.start(api, name, fresh=fresh))

    def stop(self, name: str, timeout: float) -> None:
        """Stop a container: SIGTERM, and SIGKILL after `timeout` seconds. A gone one is fine."""
        self._call(f"stop {name}", lambda api: restarts.stop(api, name, timeout))

    def rename_container(self, name: str, to: str) -> None:
        """Give a container another name."""
        self._call(f"rename {name}", lambda api: api.rename(name, to))

    def remove(self, name: str) -> None:
        """Remove a container and its anonymous volumes, running or not. A gone one is fine."""
        self._call(f"remove {name}", lambda api: remove_container(api, name))

    def remove_volume(self, name: str) -> None:
        """Remove a named volume with its data. A gone one is fine, one in use isn't."""
        self._call(f"remove volume {name}", lambda api: remove_volume(api, name))

    def inside(self, name: str) -> Inside:
        """Return the files inside a container, by name."""
        return Inside(name, self._call)

    def logs(
        self,
        name: str,
        *,
        tail: int | None = None,
        follow: bool = False,
        since: float | None = None,
        timestamps: bool = False,
    ) -> Iterator[bytes]:
        """Return a container's output, standard error among it, as lines without their ends.

        `since` is in seconds since the epoch. `follow`: until the container ends, without limit.
        """
        with self._boundary(f"logs of {name}"):
            yield from streams.logs(
                self._api,
                name,
                tail=tail,
                follow=follow,
                since=since,
                timestamps=timestamps,
                timeout=self._timeout,
            )

    def exec(
        self,
        name: str,
        argv: Sequence[str],
        *,
        tty: bool = False,
        files: tuple[int, int, int] = (0, 1, 2),
    ) -> int:
        """Run a program in a container, with this process's files, and return its exit status.

        With `tty` it gets a terminal, which takes over this one (if it is one) until it ends.
        `files` are the file descriptors of its input, output and errors.
        """
        with self._boundary(f"exec in {name}"):
            return execute(
                self._api,
                self._link.dial_engine,
                name,
                argv,
                tty=tty,
                files=files,
                timeout=self._timeout,
            )

    # Images

    def image(self, reference: str) -> ImageInfo | None:
        """Return an image by id, tag or repository@digest; None when there is none."""
        return self.ask_one(questions.image(reference))

    def images(self, labels: Mapping[str, str]) -> list[ListedImage]:
        """Return the images with all of these labels, by one call. An empty value: any value."""
        return self.ask_one(questions.images(labels))

    def remove_image(self, reference: str) -> bool:
        """Remove an image, or one of its names; False when it is in use or gone."""
        return self._call(f"remove image {reference}", lambda api: remove_image(api, reference))

    def tag(self, image_id: str, reference: str) -> None:
        """Give an image a name."""
        repository, _, tag = reference.rpartition(":")
        self._call(f"tag {reference}", lambda api: api.tag(image_id, repository, tag, force=True))

    def pull(
        self,
        reference: str,
        auth: RegistryAuth | None,
        *,
        check: Check = go_on,
        note: Note = say_nothing,
    ) -> None:
        """Pull `repository@sha256:...`; see `images.pull`."""
        with self._boundary(f"pull {reference}", images.INACTIVE):
            images.pull(self.name, self._api, reference, auth, check, note)

    def load(self, chunks: Iterable[bytes]) -> None:
        """Load images from an image tar, as `docker load` does."""
        with self._boundary("load image", images.INACTIVE):
            images.load(self.name, self._api, chunks)

    def export(self, image_id: str) -> Iterator[bytes]:
        """Return an image as a tar, as `docker save` does."""
        with self._boundary(f"export {image_id}", images.PREPARING):
            yield from images.export(self._api, image_id)

    def engine_info(self) -> EngineInfo:
        """Return what engine this is."""
        return self.ask_one(questions.INFO)

    # Files, programs, network

    def read_file(self, path: str) -> bytes | None:
        """Return a file's content, None without one; a path begins at the login home, or at /."""
        (data,), _ = self.look([path])
        return data

    def look(self, paths: Sequence[str], folders: Sequence[Folder] = ()) -> Looked:
        """Return the content of files and folders, all asked for at once."""
        with self._boundary(f"read {', '.join([*paths, *(path for path, _ in folders)])}"):
            return self._link.look(paths, folders)

    def read_tail(self, path: str, size: int) -> bytes:
        """Return a file's last `size` bytes, fewer when it is shorter, none when it isn't there."""
        with self._boundary(f"read {path}"):
            return self._link.read_tail(path, size)

    def write_file(self, path: str, data: bytes, mode: int = 0o600) -> None:
        """Replace a file in one step, making its folders (0700)."""
        self.rename(self.write_beside(path, data, mode), path)

    def write_beside(self, path: str, data: bytes, mode: int = 0o600) -> str:
        """Write what is to replace a file beside it, with an UNFINISHED name; return its path."""
        with self._boundary(f"write {path}"):
            return self._link.write_beside(path, data, mode)

    def rename(self, unfinished: str, path: str) -> None:
        """Put what was written beside a file in its place; where that can't be, remove it."""
        with self._boundary(f"write {path}"):
            self._link.rename(unfinished, path)

    def append_line(self, path: str, line: bytes) -> None:
        """Append a line (at most 32 kB) in one write, making the file (0600) and its folders."""
        with self._boundary(f"append to {path}"):
            self._link.append_line(path, line.rstrip(b"\n") + b"\n")

    def list_folder(self, path: str) -> list[str]:
        """Return the names in a folder, sorted; none when there is no folder."""
        with self._boundary(f"list {path}"):
            return self._link.list_folder(path)

    def remove_file(self, path: str) -> None:
        """Remove a file; a gone one is fine."""
        with self._boundary(f"remove {path}"):
            self._link.remove_file(path)

    def absolute(self, path: str) -> str:
        """Return a path, which may be relative to the login user's home, as an absolute one."""
        with self._boundary(f"find {path}"):
            return self._link.absolute(path)

    def spawn(self, argv: Sequence[str]) -> Process:
        """Start a program on the host; it lives at most as long as this connection."""
        with self._boundary(f"run {argv[0]}"):
            return self._link.spawn(argv)

    def dial(self, address: str, port: int, timeout: float) -> SocketLike:
        """Open a TCP connection from the host's point of view; OSError says how that failed."""
        return self._link.dial(address, port, timeout)

    def close(self) -> None:
        """End the connection; what waits for an answer on it, in another thread, fails at once."""
        if "_client" in self.__dict__:
            self._client.close()
        self._link.close()

    @cached_property
    def _client(self) -> Client:
        from lockship.host.dial import Client

        return Client(self._link.dial_engine, self._timeout)

    @property
    def _api(self) -> docker.APIClient:
        self._client.agree()
        return self._client

    def _boundary(self, what: str, limit: float | None = None) -> Any:
        return boundary(self.name, what, limit or self._timeout, self.login)

    def _call(self, what: str, call: Callable[[docker.APIClient], _T]) -> _T:
        with self._boundary(what):
            return call(self._api)
