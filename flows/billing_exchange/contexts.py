"""Everything that the calculation of a batch of items may look at, read with few queries for all of them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from canonical.billing import BillingRequestItem
from canonical.customers import CustomerAgreement, TouCalendar
from canonical.periods import Period
from flows.billing_exchange.context import BillContext, LastBill
from flows.billing_exchange.interface import Interface
from flows.billing_exchange.stored import last_bill
from store import billing_storms, determinants, readings, reference_book
from store.readings import Held
from store.reference_book import ReferenceBook
from store.session import Session

Row = Mapping[str, Any]
SLACK = timedelta(days=1)
"""Readings are loaded this much beyond the read window: a removal's read counts from the start of its day."""


def contexts_of(session: Session, interface: Interface, rows: Sequence[Row]) -> dict[str, BillContext]:
    """Return the context of each item by item id; an item whose usage point no master knows is left out."""
    if not rows:
        return {}
    ups = {row["usage_point"] for row in rows if row["usage_point"]}
    span = _span(interface, rows)
    book = reference_book.open_book(session, ups)
    known = readings.held(session, ups, span)
    earlier = determinants.before(session, ups, span)
    stormy = billing_storms.without_estimates(session)
    found = {}
    for row in rows:
        context = _context(interface, row, book, known.get(row["usage_point"], Held()), earlier)
        if context is not None:
            in_storm = context.usage_point.district in stormy
            found[row["item_id"]] = replace(context, in_storm=True) if in_storm else context
    return found


def with_readings(
    session: Session, interface: Interface, rows: Sequence[Row], contexts: Mapping[str, BillContext]
) -> dict[str, BillContext]:
    """Return the contexts of some items again with the readings that are now held."""
    asked = [row for row in rows if row["item_id"] in contexts]
    if not asked:
        return {}
    known = readings.held(session, {row["usage_point"] for row in asked}, _span(interface, asked))
    return {
        row["item_id"]: replace(
            contexts[row["item_id"]],
            registers=known.get(row["usage_point"], Held()).registers,
            blocks=known.get(row["usage_point"], Held()).blocks,
        )
        for row in asked
    }


def _context(
    interface: Interface,
    row: Row,
    book: ReferenceBook,
    known: Held,
    earlier: Mapping[tuple[str, str], Sequence[Row]],
) -> BillContext | None:
    """Return the context of one item, or None when its usage point is not known."""
    period = Period(row["period_start"], row["period_end"])
    up = row["usage_point"]
    point = book.usage_point_at(up, period.start) or next(iter(book.usage_points.get(up, ())), None)
    if point is None:
        return None
    agreement = book.agreement_in(up, period)
    policy = interface.policy
    return BillContext(
        item=item_of(row),
        determinant_id=row["determinant_id"],
        version=row["sent_version"] + 1,
        supersedes_id=row["supersedes_id"],
        usage_point=point,
        agreement=agreement,
        installations=book.installations_in(up, period),
        calendar=_calendar(book, agreement),
        registers=known.registers,
        blocks=known.blocks,
        last_bill=_last_bill(row, earlier.get((up, row["commodity"]), ())),
        read_window=Period(
            period.end - timedelta(minutes=policy.read_lag_minutes),
            period.end + timedelta(minutes=policy.read_lead_minutes),
        ),
        cycle=row["cycle"],
        multipliers=interface.multipliers,
    )


def item_of(row: Row) -> BillingRequestItem:
    """Return the canonical item of a stored one."""
    return BillingRequestItem(
        request_id=row["request_id"],
        reason=row["reason"],
        commodity=row["commodity"],
        period=Period(row["period_start"], row["period_end"]),
        cycle=row["cycle"],
        usage_point=row["usage_point"],
        agreement=row["agreement"],
        account=row["account"],
        replaces=row["replaces"],
        deadline=row["deadline"],
        line=row["line"],
    )


def _last_bill(row: Row, earlier: Sequence[Row]) -> LastBill | None:
    """Return the bill before this one: the newest that began before it and is not its own or what it supersedes."""
    own = (row["determinant_id"], row["supersedes_id"])
    for bill in earlier:
        if bill["determinant_id"] not in own and bill["period_start"] < row["period_start"]:
            return last_bill(bill)
    return None


def _calendar(book: ReferenceBook, agreement: CustomerAgreement | None) -> TouCalendar | None:
    """Return the newest version of the agreement's calendar."""
    if agreement is None or not agreement.tou_calendar:
        return None
    known: Collection[TouCalendar] = book.calendars.get(agreement.tou_calendar, ())
    return max(known, key=lambda c: c.version, default=None)


def _span(interface: Interface, rows: Sequence[Row]) -> Period:
    """Return the span of readings that the calculation of some items may look at."""
    policy = interface.policy
    return Period(
        min(row["period_start"] for row in rows) - timedelta(minutes=policy.read_lag_minutes) - SLACK,
        max(row["period_end"] for row in rows) + timedelta(minutes=policy.read_lead_minutes) + SLACK,
    )
