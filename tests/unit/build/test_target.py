"""What a build makes of a lock: one image, or one for each of several platforms."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from lockship.build.target import several, targets
from lockship.errors import RefusedError
from lockship.lock.fingerprint import build_key
from lockship.lock.image import Artifact, Made
from tests.unit.locks import make_lock

AMD, ARM = "linux/amd64", "linux/arm64"
ONE, TWO = "sha256:" + "1" * 64, "sha256:" + "2" * 64


@pytest.mark.parametrize("platforms", [(), (AMD,)])
def test_one_platform_is_one_image_under_the_versions_own_tag(platforms: tuple[str, ...]) -> None:
    lock = make_lock(build={"platforms": platforms})
    (target,) = targets(lock)
    assert not several(lock)
    assert (target.reference, target.platform) == (lock.image.reference, (*platforms, None)[0])
    assert target.key == build_key(lock)


def test_several_have_a_tag_each_and_one_key() -> None:
    lock = make_lock(build={"platforms": (AMD, "linux/arm/v7")})
    first, second = targets(lock)
    assert (first.tag, second.tag) == (
        f"{lock.image.tag}-linux-amd64",
        f"{lock.image.tag}-linux-arm-v7",
    )
    assert {first.key, second.key} == {build_key(lock)}


def test_what_the_lock_says_of_a_platform_is_known_while_it_is_of_this_content() -> None:
    lock = make_lock(build={"platforms": (AMD, ARM)})
    made = {AMD: Made(image_id=ONE), ARM: Made(image_id=TWO)}
    built = replace(lock, artifact=Artifact(key=build_key(lock), platforms=made))
    assert [target.known for target in targets(built)] == list(made.values())
    other = replace(lock, artifact=Artifact(key=ONE, platforms=made))
    assert [target.known for target in targets(other)] == [None, None]
    one = replace(make_lock(), artifact=Artifact(key=build_key(make_lock()), image_id=ONE))
    assert [target.known for target in targets(one)] == [Made(image_id=ONE)]


def test_a_version_too_long_for_a_platform_behind_it() -> None:
    lock = make_lock(build={"platforms": (AMD, ARM)}, image={"tag": "v" * 120})
    with pytest.raises(RefusedError, match="would be 132 characters long"):
        targets(lock)
