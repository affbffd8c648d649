"""Why energy is not billed yet: one table of rules in order of precedence, each with the evidence that decides it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from canonical.billing import UNANSWERED
from canonical.codes import billing as codes
from canonical.errors import ErrorCode
from canonical.metering import Installation
from canonical.periods import Period
from canonical.unbilled import Reason
from flows.billing_exchange.segments import segments_of
from flows.unbilled.energy import Energy
from flows.unbilled.policy import Policy
from flows.unbilled.spans import Span
from flows.unbilled.subject import Asked, Subject

IN_THE_MAKING = frozenset(
    ("ACCEPTED", "COLLECTING", "REREAD", "ESTIMATE_PENDING", "READY", "ESTIMATED", "VALIDATED", "BATCHED")
)
HANDED_ON = frozenset(("SENT", "ACKED", "NACKED", "REWORK"))


def _named(*found: ErrorCode) -> frozenset[str]:
    """Return codes as items and work state them."""
    return frozenset(map(str, found))


CUSTOMER = _named(codes.MASTER_DATA_AWAITED, codes.AGREEMENT_NOT_COVERING, codes.USAGE_WITHOUT_AGREEMENT)
MISMATCH = _named(
    codes.COMMODITY_MISMATCH, codes.METERS_OVERLAP, codes.UNKNOWN_REGISTER, codes.NO_METER, codes.READ_BEYOND_DIALS,
    codes.IMPLAUSIBLE_ROLLOVER, codes.CONTINUITY_BROKEN, codes.TOU_SUM_MISMATCH, codes.INTERVAL_MISALIGNED,
    codes.REGISTER_INTERVAL_MISMATCH, codes.DETERMINANT_MISMATCH, codes.REGISTERS_AMBIGUOUS,
)  # fmt: skip
SPLIT = _named(
    codes.TOU_NOT_READY, codes.CALENDAR_UNKNOWN, codes.CALENDAR_INCOMPLETE, codes.PARTIAL_DETERMINANT
)  # fmt: skip
UNREAD = _named(codes.NO_READ, codes.NO_DATA_SOURCE, codes.METER_DATA_AWAY)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rules look at."""

    subject: Subject
    spans: Sequence[Span]
    energy: Energy
    unread: Sequence[Period]
    """Stretches, longer than the site allows, of which nothing is measured."""

    due: date
    day: date
    policy: Policy

    @property
    def is_overdue(self) -> bool:
        """Whether the energy should be on a bill already."""
        return self.day > self.due + timedelta(days=self.policy.grace_days)

    @property
    def meters(self) -> list[Installation]:
        """Meters of the commodity that hang at the instant of the register (or hung when the agreement ended)."""
        end = self.subject.span.end
        at = end - timedelta(microseconds=1) if self.subject.is_over else end
        return [i for i in self.subject.installations if i.commodity == self.subject.commodity and at in i.active]

    @property
    def exchanges(self) -> list[str]:
        """Serials of the meters that came by an exchange since the last bill."""
        subject = self.subject
        if len(subject.installations) < 2:
            return []
        return [
            segment.installation.serial
            for span in self.spans
            for segment in segments_of(subject.installations, span.period, subject.commodity)
            if segment.role == "IN" and segment.exchange_pair_id
        ]

    @property
    def is_silent(self) -> bool:
        """Whether nothing was read of late, for longer than the site allows."""
        return any(period.end == self.subject.span.end for period in self.unread)

    @property
    def held(self) -> Asked | None:
        """The first item that waits for a person, or was answered so."""
        return next((one for one in self.subject.asked if "HELD" in (one.state, one.status)), None)

    @property
    def made(self) -> Asked | None:
        """The first item that is being made within its window."""
        return next((one for one in self.subject.asked if one.state in IN_THE_MAKING), None)

    @property
    def handed_on(self) -> Asked | None:
        """The first item whose determinant left the hub."""
        return next((one for one in self.subject.asked if _has_energy(one)), None)

    def coded(self, found: frozenset[str]) -> str:
        """Return which item bears one of some codes as the reason that it has no energy, or nothing."""
        for one in self.subject.asked:
            if one.code in found and one.state not in IN_THE_MAKING and not _has_energy(one):
                return f"request {one.request_id}: {one.code}"
        return ""


def _has_energy(one: Asked) -> bool:
    """Return whether an item was handed on with energy; an answer may also say NO_READ or HELD."""
    return one.state in HANDED_ON and one.status not in UNANSWERED


def reason_of(facts: Facts) -> tuple[Reason, str]:
    """Return the first reason that has evidence, and the evidence in plain words."""
    for reason, rule in RULES:
        evidence = rule(facts)
        if evidence:
            return reason, evidence
    return Reason.NOT_REQUESTED, f"due on {facts.due.isoformat()}, and no request names it"


def _no_agreement(facts: Facts) -> str:
    if facts.subject.agreement is not None:
        return ""
    return f"meter {', '.join(i.serial for i in facts.meters)} hangs there; no agreement is active"


def _no_meter(facts: Facts) -> str:
    point = facts.subject.usage_point
    if facts.meters or (point is not None and point.read_source == "NONE"):
        return ""
    removed = max((i.removed_at for i in facts.subject.installations if i.removed_at), default=None)
    return f"the last meter was removed on {removed.date().isoformat()}" if removed else "no meter was ever installed"


