"""Events that devices told: each kept once with its source's own code, counted when it is told again, never dropped."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Index, Integer, Table, bindparam, cast, func, select, update
from sqlmodel import Field, Session, SQLModel

from canonical.events import EndDeviceEvent
from store import bulk
from store.columns import Facts, Instant
from store.rows import Row, rows_of

ALARM = "alarm"
"""Severity of what has an end."""

_CHUNK = 5000


class EndDeviceEventRow(SQLModel, table=True):
    """One event of one device."""

    __tablename__ = "end_device_event"
    __table_args__ = (
        Index("end_device_event_code", "source", "kind", "code"),
        Index("end_device_event_meter", "meter", "occurred_at"),
        Index("end_device_event_received", "received_at"),
    )

    event_id: str = Field(primary_key=True)
    source: str
    mrid: str
    code: str
    kind: str
    """Empty: unmapped."""
    meter: str
    serial: str
    usage_point: str
    severity: str
    occurred_at: datetime = Field(sa_type=Instant)
    reason: str
    issuer: str
    tracking_id: str
    status: str
    details: Any = Field(sa_type=Facts)
    """Name and value of each detail."""
    message_id: str
    """The message that told it first."""
    received_at: datetime = Field(sa_type=Instant)
    """Business time, as are the next two."""
    last_told_at: datetime = Field(sa_type=Instant)
    closed_at: datetime | None = Field(default=None, sa_type=Instant, nullable=True)
    told: int = 1
    """How often it came."""


END_DEVICE_EVENT: Table = SQLModel.metadata.tables["end_device_event"]


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of the events of one message; the three counts add up to the events told."""

    fresh: tuple[EndDeviceEvent, ...]
    repeated: int
    contradicting: tuple[EndDeviceEvent, ...]
    """Told before under the same id with another code, device or time: the first one stands."""


def keep(session: Session, events: Sequence[EndDeviceEvent], *, message_id: str, now: datetime) -> Kept:
    """Keep events that are new and count those that came before, also within the call."""
    known = _known(session, [one.event_id for one in events])
    fresh: dict[str, EndDeviceEvent] = {}
    again: dict[str, int] = {}
    contradicting = []
    for one in events:
        name = one.event_id
        first = fresh.get(name)
        facts = _identity(one)
        if name not in known and first is None:
            fresh[name] = one
        elif facts != (_identity(first) if first is not None else known[name]):
            contradicting.append(one)
        else:
            again[name] = again.get(name, 0) + 1
    rows = [_row(one, again.get(name, 0), message_id, now) for name, one in fresh.items()]
    bulk.upsert(session, END_DEVICE_EVENT, rows, key=("event_id",))  # another worker may add the same at this moment
    _count(session, {name: times for name, times in again.items() if name in known}, now)
    return Kept(tuple(fresh.values()), sum(again.values()), tuple(contradicting))


def _identity(one: EndDeviceEvent) -> tuple[str, str, datetime]:
    """Return what an event may not change under the same id."""
    return one.code, one.meter or one.serial or one.usage_point, one.occurred_at


def _known(session: Session, names: Sequence[str]) -> dict[str, tuple[str, str, datetime]]:
    """Return the identities of the events that are kept already."""
    table, found = END_DEVICE_EVENT.c, {}
    for start in range(0, len(names), _CHUNK):
        query = select(
            table.event_id, table.code, table.meter, table.serial, table.usage_point, table.occurred_at
        ).where(table.event_id.in_(sorted(set(names[start : start + _CHUNK]))))
        for row in rows_of(session, query):
            device = row["meter"] or row["serial"] or row["usage_point"]
            found[row["event_id"]] = (row["code"], device, row["occurred_at"])
    return found


def _count(session: Session, again: Mapping[str, int], now: datetime) -> None:
    """Count events that came again."""
    table = END_DEVICE_EVENT.c
    statement = update(END_DEVICE_EVENT).where(table.event_id == bindparam("name"))
    values = {"told": table.told + bindparam("times"), "last_told_at": now}
    if again:
        session.connection().execute(statement.values(**values), [{"name": n, "times": t} for n, t in again.items()])


