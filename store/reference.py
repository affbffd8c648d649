"""What the masters say: usage points, agreements, cycles, calendars, installations; effective-dated, never overwritten.

Each row has a valid time (its own `valid_from`, `installed_at`, ...) and a known time (`known_at` .. `replaced_at`).
A changed row closes the version before it and becomes a new one; a row repeated unchanged changes nothing.

Files state whole rows. Messages may state single fields: `said` then holds, for each field that a master stated at that
valid time, when it said so; a row from a file has none and counts as said whole, at `stated_at` where the file tells up
to when it is true (a first-time load), else when it became known.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Index, Table, select, update
from sqlmodel import Field, Session, SQLModel

from store import bulk, master_changes
from store.columns import Facts, Instant
from store.master_changes import NOBODY, Provenance
from store.master_lock import lock as lock
from store.rows import Row, rows_of


class UsagePointRow(SQLModel, table=True):
    """One version of a usage point."""

    __tablename__ = "usage_point"
    __table_args__ = (
        Index("usage_point_current", "usage_point", "replaced_at"),
        Index("usage_point_name", "name"),
        Index("usage_point_route", "route", "district", "usage_point"),
    )

    row: int | None = Field(default=None, primary_key=True)
    usage_point: str
    name: str
    zone: str
    commodity: str
    read_source: str
    district: str = Field(default="")
    route: str = Field(default="")
    valid_from: datetime = Field(sa_type=Instant)
    valid_to: datetime | None = Field(default=None, sa_type=Instant)
    said: dict[str, str] | None = Field(default=None, sa_type=Facts, nullable=True)
    stated_at: datetime | None = Field(default=None, sa_type=Instant, nullable=True)
    version: int
    known_at: datetime = Field(sa_type=Instant)
    replaced_at: datetime | None = Field(default=None, sa_type=Instant)


class AgreementRow(SQLModel, table=True):
    """One version of a customer agreement."""

    __tablename__ = "agreement"
    __table_args__ = (
        Index("agreement_current", "agreement", "replaced_at"),
        Index("agreement_usage_point", "usage_point"),
        Index("agreement_account", "account"),
    )

    row: int | None = Field(default=None, primary_key=True)
    agreement: str
    account: str
    usage_point: str
    customer_class: str
    tariff: str
    cycle: str
    tou_calendar: str
    net_metering: bool
    valid_from: datetime = Field(sa_type=Instant)
    valid_to: datetime | None = Field(default=None, sa_type=Instant)
    said: dict[str, str] | None = Field(default=None, sa_type=Facts, nullable=True)
    stated_at: datetime | None = Field(default=None, sa_type=Instant, nullable=True)
    version: int
    known_at: datetime = Field(sa_type=Instant)
    replaced_at: datetime | None = Field(default=None, sa_type=Instant)


class BillCycleRow(SQLModel, table=True):
    """One version of one date of the bill-cycle calendar."""

    __tablename__ = "bill_cycle_day"
    __table_args__ = (Index("bill_cycle_day_current", "cycle", "business_date", "replaced_at"),)

    row: int | None = Field(default=None, primary_key=True)
    cycle: str
    business_date: str
    period_start: datetime = Field(sa_type=Instant)
    period_end: datetime = Field(sa_type=Instant)
    version: int
    known_at: datetime = Field(sa_type=Instant)
    replaced_at: datetime | None = Field(default=None, sa_type=Instant)


class CalendarRow(SQLModel, table=True):
    """One version of a time-of-use calendar; windows and holidays as JSON text."""

    __tablename__ = "tou_calendar"
    __table_args__ = (Index("tou_calendar_current", "calendar", "replaced_at"),)

    row: int | None = Field(default=None, primary_key=True)
    calendar: str
    calendar_version: int
    zone: str
    windows: str
    holidays: str
    version: int
    known_at: datetime = Field(sa_type=Instant)
    replaced_at: datetime | None = Field(default=None, sa_type=Instant)


class InstallationRow(SQLModel, table=True):
    """One version of a meter at a usage point; registers as JSON text, the multiplier as decimal text."""

    __tablename__ = "installation"
    __table_args__ = (
        Index("installation_current", "meter", "replaced_at"),
        Index("installation_usage_point", "usage_point"),
        Index("installation_serial", "serial_normal"),
    )

    row: int | None = Field(default=None, primary_key=True)
    meter: str
    usage_point: str
    manufacturer: str
    serial: str
    serial_normal: str
    commodity: str
    installed_at: datetime = Field(sa_type=Instant)
    removed_at: datetime | None = Field(default=None, sa_type=Instant)
    multiplier: str
    registers: str
    split: bool | None = Field(default=None, nullable=True)
    """True where the meter hung before already and only its configuration changed."""
    version: int
    known_at: datetime = Field(sa_type=Instant)
    replaced_at: datetime | None = Field(default=None, sa_type=Instant)


USAGE_POINT: Table = SQLModel.metadata.tables["usage_point"]
AGREEMENT: Table = SQLModel.metadata.tables["agreement"]
BILL_CYCLE_DAY: Table = SQLModel.metadata.tables["bill_cycle_day"]
TOU_CALENDAR: Table = SQLModel.metadata.tables["tou_calendar"]
INSTALLATION: Table = SQLModel.metadata.tables["installation"]

KEYS: Mapping[str, tuple[str, ...]] = {
    "usage_point": ("usage_point", "valid_from"),
    "agreement": ("agreement", "valid_from"),
    "bill_cycle_day": ("cycle", "business_date"),
    "tou_calendar": ("calendar", "calendar_version"),
    "installation": ("meter", "usage_point", "installed_at"),
    "customer": ("customer", "valid_from"),
    "customer_account": ("account", "valid_from"),
    "service_location": ("location", "valid_from"),
    "meter": ("meter", "valid_from"),
    "usage_point_location": ("usage_point", "valid_from"),
    "topology": ("usage_point", "valid_from"),
}
"""What names one row of each master; everything else in it is content."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of rows that a master sent."""

    inserted: int = 0
    changed: int = 0
    unchanged: int = 0

    def __add__(self, other: "Recorded") -> "Recorded":
        """Return both together."""
        return Recorded(self.inserted + other.inserted, self.changed + other.changed, self.unchanged + other.unchanged)


