"""Whether a usage point is in a wave, and why not: one verdict for each, from the masters and what is under way."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from canonical.codes.linkage import BACKDATED_OVER_BILLED, BACKDATED_TOO_FAR
from canonical.codes.rollout import CROSS_INSTALLED, INFLIGHT_CONFLICT, OLD_METER_MISMATCH
from canonical.codes.rollout_waves import EXCLUDED_BY_RULE, IN_OTHER_WAVE, NOT_OF_WAVE, NOTHING_TO_EXCHANGE
from canonical.errors import ErrorCode
from canonical.periods import local_date
from flows.meter_rollout.rules import WaveRules
from store.rollout_candidates import Standing
from store.rollout_states import OPEN
from store.rows import Row

CONFLICTS = frozenset(
    str(code)
    for code in (INFLIGHT_CONFLICT, CROSS_INSTALLED, OLD_METER_MISMATCH, BACKDATED_OVER_BILLED, BACKDATED_TOO_FAR)
)
"""Codes of open work during which nobody exchanges a meter."""


@dataclass(frozen=True, slots=True)
class Out:
    """Why a usage point is not in a wave."""

    code: ErrorCode
    reason: str
    is_of_day: bool = False
    """Whether it stands in the way on that day alone."""

    @property
    def is_chosen(self) -> bool:
        """Return whether the rules choose it, so that it stands in the wave's list as excluded."""
        return self.code is not NOT_OF_WAVE


@dataclass(frozen=True, slots=True)
class Candidate:
    """A usage point that can be exchanged, with what planning and ordering need of it."""

    usage_point: str
    name: str
    zone: str
    commodity: str
    district: str
    route: str
    cycle: str
    customer_class: str
    meter: str
    """mRID of the meter that hangs there; empty for a first installation."""

    manufacturer: str
    serial: str
    moves: frozenset[date]
    """Local days on which its customer changes."""

    location: str
    walk: tuple[object, ...]
    """Order of visits within its route: by town, street, house."""


def judge(rules: WaveRules, point: Row, standing: Standing, *, at: datetime) -> Candidate | Out:
    """Return what a wave makes of a usage point at an instant.

    First whether the rules choose it (or name it), then what excludes it, then what stands in the way.
    """
    found = _candidate(point, standing, at)
    named = rules.names(found.usage_point, found.name)
    model = _model(standing, found.meter)
    if not named and (why := _not_chosen(rules, found, model)):
        return Out(NOT_OF_WAVE, why)
    return (
        _excluded(rules, found, standing, at)
        or _nothing_there(rules, found, model, standing, at)
        or (_conflict(rules, found, standing) or found)
    )


def conflict(rules: WaveRules, found: Candidate, standing: Standing, *, at: datetime) -> Out | None:
    """Return what has come between since an order was planned: an exclusion, a meter that is gone, another order."""
    model = _model(standing, found.meter)
    return (
        _excluded(rules, found, standing, at)
        or _nothing_there(rules, found, model, standing, at)
        or _conflict(rules, found, standing)
    )


def candidate(point: Row, standing: Standing, *, at: datetime) -> Candidate:
    """Return a usage point as it would be exchanged."""
    return _candidate(point, standing, at)


def _not_chosen(rules: WaveRules, found: Candidate, model: str) -> str:
    """Return by which rule a usage point is not of the wave; empty where all choose it."""
    facts: Mapping[str, tuple[str, frozenset[str]]] = {
        "district": (found.district, rules.districts),
        "route": (found.route, rules.routes),
        "commodity": (found.commodity, rules.commodities),
        "cycle": (found.cycle, rules.cycles),
        "customer class": (found.customer_class, rules.customer_classes),
        "meter model": (model, rules.models if found.meter else frozenset()),
    }
    for what, (value, chosen) in facts.items():
        if chosen and value not in chosen:
            return f"its {what} is {value or 'not known'}; the wave takes {_listed(chosen)}"
    return ""


def _excluded(rules: WaveRules, found: Candidate, standing: Standing, at: datetime) -> Out | None:
    why = rules.excludes(found.usage_point, found.name)
    if why:
        return Out(EXCLUDED_BY_RULE, f"excluded by name: {why}")
    agreement = _in_force(standing.agreements.get(found.usage_point, ()), at)
    if agreement is not None and agreement["net_metering"] and not rules.net_metering:
        return Out(EXCLUDED_BY_RULE, "its customer delivers energy too (net metering)")
    if agreement is not None and agreement["account"] in standing.special_needs and not rules.special_needs:
        return Out(EXCLUDED_BY_RULE, "its customer has a special need")
    return None