def _no_customer(facts: Facts) -> str:
    subject = facts.subject
    if subject.usage_point is None:
        return "no master tells of the usage point"
    agreement = subject.agreement
    names = ("account", "customer_class", "tariff", "cycle")
    lacks = [name for name in names if agreement is not None and not getattr(agreement, name)]
    if lacks:
        return f"the agreement has no {', '.join(lacks)}"
    waits = next((one for one in subject.asked if one.state == "AWAITING_SYNC"), None)
    if waits is not None:
        return f"request {waits.request_id} waits for master data"
    identity = frozenset(one.code for one in subject.asked if one.code.startswith("2"))
    return facts.coded(CUSTOMER | identity)


def _correction(facts: Facts) -> str:
    subject = facts.subject
    for period in subject.cancelled:
        return f"the bill from {period.start.date().isoformat()} to {period.end.date().isoformat()} was taken back"
    for n, bill in enumerate(subject.bills):
        if bill.corrected or (bill.is_noticed and n == len(subject.bills) - 1):
            return f"a better figure exists for the bill to {bill.period.end.date().isoformat()}"
    return ""


def _mismatch(facts: Facts) -> str:
    if facts.energy.contradictions:
        return "; ".join(dict.fromkeys(facts.energy.contradictions))
    for bill in facts.subject.bills:
        if bill.misbilled:
            ended = bill.period.end.date().isoformat()
            return f"the bill to {ended} says {-bill.misbilled:+f} {facts.subject.unit} beside its determinant"
    return facts.coded(MISMATCH)


def _tariff(facts: Facts) -> str:
    agreement = facts.subject.agreement
    registers = [r for i in facts.meters for r in i.registers]
    if agreement is None or not registers:
        return ""
    if agreement.tou_calendar and not any(r.tou_bucket or r.interval_minutes for r in registers):
        return f"tariff {agreement.tariff} is one of time of use, the meter has one register"
    if agreement.net_metering and not any(r.flow in ("RECEIVED", "NET") for r in registers):
        return "net metering, and the meter has no register of what is received"
    return ""


def _split(facts: Facts) -> str:
    agreement = facts.subject.agreement
    if agreement is not None and agreement.tou_calendar and facts.subject.calendar is None:
        return f"calendar {agreement.tou_calendar} is not known"
    partial = next((one for one in facts.subject.asked if one.status == "PARTIAL"), None)
    return f"request {partial.request_id} has a total and no split" if partial is not None else facts.coded(SPLIT)


def _net_metering(facts: Facts) -> str:
    agreement = facts.subject.agreement
    if agreement is None or not agreement.net_metering or not facts.is_overdue or facts.is_silent:
        return ""
    if facts.made is not None or facts.handed_on is not None:
        return ""
    held = facts.held
    return f"net metering, due on {facts.due.isoformat()}, " + (f"held: {held.code}" if held else "not asked for")


def _held(facts: Facts) -> str:
    held = facts.held
    return f"request {held.request_id} is held: {held.code}" if held is not None and held.code not in UNREAD else ""


def _silent(facts: Facts) -> str:
    unread = facts.coded(UNREAD)
    if unread:
        return unread
    point = facts.subject.usage_point
    by_hand = point is not None and point.read_source != "AMI"
    if not facts.is_silent or (by_hand and not facts.is_overdue):
        return ""
    read_at = facts.energy.read_at
    if read_at is None:
        return f"not read since {facts.spans[0].period.start.date().isoformat()}"
    return f"last read on {read_at.date().isoformat()}"


def _short_bill(facts: Facts) -> str:
    if not facts.exchanges:
        return ""
    short = [one for one in facts.subject.asked if one.reason == "METER_EXCHANGE"]
    return f"request {short[0].request_id} bills up to the exchange" if short else ""


def _through(facts: Facts) -> str:
    came = facts.exchanges
    return f"meter {', '.join(came)} came since the last bill" if came else ""


def _in_cycle(facts: Facts) -> str:
    if not facts.is_overdue:
        return f"due on {facts.due.isoformat()}"
    made = facts.made
    return f"request {made.request_id} is {made.state}" if made is not None else ""


def _awaiting_bill(facts: Facts) -> str:
    sent = facts.handed_on
    return f"request {sent.request_id} is {sent.state} and not on a bill" if sent is not None else ""


RULES: tuple[tuple[Reason, Callable[[Facts], str]], ...] = (
    (Reason.NO_SA, _no_agreement),
    (Reason.NO_METER, _no_meter),
    (Reason.MISSING_CUSTOMER_INFO, _no_customer),
    (Reason.AWAITING_CORRECTION, _correction),
    (Reason.METER_DATA_MISMATCH, _mismatch),
    (Reason.TARIFF_MISMATCH, _tariff),
    (Reason.TOU_NOT_READY, _split),
    (Reason.NET_METERING, _net_metering),
    (Reason.HELD_VALIDATION, _held),
    (Reason.NON_COMMUNICATING, _silent),
    (Reason.SHORT_BILL_PENDING, _short_bill),
    (Reason.BILL_THROUGH_METER_CHANGE, _through),
    (Reason.IN_CYCLE, _in_cycle),
    (Reason.AWAITING_BILL, _awaiting_bill),
)
"""Every reason with what decides it, in order of precedence; what none explains is NOT_REQUESTED."""
