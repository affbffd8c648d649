"""What is known of a batch of agreements, read with few queries for all of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from canonical.customers import BillCycleDay, CustomerAgreement
from canonical.metering import Installation
from canonical.periods import Period
from canonical.reading_types import Commodity
from flows.unbilled.bills import Billed, billed_of
from flows.unbilled.policy import Policy
from flows.unbilled.spans import horizon_of
from flows.unbilled.subject import Asked, Subject
from store import reference_book, unbilled_subjects, work
from store.reference_book import ReferenceBook
from store.session import Session

Row = Mapping[str, Any]
NOTICED = "CORRECTION_NOTICE"
AGAIN = "REBILL_REQUESTED"


class Cycles:
    """Dates of bill cycles, each read once in a run."""

    def __init__(self) -> None:
        """Nothing is known yet."""
        self._known: dict[str, tuple[BillCycleDay, ...]] = {}

    def of(self, session: Session, cycle: str) -> tuple[BillCycleDay, ...]:
        """Return the dates of a cycle; none for an agreement that names no cycle."""
        if cycle and cycle not in self._known:
            self._known[cycle] = reference_book.cycle_days(session, cycle)
        return self._known.get(cycle, ())


@dataclass(frozen=True, slots=True)
class _Known:
    """What a batch of subjects is made of."""

    book: ReferenceBook
    billed: Mapping[tuple[str, str], Billed]
    items: Mapping[str, Sequence[Row]]
    work: Mapping[str, Sequence[Row]]


def with_agreement(
    session: Session, rows: Iterable[Row], policy: Policy, cycles: Cycles, *, as_of: datetime
) -> list[Subject]:
    """Return the subjects of agreements (rows of the store), without their readings."""
    wanted = {row["agreement"]: row["usage_point"] for row in rows}
    known = _known(session, set(wanted.values()), policy, as_of=as_of)
    since = unbilled_subjects.first_known(session, set(wanted))
    found = []
    for name, usage_point in wanted.items():
        versions = [
            a for a in known.book.agreements.get(usage_point, ()) if a.agreement == name and a.valid_from <= as_of
        ]
        if versions:
            days = cycles.of(session, versions[-1].cycle)
            found.append(_agreed(versions, known, days, as_of=as_of, known_since=since[name]))
    return found


def without_agreement(
    session: Session, usage_points: Sequence[str], policy: Policy, *, as_of: datetime
) -> list[Subject]:
    """Return the subjects of usage points where a meter hangs and no agreement is active, without their readings."""
    known = _known(session, set(usage_points), policy, as_of=as_of)
    since = unbilled_subjects.first_hung(session, usage_points)
    return [_unowned(usage_point, known, as_of=as_of, known_since=since[usage_point]) for usage_point in usage_points]


def _known(session: Session, usage_points: set[str], policy: Policy, *, as_of: datetime) -> _Known:
    """Return what masters, bills, items and work say of some usage points."""
    horizon = horizon_of(as_of, policy)
    items: dict[str, list[Row]] = {}
    noticed = set()
    for row in unbilled_subjects.open_items(session, usage_points, since=horizon):
        items.setdefault(row["usage_point"], []).append(row)
        if row["state"] == NOTICED:
            noticed.add(row["determinant_id"])
    todo: dict[str, list[Row]] = {}
    for row in work.open_of_usage_points(session, usage_points):
        todo.setdefault(row["usage_point"], []).append(row)
    # A bill may reach a little beyond the instant: its period ended before, its end is stated in local days.
    span = Period(horizon, as_of + timedelta(days=1))
    billed = billed_of(session, usage_points, span, noticed=noticed, horizon_days=policy.horizon_days)
    return _Known(reference_book.open_book(session, usage_points), billed, items, todo)


def _agreed(
    versions: Sequence[CustomerAgreement],
    known: _Known,
    days: tuple[BillCycleDay, ...],
    *,
    as_of: datetime,
    known_since: datetime,
) -> Subject:
    """Return the subject of one agreement."""
    agreement = versions[-1]
    ended = agreement.valid_to
    is_over = ended is not None and ended <= as_of
    span = Period(versions[0].valid_from, ended if is_over and ended is not None else as_of)
    calendars = known.book.calendars.get(agreement.tou_calendar, ())
    calendar = max(calendars, key=lambda c: c.version, default=None)
    made = _subject(agreement, agreement.usage_point, span, known, known_since=known_since)
    return replace(made, calendar=calendar, cycle_days=days, is_over=is_over)


def _unowned(usage_point: str, known: _Known, *, as_of: datetime, known_since: datetime) -> Subject:
    """Return the subject of a usage point that nobody has an agreement for: since the last one ended."""
    hung = [i for i in known.book.installations.get(usage_point, ()) if i.installed_at <= as_of]
    ends = [a.valid_to for a in known.book.agreements.get(usage_point, ()) if a.valid_to and a.valid_to <= as_of]
    start = max([min(i.installed_at for i in hung), *ends])
    return _subject(None, usage_point, Period(start, as_of), known, known_since=known_since)


def _subject(
    agreement: CustomerAgreement | None,
    usage_point: str,
    span: Period,
    known: _Known,
    *,
    known_since: datetime,
) -> Subject:
    """Return a subject with everything but its readings and what only an agreement has."""
    point = known.book.usage_point_at(usage_point, span.end) or next(
        reversed(known.book.usage_points.get(usage_point, ())), None
    )
    installations = known.book.installations.get(usage_point, ())
    commodity: Commodity = point.commodity if point is not None else _commodity_of(installations)
    billed = known.billed.get((usage_point, commodity), Billed())
    bills = tuple(b for b, _ in billed.standing if b.period.end >= span.start and b.period.start < span.end)
    items = [row for row in known.items.get(usage_point, ()) if row["commodity"] == commodity]
    again = [Period(r["period_start"], r["period_end"]) for r in items if r["state"] == AGAIN]
    cancelled = tuple(
        period
        for period in sorted({*billed.taken_back, *again})
        if period.overlaps(span) and not any(bill.period.overlaps(period) for bill in bills)
    )
    return Subject(
        agreement=agreement,
        span=span,
        known_since=known_since,
        is_over=False,
        usage_point_id=usage_point,
        usage_point=point,
        commodity=commodity,
        installations=installations,
        bills=bills,
        cancelled=cancelled,
        asked=tuple(_asked(r) for r in items if r["state"] not in (NOTICED, AGAIN) and _inside(r, span)),
        work=tuple((row["work_id"], row["code"]) for row in known.work.get(usage_point, ())),
    )


def _commodity_of(installations: Sequence[Installation]) -> Commodity:
    """Return what a meter measures where no master tells of its usage point."""
    return installations[-1].commodity if installations else "ELECTRICITY"


def _inside(row: Row, span: Period) -> bool:
    return bool(row["period_start"] < span.end and row["period_end"] > span.start)


def _asked(row: Row) -> Asked:
    """Return an item that is on no bill."""
    return Asked(
        row["request_id"], Period(row["period_start"], row["period_end"]), row["state"], row["status"], row["code"],
        row["reason"], row["deadline"],
    )  # fmt: skip
