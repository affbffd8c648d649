"""Which meters an exchange is about: EX01 to EX04 of domain 2.4. Each rule returns why it is broken, or nothing."""

from flows.meter_rollout.facts import Facts
from flows.meter_rollout.stays import Stay, stands


def old_meter_mismatch(facts: Facts) -> str:
    """EX01: what the field removed is not what hangs there; or another meter hangs there from later on already."""
    hung, said = facts.hung, facts.completion.removed
    if said is None:
        if hung is None or hung["meter"] == facts.new_meter:
            return ""
        return f"nothing was removed, but meter {_label(hung)} hangs there"
    named = f"removed was {said.serial or said.meter}"
    if hung is None:
        return f"{named}, but no meter hangs there{_where(facts)}"
    if facts.removed is None or hung["meter"] not in facts.removed:
        return f"{named}, but meter {_label(hung)} hangs there{_where(facts)}"
    later = facts.stays.follows(facts.usage_point, facts.installed_at, hung["commodity"])
    if later is not None and later["meter"] != facts.new_meter and later is not hung:
        return f"meter {_label(later)} hangs there from {later['installed_at'].isoformat()} on"
    return ""


def new_meter_unknown(facts: Facts) -> str:
    """EX02: nobody has told of the installed meter; both must exist before (2.4)."""
    said = facts.completion.installed
    if said is None or facts.installed:
        return ""
    return f"nobody has told of meter {said.manufacturer} {said.serial or said.meter}".replace("  ", " ")


def new_meter_already_installed(facts: Facts) -> str:
    """EX03: the installed meter hangs elsewhere, or hung here before and never went (I1)."""
    meter = facts.new_meter
    stay = facts.stays.place(meter, facts.installed_at) if meter else None
    if stay is None or _is_this(stay, facts):
        return ""
    return (
        f"meter {_label(stay)} hangs at {stay['usage_point']} since {stay['installed_at'].isoformat()}, not only here"
    )


def duplicate_serial(facts: Facts) -> str:
    """EX04: a serial stands for meters of several manufacturers, and nothing says which is meant."""
    for found, said in ((facts.installed, facts.completion.installed), (facts.removed, facts.completion.removed)):
        if said is None or found is None or len(found) < 2:
            continue
        if said is facts.completion.removed and facts.old_meter:
            continue  # of the meters with this serial exactly one hangs there
        return f"serial {said.serial} is borne by {len(found)} meters: {', '.join(sorted(found))}"
    return ""


def _is_this(stay: Stay, facts: Facts) -> bool:
    """Return whether a stay is the one that the completion tells of: another system told of it first."""
    return bool(stay["usage_point"] == facts.usage_point and stay["installed_at"] == facts.installed_at)


def _where(facts: Facts) -> str:
    """Return at which other usage points the removed meter hangs."""
    found = []
    for meter in sorted(facts.removed or ()):
        stay = facts.stays.place(meter, facts.removed_at)
        if stay is not None and stay["usage_point"] != facts.usage_point and stands(stay, facts.removed_at):
            found.append(str(stay["usage_point"]))
    return f"; it hangs at {', '.join(found)}" if found else ""


def _label(stay: Stay) -> str:
    return f"{stay['manufacturer']} {stay['serial']}".strip()