def record(
    session: Session, table: Table, rows: Sequence[Mapping[str, Any]], *, now: datetime, by: Provenance = NOBODY
) -> Recorded:
    """Keep the rows of one master: new ones and changed ones as versions known from `now` on, as `by` says them.

    Rows hold the key and content columns of `table`, as stored. Of one key twice in `rows`, the last counts.
    """
    key = KEYS[table.name]
    wanted = {tuple(row[name] for name in key): dict(row) for row in rows}
    first = table.c[key[0]]
    known = select(table).where(first.in_({k[0] for k in wanted}), table.c.replaced_at.is_(None))
    current = {tuple(row[name] for name in key): row for row in rows_of(session, known)}
    fresh, closed, unchanged = [], [], 0
    noted: list[master_changes.Pair] = []
    for name, row in wanted.items():
        old = current.get(name)
        if old is not None and all(old[column] == value for column, value in row.items()):
            unchanged += 1
            continue
        if old is not None:
            closed.append(old["row"])
        noted.append((old, row))
        fresh.append({**row, "version": old["version"] + 1 if old is not None else 1, "known_at": now})
    if closed:
        session.execute(update(table).where(table.c.row.in_(closed)).values(replaced_at=now))
    bulk.insert(session, table, fresh)
    # Every change goes to the log in the transaction that makes it: subscribers read it by cursor, histories by object.
    master_changes.note(session, table.name, noted, by=by, now=now)
    return Recorded(len(fresh) - len(closed), len(closed), unchanged)


def current(session: Session, table: Table, column: str, values: Collection[str]) -> list[Row]:
    """Return the versions that hold now for some values of a column, by known order."""
    if not values:
        return []
    query = select(table).where(table.c[column].in_(sorted(values)), table.c.replaced_at.is_(None))
    return rows_of(session, query.order_by(table.c.row))


def replace(
    session: Session,
    table: Table,
    old: Sequence[Row],
    new: Sequence[Mapping[str, Any]],
    *,
    now: datetime,
    by: Provenance = NOBODY,
) -> bool:
    """Bring the current versions `old` to what `new` states, and return whether anything differs.

    Rows are matched by the key of `table`. What is the same stays, though somebody may have said it again; what differs
    is closed and becomes a new version; what is not in `new` any more is closed and stays known.
    """
    key = KEYS[table.name]
    before = {tuple(row[name] for name in key): row for row in old}
    fresh, closed = [], []
    noted: list[master_changes.Pair] = []
    for row in new:
        was = before.pop(tuple(row[name] for name in key), None)
        if was is not None and all(was[column] == value for column, value in row.items() if column != "said"):
            if was.get("said") != row.get("said"):
                session.execute(update(table).where(table.c.row == was["row"]).values(said=row["said"]))
            continue
        if was is not None:
            closed.append(was["row"])
        noted.append((was, row))
        fresh.append({**row, "version": was["version"] + 1 if was is not None else 1, "known_at": now})
    closed += [row["row"] for row in before.values()]
    noted += [(row, None) for row in before.values()]
    if closed:
        session.execute(update(table).where(table.c.row.in_(closed)).values(replaced_at=now))
    bulk.insert(session, table, fresh)
    master_changes.note(session, table.name, noted, by=by, now=now)
    return bool(fresh or closed)
