"""Storm mode by district: since when, by whom and why nothing is billed on estimates there (domain 4.3)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Index, Table, Text, func, select, update
from sqlmodel import Field, Session, SQLModel

from store import acts, bulk
from store.billing import BILLING_ITEM, BILLING_RUN
from store.columns import Instant
from store.reference import USAGE_POINT
from store.rows import Row, rows_of


class StormRow(SQLModel, table=True):
    """One storm in one district; a district is in storm mode while a row of it has no end."""

    __tablename__ = "billing_storm"
    __table_args__ = (Index("billing_storm_open", "district", "ended_at"),)

    storm_id: str = Field(primary_key=True)
    district: str
    since: datetime = Field(sa_type=Instant)
    by: str
    reason: str = Field(sa_type=Text)
    overridden_at: datetime | None = Field(default=None, sa_type=Instant)
    """From when on estimates are billed again although the storm goes on; a person decided it."""
    ended_at: datetime | None = Field(default=None, sa_type=Instant)


STORM: Table = SQLModel.metadata.tables["billing_storm"]


def begin(session: Session, storm_id: str, district: str, *, by: str, reason: str, now: datetime) -> None:
    """Put a district into storm mode, and keep who did it."""
    row = {"storm_id": storm_id, "district": district, "since": now, "by": by, "reason": reason,
           "overridden_at": None, "ended_at": None}  # fmt: skip
    bulk.insert(session, STORM, [row])
    acts.note(session, _subject(district), "storm_on", by=by, reason=reason, at=now)


def end(session: Session, storm: Mapping[str, Any], *, by: str, reason: str, now: datetime) -> None:
    """End the storm mode of a district, and keep who did it."""
    session.execute(update(STORM).where(STORM.c.storm_id == storm["storm_id"]).values(ended_at=now))
    acts.note(session, _subject(storm["district"]), "storm_off", by=by, reason=reason, at=now)


def override(session: Session, storm: Mapping[str, Any], *, by: str, reason: str, now: datetime) -> None:
    """Allow estimates in a district while its storm goes on, and keep who did it."""
    session.execute(update(STORM).where(STORM.c.storm_id == storm["storm_id"]).values(overridden_at=now))
    acts.note(session, _subject(storm["district"]), "storm_override", by=by, reason=reason, at=now)


def active(session: Session) -> dict[str, Row]:
    """Return the storm of each district that is in storm mode, overridden or not."""
    query = select(STORM).where(STORM.c.ended_at.is_(None)).order_by(STORM.c.district)
    return {row["district"]: row for row in rows_of(session, query)}


def without_estimates(session: Session) -> frozenset[str]:
    """Return the districts in which no estimate may be billed now."""
    return frozenset(name for name, row in active(session).items() if row["overridden_at"] is None)


def listed(session: Session, *, limit: int) -> list[Row]:
    """Return the latest storms, the newest first; open ones before all others."""
    query = select(STORM).order_by(STORM.c.ended_at.is_not(None), STORM.c.since.desc(), STORM.c.district)
    return rows_of(session, query.limit(limit))


def acts_of(session: Session, district: str) -> list[Row]:
    """Return who switched the storm mode of a district, when and why, in order."""
    table = acts.Act.__table__  # type: ignore[attr-defined]
    return rows_of(session, select(table).where(table.c.subject == _subject(district)).order_by(table.c.number))


def has_usage_points(session: Session, district: str) -> bool:
    """Return whether the masters name any usage point in a district."""
    query = select(USAGE_POINT.c.row).where(USAGE_POINT.c.district == district, USAGE_POINT.c.replaced_at.is_(None))
    return session.execute(query.limit(1)).first() is not None


def waiting_by_district(session: Session, interface: str, states: Sequence[str]) -> dict[str, int]:
    """Return how many items of open runs were asked for and still wait for reads, by district."""
    return _by_district(session, interface, BILLING_ITEM.c.state.in_(states))


def due_by_district(session: Session, interface: str, districts: Sequence[str]) -> dict[str, int]:
    """Return how many items open runs have in some districts."""
    return _by_district(session, interface, USAGE_POINT.c.district.in_(districts))


def _by_district(session: Session, interface: str, condition: Any) -> dict[str, int]:
    item, run, point = BILLING_ITEM, BILLING_RUN, USAGE_POINT
    query = (
        select(point.c.district, func.count(func.distinct(item.c.item_id)).label("items"))
        .select_from(item)
        .join(run, run.c.run_id == item.c.run_id)
        .join(point, point.c.usage_point == item.c.usage_point)
        .where(
            run.c.interface == interface, run.c.state == "OPEN", point.c.replaced_at.is_(None),
            point.c.district != "", condition,
        )
        .group_by(point.c.district)
    )  # fmt: skip
    return {row["district"]: int(row["items"]) for row in rows_of(session, query)}


def _subject(district: str) -> str:
    """Return what acts about a district are kept under."""
    return f"storm {district}"
