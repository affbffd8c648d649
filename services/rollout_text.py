"""Waves, plans and orders as people and programs read them: lines and JSON."""

import json
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from flows.meter_rollout.explaining import Explained, Told
from flows.meter_rollout.planner import Plan
from flows.meter_rollout.release import Released
from flows.meter_rollout.rules import rules_from
from flows.meter_rollout.status import WaveStanding

STATES = (
    "PLANNED", "ELIGIBLE", "RELEASED", "DISPATCHED", "UNABLE", "ON_HOLD", "DONE_IN_FIELD", "REJECTED", "CORRECTING",
    "VALIDATED", "CIS_EXCHANGED", "MDM_SYNCED", "HES_COMMISSIONED", "HEARD", "VERIFIED", "CERTIFIED", "CLOSED",
    "REVERSED", "CANCELLED", "EXCLUDED",
)  # fmt: skip
"""States of orders in the order in which they are shown."""

_NEXT = {
    "DRAFT": "its plan is not whole: `amihub rollout plan {0}`",
    "PLANNED": "look at it, then `amihub rollout freeze {0} --by NAME`",
    "FROZEN": "`amihub rollout release {0} --day YYYY-MM-DD --by NAME`",
    "PAUSED": "`amihub rollout resume {0} --by NAME`",
    "COMPLETED": "reconcile, then `amihub rollout close {0} --by NAME`",
}


def plan_lines(plan: Plan, *, written: bool) -> Iterator[str]:
    """Yield a plan: verdicts, then the days."""
    verb = "planned" if written else "would be planned"
    yield f"wave {plan.wave}: {plan.counts['PLANNED']:,} of {plan.looked_at:,} usage points {verb}"
    for verdict, number in sorted(plan.counts.items(), key=lambda one: (-one[1], one[0])):
        if verdict != "PLANNED":
            yield f"  {number:>9,}  {verdict}"
    if plan.days:
        yield f"  {len(plan.days)} days, {min(plan.days)} to {max(plan.days)}:"
        for day in sorted(plan.days):
            yield f"  {plan.days[day]:>9,}  {day} {date.fromisoformat(day):%a}"
    if not plan.looked_at:
        yield "  nobody lies on its districts and routes: look at the section of the wave, and at `amihub load report`"
    if written and plan.counts["PLANNED"]:
        yield f"next: {_NEXT['PLANNED'].format(plan.wave)}"


def plan_json(plan: Plan) -> str:
    """Return a plan as JSON."""
    return _json({"wave": plan.wave, "looked_at": plan.looked_at, "verdicts": plan.counts, "days": plan.days})


def released_lines(found: Released, *, done: bool) -> Iterator[str]:
    """Yield what a release came to."""
    verb = "released" if done else "would be released"
    yield f"wave {found.wave}: {found.orders.total():,} orders {verb}"
    for day in sorted(found.orders):
        yield f"  {found.orders[day]:>9,}  {day} {date.fromisoformat(day):%a}"
    for code, number in sorted(found.held.items()):
        yield f"  {number:>9,}  not: {code}"
    for one in found.lacking:
        yield f"  stock is short of {one}"


def released_json(found: Released) -> str:
    """Return what a release came to as JSON."""
    lacking = [
        {"model": one.model, "configuration": one.configuration, "needed": one.needed, "in_stock": one.in_stock}
        for one in found.lacking
    ]
    return _json({"wave": found.wave, "released": found.orders, "not_released": found.held, "lacking": lacking})


def standing_lines(waves: Iterable[WaveStanding], *, days: bool) -> Iterator[str]:
    """Yield how waves stand: a line for each, with `days` its days, states and codes too."""
    yield f"{'wave':<20} {'state':<10} {'days':<24} {'listed':>8} {'done':>8} {'ended':>8} {'out':>8}"
    for one in waves:
        row = one.wave
        span = f"{row['first_day']} {row['last_day']}"
        yield (
            f"{row['wave']:<20} {row['state']:<10} {span:<24} {one.listed:>8,} {one.done:>8,} {one.ended:>8,} "
            f"{one.states.get('EXCLUDED', 0):>8,}"
        )
        if days:
            yield from _details(one)
        if row["state"] in _NEXT:
            yield f"  next: {_NEXT[row['state']].format(row['wave'])}"


def standing_json(waves: Iterable[WaveStanding]) -> str:
    """Return how waves stand as JSON."""
    return _json([_standing(one) for one in waves])


def explained_lines(found: Iterable[Explained]) -> Iterator[str]:
    """Yield what the rollout knows of usage points."""
    for one in found:
        point = one.point
        hung = f"{point.manufacturer} {point.serial} ({one.model or 'model not known'})" if point.meter else "no meter"
        yield f"{point.usage_point}  {point.name}"
        yield f"  district {point.district or '-'}, route {point.route or '-'}, cycle {point.cycle or '-'}"
        yield f"  {point.commodity.lower()}, class {point.customer_class or '-'}, {hung} hangs there"
        for told in one.orders:
            yield from _order_lines(told, ZoneInfo(point.zone))
        for wave, verdict in one.verdicts.items():
            yield f"  wave {wave}: no order; {verdict}"
        if not one.orders and not one.verdicts:
            yield "  the site file has no wave, and nobody has exchanged it"


