"""Which time of an agreement is on no bill that stands (invariant I2): before, between and after its bills."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from canonical.periods import Period, local_date, start_of_day
from canonical.unbilled import SinceBy
from flows.unbilled.policy import Policy
from flows.unbilled.subject import Bill, Subject


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time that no standing bill covers."""

    period: Period
    before: Bill | None = None
    """The bill that ends where it begins."""

    after: Bill | None = None
    """The bill that begins where it ends."""


def spans_of(subject: Subject, policy: Policy) -> tuple[tuple[Span, ...], SinceBy]:
    """Return the stretches without a bill, in order of time, and what the first one begins with."""
    begins, by = _beginning(subject, policy)
    found = []
    reached, last = begins, None
    for bill in subject.bills:
        if bill.period.end <= begins:
            last = bill if bill.period.end == begins else last
            continue
        start = min(bill.period.start, subject.span.end)
        if start > reached:
            found.append(Span(Period(reached, start), last, bill))
        if bill.period.end > reached:
            reached, last = bill.period.end, bill
    if reached < subject.span.end:
        found.append(Span(Period(reached, subject.span.end), last))
    return tuple(found), _named(found[0].before) if found and found[0].before is not None else by


def _named(bill: Bill) -> SinceBy:
    """Return whether the CIS's word or the site's rule says that a bill was made."""
    return "assumed" if bill.is_assumed else "billed"


def _beginning(subject: Subject, policy: Policy) -> tuple[datetime, SinceBy]:
    """Return from when on what is not billed counts.

    Where the site says since when the hub knows all bills: from then, or from the subject's own beginning. Else from
    the first bill, or the first request for one, that the hub knows. Else from its own beginning, unless the hub
    learned of it long after: then it was billed elsewhere before, and counts from when the hub learned of it.
    """
    own, horizon = subject.span.start, horizon_of(subject.span.end, policy)
    if policy.since is not None:
        floor = max(horizon, start_of_day(policy.since, ZoneInfo(policy.zone)))
        return (own, _own(subject)) if own >= floor else (floor, "horizon")
    firsts: list[tuple[datetime, SinceBy]] = [(bill.period.start, _named(bill)) for bill in subject.bills[:1]]
    firsts += [(period.start, "asked") for period in subject.cancelled]
    if not firsts:
        firsts += [(one.period.start, "asked") for one in subject.asked]
    if not firsts and subject.known_since - own > timedelta(days=policy.back_dated_days):
        firsts.append((min(subject.known_since, subject.span.end), "known"))
    first, by = min(firsts, default=(own, _own(subject)))
    if first < own:
        first, by = own, _own(subject)
    return (first, by) if first >= horizon else (horizon, "horizon")


def _own(subject: Subject) -> SinceBy:
    """Return what a subject itself begins with."""
    if subject.agreement is not None:
        return "agreement"
    return "installed" if any(i.installed_at == subject.span.start for i in subject.installations) else "ended"


def horizon_of(instant: datetime, policy: Policy) -> datetime:
    """Return how far back the register looks: the start of a local day."""
    return _days_before(instant, policy.horizon_days, policy.zone)


@lru_cache(maxsize=256)
def _days_before(instant: datetime, days: int, zone: str) -> datetime:
    """Return the start of a local day so many days before; remembered: a run asks of one instant again and again."""
    return start_of_day(local_date(instant, ZoneInfo(zone)) - timedelta(days=days), ZoneInfo(zone))
