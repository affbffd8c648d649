"""When it happened, and what else is going on: EX10, EX11, EX12 of domain 2.4."""

from zoneinfo import ZoneInfo

from canonical.periods import local_date, start_of_day
from flows.meter_rollout.facts import Facts


def date_incoherent(facts: Facts) -> str:
    """EX10: removal, installation, shipment, life of the meters and today do not follow each other."""
    done = facts.completion
    if done.removed is not None and done.installed is not None and facts.installed_at < facts.removed_at:
        return f"installed at {facts.installed_at.isoformat()}, before the removal at {facts.removed_at.isoformat()}"
    last = max(facts.installed_at, facts.removed_at)
    if last > facts.now:
        return f"{last.isoformat()} is not yet"
    shipped = facts.shipped.get(facts.new_meter)
    if shipped is not None and facts.installed_at < shipped["shipped_at"]:
        return f"installed at {facts.installed_at.isoformat()}, shipped at {shipped['shipped_at'].isoformat()}"
    return _before_it_hung(facts)


def _before_it_hung(facts: Facts) -> str:
    """Return that the removed meter was hung there only after its removal."""
    for meter in sorted(facts.removed or ()):
        for stay in facts.stays.of_meter.get(meter, ()):
            if stay["usage_point"] == facts.usage_point and stay["installed_at"] > facts.removed_at:
                return f"removed at {facts.removed_at.isoformat()}, hung at {stay['installed_at'].isoformat()}"
    return ""


def billing_window(facts: Facts) -> str:
    """EX11: the usage point is being billed, so that the CIS is told only afterwards."""
    return "the usage point is being billed" if facts.lock is not None else ""


def in_flight(facts: Facts) -> str:
    """EX12: something else is open there; or the customer changes that day and nobody says at what time it was done."""
    return facts.conflict or _no_time_of_day(facts)


def _no_time_of_day(facts: Facts) -> str:
    zone = ZoneInfo(facts.point["zone"] if facts.point is not None else facts.policy.zone)
    day = local_date(facts.installed_at, zone)
    if facts.installed_at != start_of_day(day, zone):
        return ""
    edges = [edge for row in facts.agreements for edge in (row["valid_from"], row["valid_to"]) if edge is not None]
    if any(local_date(edge, zone) == day for edge in edges):
        return f"the customer changes on {day.isoformat()}, and the exchange bears no time of that day"
    return ""
