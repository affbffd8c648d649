"""Every version of every determinant that was calculated, with the trail of rules behind it, and what was billed."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Index, Table, Text, and_, bindparam, func, select, update
from sqlmodel import Field, Session, SQLModel

from canonical.periods import Period
from store import bulk
from store.billing import BILLING_ITEM
from store.columns import BigInteger, Instant
from store.rows import Row, rows_of


class DeterminantRow(SQLModel, table=True):
    """One version of one determinant; `payload` is the canonical determinant as JSON."""

    __tablename__ = "determinant"
    __table_args__ = (Index("determinant_item", "item_id"), Index("determinant_history", "usage_point", "period_end"))

    determinant_id: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    item_id: str
    usage_point: str
    commodity: str
    period_start: datetime = Field(sa_type=Instant)
    period_end: datetime = Field(sa_type=Instant)
    status: str
    days: int
    quantity_micro: int = Field(sa_type=BigInteger)
    unit: str
    records: int
    """Lines that it takes in a drop: SVC and what hangs below."""
    payload: str = Field(sa_type=Text)
    trail: str = Field(sa_type=Text)
    """What was done, line by line, as JSON list of text."""
    carry: str = Field(sa_type=Text)
    """What the next bill needs of this one, as JSON: stops, residuals, daily quantity, counts."""
    calculated_at: datetime = Field(sa_type=Instant)
    locked_at: datetime | None = Field(default=None, sa_type=Instant)
    """When the CIS confirmed the bill that rests on it (ruling 2)."""


class BilledRowRow(SQLModel, table=True):
    """One row of a billed extract, or what stands for it where a site has none."""

    __tablename__ = "billed"
    __table_args__ = (Index("billed_determinant", "determinant_id"), Index("billed_notice", "interface", "notified_at"))

    billed_id: str = Field(primary_key=True)
    determinant_id: str
    version: int
    item_id: str
    bill_id: str
    period_start: datetime = Field(sa_type=Instant)
    period_end: datetime = Field(sa_type=Instant)
    quantity_micro: int = Field(sa_type=BigInteger)
    event: str
    at: datetime = Field(sa_type=Instant)
    source: str
    """File and line, or `assumed after 24h`."""
    assumed: bool = False
    matches: bool = True
    """Whether the billed quantity equals ours."""
    interface: str = ""
    notified_at: datetime | None = Field(default=None, sa_type=Instant)
    """When the notice to the MDMS was enqueued, or was found to be unneeded."""


DETERMINANT: Table = SQLModel.metadata.tables["determinant"]
BILLED: Table = SQLModel.metadata.tables["billed"]


def add(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep versions; a version that was calculated again before it was sent is replaced."""
    bulk.upsert(session, DETERMINANT, rows, key=("determinant_id", "version"))


def payloads(session: Session, names: Collection[tuple[str, int]]) -> dict[tuple[str, int], Row]:
    """Return versions by (determinant id, version)."""
    if not names:
        return {}
    query = select(DETERMINANT).where(DETERMINANT.c.determinant_id.in_(sorted({name for name, _ in names})))
    found = {(row["determinant_id"], row["version"]): row for row in rows_of(session, query)}
    return {name: found[name] for name in names if name in found}


def versions(session: Session, item_id: str) -> list[Row]:
    """Return every version of one item's determinant, in order."""
    query = select(DETERMINANT).where(DETERMINANT.c.item_id == item_id).order_by(DETERMINANT.c.version)
    return rows_of(session, query)


def before(
    session: Session, usage_points: Collection[str], span: Period, *, limit_days: int = 400
) -> dict[tuple[str, str], list[Row]]:
    """Return earlier versions with energy by (usage point, commodity), newest period first, latest version of each.

    `span` covers the periods in hand; what ends after its end is left out.
    """
    if not usage_points:
        return {}
    table = DETERMINANT.c
    columns = (
        table.determinant_id, table.version, table.item_id, table.usage_point, table.commodity, table.period_start,
        table.period_end, table.status, table.days, table.quantity_micro, table.unit, table.carry,
    )  # fmt: skip
    query = (
        select(*columns)
        .join(BILLING_ITEM, BILLING_ITEM.c.item_id == table.item_id)
        .where(
            table.usage_point.in_(sorted(usage_points)),
            table.period_end <= span.end,
            table.period_end > span.end - timedelta(days=limit_days + 1),
            table.status.not_in(("NO_READ", "HELD", "REJECTED")),
            BILLING_ITEM.c.state.not_in(("CANCELLED", "REBILL_REQUESTED")),
        )
    )
    latest: dict[str, Row] = {}
    for row in rows_of(session, query.order_by(table.version)):
        latest[row["determinant_id"]] = row
    found: dict[tuple[str, str], list[Row]] = {}
    for row in sorted(latest.values(), key=lambda r: r["period_end"], reverse=True):
        if (span.end - row["period_end"]).days <= limit_days:
            found.setdefault((row["usage_point"], row["commodity"]), []).append(row)
    return found


def lock(session: Session, names: Sequence[tuple[str, int]], *, at: datetime) -> None:
    """Mark versions as billed; the estimate in them is locked."""
    if not names:
        return
    statement = (
        update(DETERMINANT)
        .where(
            and_(DETERMINANT.c.determinant_id == bindparam("the_id"), DETERMINANT.c.version == bindparam("the_version"))
        )
        .values(locked_at=bindparam("new_at"))
    )
    values = [{"the_id": name, "the_version": version, "new_at": at} for name, version in names]
    session.connection().execute(statement, values)


def carry_over(session: Session, determinant_id: str, version: int, *, carry: str) -> None:
    """Replace what the next bill takes over from one version (a difference that the next bill settles)."""
    session.execute(
        update(DETERMINANT)
        .where(DETERMINANT.c.determinant_id == determinant_id, DETERMINANT.c.version == version)
        .values(carry=carry)
    )


def record_billed(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep rows of a billed extract; the same row again changes nothing."""
    bulk.upsert(session, BILLED, rows, key=("billed_id",))


def billed(session: Session, determinants: Collection[str]) -> list[Row]:
    """Return what is known to be billed of some determinants, in order of time."""
    if not determinants:
        return []
    query = select(BILLED).where(BILLED.c.determinant_id.in_(sorted(determinants)))
    return rows_of(session, query.order_by(BILLED.c.at, BILLED.c.billed_id))


def to_be_told(session: Session, interface: str, *, limit: int) -> list[Row]:
    """Return billed rows of which the meter data system was not told yet, oldest first."""
    query = (
        select(BILLED)
        .where(BILLED.c.interface == interface, BILLED.c.notified_at.is_(None))
        .order_by(BILLED.c.billed_id)
    )
    return rows_of(session, query.limit(limit))


def told(session: Session, ids: Collection[str], *, at: datetime) -> None:
    """Mark billed rows as told."""
    if ids:
        session.execute(update(BILLED).where(BILLED.c.billed_id.in_(sorted(ids))).values(notified_at=at))


def billed_of_run(session: Session, run_id: str) -> list[Row]:
    """Return how many items of a run the CIS billed, and their quantity, by unit."""
    query = (
        select(
            BILLING_ITEM.c.unit,
            func.count(func.distinct(BILLED.c.item_id)).label("items"),
            func.coalesce(func.sum(BILLED.c.quantity_micro), 0).label("micro"),
        )
        .join(BILLING_ITEM, BILLING_ITEM.c.item_id == BILLED.c.item_id)
        .where(BILLING_ITEM.c.run_id == run_id, BILLED.c.event != "CANCELLED")
        .group_by(BILLING_ITEM.c.unit)
    )
    return rows_of(session, query)
