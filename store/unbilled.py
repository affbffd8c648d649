"""The unbilled-revenue register: an entry for each agreement and day, totals of each day for good (domain 4.8).

Quantities are counted in millionths of their unit, money in minor units of the site's currency: sums are exact in SQL.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Index, Integer, Table, Text, case, cast, delete, func, insert, select
from sqlmodel import Field, Session, SQLModel

from store import bulk
from store.columns import BigInteger, Facts, Instant
from store.rows import Row, first_of, rows_of


class UnbilledRow(SQLModel, table=True):
    """What one agreement (or one meter without any) had unbilled on one day."""

    __tablename__ = "unbilled"
    __table_args__ = (Index("unbilled_worth", "day", "money_minor"), Index("unbilled_usage_point", "usage_point"))

    day: str = Field(primary_key=True)
    """Local date of the utility, ISO 8601."""
    agreement: str = Field(primary_key=True)
    """Empty for a meter without agreement."""
    usage_point: str = Field(primary_key=True)
    account: str
    customer_class: str
    tariff: str
    cycle: str
    commodity: str
    unit: str
    reason: str
    evidence: str = Field(sa_type=Text)
    as_of: datetime = Field(sa_type=Instant)
    since: datetime = Field(sa_type=Instant)
    since_by: str
    due: str
    age_days: int
    age: str
    basis: str
    average_by: str
    quantity_micro: int = Field(sa_type=BigInteger)
    """Delivered and unbilled, all parts together."""
    averaged_micro: int = Field(sa_type=BigInteger)
    corrected_micro: int = Field(sa_type=BigInteger)
    received_micro: int = Field(sa_type=BigInteger)
    money_minor: int | None = Field(default=None, sa_type=BigInteger, nullable=True)
    read_at: datetime | None = Field(default=None, sa_type=Instant)
    billed_reads: dict[str, str] = Field(sa_type=Facts)
    latest_reads: dict[str, str] = Field(sa_type=Facts)
    work: list[str] = Field(sa_type=Facts)
    counted_at: datetime = Field(sa_type=Instant)
    """Business time of the run that wrote it."""


class UnbilledTotalRow(SQLModel, table=True):
    """Totals of one day for one kind of entry; the trend is made of them."""

    __tablename__ = "unbilled_total"

    day: str = Field(primary_key=True)
    reason: str = Field(primary_key=True)
    age: str = Field(primary_key=True)
    customer_class: str = Field(primary_key=True)
    tariff: str = Field(primary_key=True)
    cycle: str = Field(primary_key=True)
    commodity: str = Field(primary_key=True)
    unit: str = Field(primary_key=True)
    entries: int
    quantity_micro: int = Field(sa_type=BigInteger)
    averaged_micro: int = Field(sa_type=BigInteger)
    received_micro: int = Field(sa_type=BigInteger)
    money_minor: int = Field(sa_type=BigInteger)
    unpriced: int
    """Entries for which the site states no rate."""


class UnbilledRunRow(SQLModel, table=True):
    """The latest run for one day."""

    __tablename__ = "unbilled_run"

    day: str = Field(primary_key=True)
    as_of: datetime = Field(sa_type=Instant)
    counted_at: datetime = Field(sa_type=Instant)
    state: str
    """RUNNING or DONE; a run that died is RUNNING until the day is run again."""
    currency: str
    minor_digits: int
    entries: int = 0


UNBILLED: Table = SQLModel.metadata.tables["unbilled"]
UNBILLED_TOTAL: Table = SQLModel.metadata.tables["unbilled_total"]
UNBILLED_RUN: Table = SQLModel.metadata.tables["unbilled_run"]

KEPT = ("reason", "age", "customer_class", "tariff", "cycle", "commodity", "unit")
"""By what totals are kept."""

KEY = ("day", "agreement", "usage_point")


def begin(session: Session, row: Mapping[str, Any]) -> None:
    """Record that a day is being counted."""
    bulk.upsert(session, UNBILLED_RUN, [row], key=("day",))


def write(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep entries; what an earlier run of the same day said of the same agreement is replaced."""
    bulk.upsert(session, UNBILLED, rows, key=KEY)


