"""`lockship.NAME.toml` over `lockship.toml`: what is merged, replaced, taken away."""

from __future__ import annotations

import pytest

from lockship.lock.fingerprint import to_document
from lockship.prepare.prepare import check, prepare
from tests.unit.gitrepo import Repo
from tests.unit.prepare.test_config import MINIMAL, complaints, load

BASE = (
    MINIMAL
    + 'ports = ["80:80"]\n[roles.web.env]\nA = "1"\nB = "1"\n'
    + '[roles.worker]\nhosts = ["local"]\n[policy]\nrequire-signed = true\nallow-dirty = false\n'
    + '[env]\n"DEBUG" = "1"\n'
)


def test_what_is_unset_is_gone_with_all_that_is_in_it() -> None:
    config = load(
        BASE,
        staging='unset = ["roles.worker", "roles.web.ports", \'env."DEBUG"\', "policy"]\n',
    )
    assert list(config.roles) == ["web"]
    assert config.roles["web"].ports == ()
    assert config.roles["web"].hosts == ("local",), "what isn't named stays"
    assert config.env == {}
    assert config.policy is None


def test_what_is_unset_and_said_anew_is_replaced_as_a_whole() -> None:
    staging = '[roles.web.env]\nB = "2"\n'
    assert load(BASE, staging=staging).roles["web"].env == {"A": "1", "B": "2"}
    staging = 'unset = ["roles.web.env"]\n' + staging
    assert load(BASE, staging=staging).roles["web"].env == {"B": "2"}


def test_a_policy_is_merged_key_by_key() -> None:
    policy = load(BASE, staging="[policy]\nrequire-signed = false\n").policy
    assert policy is not None
    assert (policy.require_signed, policy.allow_dirty) == (False, False)


@pytest.mark.parametrize(
    ("staging", "said"),
    [
        ('unset = ["env.DEBAG"]\n', 'staging.toml:1: unset[0]: found "env.DEBAG", expected a key'),
        ('unset = ["env.DEBUG.x"]\n', "a key that lockship.toml says"),
        ('unset = [\n"roles.web.ports",\n"env"]\nunset2 = 1\n', "staging.toml:4: unset2"),
        ('unset = ["a = 1\\nb"]\n', "a key that lockship.toml says"),
        ('unset = ["a]"]\n', "a key that lockship.toml says"),
        ('unset = [""]\n', "a key that lockship.toml says"),
        ('unset = "env"\n', "staging.toml:1: unset: found"),
        ('unset = ["service.name"]\n', "service.name: found nothing"),
        ('unset = ["env", "env"]\n', "unset[1]"),
    ],
)
def test_what_can_not_be_unset(staging: str, said: str) -> None:
    (line,) = complaints(BASE, staging=staging)
    assert said in line


def test_only_a_destination_unsets() -> None:
    (line,) = complaints('unset = ["env"]\n' + BASE)
    assert "lockship.toml:1: unset[0]" in line
    assert "it is for a destination's file" in line


def test_each_destination_has_a_lock_of_its_own(repo: Repo) -> None:
    repo.write("lockship.toml", BASE)
    repo.write("lockship.staging.toml", 'unset = ["roles.worker"]\n[env]\nDEBUG = "2"\n')
    repo.commit()
    default, staging = prepare(repo.path), prepare(repo.path, destination="staging")
    assert (default.path.name, staging.path.name) == (".shiplock", ".shiplock.staging")
    assert staging.lock.service.destination == "staging"
    assert staging.lock.project == "shop.staging"
    assert (default.lock.env, staging.lock.env) == ({"DEBUG": "1"}, {"DEBUG": "2"})
    assert list(staging.lock.roles) == ["web"]
    assert "unset" not in to_document(staging.lock)
    repo.commit("locks")
    assert not check(repo.path).differences
    assert not check(repo.path, destination="staging").differences
