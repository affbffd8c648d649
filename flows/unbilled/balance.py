"""The register's proof: what is unbilled, what was billed and the exceptions add up to what was delivered.

What was delivered is measured anew from the reads alone, from the last bill boundary at or before the first instant to
the register's day; no bill has a part in it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby
from zoneinfo import ZoneInfo

from canonical.codes.billing import UNBILLED_NOT_COUNTED
from canonical.errors import RejectedError
from canonical.metering import Installation
from canonical.periods import Period, start_of_day
from canonical.unbilled import Reason, UnbilledEntry
from flows.unbilled.bills import Billed, billed_of
from flows.unbilled.energy import measure
from flows.unbilled.policy import Policy
from flows.unbilled.readings import WIDE, Wanted, whole_stretch
from flows.unbilled.rows import entry_from
from flows.unbilled.spans import Span
from flows.unbilled.subject import ZERO, Subject
from store import reference_book, unbilled
from store.session import Session, Transaction

SHOWN = 50
"""Differences that are kept by usage point; the sum is of all."""


@dataclass(slots=True)
class Balance:
    """Both sides of the equation for one unit."""

    unit: str
    delivered: Decimal = ZERO
    """By the reads alone."""

    billed: Decimal = ZERO
    """On bills that stand."""

    register: Decimal = ZERO
    """Entries of agreements; averages left out, for no read stands behind them."""

    without_agreement: Decimal = ZERO
    """Entries of NO_SA: an exception."""

    differences: dict[str, Decimal] = field(default_factory=dict)
    """What else is delivered and neither billed nor in the register, by usage point; negative the other way round."""

    difference: Decimal = ZERO
    """Sum of all differences."""

    different: int = 0
    """Usage points that have one."""

    @property
    def exceptions(self) -> Decimal:
        """What is delivered beside bills and agreements' entries."""
        return self.without_agreement + self.difference

    def __str__(self) -> str:
        """Return the equation with its numbers."""
        parts = (self.register, self.billed, self.exceptions, self.delivered)
        register, billed, exceptions, delivered = (f"{part.normalize() + 0:,f}" for part in parts)
        return (
            f"register {register} + billed {billed} + exceptions {exceptions} = delivered {delivered} {self.unit} "
            f"(exceptions: {self.without_agreement.normalize() + 0:,f} without agreement, "
            f"{self.difference.normalize() + 0:,f} at {self.different} usage points)"
        )


def balance(policy: Policy, *, since: date, day: date, transaction: Transaction) -> tuple[Balance, ...]:
    """Return the equation of a counted day, by unit, from a local date on.

    Raises:
        RejectedError: the day was not counted (UNBILLED_NOT_COUNTED).
    """
    with transaction() as session:
        run = unbilled.run_of(session, day.isoformat())
    if run is None:
        raise RejectedError(f"the register has no entries of {day.isoformat()}", code=UNBILLED_NOT_COUNTED)
    span = Period(start_of_day(since, ZoneInfo(policy.zone)), run["as_of"])
    found: dict[str, Balance] = {}
    after = ""
    while True:
        with transaction() as session:
            rows = unbilled.of_usage_points(session, day.isoformat(), after=after, limit=WIDE)
            for subject, entries, delivered in _delivered(session, [entry_from(row) for row in rows], span, policy):
                _add(found.setdefault(subject.unit, Balance(subject.unit)), subject, entries, delivered)
        if not rows:
            return tuple(found[unit] for unit in sorted(found))
        after = rows[-1]["usage_point"]


def _add(total: Balance, subject: Subject, entries: Sequence[UnbilledEntry], delivered: Decimal) -> None:
    """Add one usage point to both sides."""
    billed = sum((bill.quantity for bill in subject.bills), ZERO)
    parts = [(one.reason is Reason.NO_SA, one.measured + one.corrected) for one in entries]
    without = sum((part for is_unowned, part in parts if is_unowned), ZERO)
    register = sum((part for is_unowned, part in parts if not is_unowned), ZERO)
    total.delivered += delivered
    total.billed += billed
    total.register += register
    total.without_agreement += without
    difference = delivered - billed - register - without
    total.difference += difference
    if not difference:
        return
    total.different += 1
    if len(total.differences) < SHOWN:
        total.differences[subject.usage_point_id] = difference


def _delivered(
    session: Session, entries: Sequence[UnbilledEntry], span: Period, policy: Policy
) -> Iterator[tuple[Subject, list[UnbilledEntry], Decimal]]:
    """Yield usage points with their bills, their entries, and what their reads say was delivered."""
    points = {name: list(mine) for name, mine in groupby(entries, key=lambda one: one.usage_point)}
    book = reference_book.open_book(session, points)
    billed = billed_of(session, points, span, noticed=(), horizon_days=policy.horizon_days)
    wanted = []
    for name, mine in points.items():
        subject = _subject(name, mine, book.installations.get(name, ()), billed, span)
        wanted.append(Wanted(subject, (Span(subject.span),)))
    for some in whole_stretch(session, sorted(wanted, key=lambda one: one.since)) if wanted else ():
        for subject, reads in some:
            energy = measure(subject, (Span(subject.span),), reads, policy)
            yield subject, points[subject.usage_point_id], energy.delivered


def _subject(
    name: str,
    entries: Sequence[UnbilledEntry],
    installations: tuple[Installation, ...],
    billed: Mapping[tuple[str, str], Billed],
    span: Period,
) -> Subject:
    """Return one usage point from the bill boundary at or before the first instant on, whoever had an agreement."""
    commodity = entries[0].commodity
    standing = [bill for bill, _ in billed.get((name, commodity), Billed()).standing if bill.period.end > span.start]
    begins: datetime = min([bill.period.start for bill in standing] + [one.since for one in entries])
    return Subject(
        agreement=None,
        span=Period(min(begins, span.end), span.end),
        known_since=begins,
        is_over=False,
        usage_point_id=name,
        usage_point=None,
        commodity=commodity,
        installations=installations,
        bills=tuple(standing),
    )
