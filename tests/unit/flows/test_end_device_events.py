"""Events of devices: kept once whatever their dialect, unmapped ones are work, alarms end once."""

from datetime import UTC, datetime, timedelta

import store.tables  # noqa: F401
from canonical.event_kinds import EventKind
from canonical.events import EndDeviceEvent, EventsTold, ReadingsWithEvents
from canonical.messages import Header, Message, Reply
from canonical.metering import MeterReadings
from canonical.replies import said_in
from flows import end_device_events as flow
from flows.work import list_work
from store.session import Session, Transaction

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def event(mrid: str = "", code: str = "3.26.0.85", *, minute: int = 0, severity: str = "alarm") -> EndDeviceEvent:
    kind = EventKind.POWER_LOST if code == "3.26.0.85" else None
    at = NOW - timedelta(minutes=minute)
    return EndDeviceEvent("hes", code, kind, at, mrid, meter="m-1", severity=severity)


def told(*events: EndDeviceEvent, is_over: bool = False) -> Message[EventsTold]:
    header = Header("msg-1", "hes", "closed" if is_over else "created", "EndDeviceEvents", "c-1")
    return Message(header, EventsTold(events, is_over))


def take(transaction: Transaction, message: Message[EventsTold]) -> Reply:
    with transaction() as session:
        return flow.events_told(session, message, now=NOW)


def test_an_event_told_again_is_counted_and_kept_once_with_and_without_an_id_of_its_own(
    transaction: Transaction,
) -> None:
    message = told(event("e-1"), event("e-1"), event(minute=1), event(minute=1), event(minute=2))

    first, again = take(transaction, message), take(transaction, message)

    assert first.details == {"stored": "3", "repeated": "2", "unmapped": "0"}
    assert again.details == {"stored": "0", "repeated": "5", "unmapped": "0"}
    rows = flow.list_events(flow.WantedEvents(), transaction=transaction)
    assert sorted(row["told"] for row in rows) == [2, 4, 4]
    assert [row["events"] for row in flow.count_events(transaction=transaction)] == [3]


def test_an_id_that_comes_again_for_something_else_is_refused_by_name_and_the_first_stands(
    transaction: Transaction,
) -> None:
    take(transaction, told(event("e-1")))

    reply = take(transaction, told(event("e-1", minute=5), event("e-2")))

    assert (reply.result, reply.code) == ("PARTIAL", "1151 EVENT_CONTRADICTS")
    assert [(one.object_type, one.object_id) for one in said_in(reply.details)] == [("EndDeviceEvent", "e-1")]
    kept = {row["mrid"]: row["occurred_at"] for row in flow.list_events(flow.WantedEvents(), transaction=transaction)}
    assert kept == {"e-1": NOW, "e-2": NOW}


def test_an_unmapped_code_is_kept_and_is_one_piece_of_work_however_often_it_comes(transaction: Transaction) -> None:
    for number in range(3):
        take(transaction, told(*(event(f"e-{number}-{n}", "3.99.1.2", severity="") for n in range(4))))

    unmapped = flow.list_events(flow.WantedEvents(unmapped=True), transaction=transaction)
    work = list_work(transaction=transaction)

    assert (len(unmapped), {row["code"] for row in unmapped}) == (12, {"3.99.1.2"})
    assert [(row["code"], row["key"], row["seen"]) for row in work] == [("1150 UNMAPPED_EVENT", "hes/3.99.1.2", 3)]


def test_an_alarm_ends_once_and_what_is_no_alarm_has_no_end(transaction: Transaction) -> None:
    take(transaction, told(event("e-1"), event("e-2", severity="information"), event(minute=9)))

    over = take(transaction, told(event("e-1"), event("e-2"), event(minute=0), event("new"), is_over=True))
    again = take(transaction, told(event("e-1"), is_over=True))

    assert (over.result, over.code) == ("PARTIAL", "1153 EVENT_NOT_ALARM")
    assert {name: over.details[name] for name in ("closed", "repeated", "unseen")} == {
        "closed": "2",
        "repeated": "0",
        "unseen": "1",
    }
    assert again.details["repeated"] == "1"
    rows = flow.list_events(flow.WantedEvents(), transaction=transaction)
    assert {row["mrid"]: row["closed_at"] is not None for row in rows} == {
        "e-1": True,
        "e-2": False,
        "": True,
        "new": True,
    }


def test_events_between_readings_are_kept_and_the_readings_go_on(transaction: Transaction) -> None:
    seen: list[Message[tuple[MeterReadings, ...]]] = []

    def handle(session: Session, message: Message[tuple[MeterReadings, ...]]) -> Reply:
        seen.append(message)
        return Reply("OK", "c-1", details={"stored": "1"})

    header = Header("msg-1", "hes", "created", "MeterReadings", "c-1")
    with transaction() as session:
        message = Message(header, ReadingsWithEvents((MeterReadings("up-1", "m-1"),), (event("e-1"),)))
        reply = flow.readings_with_events(session, message, handle=handle, now=NOW)

    assert reply.details == {"stored": "1", "events_stored": "1", "events_repeated": "0", "events_unmapped": "0"}
    assert [one.payload[0].usage_point for one in seen] == ["up-1"]
