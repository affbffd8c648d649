"""Usage points that a wave may take, in pages along the routes, and what the masters say of a page, by sets."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Table, and_, exists, or_, select, tuple_
from sqlmodel import Session

from store import reference_bulk, rollout_orders
from store.billing import BILLING_ITEM
from store.master_waiting import AWAITED, WAITING
from store.master_waiting import OPEN as WAITS
from store.reference import AGREEMENT, BILL_CYCLE_DAY, INSTALLATION, USAGE_POINT
from store.reference_masters import CUSTOMER, CUSTOMER_ACCOUNT, METER, SERVICE_LOCATION, USAGE_POINT_LOCATION
from store.rows import Row, rows_of
from store.work import OPEN_STATES, WORK_ITEM

Place = tuple[str, str, str]
"""Route, district and mRID: where a page ends."""

_NEEDED: Mapping[str, tuple[str, ...]] = {
    "agreement": (
        *("agreement", "account", "usage_point", "customer_class", "cycle", "net_metering", "valid_from", "valid_to"),
    ),
    "installation": ("meter", "usage_point", "manufacturer", "serial", "installed_at", "removed_at"),
    "meter": ("meter", "model", "valid_from"),
    "usage_point_location": ("usage_point", "location", "valid_from"),
    "service_location": ("location", "town", "street", "number", "valid_from"),
    "customer_account": ("account", "customer", "valid_from"),
    "customer": ("customer", "special_need", "valid_from"),
}
"""Columns of each master that planning needs: a million rows are read."""

CORRECTIONS = ("CORRECTION_NOTICE", "REBILL_REQUESTED")
"""States of a bill item that is being put right (flows.billing_exchange)."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known now of a page of usage points, by mRID; lists hold the versions that hold now or will."""

    agreements: dict[str, list[Row]]
    installed: dict[str, list[Row]]
    """Meters that hang there at the instant, or will."""

    meters: dict[str, Row]
    """By the meter's mRID."""

    locations: dict[str, Row]
    special_needs: dict[str, str]
    """By account."""

    orders: dict[str, list[Row]]
    """Exchange orders of every wave."""

    work: dict[str, str]
    """An open work item of some codes: its code."""

    waiting: frozenset[str]
    """Usage points of which a change waits to be applied."""

    corrections: frozenset[str]
    """Usage points of which a bill is being put right."""


def page(
    session: Session,
    *,
    after: Place | None,
    districts: Collection[str],
    routes: Collection[str],
    at: datetime,
    limit: int,
) -> list[Row]:
    """Return the next usage points of some districts and routes (empty: any) that exist at an instant, by route."""
    table = USAGE_POINT.c
    query = select(USAGE_POINT).where(*_exists_at(at))
    if districts:
        query = query.where(table.district.in_(sorted(districts)))
    if routes:
        query = query.where(table.route.in_(sorted(routes)))
    if after is not None:
        query = query.where(tuple_(table.route, table.district, table.usage_point) > tuple_(*after))
    return rows_of(session, query.order_by(table.route, table.district, table.usage_point).limit(limit))


def named(session: Session, names: Collection[str], *, at: datetime) -> list[Row]:
    """Return the usage points that exist at an instant and have one of some mRIDs or names, by route."""
    table = USAGE_POINT.c
    found: dict[str, Row] = {}
    ordered = sorted(names)
    for start in range(0, len(ordered), rollout_orders.AT_ONCE):
        some = ordered[start : start + rollout_orders.AT_ONCE]
        query = select(USAGE_POINT).where(or_(table.usage_point.in_(some), table.name.in_(some)), *_exists_at(at))
        found.update((row["usage_point"], row) for row in rows_of(session, query))
    return sorted(found.values(), key=lambda row: (row["route"], row["district"], row["usage_point"]))


def _exists_at(at: datetime) -> tuple[Any, ...]:
    """Return the conditions of the one version of a usage point that holds at an instant: the one that began last."""
    later = USAGE_POINT.alias("later")
    superseded = exists().where(
        and_(
            later.c.usage_point == USAGE_POINT.c.usage_point,
            later.c.replaced_at.is_(None),
            later.c.valid_from <= at,
            later.c.valid_from > USAGE_POINT.c.valid_from,
        )
    )
    holds = or_(USAGE_POINT.c.valid_to.is_(None), USAGE_POINT.c.valid_to > at)
    return USAGE_POINT.c.replaced_at.is_(None), USAGE_POINT.c.valid_from <= at, holds, ~superseded


