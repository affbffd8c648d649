"""Reading the masters for a whole batch of items with few queries, and finding what an item names."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from canonical.customers import BillCycleDay, CustomerAgreement, TouCalendar, TouWindow
from canonical.metering import Installation, Register, UsagePoint
from canonical.names import normal_serial
from canonical.periods import Period
from store.reference import AGREEMENT, BILL_CYCLE_DAY, INSTALLATION, TOU_CALENDAR, USAGE_POINT
from store.rows import Row, rows_of


@dataclass(frozen=True, slots=True)
class ReferenceBook:
    """What the masters now say about some usage points, by mRID; each list is ordered by valid time."""

    usage_points: Mapping[str, tuple[UsagePoint, ...]]
    agreements: Mapping[str, tuple[CustomerAgreement, ...]]
    installations: Mapping[str, tuple[Installation, ...]]
    calendars: Mapping[str, tuple[TouCalendar, ...]]
    """Calendars by id, highest version last."""

    def usage_point_at(self, usage_point: str, instant: datetime) -> UsagePoint | None:
        """Return the version of a usage point that holds at an instant."""
        found: UsagePoint | None = _holding(self.usage_points.get(usage_point, ()), instant)
        return found

    def agreement_in(self, usage_point: str, period: Period) -> CustomerAgreement | None:
        """Return the agreement in force at the start of the period, else the latest that begins inside it."""
        found = self.agreements.get(usage_point, ())
        at_start: CustomerAgreement | None = _holding(found, period.start)
        if at_start is not None:
            return at_start
        inside = [a for a in found if a.valid_from in period]
        return inside[-1] if inside else None

    def installations_in(self, usage_point: str, period: Period) -> tuple[Installation, ...]:
        """Return the installations that touch the period, in order."""
        return tuple(i for i in self.installations.get(usage_point, ()) if i.active.overlaps(period))


def open_book(session: Session, usage_points: Collection[str]) -> ReferenceBook:
    """Return what is known now about some usage points, in four queries."""
    points: dict[str, tuple[UsagePoint, ...]] = {}
    for row in _current(session, USAGE_POINT, USAGE_POINT.c.usage_point, usage_points, "valid_from"):
        points[row["usage_point"]] = (*points.get(row["usage_point"], ()), _usage_point(row))
    agreements: dict[str, tuple[CustomerAgreement, ...]] = {}
    for row in _current(session, AGREEMENT, AGREEMENT.c.usage_point, usage_points, "valid_from"):
        agreements[row["usage_point"]] = (*agreements.get(row["usage_point"], ()), _agreement(row))
    installed: dict[str, tuple[Installation, ...]] = {}
    for row in _current(session, INSTALLATION, INSTALLATION.c.usage_point, usage_points, "installed_at"):
        installed[row["usage_point"]] = (*installed.get(row["usage_point"], ()), _installation(row))
    wanted = {a.tou_calendar for found in agreements.values() for a in found if a.tou_calendar}
    calendars: dict[str, tuple[TouCalendar, ...]] = {}
    for row in _current(session, TOU_CALENDAR, TOU_CALENDAR.c.calendar, wanted, "calendar_version"):
        calendars[row["calendar"]] = (*calendars.get(row["calendar"], ()), _calendar(row))
    return ReferenceBook(points, agreements, installed, calendars)


def usage_points_named(session: Session, names: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Return the mRIDs of usage points by what the trade calls them (NMI, POD); more than one is ambiguous."""
    return _grouped(session, USAGE_POINT, USAGE_POINT.c.name, names)


def last_known(session: Session, usage_points: Collection[str]) -> dict[str, UsagePoint]:
    """Return what was known last of usage points that nobody stands by any more: they were taken back."""
    if not usage_points:
        return {}
    query = select(USAGE_POINT).where(USAGE_POINT.c.usage_point.in_(sorted(usage_points)))
    rows = rows_of(session, query.order_by(USAGE_POINT.c.known_at, USAGE_POINT.c.row))
    return {row["usage_point"]: _usage_point(row) for row in rows}


def usage_points_of_accounts(session: Session, accounts: Collection[str]) -> dict[str, tuple[CustomerAgreement, ...]]:
    """Return the agreements of accounts, by account."""
    found: dict[str, tuple[CustomerAgreement, ...]] = {}
    for row in _current(session, AGREEMENT, AGREEMENT.c.account, accounts, "valid_from"):
        found[row["account"]] = (*found.get(row["account"], ()), _agreement(row))
    return found