def _row(one: EndDeviceEvent, again: int, message_id: str, now: datetime) -> dict[str, Any]:
    """Return the row of an event that is new."""
    return {
        "event_id": one.event_id, "source": one.source, "mrid": one.mrid, "code": one.code,
        "kind": one.kind.value if one.kind else "", "meter": one.meter, "serial": one.serial,
        "usage_point": one.usage_point, "severity": one.severity, "occurred_at": one.occurred_at,
        "reason": one.reason, "issuer": one.issuer, "tracking_id": one.tracking_id, "status": one.status,
        "details": [list(pair) for pair in one.details], "message_id": message_id, "received_at": now,
        "last_told_at": now, "closed_at": None, "told": 1 + again,
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Closed:
    """What became of events that a message closes; the counts add up to the events told."""

    closed: int
    repeated: int
    """Closed before."""

    unseen: int
    """Never told as begun: kept now, begun and over."""

    refused: tuple[EndDeviceEvent, ...]
    """No alarms: they have no end."""


def close(session: Session, events: Sequence[EndDeviceEvent], *, message_id: str, now: datetime) -> Closed:
    """End alarms: by their id, else the newest open one of the same device and code."""
    closed = repeated = 0
    unseen, refused = [], []
    for one in events:
        row = _to_close(session, one)
        if row is None:
            unseen.append(one)
        elif row["severity"] != ALARM:
            refused.append(one)
        elif row["closed_at"] is not None:
            repeated += 1
        else:
            table = END_DEVICE_EVENT.c
            values = {"closed_at": now, "last_told_at": now}
            session.execute(update(END_DEVICE_EVENT).where(table.event_id == row["event_id"]).values(**values))
            closed += 1
    rows = [_row(one, 0, message_id, now) | {"closed_at": now} for one in unseen]
    bulk.upsert(session, END_DEVICE_EVENT, rows, key=("event_id",))
    return Closed(closed, repeated, len(unseen), tuple(refused))


def _to_close(session: Session, one: EndDeviceEvent) -> Row | None:
    """Return the event that is meant."""
    table = END_DEVICE_EVENT.c
    columns = select(table.event_id, table.severity, table.closed_at)
    found = rows_of(session, columns.where(table.event_id == one.event_id))
    if not found and not one.mrid:
        alike = (
            *(table.source == one.source, table.code == one.code, table.meter == one.meter),
            *(table.serial == one.serial, table.usage_point == one.usage_point),
            *(table.severity == ALARM, table.closed_at.is_(None)),
        )
        found = rows_of(session, columns.where(*alike).order_by(table.occurred_at.desc()).limit(1))
    return found[0] if found else None


def listed(
    session: Session, *, source: str = "", meter: str = "", kind: str = "", unmapped: bool = False, limit: int = 200
) -> list[Row]:
    """Return events, newest first; `meter` is an mRID or a serial."""
    table = END_DEVICE_EVENT.c
    query = select(END_DEVICE_EVENT)
    for column, value in ((table.source, source), (table.kind, kind)):
        query = query.where(column == value) if value else query
    if meter:
        query = query.where((table.meter == meter) | (table.serial == meter))
    if unmapped:
        query = query.where(table.kind == "")
    return rows_of(session, query.order_by(table.occurred_at.desc(), table.event_id).limit(limit))


def counts(session: Session) -> Iterator[Row]:
    """Yield how often each source told each code, and what it is taken for: events, tellings, and still open alarms."""
    table = END_DEVICE_EVENT.c
    still_open = func.sum(cast((table.severity == ALARM) & table.closed_at.is_(None), Integer))
    query = select(
        table.source, table.code, table.kind, func.count().label("events"),
        func.sum(table.told).label("told"), still_open.label("open"),
    )  # fmt: skip
    yield from rows_of(session, query.group_by(table.source, table.code, table.kind).order_by(table.source, table.code))
