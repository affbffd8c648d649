"""Whether the new meter measures what is needed: EX06, EX07, EX19, EX20 of domain 2.4."""

from decimal import Decimal

from canonical.metering import Register
from flows.meter_rollout.facts import Facts
from flows.meter_rollout.register_values import matched


def multiplier_mismatch(facts: Facts) -> str:
    """EX06: the multiplier seen on the plates, or told by a system, is not the one that the meter's master states."""
    known = facts.configuration(facts.new_meter, facts.installed_at)
    if known is None:
        return ""
    held, seen = Decimal(known["multiplier"]), facts.completion.multiplier_seen
    if seen is not None and seen != held:
        return "; ".join(filter(None, (f"multiplier {seen} was seen, {held} is configured", systems_differ(facts))))
    return systems_differ(facts)


def systems_differ(facts: Facts) -> str:
    """Return which systems told another multiplier of the new meter than its master states; empty: none."""
    known = facts.configuration(facts.new_meter, facts.installed_at)
    if known is None:
        return ""
    held, told = Decimal(known["multiplier"]), facts.multipliers.get(facts.new_meter, {})
    differ = [f"{system} says {text}" for system, text in sorted(told.items()) if Decimal(text) != held]
    return f"{', '.join(differ)}; {held} is configured" if differ else ""


def register_mismatch(facts: Facts) -> str:
    """EX07: commodity, units, direction, interval or bands of the new meter are not those of usage point and old meter.

    Registers that the field read and the meter has not are of this rule too.
    """
    new = facts.registers(facts.new_meter, facts.installed_at)
    if not facts.new_meter:
        return _unread(facts, ())
    known = facts.configuration(facts.new_meter, facts.installed_at)
    if known is not None and facts.commodity and known["commodity"] != facts.commodity:
        return f"the meter measures {known['commodity']}, {facts.commodity} is delivered"
    if not new:
        return "nobody says which registers the new meter has"
    old = facts.registers(facts.old_meter, facts.removed_at)
    return _lacks(old, new) or _unread(facts, new)


def tariff_incompatible(facts: Facts) -> str:
    """EX19: the tariff needs time-of-use, or energy fed in, that the new meter does not measure."""
    agreement, new = facts.agreement, facts.registers(facts.new_meter, facts.installed_at)
    if agreement is None or not new:
        return ""
    tells_time = any(one.interval_minutes or one.tou_bucket for one in new)
    if agreement["tou_calendar"] and not tells_time:
        return f"tariff {agreement['tariff']} has hours of use, the meter only totals"
    if agreement["net_metering"] and not any(one.flow == "RECEIVED" for one in new):
        return f"tariff {agreement['tariff']} nets what is fed in, the meter does not measure it"
    return ""


def keys_missing(facts: Facts) -> str:
    """EX20: the meter came by a shipment without security keys, or its lot failed: it must not be commissioned."""
    shipped = facts.shipped.get(facts.new_meter)
    if shipped is None:
        return ""
    if not shipped["has_keys"]:
        return f"shipment {shipped['shipment']} brought no keys for the meter"
    return f"lot {shipped['lot']} is blocked: {shipped['code']}" if shipped["state"] == "BLOCKED" else ""


def _lacks(old: tuple[Register, ...], new: tuple[Register, ...]) -> str:
    """Return what the old meter measured and the new one does not."""
    for flow in ("RECEIVED", "DELIVERED"):
        if any(one.flow == flow for one in old) and not any(one.flow == flow for one in new):
            return f"the old meter measured energy {flow.lower()}, the new one does not"
    units, had = {one.unit for one in new if not one.is_demand}, {one.unit for one in old if not one.is_demand}
    if had - units:
        return f"the old meter counted {', '.join(sorted(had))}, the new one {', '.join(sorted(units))}"
    lengths, before = ({one.interval_minutes for one in some} - {0} for some in (new, old))
    if before and lengths and before != lengths:
        return f"intervals of {sorted(lengths)} minutes, of {sorted(before)} before"
    bands = {one.tou_bucket for one in old} - {""} - {one.tou_bucket for one in new}
    return f"no register for band {', '.join(sorted(bands))}" if bands and not lengths else ""


def _unread(facts: Facts, new: tuple[Register, ...]) -> str:
    """Return which registers the field read that a meter does not have."""
    done = facts.completion
    old = facts.registers(facts.old_meter, facts.removed_at)
    strange = [
        value.register or value.reading_type
        for registers, values in ((old, done.final_readings), (new, done.first_readings))
        if registers
        for value in matched(registers, values).strange
    ]
    return f"registers {', '.join(strange)} were read, which the meter does not have" if strange else ""
