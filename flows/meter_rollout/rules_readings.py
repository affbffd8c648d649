"""Whether what stood on the meters can be: EX08 of domain 2.4, register by register; never across meters."""

from datetime import datetime, timedelta
from decimal import ROUND_DOWN, ROUND_UP, Decimal

from canonical.metering import Register
from flows.meter_rollout.facts import Facts
from flows.meter_rollout.register_values import matched
from flows.multipliers import is_applied
from store.rollout_readings import Value

ROLLS_ABOVE = Decimal("0.9")
"""Share of a register's range above which it may have rolled over (domain 2.5)."""

DAY = timedelta(days=1)


def final_read_implausible(facts: Facts) -> str:
    """EX08: a reading is missing, does not fit its register, went back without a rollover, or is above the possible."""
    done = facts.completion
    old = facts.registers(facts.old_meter, facts.removed_at)
    new = facts.registers(facts.new_meter, facts.installed_at)
    final, first = matched(old, done.final_readings), matched(new, done.first_readings)
    for what, found in (("final", final), ("first", first)):
        if found.missing:
            return f"no {what} reading of {', '.join(one.register for one in found.missing)}"
        for register, value in found.values:
            if not _fits(register, value):
                return f"{what} reading {value} does not fit {register.register} of {register.dials} digits"
    for register, value in final.values:
        if reason := _against_last(facts, register, value):
            return reason
    return ""


def _against_last(facts: Facts, register: Register, value: Decimal) -> str:
    """Return why a final reading cannot follow the last one that was read before."""
    read = facts.last_read.get((facts.usage_point, facts.old_meter), {}).get(register.reading_type, ())
    before = [one for one in read if one.taken_at < facts.removed_at]
    known = facts.configuration(facts.old_meter, facts.removed_at)
    if not before or known is None or register.is_demand:
        return ""
    last, multiplier = before[-1], Decimal(known["multiplier"]) or Decimal(1)
    cap = _most(facts, last.taken_at) / multiplier
    return implausible(register, _shown(last, register, multiplier, facts), value, cap)


def _shown(read: Value, register: Register, multiplier: Decimal, facts: Facts) -> Decimal:
    """Return what stood on a register when it was read, whichever way the source states it (invariant I3)."""
    if multiplier == 1 or not is_applied(read.source, facts.policy.multipliers):
        return read.value
    # No more digits than the register has: what a source rounded must not look like a register that runs backwards.
    return (read.value / multiplier).quantize(Decimal(1).scaleb(-register.decimals), ROUND_DOWN)


def implausible(register: Register, before: Decimal, now_is: Decimal, cap: Decimal) -> str:
    """Return why a register cannot go from one value to another while at most `cap` (raw) was used, or an empty text.

    A lower value is a rollover where the register was near its end and what follows is possible.
    """
    if now_is >= before:
        used = now_is - before
        return "" if used <= cap else f"{register.register}: {used} used since {before}, at most {cap} is possible"
    whole = Decimal(10) ** register.dials
    used = (now_is - before) % whole + (whole if (now_is - before) % whole < 0 else 0)
    if before > ROLLS_ABOVE * whole and used <= cap:
        return ""
    return f"{register.register}: {now_is} is below {before}, and it cannot have rolled over"


def _most(facts: Facts, since: datetime) -> Decimal:
    """Return the most energy that may be used from an instant until the removal, in kWh."""
    agreement = facts.agreement
    kind = agreement["customer_class"] if agreement is not None else ""
    caps = facts.policy.max_daily_kwh
    a_day = caps.get(kind, caps.get("", Decimal("Infinity")))
    days = Decimal((facts.removed_at - since) // timedelta(seconds=1)) / Decimal(DAY // timedelta(seconds=1))
    return a_day * max(days.to_integral_value(ROUND_UP), Decimal(1))


def _fits(register: Register, value: Decimal) -> bool:
    return value >= 0 and (register.dials == 0 or value < Decimal(10) ** register.dials)
