"""A completion as facts that JSON can hold, and back; and those of them that two tellings must have in common."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from canonical.ids import mint_near
from canonical.names import normal_serial
from canonical.rollout import Completion, MeterSeen, RegisterValue

_TEXTS = (
    *("order", "usage_point", "outcome", "usage_point_name", "unable_reason", "source_reason", "installer", "seal"),
    *("address", "remarks", "raw"),
)
_INSTANTS = ("effective_at", "removed_at", "installed_at", "reported_at")
_NUMBERS = ("multiplier_seen", "latitude", "longitude")
_METERS = ("removed", "installed")
_READINGS = ("final_readings", "first_readings")


def facts_of(completion: Completion) -> dict[str, Any]:
    """Return a completion as facts; what was not told is left out."""
    facts: dict[str, Any] = {name: value for name in _TEXTS if (value := getattr(completion, name))}
    facts |= {name: _instant(value) for name in _INSTANTS if (value := getattr(completion, name)) is not None}
    facts |= {name: _number(value) for name in _NUMBERS if (value := getattr(completion, name)) is not None}
    facts |= {name: [one.serial, one.manufacturer, one.meter] for name in _METERS if (one := getattr(completion, name))}
    for name in _READINGS:
        if values := getattr(completion, name):
            facts[name] = [[one.register, _number(one.value), one.reading_type] for one in values]
    if completion.comms_ok is not None:
        facts["comms_ok"] = completion.comms_ok
    if completion.photos:
        facts["photos"] = list(completion.photos)
    return facts


def completion_from(facts: dict[str, Any]) -> Completion:
    """Return the completion that facts hold."""
    given: dict[str, Any] = {name: facts[name] for name in _TEXTS if name in facts}
    given |= {name: datetime.fromisoformat(facts[name]) for name in _INSTANTS if name in facts}
    given |= {name: Decimal(facts[name]) for name in _NUMBERS if name in facts}
    given |= {name: MeterSeen(*facts[name]) for name in _METERS if name in facts}
    for name in _READINGS:
        if name in facts:
            given[name] = tuple(RegisterValue(one, Decimal(value), kind) for one, value, kind in facts[name])
    if "photos" in facts:
        given["photos"] = tuple(facts["photos"])
    given |= {name: facts.get(name, "") for name in ("order", "usage_point")}
    return Completion(comms_ok=facts.get("comms_ok"), **given)


def business_key(completion: Completion, usage_point: str) -> str:
    """Return what names the exchange: usage point, both meters, instant (domain 1.5); of a visit in vain the visit."""
    meters = (serial_of(completion.removed), serial_of(completion.installed))
    kind = "exchange" if completion.outcome == "DONE" else completion.outcome.lower()
    return mint_near(usage_point, "completion", kind, usage_point, *meters, completion.effective_at)


def result_id(key: str, completion: Completion) -> str:
    """Return the id of a telling: whoever says the same of the same exchange again says it under the same id.

    What changes no belief (remarks, photos, who did it) does not make another telling of it.
    """
    said = (
        *(_instant(one) if one is not None else "" for one in (completion.removed_at, completion.installed_at)),
        *(one.manufacturer.strip().upper() if one else "" for one in (completion.removed, completion.installed)),
        _readings(completion.final_readings),
        _readings(completion.first_readings),
        _number(completion.multiplier_seen) if completion.multiplier_seen is not None else "",
        completion.unable_reason or "",
    )
    return mint_near(key, "rollout_result", key, *said)


def serial_of(seen: MeterSeen | None) -> str:
    """Return by what a meter that was seen is compared: its normalized serial, else its mRID; empty for none."""
    return "" if seen is None else normal_serial(seen.serial) or seen.meter


def _readings(values: tuple[RegisterValue, ...]) -> str:
    return ";".join(sorted(f"{one.register}|{one.reading_type}|{_number(one.value)}" for one in values))


def _instant(value: datetime) -> str:
    return value.astimezone(UTC).isoformat()


def _number(value: Decimal) -> str:
    """Return a number without needless zeros: 7.50 and 7.5 say the same."""
    plain = format(value, "f")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain
