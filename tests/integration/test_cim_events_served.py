"""Events of devices over the wire: dialects, repeats, unmapped codes, alarms that end, events between readings."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from served_cim import YEAR, errors, hub_of, message, post, result
from typer.testing import CliRunner

from flows.end_device_events import WantedEvents, list_events
from flows.work import list_work
from services.cli import app
from services.hub import Hub


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with hub_of(tmp_path) as hub:
        yield hub


def event(code: str, *, mrid: str = "", meter: str = "m-1", at: str = "2026-03-02T11:58:00Z", more: str = "") -> str:
    own = f"<mRID>{mrid}</mRID>" if mrid else ""
    return (
        f"<EndDeviceEvent>{own}<createdDateTime>{at}</createdDateTime>{more}<Assets><mRID>{meter}</mRID></Assets>"
        f'<EndDeviceEventType ref="{code}"/></EndDeviceEvent>'
    )


def events(*inner: str, number: int = 1, operation: str = "CreatedEndDeviceEvents") -> bytes:
    payload = f'<EndDeviceEvents xmlns="{YEAR}/EndDeviceEvents#">{"".join(inner)}</EndDeviceEvents>'
    return message(operation, payload, number=number)


def send(hub: Hub, body: bytes, user: str = "hes", service: str = "ReceiveEndDeviceEvents") -> bytes:
    return post(hub, body, f"/cim/{service}", user).content


@pytest.mark.parametrize(("user", "kind"), [("hes", "LAST_GASP"), ("cis", "")])
def test_the_same_code_is_what_its_source_s_dialect_says(hub: Hub, user: str, kind: str) -> None:
    answer = send(hub, events(event("3.26.136.47")), user)

    assert result(answer) == "OK"
    (kept,) = list_events(WantedEvents(), transaction=hub.transaction)
    assert (kept["kind"], kept["source"], kept["meter"], kept["told"]) == (kind, user, "m-1", 1)


def test_a_source_s_own_codes_go_before_its_dialect(hub: Hub) -> None:
    send(hub, events(event("3.77.7.7")))

    assert [row["kind"] for row in list_events(WantedEvents(), transaction=hub.transaction)] == ["TAMPER"]


def test_a_repeat_changes_nothing_and_the_same_event_in_another_message_is_counted(hub: Hub) -> None:
    first, repeat = send(hub, events(event("3.26.0.47"))), send(hub, events(event("3.26.0.47")))
    send(hub, events(event("3.26.0.47"), number=2))

    assert first == repeat
    assert [row["told"] for row in list_events(WantedEvents(), transaction=hub.transaction)] == [2]


def test_an_unmapped_event_is_taken_kept_listed_and_work(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = send(hub, events(event("3.98.1.2"), event("3.98.1.2", meter="m-2")))
    monkeypatch.setenv("AMIHUB_SITE", str(hub.site.path))
    printed = CliRunner().invoke(app, ["events", "list", "--unmapped"]).output
    counted = CliRunner().invoke(app, ["events", "counts"]).output

    assert result(answer) == "OK"
    assert [(row["key"], row["seen"]) for row in list_work(transaction=hub.transaction)] == [("hes/3.98.1.2", 1)]
    assert "UNMAPPED" in printed
    assert "2 events" in printed
    assert "told 2x" in counted


def test_a_closed_event_ends_the_alarm_that_it_names(hub: Hub) -> None:
    send(hub, events(event("3.26.0.47", mrid="e-1")))

    answer = send(hub, events(event("3.26.0.47", mrid="e-1"), number=2, operation="ClosedEndDeviceEvents"))

    assert result(answer) == "OK"
    assert list_events(WantedEvents(), transaction=hub.transaction)[0]["closed_at"] is not None


def test_what_contradicts_an_earlier_event_is_named_by_its_id(hub: Hub) -> None:
    send(hub, events(event("3.26.0.47", mrid="e-1")))

    answer = send(hub, events(event("3.26.0.47", mrid="e-1", meter="m-9"), event("3.26.0.216"), number=2))

    assert result(answer) == "PARTIAL"
    assert [(one["ID"], one["objectType"]) for one in errors(answer)] == [("e-1", "EndDeviceEvent")]


def test_events_between_readings_happened_at_the_meter_that_was_read(hub: Hub) -> None:
    inner = (
        "<MeterReading><EndDeviceEvents><createdDateTime>2026-03-02T11:58:00Z</createdDateTime>"
        '<EndDeviceEventType ref="3.26.0.216"/></EndDeviceEvents><Meter><mRID>m-7</mRID></Meter></MeterReading>'
    )
    payload = f'<MeterReadings xmlns="{YEAR}/MeterReadings#">{inner}</MeterReadings>'

    answer = send(hub, message("CreatedMeterReadings", payload), service="ReceiveMeterReadings")

    assert result(answer) == "OK"
    (kept,) = list_events(WantedEvents(), transaction=hub.transaction)
    assert (kept["kind"], kept["meter"]) == ("POWER_RESTORED", "m-7")


def test_an_event_that_names_no_device_is_refused_by_code(hub: Hub) -> None:
    body = events(event("3.26.0.47").replace("<Assets><mRID>m-1</mRID></Assets>", ""))

    assert b"1108 SCHEMA_INVALID" in send(hub, body)
