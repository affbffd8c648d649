"""Whether a determinant's own numbers agree: registers, time-of-use sums, net, exchange, missing intervals."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from canonical.billing import BillDeterminant, MeterInPeriod, RegisterUse, Status
from canonical.codes import file as codes
from canonical.errors import ErrorCode

_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Problem:
    """One rule of the drop that a determinant breaks."""

    code: ErrorCode
    reason: str


def check(determinant: BillDeterminant) -> list[Problem]:
    """Return every rule of form that a determinant's own numbers break; empty for a good one.

    Never needs anything but the determinant: what the reads should have been is the flow's to judge.
    """
    return [
        *_registers(determinant),
        *_buckets(determinant),
        *_net(determinant),
        *_exchange(determinant),
        *_status(determinant),
    ]


def _registers(determinant: BillDeterminant) -> Iterator[Problem]:
    """Yield registers whose reads do not make their quantity."""
    meters = {m.meter: m for m in determinant.meters}
    for register in determinant.registers:
        meter = meters.get(register.meter)
        if meter is None:
            yield Problem(codes.DROP_REGISTER, f"{register.register}: no meter {register.meter} in the period")
        elif register.start_read is not None and register.stop_read is not None:
            yield from _arithmetic(register, meter)


def _arithmetic(register: RegisterUse, meter: MeterInPeriod) -> Iterator[Problem]:
    """Yield where stop - start + rollovers x 10^dials is not the raw difference, or not the quantity."""
    if register.start_read is None or register.stop_read is None:
        return
    raw = register.stop_read - register.start_read + register.rollovers * Decimal(10) ** meter.dials
    if register.raw_difference is not None and register.raw_difference != raw:
        yield Problem(codes.DROP_REGISTER, f"{register.register}: raw {register.raw_difference}, reads give {raw}")
    if register.quantity != raw * meter.multiplier:
        expected = raw * meter.multiplier
        if not register.rounding or abs(register.quantity - expected) >= 1:
            yield Problem(codes.DROP_REGISTER, f"{register.register}: quantity {register.quantity}, not {expected}")


def _buckets(determinant: BillDeterminant) -> Iterator[Problem]:
    """Yield flows whose time-of-use quantities do not add up to their total; of a PARTIAL some are not there."""
    if determinant.status is Status.PARTIAL:
        return
    totals: dict[tuple[str, str], Decimal] = {}
    sums: dict[tuple[str, str], Decimal] = {}
    for quantity in determinant.quantities:
        key: tuple[str, str] = (quantity.flow, quantity.unit)
        if quantity.tou_bucket:
            sums[key] = sums.get(key, _ZERO) + quantity.quantity
        elif quantity.code.endswith("_TOTAL"):
            totals[key] = quantity.quantity
    for (flow, unit), total in totals.items():
        buckets = sums.get((flow, unit))
        if buckets is not None and buckets != total:
            yield Problem(codes.DROP_BUCKETS, f"{flow}: buckets add up to {buckets}, total is {total}")


def _net(determinant: BillDeterminant) -> Iterator[Problem]:
    """Yield a net that is not delivered less received; it is never cut off at zero."""
    totals = {(q.flow, q.unit): q.quantity for q in determinant.quantities if q.code.endswith("_TOTAL")}
    for (flow, unit), net in totals.items():
        if flow == "NET":
            expected = totals.get(("DELIVERED", unit), _ZERO) - totals.get(("RECEIVED", unit), _ZERO)
            if net != expected:
                yield Problem(codes.DROP_NET, f"net {net}, delivered less received is {expected}")


def _exchange(determinant: BillDeterminant) -> Iterator[Problem]:
    """Yield exchange pairs of which one meter is missing, or whose old meter ends after the new one starts."""
    pairs: dict[str, dict[str, MeterInPeriod]] = {}
    for meter in determinant.meters:
        if meter.exchange_pair_id:
            pairs.setdefault(meter.exchange_pair_id, {})[meter.role] = meter
    for pair, roles in pairs.items():
        if set(roles) != {"OUT", "IN"}:
            yield Problem(codes.DROP_EXCHANGE, f"pair {pair} has {' and '.join(sorted(roles))} alone")
        elif roles["OUT"].removed_at != roles["IN"].installed_at:
            reason = f"pair {pair}: out {roles['OUT'].removed_at}, in {roles['IN'].installed_at}"
            yield Problem(codes.DROP_EXCHANGE, reason)


def _status(determinant: BillDeterminant) -> Iterator[Problem]:
    """Yield a status that the contents contradict."""
    if determinant.missing_intervals > 0 and determinant.status is Status.ACTUAL:
        yield Problem(codes.DROP_STATUS, f"ACTUAL with {determinant.missing_intervals} intervals missing")
    if determinant.is_answer_without_energy and determinant.quantities:
        yield Problem(codes.DROP_STATUS, f"{determinant.status} with a quantity")
    if (determinant.is_answer_without_energy or determinant.status is Status.PARTIAL) and not determinant.remarks:
        yield Problem(codes.DROP_STATUS, f"{determinant.status} without saying why")
