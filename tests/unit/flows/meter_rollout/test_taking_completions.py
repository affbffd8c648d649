"""Completions by file and by message: durably taken, each with one disposition, the same again without effect."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from completion_world import KWH, World, at, done, new, old
from completion_world import T as AT
from hypothesis import given
from rollout_worlds import DONE as DONE_BY_FILE

from canonical.codes.rollout import CONTRADICTORY_RESULT, DUPLICATE_RESULT
from canonical.errors import RejectedError
from canonical.master_data import MasterData, Meter, MeterExchange, ThingVerdict
from canonical.messages import FileFacts, FileIdentity, Header, Item, Message, Rejection
from canonical.metering import RegisterReading
from canonical.quality import Quality
from canonical.reading_types import register_code
from canonical.rollout import Completion, RegisterValue
from flows.file_handling import FileContext
from flows.meter_rollout.completion_facts import business_key, completion_from, facts_of, result_id
from flows.meter_rollout.completions import CompletionsHandler, is_field_work, take_exchanges
from store.session import Transaction


@pytest.fixture
def world(transaction: Transaction) -> World:
    return World(transaction)


@given(DONE_BY_FILE)
def test_a_completion_comes_back_from_its_facts_as_it_was_told(completion: Completion) -> None:
    again = completion_from(facts_of(completion))

    assert again == completion
    key = business_key(completion, "U1")
    assert result_id(key, again) == result_id(key, completion)


def test_a_file_sent_again_with_new_lines_applies_only_these(world: World) -> None:
    order = world.order(1)
    handler, file = CompletionsHandler(world.policy), _file()
    bad = Rejection(3, "7011 BAD_FIELD", "no instant", key="x")
    with world.transaction() as session:
        first = handler.handle(session, file, [_line(1, done(1)), bad], now=AT)
        again = handler.handle(session, file, [_line(1, done(1)), _line(2, done(2)), bad], now=AT)

    assert [one.verdict for one in first] == ["ACCEPTED", "REJECTED"]
    assert [(one.verdict, one.line) for one in again] == [("DUPLICATE", 1), ("ACCEPTED", 2), ("REJECTED", 3)]
    assert [(row["order_id"], row["state"], row["attempts"]) for row in world.orders()] == [(order, "DONE_IN_FIELD", 1)]
    assert world.hung() == [("O1", datetime(2025, 1, 1, tzinfo=UTC), None)]  # recorded, not believed yet


def test_a_contradicting_line_is_accepted_and_named(world: World) -> None:
    handler = CompletionsHandler(world.policy)
    with world.transaction() as session:
        handler.handle(session, _file(), [_line(1, done(1))], now=AT)
        (verdict,) = handler.handle(session, _file(), [_line(2, at(AT + timedelta(minutes=1)))], now=AT)

    assert (verdict.verdict, verdict.code) == ("ACCEPTED", "8014 CONTRADICTORY_RESULT")
    assert "effective_at" in verdict.reason


def test_a_message_of_exchanges_is_answered_by_dispositions(world: World) -> None:
    refused = ThingVerdict("U9", "UsagePoint", "REJECTED", "2001 X", "no instant")

    whole = _take(world, _exchange(1), _exchange(2))
    again = _take(world, _exchange(1))
    partly = _take(world, _exchange(3), refused=(refused,))

    assert (whole.result, whole.details["taken"], again.details["duplicate"]) == ("OK", "2", "1")
    assert (partly.result, partly.code, partly.details["rejected"]) == ("PARTIAL", "2001 X", "1")
    world.judge()
    assert [world.hung(n)[-1][0] for n in (1, 2, 3)] == ["N1", "N2", "N3"]
    assert world.readings(1)[old(1)][0] == (KWH, AT, Decimal(9))


def test_an_exchange_by_file_and_by_message_is_the_same_one(world: World) -> None:
    world.tell(done(1, final_readings=(), first_readings=()), source="contractor")
    same = _exchange(1, final_readings=(), first_readings=())

    assert _take(world, same).details == {"taken": "0", "duplicate": "1", "exception_open": "0"}


def test_a_file_names_registers_and_a_message_reading_types_of_the_same_values(world: World) -> None:
    day, night = RegisterValue("T1", Decimal(7)), RegisterValue("T2", Decimal(9))
    by_type = tuple(
        RegisterValue("", one.value, register_code("ELECTRICITY", tou=n)) for n, one in ((1, day), (2, night))
    )
    world.tell(done(1, final_readings=(day, night), first_readings=()), source="contractor")

    said = [
        world.tell(done(1, final_readings=told, first_readings=()), source="wams")[0].code
        for told in (by_type, (night, day), by_type[::-1])
    ]

    assert said == [str(DUPLICATE_RESULT), str(DUPLICATE_RESULT), str(CONTRADICTORY_RESULT)]


def test_a_message_that_deletes_exchanges_takes_them_back(world: World) -> None:
    _take(world, _exchange(1))
    world.judge()

    _take(world, _exchange(1), verb="delete")
    world.judge()

    assert world.hung() == [("O1", datetime(2025, 1, 1, tzinfo=UTC), None)]


def test_a_withdrawal_is_refused(world: World) -> None:
    with pytest.raises(RejectedError):
        _take(world, _exchange(1), verb="cancel")


def test_a_visit_in_vain_counts_and_leaves_everything_as_it_is(world: World) -> None:
    world.order(1)
    nothing: dict[str, Any] = {"removed": None, "installed": None, "final_readings": (), "first_readings": ()}

    world.take(done(1, outcome="UNABLE", unable_reason="REFUSED", **nothing))

    (order,) = world.orders()
    assert (order["state"], order["reason"], order["attempts"]) == ("UNABLE", "REFUSED", 1)
    assert (world.result()["state"], world.work()) == ("VALIDATED", set())


def _exchange(number: int, **fields: Any) -> MeterExchange:
    final = RegisterReading("", "", KWH, AT, Decimal(9), Quality.RAW, "", "wams")
    first = RegisterReading("", "", KWH, AT, Decimal(0), Quality.RAW, "", "wams")
    given_fields = {"final_readings": (final,), "first_readings": (first,), **fields}
    gone, come = (Meter(mrid, maker, serial, "ELECTRICITY", Decimal(1)) for mrid, maker, serial in
                  ((old(number), "OLDCO", f"O{number}"), (new(number), "ACME", f"N{number}")))  # fmt: skip
    return MeterExchange(f"U{number}", gone, come, AT, AT, **given_fields)


def _take(world: World, *things: MeterExchange, verb: Any = "create", refused: Any = ()) -> Any:
    payload = MasterData(verb, "MeterServiceRequests", AT, things, refused=refused)
    message = Message(Header(f"m-{verb}-{len(things)}", "wams", "created", "MeterServiceRequests"), payload)
    assert is_field_work(message)
    world.now += timedelta(seconds=1)
    with world.transaction() as session:
        return take_exchanges(session, message, policy=world.policy, now=world.now)


def _file() -> FileContext:
    identity = FileIdentity("completions", "contractor", business_date=date(2026, 3, 2))
    return FileContext("f1", "contractor", "CO.csv", identity, FileFacts({}, {}, {}, 1, 0), "0" * 64, AT)


def _line(number: int, completion: Completion) -> Item[Completion]:
    return Item(number, f"k{number}", completion)
