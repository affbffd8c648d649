"""Messages of readings too large to be held: taken whole or not at all, in parts, once, whatever their size."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from served_cim import KWH, SITE, YEAR, errors, hub_of, message, post, result
from sqlmodel import func, select

from canonical.codes.message import PARTNER_AWAY
from canonical.errors import UnavailableError
from canonical.metering import Installation, UsagePoint
from flows import reference
from flows.end_device_events import WantedEvents, list_events
from iec61968 import soap_body
from services import cim_bulk
from services.hub import Hub
from store import readings
from store.claims import MessageClaim
from store.message_items import MessageItem
from store.messages import MessageBody, StoredMessage
from store.readings import RegisterReadingRow

pytestmark = pytest.mark.slow


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setattr(soap_body, "HELD_BYTES", 5_000)
    monkeypatch.setattr(cim_bulk, "PART_VALUES", 100)
    with hub_of(tmp_path) as hub:
        know(hub, 60)
        yield hub


def know(hub: Hub, number: int) -> None:
    """Tell the hub of usage points and the meters there."""
    since = datetime(2020, 1, 1, tzinfo=UTC)
    with hub.transaction() as session:
        points = [UsagePoint(f"up-{n}", f"N{n}", "UTC", "ELECTRICITY", "AMI", since) for n in range(number)]
        meters = [
            Installation(f"up-{n}", f"m-{n}", "ACME", str(n), "ELECTRICITY", since, None, Decimal(1), ())
            for n in range(number)
        ]
        reference.record(session, [*points, *meters], now=since)


def reading(number: int, *, value: str = "1.5", event: str = "") -> str:
    stamps = (f"2026-02-{day:02}T00:00:00Z" for day in range(1, 11))
    lines = (
        f'<Readings><timeStamp>{at}</timeStamp><value>{value}</value><ReadingType ref="{KWH}"/></Readings>'
        for at in stamps
    )
    return (
        f"<MeterReading>{event}<Meter><mRID>m-{number}</mRID></Meter>{''.join(lines)}"
        f"<UsagePoint><mRID>up-{number}</mRID></UsagePoint></MeterReading>"
    )


def bulk(*inner: str, number: int = 1, header: str = "") -> bytes:
    payload = f'<MeterReadings xmlns="{YEAR}/MeterReadings#">{"".join(inner)}</MeterReadings>'
    return message("CreatedMeterReadings", payload, number=number, header=header)


def send(hub: Hub, body: bytes, path: str = "/cim/ReceiveMeterReadings", user: str = "cis") -> bytes:
    return post(hub, body, path, user).content


def stored(hub: Hub) -> int:
    with hub.transaction() as session:
        return session.exec(select(func.count()).select_from(RegisterReadingRow)).one()


def test_a_large_message_is_archived_as_a_file_and_taken_in_parts(hub: Hub) -> None:
    answer = send(hub, bulk(*(reading(n) for n in range(60))))

    assert result(answer) == "OK"
    assert stored(hub) == 600
    with hub.transaction() as session:
        entry = session.exec(select(StoredMessage)).one()
        assert (entry.state, entry.verb, entry.noun) == ("done", "created", "MeterReadings")
        assert session.exec(select(MessageBody)).all() == []
        assert len(session.exec(select(MessageItem)).all()) == 6
    assert (hub.spool / entry.path).stat().st_size == entry.size
    assert [one.name for one in (hub.spool / "messages").rglob("*.part")] == []


def test_a_repeat_gets_the_first_answer_and_the_file_lies_there_once(hub: Hub) -> None:
    body = bulk(*(reading(n) for n in range(60)))

    assert send(hub, body) == send(hub, body)

    assert stored(hub) == 600
    assert len(list((hub.spool / "messages").rglob("*.xml"))) == 1


@pytest.mark.parametrize(
    ("last", "code"),
    [
        (reading(59, value="many"), "1117 BAD_XML_VALUE"),
        ("<MeterReading><Teapot/></MeterReading>", "1108 SCHEMA_INVALID"),
        (reading(59).replace(KWH, "2.3"), "1117 BAD_XML_VALUE"),
        ("<MeterReading>", "1101 NOT_XML"),
    ],
)
def test_a_mistake_at_the_very_end_refuses_the_whole(hub: Hub, last: str, code: str) -> None:
    answer = send(hub, bulk(*(reading(n) for n in range(59)), last))

    assert result(answer) == "FAULT"
    assert code in (errors(answer)[0]["reason"])
    assert stored(hub) == 0


def test_what_stands_around_the_readings_is_judged_as_in_a_small_message(hub: Hub) -> None:
    readings = [reading(n) for n in range(60)]
    body = bulk(*readings)

    assert b"1113 NOT_SUPPORTED_HERE" in send(
        hub, body.replace(b"CreatedM", b"DeletedM").replace(b">created<", b">deleted<")
    )
    assert b"1108 SCHEMA_INVALID" in send(hub, body.replace(b"11111111-2222", b"11111111+2222"))
    assert b"1109 UNKNOWN_VERB" in send(hub, body.replace(b">created<", b">changed<"))
    assert b"1102 DTD_REFUSED" in send(hub, b"<!DOCTYPE a>" + body)
    assert b"1131 BAD_SPLIT" in send(
        hub, bulk(*readings, header="<e:Property><e:Name>MessageIndex</e:Name><e:Value>x</e:Value></e:Property>")
    )
    assert post(hub, body, "/cim/ReceiveMeterReadings", "stranger").status_code == 401
    assert stored(hub) == 0


def test_a_generic_message_is_read_from_its_file_too(hub: Hub) -> None:
    typed = bulk(*(reading(n) for n in range(60))).decode()
    generic = (
        typed.replace("<CreatedMeterReadings", "<EventMessage")
        .replace("</CreatedMeterReadings", "</EventMessage")
        .replace(f"{YEAR}/MeterReadingsMessage", f"{YEAR}/schema/message")
    )

    assert result(send(hub, generic.encode(), "/cim/message")) == "OK"
    assert stored(hub) == 600


def test_events_in_a_large_message_are_kept_too(hub: Hub) -> None:
    event = (
        "<EndDeviceEvents><createdDateTime>2026-03-02T11:58:00Z</createdDateTime>"
        '<EndDeviceEventType ref="3.26.0.216"/></EndDeviceEvents>'
    )

    assert result(send(hub, bulk(*(reading(n) for n in range(58)), reading(58, event=event)), user="hes")) == "OK"

    found = list_events(WantedEvents(), transaction=hub.transaction)
    assert [(one["kind"], one["meter"]) for one in found] == [("POWER_RESTORED", "m-58")]


def test_after_a_crash_the_repeat_goes_on_behind_the_last_part(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    body, calls, keep = bulk(*(reading(n) for n in range(60))), [], readings.keep

    def dies(*arguments: object, **named: object) -> object:
        calls.append(1)
        if len(calls) == 4:
            raise UnavailableError("the database is away", code=PARTNER_AWAY)
        return keep(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(readings, "keep", dies)
    first = post(hub, body, "/cim/ReceiveMeterReadings")
    with hub.transaction() as session:
        checkpoint = session.exec(select(MessageClaim.checkpoint)).one()
    again = send(hub, body)

    assert (first.status_code, checkpoint) == (503, 30)
    assert (result(again), stored(hub), len(calls)) == ("OK", 600, 7)


def test_a_large_message_of_another_kind_is_taken_while_it_can_be_held(hub: Hub) -> None:
    inner = "".join(
        f"<EndDeviceEvent><mRID>e-{n}</mRID><createdDateTime>2026-03-02T11:58:00Z</createdDateTime>"
        f'<Assets><mRID>m-{n}</mRID></Assets><EndDeviceEventType ref="3.26.0.47"/></EndDeviceEvent>'
        for n in range(100)
    )
    payload = f'<EndDeviceEvents xmlns="{YEAR}/EndDeviceEvents#">{inner}</EndDeviceEvents>'

    assert result(send(hub, message("CreatedEndDeviceEvents", payload), "/cim/ReceiveEndDeviceEvents", "hes")) == "OK"
    assert len(list_events(WantedEvents(), transaction=hub.transaction)) == 100


def test_no_more_than_the_site_allows_is_taken_and_what_is_no_readings_has_the_limit_of_small_messages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(soap_body, "HELD_BYTES", 5_000)
    site = SITE.replace('private_key = "unused.pem"', 'private_key = "unused.pem"\nbulk_limit_bytes = 40_000_000')
    with hub_of(tmp_path, site) as hub:
        too_many = bulk("<MeterReading/>" * 3_000_000)
        other = message("CreatedEndDeviceEvents", f"<a>{'x' * 34_000_000}</a>")
        large = post(hub, too_many, "/cim/ReceiveMeterReadings")
        strange = post(hub, other, "/cim/ReceiveEndDeviceEvents")

        assert (large.status_code, b"1103 MESSAGE_TOO_LARGE" in large.content) == (413, True)
        assert (strange.status_code, b"1103 MESSAGE_TOO_LARGE" in strange.content) == (413, True)
        assert list((hub.spool / "messages").rglob("*.*")) == []


def test_what_a_process_that_died_left_half_written_is_removed_after_a_day(hub: Hub) -> None:
    folder, answers = hub.spool / "messages", hub.spool / "answers"
    folder.mkdir(exist_ok=True)
    (answers / ".answer-x").mkdir(parents=True)
    for name in (".body-old.part", ".body-new.part"):
        (folder / name).write_bytes(b"<a>")
    day_ago = hub.machine_now().timestamp() - 90_000
    for old in (folder / ".body-old.part", answers / ".answer-x"):
        os.utime(old, (day_ago, day_ago))

    assert cim_bulk.forget_unfinished(hub.spool, hub.machine_now()) == 2
    assert [one.name for one in folder.iterdir()] == [".body-new.part"]
