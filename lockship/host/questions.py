"""What the engine is asked about what is there: several of these take one round trip together.

The formats are those of https://docs.docker.com/reference/api/engine/version/v1.41/.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, Generic, TypeVar, cast
from urllib.parse import quote, urlencode

import msgspec

from lockship.host import parse
from lockship.host.burst import Answer
from lockship.host.translate import from_engine
from lockship.host.types import Container, EngineInfo, ImageInfo, ListedImage

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Question(Generic[_T]):
    """`path` is what to GET, `what` says so in words, `read` makes a value of the answer.

    `gone`: what isn't there is None, and no error.
    """

    what: str
    path: str
    read: Callable[[Any], _T]
    gone: bool = False


def read(host: str, asked: Question[_T], answer: Answer) -> _T:
    """Return what an answer says. Raises HostError with the engine's words where it refused."""
    if answer.status == HTTPStatus.OK:
        return asked.read(msgspec.json.decode(answer.body))
    if answer.status == HTTPStatus.NOT_FOUND and asked.gone:
        return cast(_T, None)
    raise from_engine(host, asked.what, _said(answer.body), answer.status)


def _said(body: bytes) -> str:
    try:
        return str(msgspec.json.decode(body)["message"])
    except (msgspec.MsgspecError, LookupError, TypeError):
        return body.decode(errors="replace").strip()


INFO: Final[Question[EngineInfo]] = Question("info", "/info", parse.engine_from_info)


def containers(labels: Mapping[str, str]) -> Question[list[Container]]:
    """Ask for the containers with all of these labels, in any state; '' is any value."""
    query = urlencode({"all": 1, "filters": _filters({"label": labelled(labels)})})
    path = f"/containers/json?{query}"
    return Question(
        "list containers", path, lambda raw: [parse.container_from_list(each) for each in raw]
    )


def container(name: str) -> Question[Container | None]:
    """Ask for all about one container, by name or id."""
    path = f"/containers/{quote(name, safe='')}/json"
    return Question(f"inspect {name}", path, parse.container_from_inspect, gone=True)


def images(labels: Mapping[str, str]) -> Question[list[ListedImage]]:
    """Ask for the images with all of these labels; '' is any value."""
    query = urlencode({"all": 0, "filters": _filters({"label": labelled(labels)})})
    path = f"/images/json?{query}"
    return Question("list images", path, lambda raw: [parse.image_from_list(each) for each in raw])


def image(reference: str) -> Question[ImageInfo | None]:
    """Ask for an image by id, tag or repository@digest."""
    path = f"/images/{quote(reference, safe='/:@')}/json"
    return Question(f"inspect {reference}", path, parse.image_from_inspect, gone=True)


def networks(names: list[str]) -> Question[set[str]]:
    """Ask which of these networks there are."""
    path = f"/networks?{urlencode({'filters': _filters({'name': names})})}"
    # The filter finds every name that holds one of these.
    return Question("list networks", path, lambda raw: {each["Name"] for each in raw} & set(names))


def labelled(labels: Mapping[str, str]) -> list[str]:
    """Return labels as a filter has them."""
    return [f"{name}={value}" if value else name for name, value in labels.items()]


def _filters(filters: Mapping[str, list[str]]) -> str:
    return json.dumps(filters)
