"""What a better reading changes in a determinant already sent: correction, true-up, or nothing (domain 4.7)."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from canonical.billing import BillDeterminant, Status
from canonical.quality import Quality
from flows.billing_exchange.policy import Policy
from flows.billing_exchange.quantities import figure_name
from flows.billing_exchange.registers import ZERO

CorrectionReason = Literal[
    "LATE_READ", "EDITED_READ", "EXCHANGE_CORRECTION", "CROSS_INSTALL", "MULTIPLIER", "TARIFF_RETRO", "ESTIMATE_TRUEUP"
]


@dataclass(frozen=True, slots=True)
class Change:
    """One determinant or demand before and after."""

    code: str
    unit: str
    before: Decimal
    after: Decimal

    @property
    def by(self) -> Decimal:
        """Quantity that was billed too little (positive) or too much."""
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class Correction:
    """A difference between what was billed and what is known now."""

    reason: CorrectionReason
    before: Decimal
    """Delivered total as billed."""

    after: Decimal
    """Delivered total as it should be."""

    unit: str
    changes: tuple[Change, ...]
    """Every code that changes, in order of code."""

    next_bill: bool
    """Whether it is small enough to be settled by the next bill, so that nobody needs to cancel and rebill."""

    carried: Mapping[str, Decimal]
    """With `next_bill`: what must be added to the residuals of the last bill, because no cumulative read carries it."""

    text: str
    """One sentence for the notice, with both figures."""


def difference(old: BillDeterminant, new: BillDeterminant, policy: Policy) -> Correction | None:
    """Return what changes from a sent or billed determinant to a new calculation of the same period, or None.

    An actual read that confirms an estimate to the digit changes nothing. A change of time-of-use buckets alone is one.
    """
    changes = _changes(old, new)
    if not changes:
        return None
    before, after, unit = _delivered(old), _delivered(new), _unit(new)
    reason = _reason(old, new)
    # What a PARTIAL lacked is priced by nobody until the CIS has it: the next bill begins behind it.
    whole = old.status is not Status.PARTIAL
    small = whole and _is_small(changes, policy) and reason in ("LATE_READ", "EDITED_READ", "ESTIMATE_TRUEUP")
    next_bill = small and not _settles_nowhere(old, new)
    text = f"{reason}: billed {before} {unit}, now {after} {unit} ({after - before:+} {unit})"
    return Correction(
        reason, before, after, unit, changes, next_bill, _carried(changes, new) if next_bill else {}, text
    )


def _changes(old: BillDeterminant, new: BillDeterminant) -> tuple[Change, ...]:
    before, after = _figures(old), _figures(new)
    nothing = ("", ZERO)
    return tuple(
        Change(code, (after.get(code) or before[code])[0], before.get(code, nothing)[1], after.get(code, nothing)[1])
        for code in sorted(before.keys() | after.keys())
        if before.get(code, nothing)[1] != after.get(code, nothing)[1]
    )


def _figures(determinant: BillDeterminant) -> dict[str, tuple[str, Decimal]]:
    """Return unit and value of every quantity and demand, by name."""
    energy = {figure_name(q.code, q.season): (q.unit, q.quantity) for q in determinant.quantities}
    return energy | {d.code: ("kW", d.value) for d in determinant.demands}


def _delivered(determinant: BillDeterminant) -> Decimal:
    return sum((q.quantity for q in determinant.quantities if q.flow == "DELIVERED" and not q.tou_bucket), ZERO)


def _unit(determinant: BillDeterminant) -> str:
    return "kWh" if determinant.commodity == "ELECTRICITY" else "m3"


def _reason(old: BillDeterminant, new: BillDeterminant) -> CorrectionReason:
    old_meters, new_meters = {m.meter: m for m in old.meters}, {m.meter: m for m in new.meters}
    if old_meters.keys() != new_meters.keys():
        return "EXCHANGE_CORRECTION" if old_meters.keys() & new_meters.keys() else "CROSS_INSTALL"
    spans = [(m.installed_at, m.removed_at) for m in old.meters] != [(m.installed_at, m.removed_at) for m in new.meters]
    if any(old_meters[m].multiplier != new_meters[m].multiplier for m in old_meters):
        return "MULTIPLIER"
    if old.tou_calendar != new.tou_calendar:
        return "TARIFF_RETRO"
    if old.status in (Status.ESTIMATED, Status.MIXED) and new.status is not old.status:
        return "ESTIMATE_TRUEUP"
    if spans and len(old.meters) > 1:
        return "EXCHANGE_CORRECTION"
    return "EDITED_READ" if _is_edited(new) else "LATE_READ"


def _is_edited(determinant: BillDeterminant) -> bool:
    qualities = {q for use in determinant.registers for q in (use.start_quality, use.stop_quality)}
    return Quality.EDITED.value in qualities | {q.quality for q in determinant.quantities}


def _is_small(changes: tuple[Change, ...], policy: Policy) -> bool:
    return all(abs(c.by) <= max(policy.true_up_quantity, abs(c.before) * policy.true_up_percent / 100) for c in changes)


def _settles_nowhere(old: BillDeterminant, new: BillDeterminant) -> bool:
    """Return whether a register that hangs no more changed: no later bill begins at its billed stop read."""
    stops = {(u.meter, u.register): u.stop_read for u in old.registers}
    gone = {m.meter for m in new.meters if m.removed_at is not None and m.removed_at <= new.period.end}
    return any(u.meter in gone and stops.get((u.meter, u.register)) != u.stop_read for u in new.registers)


def _carried(changes: tuple[Change, ...], new: BillDeterminant) -> dict[str, Decimal]:
    without_reads = {
        figure_name(q.code, q.season) for q in new.quantities if q.source == "INTERVAL" and q.flow != "NET"
    }
    return {c.code: c.by for c in changes if c.code in without_reads}