def explained_json(found: Iterable[Explained]) -> str:
    """Return what the rollout knows of usage points as JSON."""
    return _json(
        [
            {
                "usage_point": one.point.usage_point,
                "name": one.point.name,
                "district": one.point.district,
                "route": one.point.route,
                "cycle": one.point.cycle,
                "customer_class": one.point.customer_class,
                "commodity": one.point.commodity,
                "meter": one.point.meter,
                "serial": one.point.serial,
                "model": one.model,
                "orders": [_told(told) for told in one.orders],
                "verdicts": dict(one.verdicts),
            }
            for one in found
        ]
    )


def _details(one: WaveStanding) -> Iterator[str]:
    for state in STATES:
        if state in one.states:
            yield f"  {one.states[state]:>9,}  {state}"
    for (state, code), number in sorted(one.codes.items()):
        yield f"  {number:>9,}  {state}: {code}"
    if one.days:
        yield (
            f"  {'day':<14} {'planned':>8} {'waiting':>8} {'in field':>8} {'done':>8} {'unable':>8} {'held':>8}"
            f" {'reported':>9}"
        )
    for day in one.days:
        yield (
            f"  {day.day} {date.fromisoformat(day.day):%a} {day.planned:>8,} {day.waiting:>8,} {day.in_field:>8,} "
            f"{day.done:>8,} {day.unable:>8,} {day.held:>8,} {day.reported:>9,}"
        )
    if one.wave["list_sha256"]:
        yield f"  list frozen {one.wave['frozen_at']:%Y-%m-%d %H:%MZ}, sha256 {one.wave['list_sha256']}"
    for act in one.wave["acts"]:
        said = f": {act['reason']}" if act["reason"] else ""
        yield f"  {datetime.fromisoformat(act['at']):%Y-%m-%d %H:%MZ} {act['act']} by {act['by']}{said}"


def _order_lines(told: Told, zone: ZoneInfo) -> Iterator[str]:
    """Yield one order and its life, instants in the usage point's own zone."""
    order = told.order
    whose = f"wave {order['wave']}" if order["wave"] else "ordered by nobody"
    day = f", planned for {order['planned_day']}" if order["planned_day"] else ""
    why = ": ".join(part for part in (order["code"], order["reason"]) if part)
    yield f"  {whose}: {order['state']}{day}" + (f" ({why})" if why else "") + f"  order {order['order_id']}"
    for line in told.history:
        said = ": ".join(part for part in (line["code"], line["reason"]) if part)
        at = line["valid_at"].astimezone(zone)
        known = (
            "" if line["known_at"] == line["valid_at"] else f" (known {line['known_at'].astimezone(zone):%m-%d %H:%M})"
        )
        yield f"    {at:%Y-%m-%d %H:%M}{known} {line['state']:<16} by {line['by']}" + (f"  {said}" if said else "")
    for row in told.completions:
        codes = f"  {', '.join(row['codes'])}" if row["codes"] else ""
        yield f"    completion {row['result_id']} of {row['source']}: {row['outcome']}, {row['state']}{codes}"
    for row in told.steps:
        how = row["delivery_state"] or ""
        why = ": ".join(part for part in (row["code"], row["reason"]) if part)
        yield f"    step {row['step']:<16} {row['role']:<10} {row['state']:<12} {how:<10} {why}".rstrip()


def _told(told: Told) -> dict[str, Any]:
    """Return one order with its life; of completions no content: it holds an address."""
    completions = [{name: value for name, value in row.items() if name != "content"} for row in told.completions]
    return {**told.order, "history": told.history, "steps": told.steps, "completions": completions}


def _standing(one: WaveStanding) -> dict[str, Any]:
    row = one.wave
    return {
        "wave": row["wave"],
        "state": row["state"],
        "first_day": row["first_day"],
        "last_day": row["last_day"],
        "capacity_per_day": row["capacity_per_day"],
        "zone": rules_from(row["rules"]).zone,
        "list_sha256": row["list_sha256"],
        "verdicts": row["counts"],
        "listed": one.listed,
        "done": one.done,
        "ended": one.ended,
        "states": dict(one.states),
        "codes": [{"state": s, "code": code, "orders": n} for (s, code), n in sorted(one.codes.items())],
        "days": [{name: getattr(day, name) for name in day.__slots__} for day in one.days],
        "acts": row["acts"],
    }


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, default=_plain)


def _plain(value: Any) -> str:
    """Return an instant or a number as JSON knows it."""
    if isinstance(value, datetime | date):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, Decimal):
        return format(value, "f")
    raise TypeError(type(value).__name__)
