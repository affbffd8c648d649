"""Which usage point an item means, whatever the CIS named: usage point, agreement, account or meter (ruling 4)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from canonical.billing import BillingRequestItem
from canonical.codes.billing import COMMODITY_MISMATCH
from canonical.codes.identity import (
    AMBIGUOUS_SUBJECT,
    SUBJECTS_DISAGREE,
    UNKNOWN_ACCOUNT,
    UNKNOWN_AGREEMENT,
    UNKNOWN_METER,
    UNKNOWN_USAGE_POINT,
)
from canonical.customers import CustomerAgreement
from canonical.errors import ErrorCode
from canonical.metering import Installation, UsagePoint
from canonical.names import normal_serial
from canonical.periods import Period
from store import reference_book
from store.reference_book import ReferenceBook
from store.session import Session


@dataclass(frozen=True, slots=True)
class Subject:
    """What an item turned out to mean, or why it means nothing."""

    usage_point: str = ""
    agreement: str = ""
    account: str = ""
    cycle: str = ""
    asked_as: str = ""
    problem: ErrorCode | None = None
    reason: str = ""


UNKNOWN = (UNKNOWN_USAGE_POINT, UNKNOWN_AGREEMENT, UNKNOWN_ACCOUNT, UNKNOWN_METER)
"""Problems that later reference data may cure."""


def resolve(session: Session, items: Sequence[BillingRequestItem]) -> list[Subject]:
    """Return the subject of each item, in order, with few queries for all of them."""
    accounts = reference_book.usage_points_of_accounts(
        session, {i.account for i in items if i.account and not i.usage_point and not i.agreement}
    )
    agreements = reference_book.usage_points_of_agreements(
        session, {i.agreement for i in items if i.agreement and not i.usage_point}
    )
    meters = reference_book.installations_of_serials(
        session, {i.serial for i in items if i.serial and not (i.usage_point or i.agreement or i.account)}
    )
    named = {i.usage_point for i in items if i.usage_point}
    named |= {a.usage_point for found in (*accounts.values(), *agreements.values()) for a in found}
    named |= {m.usage_point for found in meters.values() for m in found}
    book = reference_book.open_book(session, named)
    return [_subject(item, book, accounts, agreements, meters) for item in items]


def _subject(
    item: BillingRequestItem,
    book: ReferenceBook,
    accounts: dict[str, tuple[CustomerAgreement, ...]],
    agreements: dict[str, tuple[CustomerAgreement, ...]],
    meters: dict[str, tuple[Installation, ...]],
) -> Subject:
    """Return what one item means."""
    asked_as, found, problem = _candidates(item, accounts, agreements, meters)
    if not found:
        return Subject(asked_as=asked_as, problem=problem, reason=f"{asked_as} is not known to the hub")
    points = {up: book.usage_point_at(up, item.period.start) or _later(book, up, item.period) for up in found}
    known = {up: point for up, point in points.items() if point is not None}
    if not known:
        return Subject(asked_as=asked_as, problem=problem, reason=f"{asked_as} is not known for {_dates(item.period)}")
    fitting = [up for up, point in known.items() if point.commodity == item.commodity]
    if not fitting:
        delivers = sorted({point.commodity for point in known.values()})
        return Subject(
            asked_as=asked_as,
            problem=COMMODITY_MISMATCH,
            reason=f"asked for {item.commodity}, {asked_as} delivers {' and '.join(delivers)}",
        )
    if len(fitting) > 1:
        return Subject(
            asked_as=asked_as, problem=AMBIGUOUS_SUBJECT, reason=f"{asked_as} stands for {len(fitting)} usage points"
        )
    return _agreed(item, fitting[0], book, asked_as)


def _agreed(item: BillingRequestItem, usage_point: str, book: ReferenceBook, asked_as: str) -> Subject:
    """Return the subject with its agreement, once everything that the item names belongs together."""
    agreement = book.agreement_in(usage_point, item.period)
    wrong = _disagreement(item, usage_point, agreement, book)
    if wrong:
        return Subject(asked_as=asked_as, problem=SUBJECTS_DISAGREE, reason=wrong)
    return Subject(
        usage_point,
        agreement.agreement if agreement else item.agreement,
        agreement.account if agreement else item.account,
        item.cycle or (agreement.cycle if agreement else ""),
        asked_as,
    )


def _candidates(
    item: BillingRequestItem,
    accounts: dict[str, tuple[CustomerAgreement, ...]],
    agreements: dict[str, tuple[CustomerAgreement, ...]],
    meters: dict[str, tuple[Installation, ...]],
) -> tuple[str, list[str], ErrorCode]:
    """Return how the item names its usage point, the usage points that this may be, and the code when there is none."""
    if item.usage_point:
        return f"usage point {item.usage_point}", [item.usage_point], UNKNOWN_USAGE_POINT
    if item.agreement:
        found = [a for a in agreements.get(item.agreement, ()) if _in_force(a.valid_from, a.valid_to, item.period)]
        return f"agreement {item.agreement}", _distinct(a.usage_point for a in found), UNKNOWN_AGREEMENT
    if item.account:
        found = [a for a in accounts.get(item.account, ()) if _in_force(a.valid_from, a.valid_to, item.period)]
        return f"account {item.account}", _distinct(a.usage_point for a in found), UNKNOWN_ACCOUNT
    hung = [
        m
        for m in meters.get(normal_serial(item.serial), ())
        if m.active.overlaps(item.period) and item.manufacturer in ("", m.manufacturer)
    ]
    label = f"meter {item.manufacturer} {item.serial}".replace("  ", " ")
    return label, _distinct(m.usage_point for m in hung), UNKNOWN_METER


def _disagreement(
    item: BillingRequestItem, usage_point: str, agreement: CustomerAgreement | None, book: ReferenceBook
) -> str:
    """Return in words what the item names that does not belong to the usage point, or nothing."""
    if item.account and agreement is not None and agreement.account != item.account:
        return f"usage point {usage_point} belongs to account {agreement.account}, not {item.account}"
    if item.agreement and agreement is not None and agreement.agreement != item.agreement:
        return f"usage point {usage_point} is under agreement {agreement.agreement}, not {item.agreement}"
    if item.serial:
        hung = book.installations_in(usage_point, item.period)
        if hung and all(normal_serial(m.serial) != normal_serial(item.serial) for m in hung):
            return f"meter {item.serial} did not hang at usage point {usage_point} in the period"
    return ""


def _later(book: ReferenceBook, usage_point: str, period: Period) -> UsagePoint | None:
    """Return a version of the usage point that begins inside the period."""
    inside = [p for p in book.usage_points.get(usage_point, ()) if p.valid_from in period]
    return inside[0] if inside else None


def _in_force(start: datetime, end: datetime | None, period: Period) -> bool:
    """Return whether an agreement touches the period."""
    return start < period.end and (end is None or end > period.start)


def _distinct(names: Iterable[str]) -> list[str]:
    """Return names once each, in order."""
    return list(dict.fromkeys(names))


def _dates(period: Period) -> str:
    """Return a period for people."""
    return f"{period.start:%Y-%m-%d} to {period.end:%Y-%m-%d}"
