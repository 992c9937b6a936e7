"""What a role's options have to do with a plan, and with the container that is made."""

from __future__ import annotations

import msgspec

from lockship.deploy.spec import container_spec
from lockship.deploy.steps import CreateContainer, RemoveContainer
from lockship.host.spec import networks, to_engine
from lockship.host.types import Container
from lockship.lock.accessory import Accessory
from lockship.lock.container import ContainerOptions
from lockship.lock.role import Role
from tests.unit.deploy.samples import HOSTS, make_lock, make_made
from tests.unit.deploy.simulation import SimulatedHost
from tests.unit.deploy.test_plan import carry_out, plan_on, steps_of

OPTIONS = ContainerOptions(user="app", networks=("back", "front"))
LOCK = make_lock(roles={"web": Role(hosts=HOSTS, options=OPTIONS)})


def test_a_container_gets_its_roles_options_and_a_name_in_their_networks() -> None:
    where = {"role_name": "web", "host": "web1", "name": "shop-web"}
    spec = container_spec(LOCK, make_made(LOCK), {}, **where)
    assert spec.options == OPTIONS
    assert spec.known_as == "web.shop.internal"
    assert spec.network == "", "it isn't behind the proxy"


def test_the_hosts_own_network_goes_with_no_other() -> None:
    """Also beside accessories, for whose names all others are in lockship's network too."""
    role = Role(hosts=HOSTS, options=ContainerOptions(networks=("host",)))
    database = Accessory(image="db:1", hosts=HOSTS)
    made = make_lock(roles={"web": role})
    lock = msgspec.structs.replace(made, accessories={"db": database})
    where = {"role_name": "web", "host": "web1", "name": "shop-web"}
    spec = container_spec(lock, make_made(lock), {}, **where)
    assert networks(spec) == ("host",)
    assert to_engine(spec)["HostConfig"]["NetworkMode"] == "host"


def test_a_container_whose_deploy_was_killed_between_two_networks_is_made_again() -> None:
    """Engines of old connect a new container to one network after the other."""
    host = SimulatedHost("web1", images={make_made(LOCK).image_id})
    create = next(s for s in plan_on(host, LOCK).stage if isinstance(s, CreateContainer))
    carry_out(host, LOCK, [create])
    name = create.name

    def again(**changes: object) -> list[str]:
        made: Container = msgspec.structs.replace(host.containers[name], **changes)
        host.containers[name] = made
        steps = steps_of(plan_on(host, LOCK))
        return [type(s).__name__ for s in steps if isinstance(s, CreateContainer | RemoveContainer)]

    assert again(networks=("front",)) == ["RemoveContainer", "CreateContainer"]
    assert again(networks=("back", "front", "lockship")) == []
    # Taken from a network by hand: what serves isn't removed for that.
    assert again(networks=("front",), state="running") == []
