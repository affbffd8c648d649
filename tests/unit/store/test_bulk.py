"""Bulk statements do what one statement a row would do, and count what they did."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from sqlite3 import IntegrityError as SqliteError
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import IntegrityError as PostgresError
from sqlalchemy import Column, Engine, Integer, MetaData, String, Table, select

from store import bulk
from store.bulk import Upserted
from store.columns import Exact, Facts, Instant
from store.session import Transaction, transactions

METER = Table(
    "meter_under_test",
    MetaData(),
    Column("maker", String, primary_key=True),
    Column("serial", String, primary_key=True),
    Column("order", Integer),
    Column("multiplier", Exact),
    Column("installed_at", Instant),
    Column("facts", Facts),
)
AT = datetime(2026, 3, 8, 7, 0, tzinfo=UTC)


@pytest.fixture
def meters(engine: Engine) -> Iterator[Transaction]:
    METER.metadata.create_all(engine)
    yield transactions(engine)
    METER.metadata.drop_all(engine)


def meter(serial: str, order: int | None = 1, multiplier: str = "40.0", **facts: Any) -> dict[str, Any]:
    return {
        "maker": "ACME",
        "serial": serial,
        "order": order,
        "multiplier": Decimal(multiplier),
        "installed_at": AT,
        "facts": facts,
    }


def stored(transaction: Transaction) -> list[dict[str, Any]]:
    with transaction() as session:
        return [dict(row) for row in session.execute(select(METER).order_by(METER.c.serial)).mappings()]


def put(transaction: Transaction, rows: list[Any], **options: Any) -> Upserted:
    with transaction() as session:
        return bulk.upsert(session, METER, rows, key=("maker", "serial"), **options)


def test_an_upsert_counts_what_is_new_what_changed_and_what_stayed(meters: Transaction) -> None:
    first = put(meters, [meter("1"), meter("2"), meter("3")])
    second = put(meters, [meter("2"), meter("3", order=7), meter("4")])

    assert first == Upserted(inserted=3)
    assert second == Upserted(inserted=1, changed=1, unchanged=1)
    assert stored(meters) == [meter("1"), meter("2"), meter("3", order=7), meter("4")]


def test_values_come_back_as_they_went(meters: Transaction) -> None:
    odd = meter('tab\there "quoted" \\ back\nline', None, "0.100", note="zähler", nested=[1, {"b": 2, "a": None}])

    put(meters, [odd | {"installed_at": AT.astimezone(timezone(timedelta(hours=-5)))}])

    (found,) = stored(meters)
    assert found == odd
    assert str(found["multiplier"]) == "0.100"
    assert found["installed_at"].tzinfo is UTC


def test_the_last_of_two_rows_with_one_key_counts(meters: Transaction) -> None:
    counts = put(meters, [meter("1", 1), meter("2"), meter("1", 2)])

    assert counts == Upserted(inserted=2, repeated=1)
    assert stored(meters)[0]["order"] == 2


def test_columns_that_are_not_given_keep_their_values(meters: Transaction) -> None:
    put(meters, [meter("1", 5, "20")])

    counts = put(meters, [("ACME", "1", 6)], columns=("maker", "serial", "order"))

    assert counts == Upserted(changed=1)
    assert stored(meters) == [meter("1", 6, "20")]


def test_an_empty_value_and_a_value_differ_both_ways(meters: Transaction) -> None:
    put(meters, [meter("1", None), meter("2", 1)])

    counts = put(meters, [meter("1", 1), meter("2", None)])

    assert counts == Upserted(changed=2)


def test_a_rolled_back_upsert_leaves_nothing(meters: Transaction) -> None:
    def upsert_and_stop() -> None:
        with meters() as session:
            bulk.upsert(session, METER, [meter("1")], key=("maker", "serial"))
            raise KeyError

    with pytest.raises(KeyError):
        upsert_and_stop()

    assert stored(meters) == []


def test_an_insert_of_a_known_key_fails_whole(meters: Transaction) -> None:
    put(meters, [meter("2")])

    with pytest.raises((SqliteError, PostgresError)), meters() as session:
        bulk.insert(session, METER, [meter("1"), meter("2")])

    assert stored(meters) == [meter("2")]


@pytest.mark.parametrize("wrong", [1.5, Decimal("NaN")])
def test_an_inexact_number_is_refused(meters: Transaction, wrong: Any) -> None:
    with pytest.raises(ValueError, match="finite Decimal"):
        put(meters, [meter("1") | {"multiplier": wrong}])


def test_a_naive_instant_is_refused(meters: Transaction) -> None:
    with pytest.raises(ValueError, match="aware"):
        put(meters, [meter("1") | {"installed_at": AT.replace(tzinfo=None)}])


ROWS = st.lists(st.builds(meter, st.sampled_from("abcdef"), st.one_of(st.none(), st.integers(0, 3))), max_size=12)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(ROWS, min_size=1, max_size=4))
def test_any_batches_end_as_a_dictionary_would(meters: Transaction, batches: list[list[dict[str, Any]]]) -> None:
    with meters() as session:
        session.execute(METER.delete())
    expected: dict[str, Mapping[str, Any]] = {}

    for batch in batches:
        fresh = {row["serial"]: row for row in batch}
        counts = put(meters, batch)
        assert counts == Upserted(
            inserted=sum(serial not in expected for serial in fresh),
            changed=sum(serial in expected and expected[serial] != row for serial, row in fresh.items()),
            unchanged=sum(expected.get(serial) == row for serial, row in fresh.items()),
            repeated=len(batch) - len(fresh),
        )
        expected |= fresh

    assert stored(meters) == [expected[serial] for serial in sorted(expected)]
