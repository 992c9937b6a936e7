"""The maintenance page in a route file, and what deploys and `status` make of it."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockship.deploy.operate import plans, tasks
from lockship.deploy.proxy import container as proxy_container
from lockship.deploy.proxy import edit, maintenance, plugin, route
from lockship.deploy.proxy.judge import judge
from lockship.errors import RefusedError, UsageError
from lockship.lock.model import Lock
from lockship.lock.proxy import Proxy
from tests.unit.deploy.samples import make_artifact, make_lock
from tests.unit.deploy.simulation import SimulatedHost
from tests.unit.deploy.test_operate import deployed, do, restart, stop
from tests.unit.deploy.test_plan import plan_on
from tests.unit.deploy.test_routing import behind

STRIPPED = Proxy(port=80, path_prefixes=("/a", "/b"), strip_prefix=True)


def on(host: SimulatedHost, lock: Lock, message: str = "Back at noon") -> None:
    do(host, lock, plans.maintenance_on(lock, host.observe(make_artifact(lock)), message))


def off(host: SimulatedHost, lock: Lock) -> None:
    do(host, lock, plans.maintenance_off(lock, host.observe(make_artifact(lock))))


def shown(host: SimulatedHost) -> str | None:
    return maintenance.message_of(host.routes["shop"], "shop")


MESSAGES = st.text() | st.text('{}\\"` u', max_size=20)


@given(MESSAGES, MESSAGES, st.sampled_from([Proxy(port=80), STRIPPED]))
def test_the_page_comes_and_goes_without_a_trace(one: str, two: str, proxy: Proxy) -> None:
    text = route.render(proxy, "shop", "a:80")
    with_page = maintenance.put_on(text, "shop", one)
    assert maintenance.message_of(with_page, "shop") == one
    assert "{{" not in with_page, "Traefik would run it as a template"
    for router in route.routers_of(with_page).values():
        assert router["middlewares"][0] == "maintenance_shop"
    again = maintenance.put_on(with_page, "shop", two)
    assert again == maintenance.put_on(text, "shop", two)
    assert maintenance.taken_off(again, "shop") == text
    assert route.claims(again) == route.claims(text)


def test_a_message_is_text_and_never_markup() -> None:
    page = edit.middlewares_of(
        maintenance.put_on(route.render(STRIPPED, "shop", "a:80"), "shop", "<script>&\"'")
    )["maintenance_shop"]["plugin"][plugin.NAME]
    assert "<script>" not in page["body"]
    assert "&lt;script&gt;&amp;&quot;&#x27;" in page["body"]


def test_it_survives_a_deploy_a_rollback_and_a_restart() -> None:
    old, new = behind("one"), behind("two")
    host = deployed(old)
    on(host, old)
    for lock, command in ((new, "deploy"), (old, "rollback")):
        do(host, lock, plan_on(host, lock, command))
        assert shown(host) == "Back at noon"
        assert plan_on(host, lock).empty
    do(host, old, restart(host, old))
    assert shown(host) == "Back at noon"
    off(host, old)
    assert shown(host) is None
    assert plan_on(host, old).empty


def test_on_and_off_twice_change_nothing() -> None:
    lock = behind("one")
    host = deployed(lock)
    before = dict(host.routes)
    on(host, lock)
    state = host.observe(make_artifact(lock))
    assert plans.maintenance_on(lock, state, "Back at noon").empty
    off(host, lock)
    assert host.routes == before
    assert plans.maintenance_off(lock, host.observe(make_artifact(lock))).empty


def test_a_stopped_service_can_show_the_page_and_stays_stopped() -> None:
    lock = behind("one")
    host = deployed(lock)
    do(host, lock, stop(host, lock))
    on(host, lock)
    assert edit.is_held(host.routes["shop"])
    off(host, lock)
    assert edit.is_held(host.routes["shop"])


def test_what_cannot_show_it_is_refused() -> None:
    lock = behind("one")
    with pytest.raises(RefusedError, match="no route of shop"):
        on(SimulatedHost("web1"), lock)
    host = deployed(lock)
    assert host.proxy is not None
    old = {k: v for k, v in host.proxy.labels.items() if k != plugin.LABEL}
    host.proxy = msgspec.structs.replace(host.proxy, labels=old)
    with pytest.raises(RefusedError, match="knew no maintenance page"):
        on(host, lock)
    host.proxy = None
    with pytest.raises(RefusedError, match="doesn't run"):
        on(host, lock)


def test_a_message_must_be_text_of_some_length() -> None:
    for message in ("", " \n", "x" * 4001, "\udcff"):
        with pytest.raises(UsageError):
            tasks.maintenance_on(behind("one"), message, None)


def test_a_proxy_has_the_plugin_and_its_key_changes_with_it() -> None:
    lock = behind("one")
    assert lock.proxy is not None
    spec = proxy_container.proxy_spec(lock.proxy.server, "id", "/home/a/_proxy/dynamic")
    assert "/home/a/_proxy/plugins:/plugins-local:ro" in spec.volumes
    files = plugin.files("/home/a/_proxy/dynamic")
    assert {path.removeprefix("/home/a/_proxy/plugins/src/lockship/page/") for path in files} == {
        "page.go",
        ".traefik.yml",
    }


def verdict(host: SimulatedHost, lock: Lock) -> str | None:
    row = judge(lock, host.observe(make_artifact(lock)))
    return row.verdict if row else None


def test_status_judges_the_route() -> None:
    lock, other = behind("one"), behind("two")
    host = deployed(lock)
    assert verdict(host, lock) == "as locked"
    assert verdict(host, other) == "elsewhere"
    on(host, lock)
    row = judge(lock, host.observe(make_artifact(lock)))
    assert row is not None
    assert (row.verdict, row.maintenance) == ("as locked", "Back at noon")
    host.routes["shop"] = host.routes["shop"].replace("shop.example.com", "evil.example.com")
    assert verdict(host, lock) == "other settings"
    do(host, lock, stop(host, lock))
    assert verdict(host, lock) == "answers 503"
    assert verdict(host, behind("one", None)) == "unexpected"
    del host.routes["shop"]
    assert verdict(host, lock) == "missing"
    assert verdict(host, make_lock("one")) is None
    host.proxy = None
    assert verdict(host, lock) == "no proxy"
