"""One entry of the register from what is known of one agreement: pure, so that the same facts give the same entry."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from canonical.periods import Period
from canonical.unbilled import UnbilledEntry
from flows.unbilled.ageing import due_date
from flows.unbilled.average import averaged
from flows.unbilled.energy import Reads, measure, unread
from flows.unbilled.policy import Average, Policy
from flows.unbilled.reads import valid_reads
from flows.unbilled.reasons import Facts, reason_of
from flows.unbilled.spans import Span, spans_of
from flows.unbilled.subject import ZERO, Subject


def entry_of(subject: Subject, policy: Policy, *, day: date, reads: Reads | None = None) -> UnbilledEntry | None:
    """Return what is unbilled of one subject at the end of its span; None for an ended agreement that is billed whole.

    `reads` are its valid reads, where they are known already.
    """
    spans, by = spans_of(subject, policy)
    corrected = sum((bill.corrected + bill.misbilled for bill in subject.bills), ZERO)
    if subject.is_over and not spans and not corrected:
        return None
    subject = replace(subject, asked=tuple(one for one in subject.asked if _waits(one.period, spans)))
    known = valid_reads(subject.registers) if reads is None else reads
    energy = measure(subject, spans, known, policy)
    stretches = unread(spans, energy.covered, policy.silence)
    since = spans[0].period.start if spans else subject.span.end
    kind = _average_of(subject, policy)
    average = averaged(subject, stretches, kind, policy)
    due = due_date(subject, since, policy)
    reason, evidence = reason_of(Facts(subject, spans, energy, stretches, due, day, policy))
    quantity = energy.delivered + average.quantity + corrected
    return UnbilledEntry(
        **_who(subject),
        day=day,
        as_of=subject.span.end,
        usage_point=subject.usage_point_id,
        commodity=subject.commodity,
        unit=subject.unit,
        reason=reason,
        evidence=evidence,
        since=since,
        since_by=by,
        due=due,
        age_days=max(0, (day - due).days),
        measured=energy.delivered,
        averaged=average.quantity,
        corrected=corrected,
        received=energy.received,
        average_by=average.by,
        read_at=energy.read_at,
        billed_reads=energy.billed_reads,
        latest_reads=energy.latest_reads,
        money_minor=money(quantity, energy.received, kind, policy),
        work=tuple(name for name, _ in subject.work),
    )


def _who(subject: Subject) -> dict[str, str]:
    """Return what an entry says of the agreement; nothing where there is none."""
    names = ("agreement", "account", "customer_class", "tariff", "cycle")
    return {name: getattr(subject.agreement, name, "") for name in names}


def _average_of(subject: Subject, policy: Policy) -> Average | None:
    """Return what such customers pay and use on average."""
    who = _who(subject)
    return policy.average(tariff=who["tariff"], customer_class=who["customer_class"], commodity=subject.commodity)


def _waits(period: Period, spans: Sequence[Span]) -> bool:
    """Return whether what was asked for is on no bill yet."""
    return any(span.period.overlaps(period) for span in spans)


def money(delivered: Decimal, received: Decimal, kind: Average | None, policy: Policy) -> int | None:
    """Return what energy is worth at the average rate, in minor units, rounded once (half up); None without a rate."""
    if kind is None:
        return None
    worth = (delivered * kind.rate - received * kind.received_rate).scaleb(policy.minor_digits)
    return int(worth.to_integral_value(ROUND_HALF_UP))