def standing(session: Session, usage_points: Collection[str], *, at: datetime, codes: Collection[str]) -> Standing:
    """Return what is known of usage points at an instant: a query for each kind of fact, however many they are.

    `codes` are those of open work that matters.
    """
    agreements = _grouped(_not_over(_held(session, AGREEMENT, "usage_point", usage_points), "valid_to", at))
    installed = _grouped(_not_over(_held(session, INSTALLATION, "usage_point", usage_points), "removed_at", at))
    meters = {row["meter"] for rows in installed.values() for row in rows}
    accounts = {row["account"] for rows in agreements.values() for row in rows if row["account"]}
    return Standing(
        agreements,
        installed,
        _latest(_held(session, METER, "meter", meters), "meter", at),
        _locations(session, usage_points, at),
        _special_needs(session, accounts, at),
        rollout_orders.all_of_usage_points(session, usage_points),
        _work(session, usage_points, codes),
        _waiting(session, usage_points),
        _corrections(session, usage_points),
    )


def read_dates(session: Session, *, since: date, until: date) -> dict[str, list[date]]:
    """Return the read dates of every bill cycle between two days."""
    table = BILL_CYCLE_DAY.c
    query = select(table.cycle, table.business_date).where(
        table.replaced_at.is_(None), table.business_date.between(since.isoformat(), until.isoformat())
    )
    found: dict[str, list[date]] = defaultdict(list)
    for cycle, day in session.execute(query.order_by(table.cycle, table.business_date)):
        found[cycle].append(date.fromisoformat(day))
    return dict(found)


def _held(session: Session, table: Table, column: str, values: Collection[str]) -> list[Row]:
    return reference_bulk.held(session, table, column, values, columns=_NEEDED[table.name])


def _not_over(rows: list[Row], until: str, at: datetime) -> list[Row]:
    return [row for row in rows if row[until] is None or row[until] > at]


def _grouped(rows: list[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["usage_point"]].append(row)
    return dict(found)


def _latest(rows: list[Row], key: str, at: datetime) -> dict[str, Row]:
    """Return the version of each thing that holds at an instant, or begins first after it."""
    found: dict[str, Row] = {}
    for row in sorted(
        rows, key=lambda one: (one["valid_from"] <= at, one["valid_from"] if one["valid_from"] <= at else at)
    ):
        found[row[key]] = row
    return found


def _locations(session: Session, usage_points: Collection[str], at: datetime) -> dict[str, Row]:
    """Return the premise at which each usage point lies."""
    lies = _latest(_held(session, USAGE_POINT_LOCATION, "usage_point", usage_points), "usage_point", at)
    premises = {row["location"] for row in lies.values()}
    known = _latest(_held(session, SERVICE_LOCATION, "location", premises), "location", at)
    return {point: known[row["location"]] for point, row in lies.items() if row["location"] in known}


def _special_needs(session: Session, accounts: Collection[str], at: datetime) -> dict[str, str]:
    """Return the special need of the customer of each account that has one."""
    held = _latest(_held(session, CUSTOMER_ACCOUNT, "account", accounts), "account", at)
    whose = {account: row["customer"] for account, row in held.items() if row["customer"]}
    customers = _latest(_held(session, CUSTOMER, "customer", set(whose.values())), "customer", at)
    needs = {name: row["special_need"] for name, row in customers.items() if row["special_need"]}
    return {account: needs[customer] for account, customer in whose.items() if customer in needs}


def _work(session: Session, usage_points: Collection[str], codes: Collection[str]) -> dict[str, str]:
    table = WORK_ITEM.c
    query = select(table.usage_point, table.code).where(
        table.usage_point.in_(sorted(usage_points)), table.state.in_(OPEN_STATES), table.code.in_(sorted(codes))
    )
    return {point: code for point, code in session.execute(query.order_by(table.due_at.desc(), table.work_id.desc()))}


def _waiting(session: Session, usage_points: Collection[str]) -> frozenset[str]:
    query = (
        select(AWAITED.c.object_id)
        .join(WAITING, WAITING.c.waiting_id == AWAITED.c.waiting_id)
        .where(AWAITED.c.object_id.in_(sorted(usage_points)), WAITING.c.state.in_(WAITS))
    )
    return frozenset(session.execute(query).scalars())


def _corrections(session: Session, usage_points: Collection[str]) -> frozenset[str]:
    table = BILLING_ITEM.c
    query = select(table.usage_point).where(table.usage_point.in_(sorted(usage_points)), table.state.in_(CORRECTIONS))
    return frozenset(session.execute(query).scalars())