def finish(session: Session, day: date, *, counted_at: datetime, keep_since: date) -> int:
    """Drop what only earlier runs of the day said, make the day's totals, forget old entries; return the entries."""
    table, text = UNBILLED.c, day.isoformat()
    session.execute(delete(UNBILLED).where(table.day == text, table.counted_at < counted_at))
    session.execute(delete(UNBILLED).where(table.day < keep_since.isoformat()))
    session.execute(delete(UNBILLED_TOTAL).where(UNBILLED_TOTAL.c.day == text))
    kinds = [table[name] for name in ("day", *KEPT)]
    sums = (
        func.count(),
        *(cast(func.sum(table[f"{name}_micro"]), BigInteger) for name in ("quantity", "averaged", "received")),
        cast(func.coalesce(func.sum(table.money_minor), 0), BigInteger),
        cast(func.sum(case((table.money_minor.is_(None), 1), else_=0)), Integer),
    )
    names = ["day", *KEPT, "entries", "quantity_micro", "averaged_micro", "received_micro", "money_minor", "unpriced"]
    made = select(*kinds, *sums).where(table.day == text).group_by(*kinds)
    session.execute(insert(UNBILLED_TOTAL).from_select(names, made))
    entries = int(session.execute(select(func.count()).where(table.day == text)).scalar() or 0)
    values = {"state": "DONE", "entries": entries}
    session.execute(UNBILLED_RUN.update().where(UNBILLED_RUN.c.day == text).values(**values))
    return entries


def run_of(session: Session, day: str) -> Row | None:
    """Return the latest run for a day."""
    return first_of(session, select(UNBILLED_RUN).where(UNBILLED_RUN.c.day == day))


def runs_since(session: Session, day: date) -> list[Row]:
    """Return the runs that were done for a day and later ones, oldest day first."""
    runs = UNBILLED_RUN.c
    query = select(UNBILLED_RUN).where(runs.state == "DONE", runs.day >= day.isoformat())
    return rows_of(session, query.order_by(runs.day))


def latest_day(session: Session) -> str:
    """Return the latest day that was counted whole, or nothing."""
    query = select(func.max(UNBILLED_RUN.c.day)).where(UNBILLED_RUN.c.state == "DONE")
    return str(session.execute(query).scalar() or "")


def totals(session: Session, day: str, by: Sequence[str]) -> list[Row]:
    """Return the totals of a day by some of `KEPT`, in their order."""
    return _summed(session, by, UNBILLED_TOTAL.c.day == day)


def trend(session: Session, day: str, *, days: int, by: Sequence[str] = ()) -> list[Row]:
    """Return totals by day (and unit, and some of `KEPT`) over the last counted days up to one, oldest first."""
    last = (
        select(UNBILLED_TOTAL.c.day)
        .where(UNBILLED_TOTAL.c.day <= day)
        .distinct()
        .order_by(UNBILLED_TOTAL.c.day.desc())
        .limit(days)
    )
    return _summed(session, ("day", *by), UNBILLED_TOTAL.c.day.in_(last))


def _summed(session: Session, by: Sequence[str], which: Any) -> list[Row]:
    """Return totals by some columns and by unit: energy of different units is never added."""
    table = UNBILLED_TOTAL.c
    keys = [table[name] for name in dict.fromkeys((*by, "unit"))]
    summed = ("entries", "quantity_micro", "averaged_micro", "received_micro", "money_minor", "unpriced")
    query = select(*keys, *(cast(func.sum(table[name]), BigInteger).label(name) for name in summed)).where(which)
    return rows_of(session, query.group_by(*keys).order_by(*keys))


def top(session: Session, day: str, *, limit: int) -> list[Row]:
    """Return the entries of a day that are worth most; those without a rate come last, by quantity."""
    table = UNBILLED.c
    order = (func.coalesce(table.money_minor, -1).desc(), table.quantity_micro.desc(), table.agreement)
    return rows_of(session, select(UNBILLED).where(table.day == day).order_by(*order).limit(limit))


def of_reason(session: Session, day: str, reason: str, *, limit: int) -> list[Row]:
    """Return the entries of a day with one reason, oldest first."""
    table = UNBILLED.c
    query = select(UNBILLED).where(table.day == day, table.reason == reason)
    return rows_of(session, query.order_by(table.age_days.desc(), table.agreement, table.usage_point).limit(limit))


def of_usage_points(session: Session, day: str, *, after: str = "", limit: int) -> list[Row]:
    """Return the entries of a day in order of usage point, all of at most `limit` usage points behind `after`."""
    table = UNBILLED.c
    some = select(table.usage_point).where(table.day == day, table.usage_point > after).distinct()
    wanted = some.order_by(table.usage_point).limit(limit)
    query = select(UNBILLED).where(table.day == day, table.usage_point.in_(wanted))
    return rows_of(session, query.order_by(table.usage_point, table.agreement))


def entries(session: Session, day: str, *, after: tuple[str, str] = ("", ""), limit: int = 5000) -> list[Row]:
    """Return the entries of a day in order of agreement and usage point, from behind a pair of them on."""
    table = UNBILLED.c
    behind = (table.agreement > after[0]) | ((table.agreement == after[0]) & (table.usage_point > after[1]))
    query = select(UNBILLED).where(table.day == day, behind)
    return rows_of(session, query.order_by(table.agreement, table.usage_point).limit(limit))
