"""Since when energy should have been on a bill: by the bill-cycle calendar, else by the usual length of a cycle."""

from datetime import date, datetime, timedelta

from canonical.periods import local_date
from flows.unbilled.average import zone_of
from flows.unbilled.policy import Policy
from flows.unbilled.subject import Subject


def due_date(subject: Subject, since: datetime, policy: Policy) -> date:
    """Return the local date on which energy delivered from `since` on should be on a bill.

    The business date of the cycle's first period that ends after `since`; where the calendar does not reach so far
    back, the usual length of a cycle. The last bill of an ended agreement is due at its end; energy without agreement
    is due at once.
    """
    zone = zone_of(policy.zone)
    begins = local_date(since, zone)
    if subject.agreement is None:
        return begins
    usual = begins + timedelta(days=policy.usual_cycle_days)
    due = next((d.business_date for d in subject.cycle_days if d.period.start <= since < d.period.end), usual)
    return min(due, local_date(subject.span.end, zone)) if subject.is_over else due