def _nothing_there(rules: WaveRules, found: Candidate, model: str, standing: Standing, at: datetime) -> Out | None:
    hanging = _hanging(standing, found.usage_point, at)
    if len(hanging) > 1:
        return Out(NOTHING_TO_EXCHANGE, f"{len(hanging)} meters hang there: {_listed({r['serial'] for r in hanging})}")
    if not hanging and not rules.first_installations:
        return Out(NOTHING_TO_EXCHANGE, "no meter hangs there")
    hung = rules.hardware_for(found.customer_class, found.commodity)
    if hung is not None and model and hung.model == model:
        return Out(NOTHING_TO_EXCHANGE, f"a meter of the new model {model} hangs there already")
    if rules.hardware and hung is None:
        said = found.customer_class or "no class"
        return Out(NOTHING_TO_EXCHANGE, f"the wave has no new model for {said} {found.commodity.lower()}")
    return None


def _conflict(rules: WaveRules, found: Candidate, standing: Standing) -> Out | None:
    for order in standing.orders.get(found.usage_point, ()):
        if order["wave"] != rules.wave and order["state"] in OPEN:
            whose = f"wave {order['wave']}" if order["wave"] else "an exchange that nobody ordered"
            return Out(IN_OTHER_WAVE, f"{whose} has an order there that is {order['state']}")
    if found.usage_point in standing.work:
        return Out(INFLIGHT_CONFLICT, f"work is open about it: {standing.work[found.usage_point]}")
    if found.usage_point in standing.waiting:
        return Out(INFLIGHT_CONFLICT, "a change of its master data waits to be applied")
    if found.usage_point in standing.corrections:
        return Out(INFLIGHT_CONFLICT, "a bill of it is being corrected")
    return None


def _candidate(point: Row, standing: Standing, at: datetime) -> Candidate:
    name = point["usage_point"]
    agreements = standing.agreements.get(name, [])
    agreement = _in_force(agreements, at)
    hanging = _hanging(standing, name, at)
    hung = hanging[0] if len(hanging) == 1 else None
    location = standing.locations.get(name)
    return Candidate(
        name,
        point["name"],
        point["zone"],
        point["commodity"],
        point["district"],
        point["route"],
        agreement["cycle"] if agreement is not None else "",
        agreement["customer_class"] if agreement is not None else "",
        hung["meter"] if hung is not None else "",
        hung["manufacturer"] if hung is not None else "",
        hung["serial"] if hung is not None else "",
        _moves(agreements, point["zone"], at),
        location["location"] if location is not None else "",
        _walk(location, point["name"], name),
    )


def _moves(agreements: list[Row], zone: str, at: datetime) -> frozenset[date]:
    """Return the local days, from an instant on, on which an agreement begins or ends."""
    instants = [row[name] for row in agreements for name in ("valid_from", "valid_to")]
    return frozenset(local_date(one, ZoneInfo(zone)) for one in instants if one is not None and one > at)


def _in_force(agreements: "list[Row] | tuple[()]", at: datetime) -> Row | None:
    """Return the agreement that is in force at an instant: of several, the one that began last."""
    begun = [row for row in agreements if row["valid_from"] <= at]
    return max(begun, key=lambda row: (row["valid_from"], row["agreement"]), default=None)


def _hanging(standing: Standing, usage_point: str, at: datetime) -> list[Row]:
    """Return the meters that hang at a usage point at an instant: a meter that is configured anew hangs once."""
    rows = [row for row in standing.installed.get(usage_point, ()) if row["installed_at"] <= at]
    return list({row["meter"]: row for row in rows}.values())


def _model(standing: Standing, meter: str) -> str:
    row = standing.meters.get(meter)
    return row["model"] if row is not None else ""


def _walk(location: Row | None, name: str, usage_point: str) -> tuple[object, ...]:
    """Return where a usage point comes in the walk of its route: 9 before 10, and 10 before 10a."""
    if location is None:
        return ("", "", 0, "", name, usage_point)
    number = location["number"].strip().lower()
    digits = len(number) - len(number.lstrip("0123456789"))
    house = int(number[:digits]) if digits else 0
    return (location["town"], location["street"], house, number[digits:], name, usage_point)


def _listed(names: "frozenset[str] | set[str]") -> str:
    """Return some names of a set as people read them."""
    shown = sorted(names)[:5]
    return ", ".join(shown) + (", ..." if len(names) > len(shown) else "")