def usage_points_of_agreements(session: Session, ids: Collection[str]) -> dict[str, tuple[CustomerAgreement, ...]]:
    """Return the versions of agreements, by agreement id."""
    found: dict[str, tuple[CustomerAgreement, ...]] = {}
    for row in _current(session, AGREEMENT, AGREEMENT.c.agreement, ids, "valid_from"):
        found[row["agreement"]] = (*found.get(row["agreement"], ()), _agreement(row))
    return found


def installations_of_serials(session: Session, serials: Collection[str]) -> dict[str, tuple[Installation, ...]]:
    """Return the installations of meters by normalized serial; a serial alone is not unique (domain 0.2)."""
    found: dict[str, tuple[Installation, ...]] = {}
    wanted = {normal_serial(serial) for serial in serials}
    for row in _current(session, INSTALLATION, INSTALLATION.c.serial_normal, wanted, "installed_at"):
        found[row["serial_normal"]] = (*found.get(row["serial_normal"], ()), _installation(row))
    return found


def installations_of_meters(session: Session, meters: Collection[str]) -> dict[str, tuple[Installation, ...]]:
    """Return the installations of meters by mRID."""
    found: dict[str, tuple[Installation, ...]] = {}
    for row in _current(session, INSTALLATION, INSTALLATION.c.meter, meters, "installed_at"):
        found[row["meter"]] = (*found.get(row["meter"], ()), _installation(row))
    return found


def cycle_days(session: Session, cycle: str) -> tuple[BillCycleDay, ...]:
    """Return the dates of one bill cycle, in order."""
    rows = _current(session, BILL_CYCLE_DAY, BILL_CYCLE_DAY.c.cycle, {cycle}, "business_date")
    return tuple(
        BillCycleDay(r["cycle"], date.fromisoformat(r["business_date"]), Period(r["period_start"], r["period_end"]))
        for r in rows
    )


def history(session: Session, usage_point: str) -> dict[str, list[dict[str, Any]]]:
    """Return every version of everything ever known about one usage point, for `amihub explain`."""
    found = {}
    for table in (USAGE_POINT, AGREEMENT, INSTALLATION):
        query = select(table).where(table.c.usage_point == usage_point)
        found[table.name] = rows_of(session, query.order_by(table.c.known_at, table.c.row))
    return found


def _current(session: Session, table: Any, column: Any, values: Collection[str], order: str) -> list[Row]:
    """Return the versions that hold now for some values of one column, by valid time."""
    if not values:
        return []
    query = select(table).where(column.in_(sorted(values)), table.c.replaced_at.is_(None))
    return rows_of(session, query.order_by(table.c[order], table.c.row))


def _grouped(session: Session, table: Any, column: Any, values: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Return the distinct usage points for each value of a column."""
    found: dict[str, tuple[str, ...]] = {}
    for row in _current(session, table, column, values, "valid_from"):
        known = found.get(row[column.name], ())
        if row["usage_point"] not in known:
            found[row[column.name]] = (*known, row["usage_point"])
    return found


def _holding(versions: Any, instant: datetime) -> Any:
    """Return the version with the latest start that holds at an instant, or None."""
    found = None
    for version in versions:
        if version.valid_from <= instant and (version.valid_to is None or instant < version.valid_to):
            found = version
    return found


def _usage_point(row: Row) -> UsagePoint:
    """Return the canonical usage point of a row."""
    return UsagePoint(
        row["usage_point"], row["name"], row["zone"], row["commodity"], row["read_source"],
        row["valid_from"], row["valid_to"], district=row["district"], route=row["route"],
    )  # fmt: skip


def _agreement(row: Row) -> CustomerAgreement:
    """Return the canonical agreement of a row."""
    return CustomerAgreement(
        row["agreement"], row["account"], row["usage_point"], row["customer_class"], row["tariff"], row["cycle"],
        row["tou_calendar"], row["net_metering"], row["valid_from"], row["valid_to"],
    )  # fmt: skip


def _installation(row: Row) -> Installation:
    """Return the canonical installation of a row."""
    registers = tuple(Register(*fields) for fields in json.loads(row["registers"]))
    return Installation(
        row["usage_point"], row["meter"], row["manufacturer"], row["serial"], row["commodity"],
        row["installed_at"], row["removed_at"], Decimal(row["multiplier"]), registers,
    )  # fmt: skip


def _calendar(row: Row) -> TouCalendar:
    """Return the canonical calendar of a row."""
    windows = tuple(
        TouWindow(days, time.fromisoformat(start), time.fromisoformat(end), bucket, *season)
        for days, start, end, bucket, *season in json.loads(row["windows"])
    )
    holidays = frozenset(date.fromisoformat(day) for day in json.loads(row["holidays"]))
    return TouCalendar(row["calendar"], row["calendar_version"], row["zone"], windows, holidays)
