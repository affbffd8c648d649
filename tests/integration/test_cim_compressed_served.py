"""Compressed payloads of typed messages: taken as if they had come unpacked, within limits of size and ratio."""

import base64
import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest
from served_cim import KWH, YEAR, errors, hub_of, message, post, result

from flows.end_device_events import WantedEvents, list_events
from services.hub import Hub


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with hub_of(tmp_path) as hub:
        yield hub


def packed(
    noun: str, inner: str, *, form: str = "<Format>XML</Format>", beside: str = "", verb: str = "Created"
) -> bytes:
    raw = f'<{noun} xmlns="{YEAR}/{noun}#">{inner}</{noun}>'.encode()
    text = base64.b64encode(gzip.compress(raw, mtime=0)).decode()
    profile = f'<{noun} xmlns="{YEAR}/{noun}#">{beside}</{noun}>'
    return message(f"{verb}{noun}", f"{profile}<Compressed>{text}</Compressed>{form}")


EVENT = (
    "<EndDeviceEvent><mRID>e-1</mRID><createdDateTime>2026-03-02T11:58:00Z</createdDateTime>"
    '<Assets><mRID>m-1</mRID></Assets><EndDeviceEventType ref="3.26.0.47"/></EndDeviceEvent>'
)
READING = (
    "<MeterReading><Meter><mRID>m-1</mRID></Meter><Readings><timeStamp>2026-03-01T00:00:00Z</timeStamp>"
    f'<value>1.5</value><ReadingType ref="{KWH}"/></Readings><UsagePoint><mRID>up-1</mRID></UsagePoint></MeterReading>'
)


def send(hub: Hub, body: bytes, noun: str = "EndDeviceEvents") -> bytes:
    return post(hub, body, f"/cim/Receive{noun}", "hes").content


@pytest.mark.parametrize("form", ["<Format>XML</Format>", ""])
def test_a_typed_message_is_taken_as_if_its_payload_were_not_compressed(hub: Hub, form: str) -> None:
    answer = send(hub, packed("EndDeviceEvents", EVENT, form=form))

    assert result(answer) == "OK"
    assert [one["mrid"] for one in list_events(WantedEvents(), transaction=hub.transaction)] == ["e-1"]


def test_readings_that_come_compressed_reach_their_owner(hub: Hub) -> None:
    answer = send(hub, packed("MeterReadings", READING), "MeterReadings")

    assert b"up-1" in answer, "nobody knows the usage point, so that the reply names it"


def test_what_is_inside_is_judged_by_its_schema(hub: Hub) -> None:
    answer = send(hub, packed("EndDeviceEvents", EVENT.replace("createdDateTime", "madeAt")))

    assert (result(answer), errors(answer)[0]["code"]) == ("FAULT", "1.8")
    assert b"1108 SCHEMA_INVALID" in answer


@pytest.mark.parametrize(
    "body",
    [
        packed("EndDeviceEvents", "<!-- " + " " * 3_000_000 + "-->"),
        packed("EndDeviceEvents", EVENT).replace(b"</Compressed>", b"!</Compressed>"),
        packed("EndDeviceEvents", EVENT, form="<Format>CSV</Format>"),
        packed("EndDeviceEvents", EVENT, beside=EVENT),
    ],
    ids=["bomb", "no base64", "no XML", "two payloads"],
)
def test_a_bomb_a_broken_one_another_format_and_a_second_payload_are_refused_by_code(hub: Hub, body: bytes) -> None:
    answer = send(hub, body)

    assert result(answer) == "FAULT"
    assert errors(answer)[0]["reason"].startswith(("1130 COMPRESSED_REFUSED", "1108 SCHEMA_INVALID"))
    assert list_events(WantedEvents(), transaction=hub.transaction) == []


def test_another_noun_inside_is_refused(hub: Hub) -> None:
    raw = packed("MeterReadings", READING).replace(b"CreatedMeterReadings", b"CreatedEndDeviceEvents")
    raw = raw.replace(b"MeterReadingsMessage", b"EndDeviceEventsMessage").replace(
        b">MeterReadings<", b">EndDeviceEvents<"
    )
    raw = raw.replace(
        f'<MeterReadings xmlns="{YEAR}/MeterReadings#"></MeterReadings>'.encode(),
        f'<EndDeviceEvents xmlns="{YEAR}/EndDeviceEvents#"></EndDeviceEvents>'.encode(),
    )

    assert result(send(hub, raw)) == "FAULT"
