"""What hosts say and serve, by their engines, files and ports, against what the model says."""

import json
import shutil
import tomllib
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import docker
import docker.errors

from tests.fleet.sequences.model import Json, Model, Release
from tests.fleet.sequences.repository import HOSTS
from tests.harness import Fleet, until
from tests.harness.engine import Engine

_FILTER = {"label": "dev.lockship.service=shop"}
OCI = "org.opencontainers.image"


@dataclass(frozen=True)
class Oracle:
    """One connection to each engine, for all sequences."""

    fleet: Fleet
    builder: docker.APIClient
    engines: dict[str, docker.APIClient]

    @classmethod
    def connect(cls, fleet: Fleet) -> "Oracle":
        def api(engine: Engine) -> docker.APIClient:
            return docker.APIClient(base_url=engine.url, timeout=60)

        return cls(fleet, api(fleet.engine), {name: api(fleet[name].engine) for name in HOSTS})

    def reset(self) -> None:
        """Nothing built, nothing deployed: each sequence begins on the same ground."""
        with ThreadPoolExecutor() as pool:
            for done in [
                pool.submit(_clear, self.builder),
                *(pool.submit(_clear, api) for api in self.engines.values()),
            ]:
                done.result()
        for name in HOSTS:
            shutil.rmtree(self._run_folder(name).parent, ignore_errors=True)
        shutil.rmtree(self.fleet.home.path / ".cache", ignore_errors=True)

    def forget(self) -> None:
        """The builder is as one that has built nothing yet."""
        _clear(self.builder)
        self.builder.prune_builds()

    def has_image(self, image_id: str) -> bool:
        """Whether all hosts have it, or the builder."""
        hosts = [_image(api, image_id) is not None for api in self.engines.values()]
        return all(hosts) or _image(self.builder, image_id) is not None

    def check_built(self, lock: Json) -> bool:
        """The lock's tag is the lock's image, and its labels are the lock's.

        False where the builder doesn't have it: the hosts do.
        """
        image_id = lock["artifact"]["image-id"]
        if _image(self.builder, image_id) is None:
            return False
        image = _image(self.builder, f"{lock['image']['repository']}:{lock['image']['tag']}")
        assert image is not None, "the image has no tag"
        assert image["Id"] == image_id, "the tag is another image"
        _check_labels(image["Config"]["Labels"], lock)
        return True

    def check(self, model: Model) -> None:
        """Every host is as the model says: containers, images, files, and bytes over HTTP."""
        for host in HOSTS:
            self._check_containers(host, model)
            self._check_files(host, model)
            if model.current is not None:
                self._check_current(host, model.current)

    def world(self) -> tuple[object, ...]:
        """What a command that changes nothing mustn't change."""
        engines = [
            sorted((c["Names"], c["State"]) for c in api.containers(all=True))
            + sorted((image["RepoTags"] or [], image["Id"]) for image in api.images())
            for api in self.engines.values()
        ]
        files = [
            {str(path): path.read_bytes() for path in self._run_folder(host).rglob("*.*")}
            for host in HOSTS
        ]
        return engines, files

    def _check_containers(self, host: str, model: Model) -> None:
        found = {
            container["Names"][0].removeprefix("/"): container["State"]
            for container in self.engines[host].containers(all=True, filters=_FILTER)
        }
        expected = {release.container: "exited" for release in model.releases}
        if model.current is not None:
            expected[model.current.container] = "running"
        assert found == expected, f"{host}: containers"
        images = {image["Id"] for image in self.engines[host].images(filters=_FILTER)}
        kept = {release.version.image_id for release in model.releases}
        assert kept <= images, f"{host}: images of releases"
        if model.journal and model.journal[-1]["outcome"] == "deployed":
            assert kept == images, f"{host}: images that nothing needs"

    def _check_current(self, host: str, release: Release) -> None:
        api, current, lock = self.engines[host], release.version, release.version.lock
        container = api.inspect_container(release.container)
        assert container["Image"] == current.image_id, f"{host}: another image runs"
        labels = container["Config"]["Labels"]
        assert labels["dev.lockship.version"] == current.name
        assert labels["dev.lockship.fingerprint"] == current.fingerprint
        label = lock["roles"]["web"]["labels"]["com.example.label"]
        assert labels["com.example.label"] == label
        variables = dict(pair.split("=", 1) for pair in container["Config"]["Env"])
        assert variables["LOCKSHIP_VERSION"] == current.name
        assert variables["LOCKSHIP_SERVICE"] == "shop"
        assert variables["MOTTO"] == lock["env"]["MOTTO"]
        image = _image(api, str(current.image_id))
        assert image is not None
        _check_labels(image["Config"]["Labels"], lock)
        for path, expected in current.files.items():
            assert self._get(host, current.port, path) == expected, f"{host} serves another {path}"

    def _check_files(self, host: str, model: Model) -> None:
        folder = self._run_folder(host)
        journal = [json.loads(line) for line in _lines(folder / "journal.jsonl")]
        said = [{key: line[key] for key in wanted} for line, wanted in _pairs(journal, model)]
        assert (said, len(journal)) == (model.journal, len(model.journal)), f"{host}: the journal"
        path, versions = folder / "releases.json", [each.version for each in model.releases]
        releases = json.loads(path.read_bytes()) if path.exists() else []
        expected = [
            {"version": each.name, "fingerprint": each.fingerprint, "image-id": each.image_id}
            for each in versions
        ]
        assert releases == expected, f"{host}: releases.json"
        for each in versions:
            name = f"{each.fingerprint.removeprefix('sha256:')}.toml"
            assert tomllib.loads((folder / "locks" / name).read_text()) == each.lock

    def _run_folder(self, host: str) -> Path:
        return self.fleet[host].home / ".lockship/shop"

    def _get(self, host: str, port: int, path: str) -> bytes:
        url = f"http://{self.fleet[host].address}:{port}/{urllib.parse.quote(path)}"
        answers: list[bytes] = []

        def answered() -> bool:
            try:
                with urllib.request.urlopen(url, timeout=5) as answer:
                    answers.append(answer.read())
            except urllib.error.HTTPError as error:
                answers.append(f"{error.code} {error.reason}".encode())
            except OSError:
                return False  # one that was started again a moment ago isn't probed
            return True

        until(answered, 10, f"an answer from {url}")
        return answers[-1]


def _check_labels(labels: dict[str, str], lock: Json) -> None:
    source = lock["source"]
    assert labels[f"{OCI}.version"] == lock["service"]["version"]
    assert labels[f"{OCI}.revision"] == source.get("snapshot", source["commit"])
    assert labels[f"{OCI}.created"] == source["committed-at"]
    assert labels["dev.lockship.build-key"] == lock["artifact"]["key"]
    assert labels["dev.lockship.service"] == "shop"


def _image(api: docker.APIClient, reference: str) -> Json | None:
    try:
        found: Json = api.inspect_image(reference)  # type: ignore[no-untyped-call]
    except docker.errors.ImageNotFound:
        return None
    return found


def _pairs(journal: list[Json], model: Model) -> Iterable[tuple[Json, Json]]:
    return zip(journal, model.journal, strict=False)


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def _clear(api: docker.APIClient) -> None:
    for container in api.containers(all=True, filters=_FILTER):
        api.remove_container(container["Id"], force=True, v=True)
    for image in api.images(filters=_FILTER):
        api.remove_image(image["Id"], force=True)
