"""Who writes into an inbound queue is the role that is told by the outbound queue of the same name."""

from pathlib import Path

import pytest

from iec61968.message_codec import message_from_xml
from iec61968.safe_xml import parse
from services.callers import role_of
from services.cim_owners import owner_of
from services.cim_routed import readers_of
from services.hub import Hub
from services.site_checks import sections_of
from services.site_file import load_site
from services.site_queues import callers_of
from services.site_routing import master_data_policy
from services.site_subscribers import SYSTEMS

SAMPLES = Path(__file__).parents[3] / "adapters" / "wams_amqp" / "golden"
SITE = """
[site]
name = "Rollout"
zone = "America/Toronto"
env = "TEST"
sender = "AMIHUB"
data = "var"

[master_data]

[messaging.inbound.crews]
[messaging.inbound.mesh]
[messaging.outbound.crews]
[messaging.outbound.mesh]

[roles.wams]
adapter = "wams_amqp"
kind = "work_system"
clock = "UTC"
multiplier = "raw"
[roles.wams.settings]
queue = "crews"
zone = "America/Toronto"
unable_reasons = { noAccess = "ROOM_LOCKED" }

[roles.hes]
adapter = "hes_amqp"
kind = "head_end"
clock = "UTC"
multiplier = "raw"
[roles.hes.settings]
queue = "mesh"
"""


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    path = tmp_path / "site.toml"
    path.write_text(SITE)
    return Hub(load_site(path))


def test_a_queue_belongs_to_the_role_that_reads_its_twin(hub: Hub) -> None:
    model = hub.site.model

    assert [role_of(model, name) for name in ("crews", "mesh", "wams", "stranger")] == [
        "wams",
        "hes",
        "wams",
        "stranger",
    ]


def test_what_comes_from_a_queue_begins_at_the_system_behind_it(hub: Hub) -> None:
    kinds = master_data_policy(hub.site.model).kinds

    assert {name: kinds.get(name) for name in ("crews", "wams", "mesh")} == {
        "crews": "wams",
        "wams": "wams",
        "mesh": None,
    }


def test_a_queues_messages_are_read_as_the_settings_of_its_role_say(hub: Hub) -> None:
    wire = message_from_xml(parse((SAMPLES / "exchange_could_not_be_done" / "wire.xml").read_bytes()))

    message = readers_of(hub, callers_of(hub.site))["crews"](wire, "crews", True)

    assert message.header.source == "crews"
    assert [getattr(one, "unable_reason", "") for one in message.payload.things] == ["ROOM_LOCKED"]


def test_head_ends_and_outage_systems_are_systems_of_their_own_kind() -> None:
    assert (SYSTEMS["head_end"], SYSTEMS["outage_system"]) == ("hes", "oms")


@pytest.mark.parametrize(
    ("added", "owner"),
    [("", "flows.master_data_sync"), ("[rollout]\nwork_system = 'wams'\n", "flows.meter_rollout")],
)
def test_what_crews_tell_is_the_rollouts_while_a_site_has_one(added: str, owner: str, tmp_path: Path) -> None:
    path = tmp_path / "site.toml"
    path.write_text(SITE + added)

    sections = sections_of(load_site(path).model)

    assert owner_of("created", "MeterServiceRequests", sections) == owner
    assert owner_of("created", "MeterConfig", sections) == "flows.master_data_sync"
