"""What the hub holds is said in the same holdings that a file of the same facts gives, in both directions."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from held_worlds import EPOCH, holdings, versions
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from canonical.errors import RejectedError
from canonical.holdings import FIELDS, Holding, Kind
from canonical.ids import meter_mrid
from flows.holdings import held_by_hub
from flows.reference_rows import configurations_of, row_of, rows_of
from store import reference, reference_holdings, reference_masters
from store.session import Session, Transaction

NOW = datetime(2026, 11, 3, tzinfo=UTC)
METER = meter_mrid("ACME", "a1")
PLAIN: tuple[Kind, ...] = tuple(kind for kind in FIELDS if kind != "installation")


@contextmanager
def nothing_kept(transaction: Transaction) -> Iterator[Session]:
    with transaction() as session:
        undo = session.begin_nested()
        yield session
        undo.rollback()


def record(session: Session, held: Iterable[Holding], *, now: datetime = NOW) -> None:
    for one in held:
        meters = configurations_of(session, {one.facts["meter"]}) if one.kind == "installation" else {}
        for table, row in rows_of(one, configurations=meters):
            reference.record(session, table, [row], now=now)


def key(one: Holding) -> tuple[str, datetime]:
    return one.object_id, one.valid_from


def meter(begin: datetime, **facts: str) -> Holding:
    stated = {"manufacturer": "ACME", "serial": "a1", "commodity": "ELECTRICITY", "multiplier": "1", **facts}
    return Holding("meter", METER, begin, None, stated)


def stay(begin: datetime, end: datetime | None = None, point: str = "U1") -> Holding:
    facts = {"usage_point": point, "meter": METER, "manufacturer": "ACME", "serial": "A1"}
    return Holding("installation", f"{point}/{METER}", begin, end, facts)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(held=holdings(kinds=PLAIN))
def test_what_is_recorded_is_held_in_the_same_words(transaction: Transaction, held: list[Holding]) -> None:
    found: list[Holding] = []
    with nothing_kept(transaction) as session:
        record(session, held)
        for kind in PLAIN:
            found += held_by_hub(session, kind)

    assert sorted(found, key=lambda one: (one.kind, *key(one))) == sorted(held, key=lambda one: (one.kind, *key(one)))


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(held=versions("installation"), ratio=st.sampled_from(["1", "80"]))
def test_a_stay_is_one_holding_however_often_its_meter_is_configured_anew(
    transaction: Transaction, held: list[Holding], ratio: str
) -> None:
    facts = {name: held[0].facts[name] for name in ("manufacturer", "serial")}
    master = Holding("meter", held[0].facts["meter"], EPOCH, None, facts)
    later = replace(master, valid_from=held[0].valid_from + timedelta(minutes=5), facts={**facts, "multiplier": ratio})
    with nothing_kept(transaction) as session:
        record(session, [master, later, *held])
        found = list(held_by_hub(session, "installation"))
        rows = reference.current(session, reference.INSTALLATION, "meter", {master.object_id})

    assert sorted(found, key=key) == held
    assert len(rows) == len(held) + (ratio != "1")


def test_the_next_version_ends_the_one_before_and_what_was_known_then_can_be_asked(transaction: Transaction) -> None:
    first, second = (Holding("customer", "C1", EPOCH + timedelta(days=n), None, {"name": f"N{n}"}) for n in (0, 9))
    with transaction() as session:
        record(session, [first])
        record(session, [second], now=NOW + timedelta(days=1))
        now = list(held_by_hub(session, "customer"))
        then = list(held_by_hub(session, "customer", at=NOW))

    assert now == [replace(first, valid_to=second.valid_from), second]
    assert then == [first]


def test_a_usage_point_is_parted_where_its_premise_changes(transaction: Transaction) -> None:
    facts = {"zone": "UTC", "commodity": "GAS", "read_source": "AMI"}
    point = Holding("usage_point", "U1", EPOCH, None, facts)
    moved = EPOCH + timedelta(days=3)
    with transaction() as session:
        record(session, [point])
        place = {"usage_point": "U1", "location": "L1", "valid_from": moved, "valid_to": None}
        reference.record(session, reference_masters.USAGE_POINT_LOCATION, [place], now=NOW)
        found = list(held_by_hub(session, "usage_point"))

    assert found == [
        replace(point, valid_to=moved), replace(point, valid_from=moved, facts={**facts, "location": "L1"}),
    ]  # fmt: skip


def test_stays_at_two_usage_points_are_two_and_touching_rows_of_one_are_one(transaction: Transaction) -> None:
    days = [EPOCH + timedelta(days=n) for n in range(4)]
    with transaction() as session:
        record(session, [meter(EPOCH), stay(days[0], days[1]), stay(days[1], days[2]), stay(days[3], point="U0")])
        found = list(held_by_hub(session, "installation"))

    assert sorted(found, key=lambda one: one.valid_from) == [stay(days[0], days[2]), stay(days[3], point="U0")]


def test_some_objects_and_some_partitions_can_be_asked_for(transaction: Transaction) -> None:
    held = [Holding("account", f"A{n}", EPOCH, None, {"cycle": "07"}) for n in range(6)]
    with transaction() as session:
        record(session, [*held, meter(EPOCH), stay(EPOCH, EPOCH + timedelta(days=1)), stay(NOW, point="U2")])
        some = list(held_by_hub(session, "account", objects=["A1", "A4", "A9"]))
        parted = list(held_by_hub(session, "account", partitions=lambda one: one in ("A2", "A3")))
        hung = list(held_by_hub(session, "installation", objects=[f"U2/{METER}"]))
        none = list(held_by_hub(session, "meter", objects=[]))

    assert some == [held[1], held[4]]
    assert parted == [held[2], held[3]]
    assert hung == [stay(NOW, point="U2")]
    assert none == []


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_pages_never_part_the_versions_of_a_thing(transaction: Transaction, size: int) -> None:
    held = [Holding("account", f"A{n // 3}", EPOCH + timedelta(n), None, {}) for n in range(8)]
    with transaction() as session:
        record(session, held)
        columns = ("account", "valid_from")
        pages = list(
            reference_holdings.pages(
                session, reference_masters.CUSTOMER_ACCOUNT, columns, begin="valid_from", size=size
            )
        )

    assert [row for page in pages for row in page] == [(one.object_id, one.valid_from) for one in held]
    ids = [one for page in pages for one in {row[0] for row in page}]
    assert len(ids) == len(set(ids))


def test_an_installation_of_an_unknown_meter_and_a_usage_point_without_a_zone() -> None:
    with pytest.raises(RejectedError, match="UNKNOWN_METER"):
        rows_of(stay(EPOCH))
    _, row = row_of(Holding("usage_point", "U1", EPOCH, None, {}), zone="America/Toronto")

    assert (row["zone"], row["commodity"], row["read_source"]) == ("America/Toronto", "ELECTRICITY", "AMI")
