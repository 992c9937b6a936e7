"""Which step failed, from BuildKit's plain output; what a registry's words mean."""

from __future__ import annotations

import pytest

from lockship.build.output import failing_step
from lockship.host.refusals import registry_error

OF_20_10 = """\
#1 [internal] load build definition from Dockerfile
#1 sha256:3f2ab0a2f2c4d3b13d8e2e6b7b2cba8f7ab6b0e8ac1d5c51bd2e87cbb0c6b2a1
#1 transferring dockerfile: 120B done
#1 DONE 0.1s

#4 [1/3] FROM docker.io/library/busybox:1.36
#4 sha256:8d7e4d4ea4d7c8c2c1e3c4b8a2f3c8a8d0f4f0f2e4a6d3b1c5e7f90a1b2c3d4e
#4 CACHED

#5 [2/3] RUN echo one && echo two >&2 && exit 7
#5 sha256:4d7e4d4ea4d7c8c2c1e3c4b8a2f3c8a8d0f4f0f2e4a6d3b1c5e7f90a1b2c3d4e
#5 0.250 one
#5 0.251 two
#5 ERROR: executor failed running [/bin/sh -c echo one && echo two >&2 && exit 7]: exit code: 7
------
 > [2/3] RUN echo one && echo two >&2 && exit 7:
#5 0.250 one
------
executor failed running [/bin/sh -c echo one && echo two >&2 && exit 7]: exit code: 7
"""
OF_BUILDX = """\
#0 building with "default" instance using docker driver
#7 [a 2/2] RUN sleep 9
#8 [b 2/2] RUN make
#8 0.100 cc -c x.c

#7 [a 2/2] RUN sleep 9
#7 CANCELED

#8 [b 2/2] RUN make
#8 0.400 x.c:1: error
#8 ERROR: process "/bin/sh -c make" did not complete successfully: exit code: 2
------
 > [b 2/2] RUN make:
0.400 x.c:1: error
------
ERROR: failed to solve: process "/bin/sh -c make" did not complete successfully: exit code: 2
"""


def test_the_failing_step_of_20_10() -> None:
    assert failing_step(OF_20_10.splitlines()) == [
        "[2/3] RUN echo one && echo two >&2 && exit 7",
        "one",
        "two",
        "ERROR: executor failed running [/bin/sh -c echo one && echo two >&2 && exit 7]:"
        " exit code: 7",
    ]


def test_the_failing_step_among_parallel_ones() -> None:
    assert failing_step(OF_BUILDX.splitlines()) == [
        "[b 2/2] RUN make",
        "cc -c x.c",
        "x.c:1: error",
        'ERROR: process "/bin/sh -c make" did not complete successfully: exit code: 2',
    ]


def test_without_a_step_the_end_is_told() -> None:
    lines = ["#1 [internal] load", "#1 DONE 0.0s", "failed to solve: dockerfile parse error"]
    assert failing_step(lines) == ["failed to solve: dockerfile parse error"]
    assert failing_step([]) == []


@pytest.mark.parametrize(
    ("said", "status", "message", "hint"),
    [
        ("unauthorized: authentication required", 401, "refuses", "docker login registry:5000"),
        ("denied: requested access to the resource is denied", None, "refuses", "docker login"),
        ("no basic auth credentials", 500, "refuses", "docker login"),
        ("Get https://registry:5000/v2/: x509: certificate signed by unknown authority", 500,
         "doesn't trust", "certs.d/registry:5000/ca.crt"),
        ("dial tcp 10.0.0.1:5000: connect: connection refused", 500, "can't be reached", "network"),
        ("lookup registry: no such host", 500, "can't be reached", "network"),
        ("http: server gave HTTP response to HTTPS client", 500, "plain HTTP", "insecure"),
        ("received unexpected HTTP status: 503 Service Unavailable", 500, "failed", "again"),
    ],
)  # fmt: skip
def test_what_a_registry_s_words_mean(said: str, status: int, message: str, hint: str) -> None:
    error = registry_error("registry:5000/acme/shop:1", said, status)
    assert error is not None
    assert message in error.message
    assert hint in error.hint
    assert error.details == (said,)


def test_a_registry_without_the_image_is_no_error() -> None:
    for said in ("manifest unknown: manifest unknown", "errors:\nname unknown", "not found"):
        assert registry_error("registry:5000/shop:1", said, 404) is None
