"""What a work system and a head-end tell, in the simulators' own words, at the hub's web services."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from served_cim import errors, hub_of, post, result, uuid

from canonical.ids import meter_mrid, mint
from flows.end_device_events import WantedEvents, list_events
from messaging.letters import Arrival, Letter
from messaging.port import open_queues
from services.event_consumer import taker_of
from services.hub import Hub
from services.site_queues import messaging_of
from simulators.cim_nouns import noun_text
from simulators.cim_wire import event
from store.rollout import RESULT

POINT = mint("usage-point", "rollout", 1)
KWH = "0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0"
WEB = """
clock = "UTC"
multiplier = "raw"
[roles.{name}.settings]
url = "https://{name}.example/cim"
user = "amihub"
password = "right"
zone = "America/Toronto"
"""
SITE = f"""
[site]
name = "Rollout"
zone = "America/Toronto"
env = "TEST"
sender = "AMIHUB"
[roles.wams]
adapter = "wams_cim"
kind = "work_system"
{WEB.format(name="wams")}
[roles.hes]
adapter = "hes_cim"
kind = "head_end"
{WEB.format(name="hes")}
[serve]
certificate = "unused.pem"
private_key = "unused.pem"
[serve.clients.wams]
password = "right"
[serve.clients.hes]
password = "right"
[master_data]
[rollout]
work_system = "wams"
hes = "hes"
"""


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with hub_of(tmp_path, SITE) as hub:
        yield hub


def told(hub: Hub, user: str, noun: str, *objects: dict[str, Any], number: int = 1) -> bytes:
    """Have a system tell objects, and return the hub's answer."""
    body = event(
        "created", noun, noun_text(noun, objects), message_id=uuid(number), correlation_id=uuid(number), source=user
    )
    return post(hub, body, f"/cim/Receive{noun}", user).content


def test_a_meter_that_registers_is_known_by_manufacturer_and_serial(hub: Hub) -> None:
    meter = {"id": "e-1", "at": "2026-11-20T16:00:00Z", "manufacturer": "Borealis", "serial": "E-1"}

    answer = told(hub, "hes", "EndDeviceEvents", {**meter, "code": "3.6.5.58"})

    (kept,) = list_events(WantedEvents(), transaction=hub.transaction)
    assert result(answer) == "OK", answer
    assert (kept["kind"], kept["serial"], kept["meter"]) == ("REGISTERED", "E-1", meter_mrid("Borealis", "E-1"))


def test_reads_of_a_meter_that_nobody_told_the_hub_of_are_named_in_the_answer(hub: Hub) -> None:
    reading = {"at": "2026-11-21T05:00:00Z", "value": "1.2", "reading_type": KWH}

    answer = told(hub, "hes", "MeterReadings", {"manufacturer": "Borealis", "serial": "E-1", "readings": [reading]})

    assert result(answer) == "FAILED"
    assert meter_mrid("Borealis", "E-1").encode() in answer


def test_without_a_rollout_work_that_exchanged_nothing_is_refused_by_itself(tmp_path: Path) -> None:
    done = {
        "usage_point": POINT, "removed_at": "2026-11-20T15:05:00Z", "installed_at": "2026-11-20T15:25:00Z",
        "removed": {"manufacturer": "Acme", "serial": "OLD-1"}, "installed": {"manufacturer": "B", "serial": "E-1"},
    }  # fmt: skip
    unable = {"usage_point": POINT, "order": "EO-2", "state": "unable", "reason": "noAccess", "at": done["removed_at"]}

    with hub_of(tmp_path, SITE.partition("[rollout]")[0]) as hub:
        answer = told(hub, "wams", "MeterServiceRequests", done, unable)

    assert result(answer) == "PARTIAL"
    assert [(one["code"], POINT in str(one)) for one in errors(answer)] == [("5.2", True)]


QUEUES = """
[messaging.inbound.crews]
[messaging.outbound.crews]
[roles.field]
adapter = "wams_amqp"
kind = "work_system"
clock = "UTC"
multiplier = "raw"
[roles.field.settings]
queue = "crews"
"""


def test_a_letter_of_a_work_system_is_kept_as_a_completion_once_however_often_it_comes(tmp_path: Path) -> None:
    site = SITE.replace("[rollout]", f"{QUEUES}[rollout]")
    sample = Path(__file__).parents[2] / "adapters" / "wams_amqp" / "golden" / "exchange_could_not_be_done"
    letter = Letter((sample / "wire.xml").read_bytes(), uuid(1))
    with hub_of(tmp_path, site) as hub:
        taker = taker_of(hub, open_queues(messaging_of(hub.site)))

        taker.take(Arrival(letter, "in.crews"))
        taker.take(Arrival(letter, "in.crews"))

        with hub.transaction() as session:
            rows = [row._mapping for row in session.execute(RESULT.select())]

    assert [(row["outcome"], row["source"], row["removed_serial"]) for row in rows] == [("UNABLE", "crews", "0071234")]


def test_what_crews_tell_is_kept_as_completions_with_all_that_they_saw(hub: Hub) -> None:
    done = {
        "usage_point": POINT, "order": "EO-1", "removed_at": "2026-11-20T15:05:00Z",
        "installed_at": "2026-11-20T15:25:00Z", "remarks": "dog", "comms_ok": True, "seal": "S-1",
        "latitude": "43.65107", "longitude": "-79.34702", "photos": ["photo/1"], "multiplier_seen": "40",
        "removed": {"manufacturer": "Acme", "serial": "OLD-1", "readings": [{"value": "48211.7", "reading_type": KWH}]},
        "installed": {"manufacturer": "Borealis", "serial": "E-1", "readings": [{"value": "0.4", "reading_type": KWH}]},
    }  # fmt: skip
    unable = {
        "usage_point": POINT, "order": "EO-2", "state": "unable", "reason": "noAccess", "at": "2026-11-20T15:05:00Z",
        "removed": {"manufacturer": "Acme", "serial": "OLD-2"},
    }  # fmt: skip

    answer = told(hub, "wams", "MeterServiceRequests", done, unable)

    assert result(answer) == "OK", answer
    with hub.transaction() as session:
        rows = {row.outcome: row._mapping for row in session.execute(RESULT.select())}
    assert set(rows) == {"DONE", "UNABLE"}
    assert (rows["DONE"]["removed_serial"], rows["DONE"]["installed_serial"]) == ("OLD-1", "E-1")
    said = str(dict(rows["DONE"]))
    assert all(word in said for word in ("S-1", "43.65107", "photo/1", "48211.7", "dog"))
    assert "NO_ACCESS" in str(dict(rows["UNABLE"]))
