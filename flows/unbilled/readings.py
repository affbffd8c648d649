"""The readings that subjects need: the latest ones first, the whole stretch only where those do not answer."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any

from canonical.metering import Installation, Register
from canonical.periods import Period
from flows.billing_exchange.segments import segments_of
from flows.unbilled.energy import EARLY, Reads
from flows.unbilled.policy import Policy
from flows.unbilled.reads import read_of, valid_reads
from flows.unbilled.spans import Span, spans_of
from flows.unbilled.subject import Subject
from store import readings
from store.session import Session

WIDE = 250
"""Subjects whose whole stretch is read together."""

PACKED = 100
"""Subjects whose interval values are held together: a month of quarter hours is 23 kB a channel."""

Read = tuple[Subject, Reads]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A subject with the stretches of which readings are wanted."""

    subject: Subject
    spans: tuple[Span, ...]

    @property
    def since(self) -> datetime:
        """First instant of which a reading may count."""
        return self.spans[0].period.start - EARLY

    @property
    def hung(self) -> list[Installation]:
        """Meters in the stretches, in order."""
        subject = self.subject
        return [
            segment.installation
            for span in self.spans
            for segment in segments_of(subject.installations, span.period, subject.commodity)
        ]


def with_readings(session: Session, subjects: Sequence[Subject], policy: Policy) -> Iterator[list[Read]]:
    """Yield subjects with their valid reads (and interval values, where registers do not answer), some at a time.

    A meter that goes on from its last bill needs its latest read only; the whole stretch is read where it has none of
    late, where it seems to have gone back, after an exchange, and where the last bill states no read.
    """
    wanted = [Wanted(subject, spans_of(subject, policy)[0]) for subject in subjects]
    yield [(one.subject, {}) for one in wanted if not one.spans]
    late: list[Wanted] = []
    whole: list[Wanted] = []
    for one in wanted:
        if one.spans:
            (late if _goes_on(one) else whole).append(one)
    answered = []
    for one, reads in _late(session, late, policy):
        if _answers(one, reads, policy):
            answered.append((one.subject, reads))
        else:
            whole.append(one)
    yield answered
    for some in _parts(sorted(whole, key=lambda one: one.since), WIDE):
        yield from whole_stretch(session, some)


def _late(session: Session, wanted: Sequence[Wanted], policy: Policy) -> list[tuple[Wanted, Reads]]:
    """Return subjects with the reads of the last days before the end of their span."""
    if not wanted:
        return []
    ends = [one.subject.span.end for one in wanted]
    span = Period(min(ends) - policy.silence, max(ends))
    found = readings.registers_held(session, {one.subject.usage_point_id for one in wanted}, span)
    return [(one, valid_reads(found.get(one.subject.usage_point_id, ()))) for one in wanted]


def whole_stretch(session: Session, wanted: Sequence[Wanted]) -> Iterator[list[Read]]:
    """Yield subjects with all reads of their stretches, and interval values where registers do not answer.

    They are read together: the one that begins first stands first, and there are few of them.
    """
    span = Period(wanted[0].since, max(one.subject.span.end for one in wanted))
    found = readings.registers_held(session, {one.subject.usage_point_id for one in wanted}, span)
    known = [(one, valid_reads(found.get(one.subject.usage_point_id, ()))) for one in wanted]
    yield [(one.subject, reads) for one, reads in known if not _needs_blocks(one, reads)]
    for some in _parts([(one, reads) for one, reads in known if _needs_blocks(one, reads)], PACKED):
        packed = readings.blocks_held(session, {one.subject.usage_point_id for one, _ in some}, span)
        yield [
            (replace(one.subject, blocks=tuple(packed.get(one.subject.usage_point_id, ()))), reads)
            for one, reads in some
        ]


def _cumulative(installation: Installation) -> list[Register]:
    """Return the registers that count on and on."""
    return [r for r in installation.registers if not r.is_demand and not r.interval_minutes]


def _goes_on(one: Wanted) -> bool:
    """Return whether one meter goes on from the last bill, which states a read of every register."""
    before, hung = one.spans[0].before, one.hung
    if len(one.spans) > 1 or len(hung) != 1 or before is None or before.is_estimated:
        return False
    registers = _cumulative(hung[0])
    return bool(registers) and all((hung[0].meter, r.register) in before.stops for r in registers)


def _answers(one: Wanted, reads: Reads, policy: Policy) -> bool:
    """Return whether every register was read of late, at or above its last billed read."""
    installation, before = one.hung[0], one.spans[0].before
    for register in _cumulative(installation):
        found = reads.get((installation.meter, register.reading_type), ())
        mine = [r for r in found if r.taken_at <= one.subject.span.end]
        if not mine or before is None:
            return False
        billed = before.stops[installation.meter, register.register] * installation.multiplier
        if any(read_of(r, installation, policy).scaled < billed for r in mine):
            return False
    return True


def _needs_blocks(one: Wanted, reads: Reads) -> bool:
    """Return whether a meter has interval channels, and registers that do not answer for them."""
    for installation in one.hung:
        registers = _cumulative(installation)
        unread = [r for r in registers if not reads.get((installation.meter, r.reading_type))]
        if any(r.interval_minutes for r in installation.registers) and (unread or not registers):
            return True
    return False


def _parts(many: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    """Yield a sequence in parts of at most `size`."""
    rest = iter(many)
    while part := tuple(islice(rest, size)):
        yield part
