"""What a column is given comes back, on both databases: the same instant, digits and facts."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, Engine, Integer, MetaData, Table
from sqlalchemy.exc import StatementError

from store.columns import Exact, Facts, Instant
from store.session import Transaction, transactions

KEPT = Table(
    "columns_under_test",
    MetaData(),
    Column("number", Integer, primary_key=True),
    Column("at", Instant),
    Column("amount", Exact),
    Column("facts", Facts),
)
ZONES = st.sampled_from([UTC, ZoneInfo("America/Toronto"), ZoneInfo("Australia/Lord_Howe"), ZoneInfo("Asia/Kolkata")])
INSTANTS = st.datetimes(datetime(1971, 1, 1), datetime(2199, 1, 1), timezones=ZONES)  # noqa: DTZ001
AMOUNTS = st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**12), max_value=10**12).map(abs)
FACTS = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
).filter(lambda value: "\0" not in repr(value) and "\\x00" not in repr(value))


@pytest.fixture
def kept(engine: Engine) -> Iterator[Transaction]:
    KEPT.metadata.create_all(engine)
    yield transactions(engine)
    KEPT.metadata.drop_all(engine)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=INSTANTS, amount=AMOUNTS, facts=FACTS)
def test_a_value_comes_back_as_it_went(kept: Transaction, at: datetime, amount: Decimal, facts: Any) -> None:
    with kept() as session:
        session.execute(KEPT.delete())
        session.execute(KEPT.insert().values(number=1, at=at, amount=amount, facts=facts))

    with kept() as session:
        row = session.execute(KEPT.select()).one()
    assert (row.at, row.at.tzinfo) == (at.astimezone(UTC), UTC)
    assert (row.amount, str(row.amount)) == (amount, format(amount, "f"))
    assert row.facts == facts


def test_instants_are_ordered_and_compared_as_instants(kept: Transaction) -> None:
    toronto = ZoneInfo("America/Toronto")
    first, second = (datetime(2026, 11, 1, 1, 30, tzinfo=toronto, fold=fold) for fold in (0, 1))
    with kept() as session:
        session.execute(KEPT.insert(), [{"number": 2, "at": second}, {"number": 1, "at": first}])

    with kept() as session:
        ordered = session.execute(KEPT.select().order_by(KEPT.c.at)).all()
        after = session.execute(KEPT.select().where(KEPT.c.at > first.astimezone(UTC))).all()

    assert [row.number for row in ordered] == [1, 2]
    assert [row.number for row in after] == [2]


@pytest.mark.parametrize(
    ("column", "wrong"),
    [("at", datetime(2026, 1, 1)), ("amount", 0.1), ("amount", Decimal("Infinity"))],  # noqa: DTZ001
)
def test_what_is_not_exact_is_refused(kept: Transaction, column: str, wrong: Any) -> None:
    with pytest.raises(StatementError, match=r"aware|finite Decimal"), kept() as session:
        session.execute(KEPT.insert().values(number=1, **{column: wrong}))
